"""Taking feedback: find the track, keep the verdict, and queue the quick fit that learns it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recommender.catalogue.feedback import give_feedback, withdraw_feedback
from recommender.catalogue.files import track_of_file
from recommender.catalogue.playlists import find_playlist, get_playlist, list_playlists, track_playlists
from recommender.catalogue.tracks import find_track, parse_reference
from recommender.catalogue.verdicts import list_feedback
from recommender.errors import NoSuchTrack
from recommender.jobs.ledger import enqueue
from recommender.model.calibration import MIN_CALIBRATION_TRACKS
from recommender.records.jobs import JobKind
from recommender.records.playlists import DEFAULT_GROUP, FeedbackInfo, FeedbackVerdict, PlaylistInfo
from recommender.records.tracks import TrackInfo

# One sentence for all, so that feedback given while a fit waits is learnt by that one.
REASON = "feedback was given"


@dataclass(frozen=True)
class PlaylistChoice:
    """The playlist that is right or wrong: by its id, or by its name in a group."""

    id: int | None = None
    name: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class FeedbackState:
    """What is known of a track's place after feedback.

    ``job_id`` is the fit that will learn it, None when nothing has to be learnt; ``advice`` says what the
    groups spoken of still lack to be answered well, empty when nothing.
    """

    track: TrackInfo
    feedback: tuple[FeedbackInfo, ...]
    playlists: tuple[PlaylistInfo, ...]
    advice: str
    job_id: int | None = None


def take_feedback(
    session: Any, track: TrackInfo, verdict: FeedbackVerdict, playlist: PlaylistChoice
) -> FeedbackState:
    """Keep what the user says of a track; belongs into the caller's transaction, as :func:`enqueue` does.

    Raises
    ------
    NoSuchPlaylist
        No playlist is the chosen one.
    """
    chosen = None if verdict.is_taste else _find_chosen(session, playlist)
    is_changed = give_feedback(session, track.id, verdict, playlist=chosen)
    return _state(session, track, is_changed=is_changed)


def take_back_feedback(session: Any, track: TrackInfo, *, playlist_id: int | None = None) -> FeedbackState:
    """Forget what was said of a track, or of it and one playlist."""
    return _state(session, track, is_changed=withdraw_feedback(session, track.id, playlist_id=playlist_id))


def show_feedback(session: Any, track: TrackInfo) -> FeedbackState:
    """Return what was said of a track."""
    return _state(session, track, is_changed=False)


def find_kept_track(session: Any, reference: str, *, is_path_allowed: bool = False) -> TrackInfo:
    """Return the track that a reference names, or a path for the person at the command line."""
    try:
        try:
            parse_reference(reference)
        except NoSuchTrack:
            if not is_path_allowed:
                raise
            return track_of_file(session, Path(reference).resolve())
        return find_track(session, reference)
    except NoSuchTrack as error:
        raise NoSuchTrack(
            f"{error}; feedback is about tracks of the library: a file that was only uploaded to be asked"
            " about, or that no scan has read, is not kept, so nothing can be remembered of it: keep it"
            " first"
        ) from error


def _find_chosen(session: Any, playlist: PlaylistChoice) -> PlaylistInfo:
    if playlist.id is not None:
        return get_playlist(session, playlist.id)
    return find_playlist(session, playlist.name or "", group=playlist.group or DEFAULT_GROUP)


def _state(session: Any, track: TrackInfo, *, is_changed: bool) -> FeedbackState:
    feedback = list_feedback(session, track.id)
    groups = sorted({row.group for row in feedback})
    return FeedbackState(
        track=track,
        feedback=tuple(feedback),
        playlists=tuple(track_playlists(session, track.id)),
        advice=" ".join(filter(None, (_advise(session, group) for group in groups))),
        job_id=enqueue(session, JobKind.REFIT, {"reason": REASON}) if is_changed else None,
    )


def _advise(session: Any, group: str) -> str:
    """Return what a group lacks, empty when nothing."""
    sizes = {p.name: p.n_tracks for p in list_playlists(session, group=group) if p.n_tracks}
    held = " and ".join(f"{n_tracks} in {name!r}" for name, n_tracks in sizes.items()) or "none"
    tracks = f"the group {group!r} has {held} so far"
    if sum(sizes.values()) < 2:
        return f"{tracks}: it answers once there are two tracks, best one in each of two playlists."
    if len(sizes) < 2:
        return f"{tracks}: there is nothing to tell them apart from until a second playlist has a track."
    if min(sizes.values()) < MIN_CALIBRATION_TRACKS:
        return (
            f"{tracks}: its answers stay wide until each playlist has {MIN_CALIBRATION_TRACKS}"
            " tracks, by several artists."
        )
    return ""
