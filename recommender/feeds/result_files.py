"""The results of a feed as files: JSON and CSV with every list, M3U8 and JSPF of one, a digest to read."""

import csv
import enum
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

from recommender.errors import RecommenderError
from recommender.feeds.digest import render_html, render_text
from recommender.feeds.results import FeedResults, ListedTrack, PlaylistResults
from recommender.records.rows import SourcePlaylist
from recommender.sources.files.writing import FORMULA, MEDIA_TYPES, PlaylistFormat, write_playlist
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
    HTML = "html"
    TEXT = "text"


RESULT_TYPES = {
    ResultFormat.JSON: "application/json",
    ResultFormat.CSV: "text/csv; charset=utf-8",
    ResultFormat.M3U8: MEDIA_TYPES[PlaylistFormat.M3U8],
    ResultFormat.JSPF: "application/jspf+json",
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
        M3U8 and JSPF hold one list, and the results have none or several.
    """
    if format is ResultFormat.JSON:
        return (json.dumps(results.to_dict(), allow_nan=False) + "\n").encode()
    if format is ResultFormat.CSV:
        return _write_csv(results)
    if format in (ResultFormat.HTML, ResultFormat.TEXT):
        render = render_html if format is ResultFormat.HTML else render_text
        return render(results).encode("utf-8", "replace")
    if len(results.playlists) != 1:
        names = ", ".join(repr(playlist.name) for playlist in results.playlists) or "none"
        raise OnePlaylistNeeded(f"{format} holds one list: say which playlist; there are {names}")
    return write_list(results.playlists[0], PlaylistFormat(format.value))


def write_list(playlist: PlaylistResults, format: PlaylistFormat) -> bytes:
    """One list as a playlist file."""
    rows = tuple(track.row for track in playlist.tracks)
    return write_playlist(SourcePlaylist(playlist.name, "feed", rows), format)


def write_lists(results: FeedResults, folder: Path) -> list[Path]:
    """Write every list that holds a track as M3U8 into a folder; the files, whole or as they were."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for playlist in results.playlists:
        if playlist.tracks:
            name = _NOT_IN_A_NAME.sub("_", clean_text(playlist.name)).strip(". ") or f"playlist {playlist.id}"
            path = folder / f"{name[:100]}.m3u8"
            if path in written:
                path = folder / f"{name[:100]} ({playlist.id}).m3u8"
            aside = path.with_name(f".{path.name}.part")
            try:
                aside.write_bytes(write_list(playlist, PlaylistFormat.M3U8))
                aside.replace(path)
            finally:
                aside.unlink(missing_ok=True)
            written.append(path)
    return written


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
