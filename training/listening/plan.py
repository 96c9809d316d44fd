"""What a scan has to do: which files are new, changed, gone, or were never heard by this encoder."""

import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

from sqlalchemy.orm import Session

from embeddings.errors import MissingDecoder
from recommender.catalogue.embeddings import embedded_tracks
from recommender.catalogue.files import forget_files, known_files
from recommender.catalogue.tracks import tracks_in_part
from recommender.errors import NoAudio, UnreadableFolder
from recommender.records.tracks import FoundFile, KnownFile
from recommender.sources.cue.images import stat_file
from recommender.sources.folder import PassedOver, walk_audio

QUOTED = "%"  # no absolute path begins so
# These may go well next time although the file is the same: somebody installed what was missing.
RETRIED_CODES = frozenset({MissingDecoder.code})


def item_key(path: Path) -> str:
    """A file's path as the key of a job item: readable where its bytes are text, and always a way back."""
    text = os.fspath(path)
    try:
        text.encode("utf-8")
        return text
    except UnicodeEncodeError:
        return QUOTED + quote_from_bytes(os.fsencode(path))


def item_path(key: str) -> Path:
    """The path in an :func:`item_key`."""
    if key.startswith(QUOTED):
        return Path(os.fsdecode(unquote_to_bytes(key.removeprefix(QUOTED))))
    return Path(key)


def find_files(path: Path, *, roots: Iterable[Path], passed_over: PassedOver) -> list[FoundFile]:
    """The audio files at a path: those below a folder, or the one file that it is.

    What lies there and is not among them is counted in ``passed_over``.

    Raises
    ------
    UnreadableFolder, NoAudio
    """
    if path.is_file():
        return [stat_file(path)]
    found = list(walk_audio(path, roots=roots, passed_over=passed_over))
    if not found:
        why = f": {passed_over.sentence}" if passed_over.sentence else ""
        raise NoAudio(f"the folder {os.fspath(path)!r} holds no audio files{why}")
    return found


def plan_scan(
    session: Session, path: Path, found: Iterable[FoundFile], *, fingerprint: str, retry_failed: bool = False
) -> list[str]:
    """Keys of the files to work on; the files that are gone are forgotten.

    A file whose size and time are unchanged is not opened. One that was set aside stays so until it
    changes, unless ``retry_failed``; so does one that could be heard in part only.
    """
    known = known_files(session, path)
    heard = embedded_tracks(session, fingerprint)
    if retry_failed:
        heard -= tracks_in_part(session).keys()
    files = {os.fsencode(file.path): file for file in found}
    forget_files(session, [gone for gone in known if gone not in files])

    def is_settled(file: FoundFile, before: KnownFile) -> bool:
        if (before.size, before.mtime_ns) != (file.size, file.mtime_ns):
            return False
        if before.error_code is not None:
            return not retry_failed and before.error_code not in RETRIED_CODES
        return before.track_id in heard

    settled = {
        name
        for name, file in files.items()
        if name in known and all(is_settled(file, before) for before in known[name])
    }
    return [item_key(file.path) for name, file in files.items() if name not in settled]


def readable_paths(paths: Iterable[Path]) -> tuple[list[Path], list[str]]:
    """(the paths that can be read, sentences about the others); a disk may be unplugged.

    Raises
    ------
    UnreadableFolder
        None can be read.
    """
    readable, complaints = [], []
    for path in paths:
        try:
            path.stat()
            readable.append(path)
        except OSError as error:
            complaints.append(f"{os.fspath(path)!r} cannot be read: {error.strerror}")
    if not readable:
        raise UnreadableFolder("; ".join(complaints) or "there is no library folder to scan: name one")
    return readable, complaints
