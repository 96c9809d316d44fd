"""What stands in a column of a table, by the values alone: every language writes an ISRC in the same way."""

import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import PurePosixPath
from statistics import median

from embeddings.decoding.formats import AUDIO_SUFFIXES
from recommender.sources.rows.names import read_isrc, read_mbid, read_spotify

MOSTLY = 0.9  # of the cells that hold something
_URI = re.compile(r"(spotify|deezer|tidal):(artist|album|user|playlist|show|episode):", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://\S+$", re.IGNORECASE)
_DATE = re.compile(r"(?:1[89]|20)\d\d(?:-[01]\d(?:-[0-3]\d)?)?$")
_MOMENT = re.compile(r"(?:1[89]|20)\d\d-[01]\d-[0-3]\d[T ][0-2]\d:")
_CLOCK = re.compile(r"(?:\d{1,2}:)?\d{1,3}:[0-5]\d$")
_NUMBER = re.compile(r"[-+]?[\d.,]+%?$")
_FLAGS = frozenset(("true", "false", "yes", "no", "0", "1"))
# Lengths of songs; what counts, rates or dates lies outside, and so do most ids of services.
_SHORTEST_MS, _USUAL_MS, _LONGEST_MS = 5_000, (20_000, 1_200_000), 7_200_000


class Kind(StrEnum):
    """What the cells of a column are."""

    TRACK_URI = "track uri"
    ARTIST_URI = "artist uri"
    ALBUM_URI = "album uri"
    OTHER_URI = "other uri"
    ISRC = "isrc"
    MBID = "mbid"
    PATH = "path"
    ADDRESS = "address"
    MOMENT = "moment"
    DATE = "date"
    CLOCK = "clock"
    MILLISECONDS = "milliseconds"
    FLAG = "flag"
    NUMBER = "number"
    TEXT = "text"
    EMPTY = "empty"


def kind_of(cells: Sequence[str]) -> Kind:
    """What most cells that hold something are; text where they are nothing else."""
    filled = [text for cell in cells if (text := cell.strip())]
    if not filled:
        return Kind.EMPTY
    for kind, is_one in _KINDS:
        if sum(bool(is_one(cell)) for cell in filled) >= MOSTLY * len(filled):
            return Kind.MILLISECONDS if kind is Kind.NUMBER and _are_lengths(filled) else kind
    return Kind.TEXT


def _are_lengths(cells: Sequence[str]) -> bool:
    whole = [int(cell) for cell in cells if cell.isdecimal() and len(cell) < 10]
    possible = [number for number in whole if _SHORTEST_MS <= number <= _LONGEST_MS]
    if len(possible) < MOSTLY * len(cells):
        return False
    return _USUAL_MS[0] <= median(possible) <= _USUAL_MS[1]


def _is_path(cell: str) -> bool:
    path = cell.replace("\\", "/")
    return "/" in path and PurePosixPath(path).suffix.lower() in AUDIO_SUFFIXES


def _is_uri_of(what: str) -> Callable[[str], bool]:
    def is_one(cell: str) -> bool:
        found = _URI.match(cell)
        return found is not None and found[2].lower() == what

    return is_one


_KINDS: tuple[tuple[Kind, Callable[[str], object]], ...] = (
    (Kind.TRACK_URI, lambda cell: read_spotify(cell) is not None),
    (Kind.ARTIST_URI, _is_uri_of("artist")),
    (Kind.ALBUM_URI, _is_uri_of("album")),
    (Kind.OTHER_URI, lambda cell: _URI.match(cell) is not None),
    (Kind.ISRC, lambda cell: read_isrc(cell) is not None),
    (Kind.MBID, lambda cell: read_mbid(cell) is not None),
    (Kind.PATH, _is_path),
    (Kind.ADDRESS, lambda cell: _ADDRESS.match(cell) is not None),
    (Kind.MOMENT, lambda cell: _MOMENT.match(cell) is not None),
    (Kind.FLAG, lambda cell: cell.lower() in _FLAGS),
    (Kind.DATE, lambda cell: _DATE.match(cell) is not None),
    (Kind.CLOCK, lambda cell: _CLOCK.match(cell) is not None),
    (Kind.NUMBER, lambda cell: _NUMBER.match(cell) is not None),
)
