"""Catalogue queries about audio files and the folders they may lie in."""

import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from recommender.catalogue.database import CHUNK_ROWS, insert_or_keep, insert_or_update
from recommender.catalogue.tables.library import AudioFile, LibraryRoot, Track
from recommender.catalogue.tracks import find_track, update_track, upsert_track
from recommender.errors import NoSuchTrack
from recommender.records.tracks import FailedFile, KnownFile, TrackFacts, TrackInfo


def display_path(path: Path | bytes) -> str:
    """A path as text that any database and any JSON reader accepts."""
    return os.fsencode(path).decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def known_files(session: Session, folder: Path) -> dict[bytes, KnownFile]:
    """Path -> what the last scan found, for every file below a folder."""
    place = (AudioFile.path, AudioFile.size, AudioFile.mtime_ns)
    outcome = (AudioFile.track_id, AudioFile.error_code, AudioFile.error)
    rows = session.execute(select(*place, *outcome).where(_below(folder)))
    return {
        row.path: KnownFile(row.size, row.mtime_ns, row.track_id, row.error_code, row.error) for row in rows
    }


def known_files_at(session: Session, paths: Sequence[Path]) -> dict[Path, KnownFile]:
    """Path -> what was found there when it was last read, for those of the paths that were."""
    found: dict[Path, KnownFile] = {}
    place = (AudioFile.path, AudioFile.size, AudioFile.mtime_ns)
    outcome = (AudioFile.track_id, AudioFile.error_code, AudioFile.error)
    for start in range(0, len(paths), CHUNK_ROWS):
        chunk = [os.fsencode(path) for path in paths[start : start + CHUNK_ROWS]]
        for row in session.execute(select(*place, *outcome).where(AudioFile.path.in_(chunk))):
            known = KnownFile(row.size, row.mtime_ns, row.track_id, row.error_code, row.error)
            found[Path(os.fsdecode(row.path))] = known
    return found


def track_of_content(session: Session, content_sha256: str) -> int | None:
    """Id of the track with this audio payload, if it was heard before."""
    return session.scalar(select(Track.id).where(Track.content_sha256 == content_sha256))


def record_file(
    session: Session,
    path: Path,
    *,
    size: int,
    mtime_ns: int,
    facts: TrackFacts,
    allow_spotify: bool = False,
) -> int:
    """Id of the track that a file holds, made or brought up to date.

    Of several files with the same audio, the one whose path sorts first names the track: the outcome
    does not depend on which was read first.
    """
    known = track_of_content(session, facts.content_sha256 or "")
    if known is None:
        track_id = upsert_track(session, facts, allow_spotify=allow_spotify)
    else:
        track_id = known
        first = select(AudioFile.path).where(AudioFile.track_id == known).order_by(AudioFile.path).limit(1)
        naming_path = session.scalar(first)
        if naming_path is None or os.fsencode(path) <= naming_path:
            update_track(session, known, facts)
    _upsert_file(session, path, size=size, mtime_ns=mtime_ns, track_id=track_id, sha256=facts.content_sha256)
    return track_id


def record_failed_file(
    session: Session, path: Path, *, size: int, mtime_ns: int, code: str, error: str
) -> None:
    """Set a file aside with the reason; it is tried again once it changes."""
    _upsert_file(session, path, size=size, mtime_ns=mtime_ns, error_code=code, error=error)


def failed_files(session: Session, folder: Path) -> list[FailedFile]:
    """The files below a folder that were set aside, by path."""
    columns = (AudioFile.path_text, AudioFile.error_code, AudioFile.error)
    failed = AudioFile.error_code.is_not(None)
    rows = session.execute(select(*columns).where(_below(folder), failed).order_by(AudioFile.path))
    return [FailedFile(path=path, code=code or "", error=error or "") for path, code, error in rows]


def forget_files(session: Session, paths: Sequence[bytes]) -> None:
    """Drop files that are gone from the disk; their tracks stay, ready for the file's new place."""
    for start in range(0, len(paths), CHUNK_ROWS):
        session.execute(delete(AudioFile).where(AudioFile.path.in_(paths[start : start + CHUNK_ROWS])))


def folder_tracks(session: Session, folder: Path) -> list[int]:
    """Track ids of the files below a folder, by path, each track once."""
    rows = session.scalars(
        select(AudioFile.track_id)
        .where(_below(folder), AudioFile.track_id.is_not(None))
        .order_by(AudioFile.path)
    )
    return list(dict.fromkeys(track_id for track_id in rows if track_id is not None))


def track_of_file(session: Session, path: Path) -> TrackInfo:
    """The track that a file holds, as of the last scan; confine the path first."""
    track_id = session.scalar(select(AudioFile.track_id).where(AudioFile.path == os.fsencode(path)))
    if track_id is None:
        raise NoSuchTrack(f"no track in the catalogue was read from {display_path(path)!r}")
    return find_track(session, track_id)


def track_paths(session: Session, track_ids: Iterable[int]) -> dict[int, Path]:
    """Track id -> the file it is read from, of several the first that is there; without a file left out."""
    wanted = list(track_ids)
    files: dict[int, list[Path]] = {}
    for start in range(0, len(wanted), CHUNK_ROWS):
        chunk = wanted[start : start + CHUNK_ROWS]
        rows = session.execute(
            select(AudioFile.track_id, AudioFile.path)
            .where(AudioFile.track_id.in_(chunk))
            .order_by(AudioFile.path)
        )
        for track_id, path in rows:
            if track_id is not None:
                files.setdefault(track_id, []).append(Path(os.fsdecode(path)))
    # Only of copies is the disk asked: one may have been deleted since the last scan.
    return {
        track_id: paths[0] if len(paths) == 1 else next(filter(Path.is_file, paths), paths[0])
        for track_id, paths in files.items()
    }


def add_library_root(session: Session, path: Path) -> None:
    """Let callers name files below a folder; asking twice changes nothing."""
    resolved = path.resolve()
    row = {"path": os.fsencode(resolved), "path_text": display_path(resolved)}
    insert_or_keep(session, LibraryRoot, [row])


def list_library_roots(session: Session) -> tuple[Path, ...]:
    """The folders registered with :func:`add_library_root`."""
    paths = session.scalars(select(LibraryRoot.path).order_by(LibraryRoot.path))
    return tuple(Path(os.fsdecode(path)) for path in paths)


def _below(folder: Path) -> ColumnElement[bool]:
    """Condition: the path is this file or lies below this folder. Ranges, so that an index serves them."""
    prefix = os.fsencode(folder).rstrip(b"/")
    inside = (AudioFile.path > prefix + b"/") & (AudioFile.path < prefix + b"0")
    return (AudioFile.path == os.fsencode(folder)) | inside


def _upsert_file(
    session: Session,
    path: Path,
    *,
    size: int,
    mtime_ns: int,
    track_id: int | None = None,
    sha256: str | None = None,
    error_code: str | None = None,
    error: str | None = None,
) -> None:
    row = {
        "path": os.fsencode(path),
        "path_text": display_path(path),
        "size": size,
        "mtime_ns": mtime_ns,
        "track_id": track_id,
        "content_sha256": sha256,
        "error_code": error_code,
        "error": error,
        "seen_at": time.time(),
    }
    insert_or_update(session, AudioFile, row, key=("path",))
