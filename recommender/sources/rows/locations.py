"""Where a playlist says that a track lies.

Playlists are written on other machines, by programs that spell places as they like: relative, absolute,
``file://``, ``C:\\Music``, ``\\\\server\\music``.
Nothing is opened here: which file of the library a path means is for the matching to say.
"""

import os
import posixpath
import re
from dataclasses import dataclass
from urllib.parse import quote_from_bytes, unquote_to_bytes

MAX_LOCATION = 8192
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")


@dataclass(frozen=True)
class Location:
    """A place as far as it is understood: a path with forward slashes, or an address, or neither."""

    path: str | None = None
    url: str | None = None


def read_location(text: str, *, folder: str | None, is_uri: bool = False, is_path: bool = False) -> Location:
    """Where a playlist in ``folder`` (None for an upload) means by a path or address.

    ``is_uri`` is for formats in which a relative path is escaped like an address, ``is_path`` for those in
    which it never is.
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
    # Some programs escape the paths of an M3U too; none leaves spaces in it then.
    escaped = is_uri or (not is_path and " " not in text and _ESCAPE.search(text))
    path = _unquote(text) if escaped else text
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


def _path_of_file_uri(uri: str) -> str | None:
    """``file:///x``, ``file://localhost/x``, ``file:///C:/x``, ``file://server/share/x``, ``file:C:\\x``."""
    path = _unquote(uri[len("file:") :].replace("\\", "/"))
    if path.startswith("//"):
        host, slash, rest = path[2:].partition("/")
        is_drive = bool(_DRIVE.match(f"{host}/"))
        local = host.lower() in ("", "localhost", "127.0.0.1") or is_drive
        rest = rest.lstrip("/") if host else rest  # file:////server/share has no host
        path = (f"{host}/{rest}" if is_drive else f"/{rest}") if local else f"//{host}{slash}{rest}"
    if _DRIVE.match(path.removeprefix("/")):
        path = path.removeprefix("/").replace("\\", "/")
    return None if "\0" in path or not path.strip("/") else _normalise(path)


def _unquote(text: str) -> str:
    return os.fsdecode(unquote_to_bytes(text.encode("utf-8", "surrogateescape")))


def _normalise(path: str) -> str:
    """Without "." and ".."; a relative path that leaves its folder keeps what lies beyond."""
    return re.sub(r"^(\.\./)+", "", posixpath.normpath(path))
