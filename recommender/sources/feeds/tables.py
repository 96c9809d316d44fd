"""CSV and JSON Lines: one recording a line, by path, address, registered names or artist and title."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from recommender.errors import UnreadableSource
from recommender.records.feeds import FeedRow
from recommender.records.rows import GUID, ISRC, MBID, RELEASE_GROUP, SPOTIFY, SourceRow
from recommender.sources.rows.names import clean_text, read_isrc, read_mbid, read_seconds, read_spotify
from recommender.sources.rows.text_decoding import decode_text

UNREADABLE_ROW, NAMES_NOTHING = "unreadable_row", "names_nothing"
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "path": ("path", "file", "filename", "location"),
    "url": ("url", "link", "enclosure", "audio", "audio url"),
    "title": ("title", "track", "name", "track name", "track title", "song"),
    "artist": ("artist", "artists", "artist name", "creator"),
    "album": ("album", "release", "album name"),
    "duration_s": ("duration s", "duration", "seconds", "length"),
    "duration_ms": ("duration ms",),
    "released": ("released", "release date", "date"),
    ISRC: ("isrc",),
    MBID: ("mbid", "recording mbid", "musicbrainz trackid", "musicbrainz recordingid"),
    RELEASE_GROUP: ("release group", "release group mbid", "musicbrainz releasegroupid"),
    SPOTIFY: ("spotify", "spotify uri", "spotify id", "track uri"),
    GUID: ("guid", "id"),
}
_FIELD = {column: field for field, columns in COLUMNS.items() for column in columns}
_SCHEMES: Mapping[str, Callable[[object], str | None]] = {
    ISRC: read_isrc,
    MBID: read_mbid,
    RELEASE_GROUP: read_mbid,
    SPOTIFY: read_spotify,
    GUID: clean_text,
}


def read_csv(content: bytes, *, folder: Path | None) -> list[FeedRow]:
    """The rows of a CSV file whose first line names the columns; relative paths lie in ``folder``.

    Raises
    ------
    UnreadableSource
        No column has a name that is known.
    """
    text = decode_text(content)
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t|", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        names = [_FIELD.get(_column(name), "") for name in next(reader, [])]
        if not any(names):
            known = ", ".join(columns[0] for columns in COLUMNS.values())
            raise UnreadableSource(f"the first line of a CSV feed names its columns, some of: {known}")
        lines = (dict(zip(names, cells, strict=False)) for cells in reader if any(map(str.strip, cells)))
        return [_row(cells, folder=folder) for cells in lines]
    except csv.Error as error:
        raise UnreadableSource(f"this is not CSV: {error}") from None


def read_json_lines(content: bytes, *, folder: Path | None) -> list[FeedRow]:
    """The rows of a JSON Lines file, an object a line with the names of CSV's columns.

    Raises
    ------
    UnreadableSource
        No line is an object.
    """
    rows = list(_read_lines(decode_text(content).splitlines(), folder=folder))
    if rows and all(row.code == UNREADABLE_ROW for row in rows):
        raise UnreadableSource("no line of this JSON Lines feed is an object")
    return rows


def _read_lines(lines: Iterable[str], *, folder: Path | None) -> Iterator[FeedRow]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError):
            values = None
        if isinstance(values, dict):
            yield _row(
                {_FIELD.get(_column(name), ""): value for name, value in values.items()}, folder=folder
            )
        else:
            shown = SourceRow(title=f"line {number}: {line.strip()[:100]}")
            yield FeedRow(shown, code=UNREADABLE_ROW, reason=f"line {number} is not a JSON object")


def _row(cells: Mapping[str, Any], *, folder: Path | None) -> FeedRow:
    text = {name: _text(name, value) for name, value in cells.items()}
    url, path = _places(text, folder=folder)
    row = SourceRow(
        title=text.get("title", ""),
        artist=text.get("artist", ""),
        album=text.get("album", ""),
        duration_s=_duration_s(text),
        identities=tuple(_identities(text)),
        path=path,
        url=url,
        released=text.get("released", ""),
    )
    if not (
        row.path
        or row.url
        or any(scheme != GUID for scheme, _ in row.identities)
        or (row.title and row.artist)
    ):
        said = (
            row if row.title else SourceRow(title=f"a line without a name: {sorted(text.values())!r}"[:200])
        )
        reason = "neither a path, an address, a registered name nor artist and title"
        return FeedRow(said, code=NAMES_NOTHING, reason=reason)
    return FeedRow(row)


def _text(name: str, value: object) -> str:
    # A place is taken as it is: it may hold any character.
    return str(value).strip() if name in ("path", "url") and isinstance(value, str) else clean_text(value)


def _places(text: Mapping[str, str], *, folder: Path | None) -> tuple[str | None, str | None]:
    """(address, path); people write the one into the column of the other."""
    places = [text[name] for name in ("url", "path") if text.get(name)]
    url = next((place for place in places if re.match(r"https?://", place, re.IGNORECASE)), None)
    path = next((place for place in places if "://" not in place), None)
    if path is None:
        return url, None
    if folder is None and not Path(path).is_absolute():
        return url, None
    return url, str((folder or Path("/")) / path)


def _identities(text: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for scheme, read in _SCHEMES.items():
        value = read(text.get(scheme, ""))
        if value:
            yield scheme, value


def _duration_s(text: Mapping[str, str]) -> float | None:
    if text.get("duration_ms"):
        return read_seconds(text["duration_ms"], per_second=1000.0)
    return read_seconds(text.get("duration_s"))


def _column(name: str) -> str:
    """A column's name without case, and however its words are joined."""
    return re.sub(r"[\s_-]+", " ", name.strip().lower())
