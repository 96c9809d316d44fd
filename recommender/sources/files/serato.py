"""Serato's crates, and its library ``database V2``: tags of four letters, a length, and what they hold.

Nobody published the formats; they are read as Mixxx and serato-tags describe them: text is UTF-16, big
endian, ``otrk`` holds the fields of a track, and places are written without the drive that they lie on.
"""

import struct
from collections.abc import Iterator, Mapping

from recommender.errors import UnreadableSource
from recommender.records.rows import SourcePlaylist, SourceRow
from recommender.sources.rows.collecting import RowCollector, refuse_too_many
from recommender.sources.rows.locations import read_location
from recommender.sources.rows.names import clean_text, read_seconds

MAGIC = b"vrsn"
LIBRARY_NAME = "database V2"  # of the file, beside the folder of the crates
PARENT_SIGN = "%%"  # in the name of a crate's file: the crate that it lies in
_CRATE, _LIBRARY = "ScratchLive Crate", "Scratch LIVE Database"
_HEADER = struct.Struct(">4sI")


def read_serato(
    data: bytes, *, name: str, library: Mapping[str, SourceRow] | None = None
) -> list[SourcePlaylist]:
    """The playlist in a crate, in its order; of the library file all of it.

    ``library`` says what its places are called, as :func:`read_library` gives it; a crate holds places only.

    Raises
    ------
    UnreadableSource
        It is neither, or breaks off.
    """
    version = next((_text(value) for tag, value in _fields(data) if tag == b"vrsn"), "")
    if _LIBRARY in version:
        collector = RowCollector()
        for row in read_library(data).values():
            collector.add(row)
        return [collector.playlist("Serato library", "serato")]
    if _CRATE not in version:
        raise UnreadableSource(f"the file is of Serato's, but no crate: it is {version[:60]!r}")
    collector = RowCollector()
    for track in _tracks(data):
        place = _text(track.get(b"ptrk", b""))
        collector.add((library or {}).get(place) or SourceRow(path=_path_of(place)), text=place)
    return [collector.playlist(name.replace(PARENT_SIGN, "/"), "serato")]


def read_library(data: bytes) -> dict[str, SourceRow]:
    """Place -> track, of every track in a ``database V2``.

    Raises
    ------
    UnreadableSource
        It breaks off.
    """
    rows: dict[str, SourceRow] = {}
    for track in _tracks(data):
        refuse_too_many(len(rows))
        texts = {tag: _text(value) for tag, value in track.items() if tag[:1] in (b"t", b"p")}
        place = texts.get(b"pfil", "")
        rows[place] = SourceRow(
            title=clean_text(texts.get(b"tsng")),
            artist=clean_text(texts.get(b"tart")),
            album=clean_text(texts.get(b"talb")),
            duration_s=read_seconds(texts.get(b"tlen")),
            path=_path_of(place),
        )
    return rows


def write_crate(places: list[str]) -> bytes:
    """A crate of these absolute paths, in their order, with the columns that Serato shows at first."""
    parts = [_field(b"vrsn", f"1.0/Serato {_CRATE}".encode("utf-16-be"))]
    parts += [
        _field(
            b"ovct", _field(b"tvcn", column.encode("utf-16-be")) + _field(b"tvcw", "0".encode("utf-16-be"))
        )
        for column in ("song", "artist", "album", "length")
    ]
    parts += [
        _field(b"otrk", _field(b"ptrk", _place_of(path).encode("utf-16-be", "replace"))) for path in places
    ]
    return b"".join(parts)


def _tracks(data: bytes) -> Iterator[dict[bytes, bytes]]:
    for n_read, (tag, value) in enumerate(_fields(data)):
        refuse_too_many(n_read)
        if tag == b"otrk":
            yield dict(_fields(value))


def _fields(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 0
    while place < len(data):
        if place + _HEADER.size > len(data):
            raise UnreadableSource("the crate breaks off: it was not written to its end, or is damaged")
        tag, n_bytes = _HEADER.unpack_from(data, place)
        place += _HEADER.size
        if place + n_bytes > len(data):
            raise UnreadableSource("the crate breaks off: it was not written to its end, or is damaged")
        yield tag, data[place : place + n_bytes]
        place += n_bytes


def _field(tag: bytes, value: bytes) -> bytes:
    return _HEADER.pack(tag, len(value)) + value


def _text(value: bytes) -> str:
    return value.decode("utf-16-be", "replace").rstrip("\0")


def _path_of(place: str) -> str | None:
    """Places count from the root of the drive; which one that is, only the ends of the paths can tell."""
    return read_location(
        f"/{place.lstrip('/')}" if place[1:2] != ":" else place, folder=None, is_path=True
    ).path


def _place_of(path: str) -> str:
    slashed = path.replace("\\", "/") if path[1:2] == ":" else path
    return slashed.partition(":/")[2] if slashed[1:3] == ":/" else slashed.lstrip("/")
