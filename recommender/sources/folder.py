"""A folder of audio files: what lies in it, what its tags say, and which paths callers may name."""

import errno
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from embeddings.decoding.formats import AUDIO_SUFFIXES
from recommender.errors import OutsideLibrary, UnreadableFolder
from recommender.records.tracks import UNKNOWN_ARTIST, FileFormat, FoundFile, TrackFacts
from recommender.sources.cue.images import SUFFIX, albums_in, sheets_by_image, with_sheet
from recommender.sources.tags import Tags, read_tags

N_SUFFIXES_NAMED = 5
_TRACK_NUMBER = re.compile(r"^\d{1,3}[\s._-]+(?=\S)")


@dataclass
class PassedOver:
    """What a walk left aside: files by their suffix, links not followed, folders that may not be read.

    ``sheets`` are cue sheets of no use, by their names, with the reason.

    Hidden files are not counted.
    """

    suffixes: Counter[str] = field(default_factory=Counter)
    n_links: int = 0
    n_folders: int = 0
    sheets: dict[str, str] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """What was passed over, for a person; empty when that is nothing."""
        parts = []
        if n_files := self.suffixes.total():
            by_number = sorted(self.suffixes.items(), key=lambda item: (-item[1], item[0]))
            most = ", ".join(f"{suffix} {n}" for suffix, n in by_number[:N_SUFFIXES_NAMED])
            parts.append(f"{n_files} files that by their names are no audio ({most})")
        if self.sheets:
            name, reason = next(iter(self.sheets.items()))
            parts.append(f"{len(self.sheets)} cue sheets of no use ({name}: {reason})")
        if self.n_links:
            parts.append(f"{self.n_links} links to folders, or out of the library's folders")
        if self.n_folders:
            parts.append(f"{self.n_folders} folders that may not be read")
        return f"passed over: {', '.join(parts)}" if parts else ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        counts = {"suffixes": dict(self.suffixes.most_common()), "links": self.n_links}
        counts |= {"unreadable_folders": self.n_folders, "cue_sheets": self.sheets}
        return counts | {"sentence": self.sentence}


def walk_audio(
    folder: Path, *, roots: Iterable[Path] = (), passed_over: PassedOver | None = None
) -> Iterator[FoundFile]:
    """Every audio file below a folder, by path.

    Hidden files are passed over, and so are links to folders and links that lead out of the folder and
    of all ``roots``; what is passed over is counted where somebody wants to know.

    Raises
    ------
    UnreadableFolder
        The folder is missing, is no folder, or may not be read.
    """
    folder = folder.absolute()
    allowed = [os.fsencode(root.resolve()) for root in (folder, *roots)]
    try:
        entries = sorted(os.scandir(os.fsencode(folder)), key=_walk_order)
    except OSError as error:
        raise UnreadableFolder(
            f"the folder {os.fspath(folder)!r} cannot be read: {error.strerror}"
        ) from error
    yield from _walk_entries(entries, folder, allowed, PassedOver() if passed_over is None else passed_over)


def library_folders(folder: Path) -> list[Path]:
    """The folders of a library laid out as ``folder/<playlist>/<audio>``, by name."""
    try:
        entries = list(os.scandir(os.fsencode(folder)))
    except OSError as error:
        raise UnreadableFolder(
            f"the folder {os.fspath(folder)!r} cannot be read: {error.strerror}"
        ) from error
    folders = [e.path for e in entries if e.is_dir(follow_symlinks=False) and not e.name.startswith(b".")]
    return [Path(os.fsdecode(path)) for path in sorted(folders)]


def read_facts(path: Path, *, name: str | None = None) -> TrackFacts:
    """What a file's tags say; where they are silent, what its name says.

    Tags that cannot be read count as silent: whether there is audio in the file is for the decoder to say.
    ``name`` stands in for the file's own name, for an upload that lies under another.
    """
    return facts_of_tags(read_tags(path), path if name is None else Path(name))


def facts_of_tags(tags: Tags, name: Path) -> TrackFacts:
    """What tags say, and where they are silent, the name of their file."""
    named = facts_of_name(name)
    artists = tuple(text for text in map(_text, tags.artists) if text)
    return replace(
        named,
        title=_text(tags.title) or named.title,
        artist=", ".join(artists) or named.artist,
        artists=artists if len(artists) > 1 else (),
        album=_text(tags.album),
        duration_s=tags.duration_s or None,
        licence=_text(tags.licence),
        identities=tags.identities,
    )


def read_format(path: Path) -> FileFormat:
    """How a file holds its audio; of a header that cannot be read nothing is known but the file's suffix."""
    tags = read_tags(path)
    return FileFormat(path.suffix.lower().removeprefix("."), tags.sample_rate_hz, tags.bit_rate_kbps)


