"""Catalogue queries about audio files and the folders they may lie in."""

import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from embeddings.stretch import WHOLE, Stretch
from recommender.catalogue.database import CHUNK_ROWS, insert_or_keep, insert_or_update
from recommender.catalogue.tables.library import AudioFile, LibraryRoot, Track
from recommender.catalogue.tracks import find_track, update_track, upsert_track
from recommender.errors import NoSuchTrack
from recommender.records.tracks import FailedFile, KnownFile, Place, TrackFacts, TrackInfo, numbered_path


def display_path(path: Path | bytes) -> str:
    """A path as text that any database and any JSON reader accepts."""
    return os.fsencode(path).decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def known_files(session: Session, folder: Path) -> dict[bytes, list[KnownFile]]:
    """Path -> what the last scan found, for every file below a folder; several entries for an album."""
    place = (AudioFile.path, AudioFile.size, AudioFile.mtime_ns)
    outcome = (AudioFile.track_id, AudioFile.error_code, AudioFile.error)
    rows = session.execute(select(*place, *outcome).where(_below(folder)))
    found: dict[bytes, list[KnownFile]] = {}
    for row in rows:
        known = KnownFile(row.size, row.mtime_ns, row.track_id, row.error_code, row.error)
        found.setdefault(row.path, []).append(known)
    return found


def known_files_at(session: Session, paths: Sequence[Path]) -> dict[tuple[Path, float | None], KnownFile]:
    """(path, start in seconds) -> what was found there when it was last read, for those paths that were.

    The start is None where the file is one track.
    """
    found: dict[tuple[Path, float | None], KnownFile] = {}
    part = (AudioFile.start_s, AudioFile.end_s)
    place = (AudioFile.path, AudioFile.size, AudioFile.mtime_ns)
    outcome = (AudioFile.track_id, AudioFile.error_code, AudioFile.error)
    for start in range(0, len(paths), CHUNK_ROWS):
        chunk = [os.fsencode(path) for path in paths[start : start + CHUNK_ROWS]]
        for row in session.execute(select(*place, *part, *outcome).where(AudioFile.path.in_(chunk))):
            known = KnownFile(row.size, row.mtime_ns, row.track_id, row.error_code, row.error)
            is_whole = Stretch(row.start_s, row.end_s).is_whole
            found[(Path(os.fsdecode(row.path)), None if is_whole else row.start_s)] = known
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
    stretch: Stretch = WHOLE,
    allow_spotify: bool = False,
) -> int:
    """Id of the track that a file, or a stretch of it, holds, made or brought up to date.

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
    found = {"track_id": track_id, "content_sha256": facts.content_sha256}
    _upsert_file(session, Place(path, stretch), size=size, mtime_ns=mtime_ns, found=found)
    return track_id


def record_failed_file(
    session: Session,
    path: Path,
    *,
    size: int,
    mtime_ns: int,
    code: str,
    error: str,
    stretch: Stretch = WHOLE,
) -> None:
    """Set a file, or a stretch of it, aside with the reason; it is tried again once the file changes."""
    found = {"error_code": code, "error": error}
    _upsert_file(session, Place(path, stretch), size=size, mtime_ns=mtime_ns, found=found)


def keep_only_stretches(session: Session, path: Path, stretches: Iterable[Stretch]) -> None:
    """Forget what else was once found in a file: its cue sheet was changed, came or went."""
    starts = [stretch.start_s for stretch in stretches]
    session.execute(
        delete(AudioFile).where(AudioFile.path == os.fsencode(path), AudioFile.start_s.not_in(starts))
    )


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
        .order_by(AudioFile.path, AudioFile.start_s)
    )
    return list(dict.fromkeys(track_id for track_id in rows if track_id is not None))


def track_of_file(session: Session, path: Path) -> TrackInfo:
    """The track that a file holds, as of the last scan, or one of several: ``album.flac#3`` is its third.

    Confine the path first.

    Raises
    ------
    NoSuchTrack
    """
    track_id = _track_at(session, path)
    if track_id is None:
        raise NoSuchTrack(f"no track in the catalogue was read from {display_path(path)!r}")
    return find_track(session, track_id)


def _track_at(session: Session, path: Path) -> int | None:
    columns = (AudioFile.track_id, AudioFile.start_s, AudioFile.end_s)

    def rows_at(file: Path) -> list[Any]:
        statement = select(*columns).where(AudioFile.path == os.fsencode(file))
        return list(session.execute(statement.order_by(AudioFile.start_s)))

    rows = rows_at(path)
    if rows:
        only = rows[0]
        return only.track_id if Stretch(only.start_s, only.end_s).is_whole else None
    file, number = numbered_path(path)
    rows = rows_at(file) if number is not None else []
    return rows[number - 1].track_id if number is not None and 0 < number <= len(rows) else None


def track_places(session: Session, track_ids: Iterable[int]) -> dict[int, Place]:
    """Track id -> where it is read, of several places the first that is there; without a file left out."""
    wanted = list(track_ids)
    places: dict[int, list[Place]] = {}
    for start in range(0, len(wanted), CHUNK_ROWS):
        chunk = wanted[start : start + CHUNK_ROWS]
        rows = session.execute(
            select(AudioFile.track_id, AudioFile.path, AudioFile.start_s, AudioFile.end_s)
            .where(AudioFile.track_id.in_(chunk))
            .order_by(AudioFile.path, AudioFile.start_s)
        )
        for track_id, path, start_s, end_s in rows:
            if track_id is not None:
                place = Place(Path(os.fsdecode(path)), Stretch(start_s, end_s))
                places.setdefault(track_id, []).append(place)
    # Only of copies is the disk asked: one may have been deleted since the last scan.
    return {
        track_id: found[0]
        if len(found) == 1
        else next((place for place in found if place.path.is_file()), found[0])
        for track_id, found in places.items()
    }


def track_paths(session: Session, track_ids: Iterable[int]) -> dict[int, Path]:
    """Track id -> the file of its :func:`track_places`, for whoever does not listen to it."""
    return {track_id: place.path for track_id, place in track_places(session, track_ids).items()}


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


def _upsert_file(session: Session, place: Place, *, size: int, mtime_ns: int, found: dict[str, Any]) -> None:
    nothing = {"track_id": None, "content_sha256": None, "error_code": None, "error": None}
    row = {
        "path": os.fsencode(place.path),
        "path_text": display_path(place.path),
        "start_s": place.stretch.start_s,
        "end_s": place.stretch.end_s,
        "size": size,
        "mtime_ns": mtime_ns,
        **(nothing | found),
        "seen_at": time.time(),
    }
    insert_or_update(session, AudioFile, row, key=("path", "start_s"))
