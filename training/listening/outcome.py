"""What a scan has found out, and how playlists follow the folders that they mirror."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from recommender.catalogue.database import Database
from recommender.catalogue.files import display_path, failed_files, folder_tracks, track_paths
from recommender.catalogue.models import current_bundle
from recommender.catalogue.playlists import (
    ensure_playlist,
    members_changed_since,
    mirrored_folders,
    playlist_tracks,
    set_members,
)
from recommender.catalogue.tracks import tracks_in_part
from recommender.catalogue.verdicts import with_feedback
from recommender.errors import NoAudio
from recommender.jobs.steps import failed_items
from recommender.records.tracks import FailedFile
from recommender.sources.folder import PassedOver, library_folders
from training.listening.plan import item_path

N_FAILED_SHOWN = 100


@dataclass
class Outcome:
    """What a job has found out so far."""

    paths: tuple[Path, ...]
    n_files: int = 0
    n_new: int = 0
    playlists: list[int] = field(default_factory=list)
    unreadable: tuple[str, ...] = ()
    passed_over: PassedOver = field(default_factory=PassedOver)
    is_changed: bool = False


def adopt_folders(
    session: Session, outcome: Outcome, *, group: str, names: Collection[str] | None = None
) -> None:
    """Make playlists of the folders directly below the outcome's paths that hold a track, or those named."""
    below = (folder for path in outcome.paths for folder in library_folders(path))
    for folder in (f for f in below if names is None or display_path(Path(f.name)) in names):
        if tracks := folder_tracks(session, folder):
            playlist = ensure_playlist(
                session, name=display_path(Path(folder.name)), group=group, folder=folder
            )
            mirror(session, playlist.id, tracks, outcome)
    if not outcome.playlists:
        shown = ", ".join(repr(display_path(path)) for path in outcome.paths)
        raise NoAudio(f"no folder directly below {shown} holds a track that could be listened to")


def follow_folders(session: Session, outcome: Outcome) -> None:
    """Bring the playlists that mirror a folder below the outcome's paths up to date with it."""
    for playlist_id, folder in mirrored_folders(session).items():
        is_below = any(folder.is_relative_to(path) or path.is_relative_to(folder) for path in outcome.paths)
        if is_below and playlist_id not in outcome.playlists:
            mirror(session, playlist_id, folder_tracks(session, folder), outcome)


def mirror(session: Session, playlist_id: int, tracks: list[int], outcome: Outcome) -> None:
    if playlist_tracks(session, playlist_id) != with_feedback(session, playlist_id, tracks):
        set_members(session, playlist_id, tracks)
        outcome.is_changed = True
    outcome.playlists.append(playlist_id)


def is_refit_due(session: Session) -> bool:
    """Whether the bundle in service is older than a playlist, as after a fit that failed."""
    bundle = current_bundle(session)
    return bundle is None or members_changed_since(session, bundle.created_at)


def sentence(result: dict[str, Any]) -> str:
    """The result for a person."""
    heard = f"{result['n_files']} files, {result['n_new']} newly heard, {result['n_failed']} set aside"
    if result["n_in_part"]:
        heard += f", {result['n_in_part']} heard in part"
    if result["passed_over"]["sentence"]:
        heard += f"; {result['passed_over']['sentence']}"
    return (
        f"{heard}; model {result['bundle']} is in service"
        if "bundle" in result
        else f"{heard}; nothing to fit"
    )


def describe(database: Database, job_id: int, outcome: Outcome) -> dict[str, Any]:
    """The job's result: counts, playlists, and every file that was set aside with its reason."""
    with database.read_session() as session:
        failed = {f.path: f for path in outcome.paths for f in failed_files(session, path)}
        for item in failed_items(session, job_id):
            path = display_path(item_path(item.key))
            failed.setdefault(path, FailedFile(path, item.code, item.error))
        in_part = _heard_in_part(session, outcome.paths)
    shown = [
        {"file": f.path, "code": f.code, "error": f.error} for f in list(failed.values())[:N_FAILED_SHOWN]
    ]
    return {
        "n_files": outcome.n_files,
        "n_new": outcome.n_new,
        "n_failed": len(failed),
        "failed": shown,
        "n_in_part": len(in_part),
        "in_part": in_part[:N_FAILED_SHOWN],
        "playlists": outcome.playlists,
        "unreadable": list(outcome.unreadable),
        "passed_over": outcome.passed_over.to_dict(),
    }


def _heard_in_part(session: Session, paths: tuple[Path, ...]) -> list[dict[str, Any]]:
    """The tracks below the paths that could not be decoded wholly, and how much of each was heard."""
    below = [track_id for path in paths for track_id in folder_tracks(session, path)]
    reasons = tracks_in_part(session, below)
    files = track_paths(session, reasons)
    return [
        {"track_id": track_id, "file": display_path(files[track_id]), "heard": reason}
        for track_id, reason in reasons.items()
    ]