def resolve_in_roots(path: Path, roots: Iterable[Path]) -> Path:
    """The real path of a file or folder under one of the roots; a relative path is tried in each.

    Raises
    ------
    OutsideLibrary
        It lies elsewhere. The message is the same whether it exists or not.
    """
    resolved_roots = [root.resolve() for root in roots]
    candidates = [path] if path.is_absolute() else [root / path for root in resolved_roots]
    inside = [real for real in map(_real_path, candidates) if real and _lies_in(real, resolved_roots)]
    if not inside:
        raise OutsideLibrary("this path does not lie under a library root")
    return next((real for real in inside if is_there(real)), inside[0])


def _real_path(path: Path) -> Path | None:
    """Where a path leads; None for a NUL, and for a loop of links, which Python 3.13 resolves."""
    try:
        path.stat()
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError) or error.errno == errno.ELOOP:
            return None
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return None


def is_there(path: Path) -> bool:
    """Whether there is anything under a path; not under a name that no file system takes."""
    try:
        return path.exists()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Whether a path is a folder's; not under a name that no file system takes."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _lies_in(path: Path, roots: Iterable[Path]) -> bool:
    return any(path.is_relative_to(root) for root in roots)


def _walk_order(entry: os.DirEntry[bytes]) -> bytes:
    """Sorts like the whole paths of the files would."""
    return entry.name + b"/" if entry.is_dir(follow_symlinks=False) else entry.name


def _walk_entries(
    entries: list[os.DirEntry[bytes]], folder: Path, allowed: list[bytes], passed_over: PassedOver
) -> Iterator[FoundFile]:
    """The files of one folder, and those below it."""
    has_sheets = any(_is_sheet(entry) for entry in entries)
    albums, useless = albums_in(folder) if has_sheets else ([], {})
    for path, reason in useless.items():
        passed_over.sheets[os.fsencode(path.name).decode("utf-8", "replace")] = reason
    sheets = sheets_by_image(albums)
    for entry in entries:
        if not _is_sheet(entry):
            yield from (with_sheet(file, sheets) for file in _walk_entry(entry, allowed, passed_over))


def _is_sheet(entry: os.DirEntry[bytes]) -> bool:
    return entry.name.lower().endswith(os.fsencode(SUFFIX)) and entry.is_file()


def _walk_entry(
    entry: os.DirEntry[bytes], allowed: list[bytes], passed_over: PassedOver
) -> Iterator[FoundFile]:
    if entry.name.startswith(b"."):
        return
    if entry.is_dir(follow_symlinks=False):
        try:
            below = sorted(os.scandir(entry.path), key=_walk_order)
        except OSError:  # a folder that may not be read hides its files, like an unmounted disk
            passed_over.n_folders += 1
            return
        yield from _walk_entries(below, Path(os.fsdecode(entry.path)), allowed, passed_over)
        return
    suffix = Path(os.fsencode(entry.name).decode("utf-8", "replace")).suffix.lower()
    if _is_link_to_folder(entry):
        passed_over.n_links += 1
    elif suffix in AUDIO_SUFFIXES:
        yield from _found_file(entry, allowed, passed_over)
    else:
        passed_over.suffixes[suffix or "without a suffix"] += 1


def _is_link_to_folder(entry: os.DirEntry[bytes]) -> bool:
    try:
        return entry.is_symlink() and entry.is_dir()
    except OSError:  # a link that leads round in circles
        return False


def _found_file(
    entry: os.DirEntry[bytes], allowed: list[bytes], passed_over: PassedOver
) -> Iterator[FoundFile]:
    try:
        if entry.is_symlink() and not _leads_inside(os.path.realpath(entry.path), allowed):
            passed_over.n_links += 1
            return
        status = entry.stat()
        if entry.is_file():
            yield FoundFile(Path(os.fsdecode(entry.path)), status.st_size, status.st_mtime_ns)
    except OSError:  # it went away, or the link leads nowhere
        return


def _leads_inside(target: bytes, allowed: list[bytes]) -> bool:
    return any(target.startswith(root.rstrip(b"/") + b"/") for root in allowed)


def facts_of_name(path: Path) -> TrackFacts:
    """What a file's name alone says: "artist - title" where it has that form, else the name as title."""
    name = _text(os.fsencode(path.stem).decode("utf-8", "replace"))
    artist, dash, title = _TRACK_NUMBER.sub("", name).partition(" - ")
    if dash and artist.strip() and title.strip():
        return TrackFacts(title=title.strip(), artist=artist.strip())
    return TrackFacts(title=name or "untitled", artist=UNKNOWN_ARTIST)


def _text(value: object) -> str:
    """Text without control characters and without space at its ends."""
    text = "".join(character if character.isprintable() else " " for character in str(value or ""))
    return " ".join(text.split())
