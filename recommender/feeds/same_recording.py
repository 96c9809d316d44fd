"""Which rows of feeds are the same recording, by what they say of themselves."""

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote_from_bytes

from recommender.records.rows import GUID, ISRC, JELLYFIN, MBID, RELEASE_GROUP, SPOTIFY, SUBSONIC, SourceRow

SAME_DURATION_S = 3.0
_REGISTERED = (MBID, ISRC, SPOTIFY, SUBSONIC, JELLYFIN)
_NOT_A_LETTER = re.compile(r"[\W_]+")


def row_keys(row: SourceRow) -> list[str]:
    """Names of the recording that a row means, the surest first; the first is the one it is kept under."""
    return [*_sure_keys(row), *_names_keys(row), *_place_keys(row)] or [f"row:{fold(row.title)}"]


class KnownRows:
    """The recordings of a feed, found again by any of their names."""

    def __init__(self) -> None:
        self._by_key: dict[str, str] = {}
        self._by_names: dict[str, list[tuple[SourceRow, str]]] = defaultdict(list)

    def add(self, row: SourceRow, key: str) -> None:
        """Make a recording known."""
        for name in (*_sure_keys(row), *_place_keys(row)):
            self._by_key.setdefault(name, key)
        if names := _names(row):
            self._by_names[names].append((row, key))

    def find(self, row: SourceRow) -> str | None:
        """The key under which the same recording is kept, None for a new one."""
        for name in (*_sure_keys(row), *_place_keys(row)):
            if name in self._by_key:
                return self._by_key[name]
        candidates = self._by_names.get(_names(row), ())
        return next((key for other, key in candidates if _may_be_same(row, other)), None)


def merge_rows(old: SourceRow, new: SourceRow) -> SourceRow:
    """What two rows together say of one recording; where both speak, the new one."""
    schemes = {scheme for scheme, _ in new.identities}
    kept = tuple(pair for pair in old.identities if pair[0] not in schemes)
    return replace(
        new,
        title=new.title or old.title,
        artist=new.artist or old.artist,
        album=new.album or old.album,
        duration_s=new.duration_s if new.duration_s is not None else old.duration_s,
        identities=(*kept, *new.identities),
        path=new.path or old.path,
        url=new.url or old.url,
        released=new.released or old.released,
    )


def fold(text: str) -> str:
    """Text without case, accents and punctuation."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    letters = "".join(character for character in plain if not unicodedata.combining(character))
    return _NOT_A_LETTER.sub(" ", letters).strip()


def _sure_keys(row: SourceRow) -> Iterator[str]:
    group = row.identity(RELEASE_GROUP)
    if group:
        yield f"release:{group.lower()}:{fold(row.title)}"
    for scheme in _REGISTERED:
        value = row.identity(scheme)
        if value:
            yield f"{scheme}:{value.strip()}"


def _place_keys(row: SourceRow) -> Iterator[str]:
    if row.path:
        part = "" if row.start_s is None else f"#t={row.start_s!r}"
        yield f"path:{quote_from_bytes(os.fsencode(row.path))}{part}"
    guid = row.identity(GUID)
    if guid:
        yield f"{GUID}:{guid}"
    if row.url:
        yield f"url:{row.url}"


def _names_keys(row: SourceRow) -> Iterator[str]:
    # A file is kept under its place: its names are read when it is listened to.
    names = _names(row)
    if names and not row.path:
        seconds = "" if row.duration_s is None else f"{row.duration_s:.0f}"
        yield f"names:{names}:{fold(row.album)}:{seconds}"


def _names(row: SourceRow) -> str:
    artist, title = fold(row.artist), fold(row.title)
    return f"{artist}:{title}" if artist and title else ""


def _may_be_same(row: SourceRow, other: SourceRow) -> bool:
    """Whether two rows with the same artist and title are one recording: nothing may speak against it."""
    if row.path and other.path:
        return False
    for scheme in _REGISTERED:
        one, two = row.identity(scheme), other.identity(scheme)
        if one and two and one != two:
            return False
    if row.duration_s is not None and other.duration_s is not None:
        return abs(row.duration_s - other.duration_s) <= SAME_DURATION_S
    one, two = fold(row.album), fold(other.album)
    return one == two or not one or not two


def shared_keys(row: SourceRow) -> list[str]:
    """Names that mean the same recording in every feed; an id on somebody's server does not."""
    here_only = (f"{SUBSONIC}:", f"{JELLYFIN}:", f"{GUID}:", "path:")
    return [key for key in (*_sure_keys(row), *_place_keys(row)) if not key.startswith(here_only)]
