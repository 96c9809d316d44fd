"""Where a playlist says that a track lies, and which file of the library that is.

Playlists are written on other machines, by programs that spell places as they like: relative, absolute,
``file://``, ``C:\\Music``, ``\\\\server\\music``.
In the end a row names a file that the catalogue knows, or none.
"""

import os
import posixpath
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import quote_from_bytes, unquote_to_bytes

from recommender.sources.row_names import names_of_path
from recommender.sources.rows import SourcePlaylist, SourceRow

MAX_LOCATION = 8192
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_SURE_PARTS = 3  # artist, album and file: what else ends like this is the same file


@dataclass(frozen=True)
class Location:
    """A place as far as it is understood: a path with forward slashes, or an address, or neither."""

    path: str | None = None
    url: str | None = None


def read_location(text: str, *, folder: str | None, is_uri: bool = False) -> Location:
    """Where a playlist in ``folder`` (None for an upload) means by a path or address.

    ``is_uri`` is for formats in which a relative path is escaped like an address.
    """
    text = text.strip()
    if not text or len(text) > MAX_LOCATION or not text.replace("\t", " ").isprintable():
        return Location()
    scheme = text.partition(":")[0].lower()
    if scheme in ("http", "https") and _SCHEME.match(text):
        return Location(url=text)
    if scheme == "file":
        return Location(path=_path_of_file_uri(text))
    if _SCHEME.match(text):
        return Location()
    path = _unquote(text) if is_uri else text
    if _DRIVE.match(path) or path.startswith("\\") or "/" not in path:
        path = path.replace("\\", "/")
    if not path or "\0" in path:
        return Location()
    if not path.startswith("/") and not _DRIVE.match(path) and folder is not None:
        path = posixpath.join(folder, path)
    return Location(path=_normalise(path))


def path_to_uri(path: str) -> str:
    """A path as a ``file://`` address; the bytes of its name survive, whatever they are."""
    slashed = path.replace("\\", "/") if _DRIVE.match(path) else path
    lead = "" if slashed.startswith("/") else "/"
    return "file://" + lead + quote_from_bytes(os.fsencode(slashed), safe="/:")


class LibraryFiles:
    """The catalogue's files, found again under the names that another machine has for them."""

    def __init__(self, paths: Iterable[str], *, roots: Iterable[str] = ()) -> None:
        self._paths = frozenset(paths)
        self._roots = [_folded_parts(root) for root in roots]
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._by_tail: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for path in sorted(self._paths):
            parts = _folded_parts(path)
            self._by_name[parts[-1]].append(path)
            self._by_tail[parts[-2:]].append(path)

    def find(self, path: str) -> str | None:
        """The file that a path names here, by the longest common tail; None where that is not sure."""
        unquoted = _unquote(path) if "%" in path else path
        return next((found for name in (path, unquoted) if (found := self._find(name))), None)

    def _find(self, path: str) -> str | None:
        if path in self._paths:
            return path
        parts = _folded_parts(path)
        if len(parts) < 2:
            same_name = self._by_name.get(parts[-1], ()) if parts else ()
            return same_name[0] if len(same_name) == 1 else None
        lengths = {
            found: _common_tail(parts, _folded_parts(found)) for found in self._by_tail.get(parts[-2:], ())
        }
        longest = [found for found, length in lengths.items() if length == max(lengths.values())]
        if len(longest) != 1:
            return None
        [found] = longest
        return found if self._is_sure(lengths[found], parts, _folded_parts(found)) else None

    def _is_sure(self, n_common: int, asked: tuple[str, ...], found: tuple[str, ...]) -> bool:
        """ "CD1/01.mp3" is the end of many paths: enough only as the whole of one, here or there."""
        whole = n_common == len(asked) or found[:-n_common] in self._roots
        return whole or n_common >= _SURE_PARTS


def place_rows(playlist: SourcePlaylist, library: LibraryFiles) -> SourcePlaylist:
    """The playlist with the files of the library in its rows' paths, and no other path.

    Of a file that is not found, its name is kept, where the row says nothing else.
    """
    return replace(playlist, rows=tuple(_place_row(row, library) for row in playlist.rows))


def _place_row(row: SourceRow, library: LibraryFiles) -> SourceRow:
    if row.path is None:
        return row
    artist, title = (row.artist, row.title) if row.title else names_of_path(row.path)
    return replace(row, path=library.find(row.path), title=title, artist=artist or row.artist)


def _path_of_file_uri(uri: str) -> str | None:
    """``file:///x``, ``file://localhost/x``, ``file:///C:/x``, ``file://server/share/x``, ``file:C:\\x``."""
    path = _unquote(uri[len("file:") :]).replace("\\", "/")
    if path.startswith("//"):
        host, slash, rest = path[2:].partition("/")
        is_drive = bool(_DRIVE.match(f"{host}/"))
        local = host.lower() in ("", "localhost", "127.0.0.1") or is_drive
        path = (f"{host}/{rest}" if is_drive else f"/{rest}") if local else f"//{host}{slash}{rest}"
    if _DRIVE.match(path.removeprefix("/")):
        path = path.removeprefix("/")
    return None if "\0" in path or not path.strip("/") else _normalise(path)


def _unquote(text: str) -> str:
    return os.fsdecode(unquote_to_bytes(text.encode("utf-8", "surrogateescape")))


def _normalise(path: str) -> str:
    """Without "." and ".."; a relative path that leaves its folder keeps what lies beyond."""
    return re.sub(r"^(\.\./)+", "", posixpath.normpath(path))


def _folded_parts(path: str) -> tuple[str, ...]:
    """The parts of a path as file systems compare them: some forget the case, some take names apart."""
    return tuple(part for part in unicodedata.normalize("NFC", path).casefold().split("/") if part)


def _common_tail(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    n_common = 0
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if left != right:
            break
        n_common += 1
    return n_common
