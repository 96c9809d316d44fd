"""The results of a feed as files: every list or one of them, for programs, players and DJs, or to read."""

import csv
import enum
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

from recommender.disk import replacing
from recommender.errors import RecommenderError
from recommender.feeds.digest import render_html, render_text
from recommender.feeds.results import FeedResults, ListedTrack, PlaylistResults
from recommender.records.rows import SourcePlaylist
from recommender.sources.files.writing import (
    FORMULA,
    MANY,
    MEDIA_TYPES,
    PlaylistFormat,
    write_playlist,
    write_playlists,
)
from recommender.sources.rows.names import clean_text

COLUMNS = (
    *("playlist", "rank", "probability", "p_value", "artist", "title", "album", "released", "duration_s"),
    *("path", "url", "track_id", "item_id", "nearest"),
)
_NOT_IN_A_NAME = re.compile(r'[/\\:*?"<>|]+')


class ResultFormat(enum.StrEnum):
    """How results are written."""

    JSON = "json"
    CSV = "csv"
    M3U8 = "m3u8"
    JSPF = "jspf"
    REKORDBOX = "rekordbox"
    TRAKTOR = "nml"
    SERATO = "crate"
    HTML = "html"
    TEXT = "text"


RESULT_TYPES = {
    ResultFormat.JSON: "application/json",
    ResultFormat.CSV: "text/csv; charset=utf-8",
    ResultFormat.M3U8: MEDIA_TYPES[PlaylistFormat.M3U8],
    ResultFormat.JSPF: "application/jspf+json",
    ResultFormat.REKORDBOX: MEDIA_TYPES[PlaylistFormat.REKORDBOX],
    ResultFormat.TRAKTOR: MEDIA_TYPES[PlaylistFormat.TRAKTOR],
    ResultFormat.SERATO: MEDIA_TYPES[PlaylistFormat.SERATO],
    ResultFormat.HTML: "text/html; charset=utf-8",
    ResultFormat.TEXT: "text/plain; charset=utf-8",
}


class OnePlaylistNeeded(RecommenderError):
    """A format that holds one list was asked for without saying which."""

    code = "one_playlist_needed"


def write_results(results: FeedResults, format: ResultFormat) -> bytes:
    """The results as a file, in UTF-8.

    Raises
    ------
    OnePlaylistNeeded
        M3U8, JSPF and crates hold one list, and the results have none or several.
    """
    if format is ResultFormat.JSON:
        return (json.dumps(results.to_dict(), allow_nan=False) + "\n").encode()
    if format is ResultFormat.CSV:
        return _write_csv(results)
    if format in (ResultFormat.HTML, ResultFormat.TEXT):
        render = render_html if format is ResultFormat.HTML else render_text
        return render(results).encode("utf-8", "replace")
    written_as = PlaylistFormat(format.value)
    if written_as in MANY:
        return write_playlists([_as_source(playlist) for playlist in results.playlists], written_as)
    if len(results.playlists) != 1:
        names = ", ".join(repr(playlist.name) for playlist in results.playlists) or "none"
        raise OnePlaylistNeeded(f"{format} holds one list: say which playlist; there are {names}")
    return write_playlist(_as_source(results.playlists[0]), written_as)


def write_lists(
    results: FeedResults, folder: Path, format: PlaylistFormat = PlaylistFormat.M3U8
) -> list[Path]:
    """Write every list that holds a track into a folder; the files, whole or as they were.

    Formats that hold any number of lists get one file for all of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    filled = [playlist for playlist in results.playlists if playlist.tracks]
    if format in MANY:
        together = folder / f"Whichlist.{format.suffix}"
        _replace(together, write_playlists([_as_source(playlist) for playlist in filled], format))
        return [together]
    written = list[Path]()
    for playlist in filled:
        name = _NOT_IN_A_NAME.sub("_", clean_text(playlist.name)).strip(". ") or f"playlist {playlist.id}"
        path = folder / f"{name[:100]}.{format.suffix}"
        if path in written:
            path = folder / f"{name[:100]} ({playlist.id}).{format.suffix}"
        _replace(path, write_playlist(_as_source(playlist), format))
        written.append(path)
    return written


def _as_source(playlist: PlaylistResults) -> SourcePlaylist:
    return SourcePlaylist(playlist.name, "feed", tuple(track.row for track in playlist.tracks))


def _replace(path: Path, content: bytes) -> None:
    with replacing(path) as file:
        file.write(content)


def _write_csv(results: FeedResults) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for playlist in results.playlists:
        for track in playlist.tracks:
            writer.writerow([_cell(value) for value in _values(playlist, track)])
    return text.getvalue().encode("utf-8", "replace")


def _values(playlist: PlaylistResults, track: ListedTrack) -> Iterator[object]:
    yield from (playlist.name, track.rank, track.probability, track.p_value, track.artist, track.title)
    yield from (track.album, track.released, track.duration_s, track.path, track.url, track.track, track.item)
    yield "; ".join(f"{near.track.artist} - {near.track.title} {near.similarity}" for near in track.nearest)


def _cell(value: object) -> str:
    """Text that a spreadsheet does not calculate."""
    text = "" if value is None else str(value)
    is_text = isinstance(value, str) and FORMULA.match(text)
    return f"'{text}" if is_text else text
