"""Rows written as the playlist files of their kind and read again, so that they are what an import sees."""

import csv
import io
import plistlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from recommender.records.rows import ISRC, SourcePlaylist, SourceRow
from recommender.sources.files.reading import read_playlists
from recommender.sources.files.writing import PlaylistFormat, write_playlist
from tests.benchmarks.damaged_library import AskedRow

Form = tuple[str, Callable[[Sequence[SourceRow]], bytes]]


def pass_through_files(asked: Sequence[AskedRow]) -> list[AskedRow]:
    """The rows as they come out of one file of each kind, in their own order."""
    read = {}
    for kind in FORMS:
        read[kind] = iter(_pass_through_file(kind, [each.row for each in asked if each.kind == kind]))
    return [replace(each, row=next(read[each.kind])) for each in asked]


def _pass_through_file(kind: str, rows: Sequence[SourceRow]) -> list[SourceRow]:
    name, write = FORMS[kind]
    (playlist,) = read_playlists(write(rows), name=name)
    assert len(playlist.rows) == len(rows), (kind, playlist.skipped[:3])
    return list(playlist.rows)


def _written(rows: Sequence[SourceRow], form: PlaylistFormat) -> bytes:
    return write_playlist(SourcePlaylist("mine", "bench", tuple(rows)), form)


def _m3u(rows: Sequence[SourceRow]) -> bytes:
    lines = ["#EXTM3U"]
    for row in rows:
        named = " - ".join(part for part in (row.artist, row.title) if part)
        lines += [f"#EXTINF:{int(row.duration_s or -1)},{named}"] * bool(named)
        lines.append(row.path or "")
    return "\r\n".join(lines).encode()


def _itunes(rows: Sequence[SourceRow]) -> bytes:
    tracks = {}
    for number, row in enumerate(rows, start=1):
        named = {"Name": row.title, "Artist": row.artist, "Album": row.album}
        length = {} if row.duration_s is None else {"Total Time": int(1000 * row.duration_s)}
        tracks[str(number)] = {"Track ID": number, **{k: v for k, v in named.items() if v}, **length}
    items = [{"Track ID": number} for number in range(1, len(rows) + 1)]
    return plistlib.dumps({"Tracks": tracks, "Playlists": [{"Name": "mine", "Playlist Items": items}]})


def _exportify(rows: Sequence[SourceRow]) -> bytes:
    titles = ("Track URI", "Track Name", "Album Name", "Artist Name(s)", "Track Duration (ms)", "ISRC")
    cells = (
        (
            *(f"spotify:track:{number:022d}", row.title, row.album, row.artist),
            *("" if row.duration_s is None else int(1000 * row.duration_s), row.identity(ISRC) or ""),
        )
        for number, row in enumerate(rows)
    )
    return _csv(titles, cells, delimiter=",")


def _soundiiz(rows: Sequence[SourceRow]) -> bytes:
    cells = ((row.title, row.artist, row.album, row.identity(ISRC) or "") for row in rows)
    return _csv(("title", "artist", "album", "isrc"), cells, delimiter=";")


def _csv(titles: tuple[str, ...], cells: object, *, delimiter: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows((titles, *cells))  # type: ignore[misc]
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _plain(rows: Sequence[SourceRow]) -> bytes:
    return "\n".join(f"{row.artist} - {row.title}" if row.artist else row.title for row in rows).encode()


FORMS: dict[str, Form] = {
    "m3u8, paths here": ("mine.m3u8", lambda rows: _written(rows, PlaylistFormat.M3U8)),
    "m3u, other machine": ("mine.m3u", _m3u),
    "xspf": ("mine.xspf", lambda rows: _written(rows, PlaylistFormat.XSPF)),
    "itunes xml": ("mine.xml", _itunes),
    "exportify csv": ("mine.csv", _exportify),
    "soundiiz csv": ("mine.csv", _soundiiz),
    "plain text": ("mine.txt", _plain),
}
