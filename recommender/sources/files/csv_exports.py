"""Playlists in CSV, as Exportify, TuneMyMusic, Soundiiz and Whichlist write them: columns have names."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from recommender.errors import UnreadableSource
from recommender.records.rows import ISRC, MBID, SPOTIFY, SourcePlaylist, SourceRow
from recommender.sources.files.writing import FORMULA
from recommender.sources.rows.collecting import RowCollector, refuse_too_many
from recommender.sources.rows.locations import read_location
from recommender.sources.rows.names import (
    clean_text,
    read_isrc,
    read_mbid,
    read_seconds,
    read_spotify,
    split_artist_title,
)

DELIMITERS = (",", ";", "\t", "|")
# What a column is called, without case, spaces and signs; the first that a file has is read.
COLUMNS = {
    "title": ("trackname", "title", "tracktitle", "songname", "songtitle", "name", "track", "song"),
    "artist": ("artistnames", "artistname", "artists", "artist", "trackartist", "creator"),
    "album": ("albumname", "album", "albumtitle"),
    "playlist": ("playlistname", "playlist"),
    "duration_ms": ("trackdurationms", "durationms"),
    "duration": ("durations", "durationseconds", "duration", "tracklength", "length", "time"),
    "released": ("albumreleasedate", "releasedate", "released", "year"),
    "isrc": ("isrc", "trackisrc"),
    "mbid": ("musicbrainzrecordingid", "recordingmbid", "mbid"),
    "from_spotify": ("trackuri", "spotifyuri", "spotifyid", "spotifytrackid", "spotifyurl", "uri"),
    "spotify": ("spotifytrack",),
    "path": ("path", "filepath", "location", "file", "filename"),
    "url": ("url", "trackurl", "link"),
    "type": ("type",),
}
_NAMING = frozenset(("title", "isrc", "mbid", "from_spotify", "path"))
_SPOTIFY_ID = re.compile(r"[A-Za-z0-9]{22}")
_ARTIST_SIGN = re.compile(r"\s*;\s*")
_CHANNEL = re.compile(r"\s+-\s+Topic$|VEVO$")
_VIDEO_WORDS = re.compile(
    r"\s*[(\[](?:official\s+)?(?:music\s+|lyrics?\s+)?(?:video|audio|visuali[sz]er|lyrics?|hd|hq|4k)[^()\[\]]{0,60}[)\]]",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Table:
    """The rows below the header, and which column holds what."""

    delimiter: str
    columns: dict[str, int]

    def cell(self, cells: list[str], column: str) -> str:
        """The text in a column, empty where the row or the file has none; of a long text the beginning."""
        row = self.columns.get(column)
        if row is None or row >= len(cells):
            return ""
        cell = cells[row].strip()
        return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def is_csv(text: str) -> bool:
    """Whether the first line is a header that is known."""
    return _find_table(_first_line(text)) is not None


def looks_like_csv(text: str) -> bool:
    """Whether the first lines have the same number of columns, though no known header."""
    lines = [line for line in text[:20_000].splitlines()[:10] if line.strip()]
    if any(" - " in line for line in lines):
        return False
    for delimiter in DELIMITERS:
        counts = {len(cells) for cells in csv.reader(lines, delimiter=delimiter)}
        if len(lines) > 1 and len(counts) == 1 and counts.pop() > 2:
            return True
    return False


def read_csv(text: str, *, name: str, folder: str | None) -> list[SourcePlaylist]:
    """The playlists in a CSV file: one for each name in a column of playlist names, else one.

    Raises
    ------
    UnreadableSource
        No column names tracks; the message lists the columns seen and those known.
    """
    table = _find_table(_first_line(text))
    if table is None:
        raise UnreadableSource(_unknown_header(_first_line(text)))
    collectors: dict[str, RowCollector] = {}
    is_spotify = False
    for n_rows, cells in enumerate(_cells(text, table.delimiter)):
        refuse_too_many(n_rows)
        if not any(cell.strip() for cell in cells):
            continue
        playlist = clean_text(table.cell(cells, "playlist")) or name
        refuse_too_many(0, len(collectors))
        row = _read_row(table, cells, folder=folder)
        is_spotify |= bool(table.cell(cells, "from_spotify") or read_spotify(table.cell(cells, "url")))
        collectors.setdefault(playlist, RowCollector()).add(row, text=" ".join(cells))
    source = SPOTIFY if is_spotify else "csv"
    collectors = collectors or {name: RowCollector()}
    return [collector.playlist(playlist, source) for playlist, collector in collectors.items()]


def _cells(text: str, delimiter: str) -> Iterator[list[str]]:
    """The rows below the header."""
    reader = csv.reader(io.StringIO(text.lstrip(), newline=""), delimiter=delimiter)
    try:
        next(reader, None)
        yield from reader
    except csv.Error as error:
        raise UnreadableSource(f"the CSV is damaged near line {reader.line_num}: {error}") from error


def _first_line(text: str) -> str:
    stripped = text.lstrip()[:20_000]
    return re.split(r"[\r\n]", stripped, maxsplit=1)[0]


def _find_table(header: str) -> _Table | None:
    """The columns of a header, by the delimiter that makes the most of it; None if none names tracks."""
    tables = [_Table(delimiter, _find_columns(header, delimiter)) for delimiter in DELIMITERS]
    best = max(tables, key=lambda table: len(table.columns))
    is_named = _NAMING & best.columns.keys()
    # One column alone is a line of text that happens to be a word such as "Title".
    return best if is_named and len(best.columns) > 1 else None


def _find_columns(header: str, delimiter: str) -> dict[str, int]:
    titles = [_fold(title) for title in _split_header(header, delimiter)]
    found = {}
    for column, names in COLUMNS.items():
        known = next((name for name in names if name in titles), None)
        if known is not None:
            found[column] = titles.index(known)
    return found


def _split_header(header: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([header], delimiter=delimiter), [])
    except csv.Error:
        return []


def _fold(title: str) -> str:
    return "".join(character for character in title.casefold() if character.isalnum())


def _unknown_header(header: str) -> str:
    delimiter = max(DELIMITERS, key=header.count)
    seen = ", ".join(repr(clean_text(title)[:40]) for title in _split_header(header, delimiter)[:20])
    return (
        "the CSV has no column that is known to name tracks; its columns are "
        f"{seen or 'none'}. Known are those of Exportify (Track URI, Track Name, Artist Name(s)), TuneMyMusic"
        " (Track name, Artist name) and Soundiiz (title, artist), among them ISRC, Album, Playlist name and"
        " Duration (ms)"
    )


def _read_row(table: _Table, cells: list[str], *, folder: str | None) -> SourceRow:
    title, artist = clean_text(table.cell(cells, "title")), clean_text(table.cell(cells, "artist"))
    if "from_spotify" in table.columns:
        artist = _read_artists(artist)
    isrc, mbid = read_isrc(table.cell(cells, "isrc")), read_mbid(table.cell(cells, "mbid"))
    link = table.cell(cells, "url")
    spotify = _read_spotify(table.cell(cells, "from_spotify")) or read_spotify(link)
    spotify = spotify or read_spotify(table.cell(cells, "spotify"))
    album = clean_text(table.cell(cells, "album"))
    is_bare = {"album", "isrc"} <= table.columns.keys() and not album and not isrc and not spotify
    if "spotify" not in table.columns and (is_bare or not artist):  # else Whichlist wrote it
        artist, title = _read_video(artist, title)
    path = read_location(table.cell(cells, "path"), folder=folder)
    url = read_location("" if read_spotify(link) else link, folder=folder)
    duration_s = read_seconds(table.cell(cells, "duration_ms"), per_second=1000.0)
    found = ((ISRC, isrc), (MBID, mbid), (SPOTIFY, spotify))
    return SourceRow(
        title=title,
        artist=artist,
        album=album,
        duration_s=duration_s or read_seconds(table.cell(cells, "duration")),
        identities=tuple((scheme, value) for scheme, value in found if value),
        path=path.path,
        url=url.url or path.url,
        released=clean_text(table.cell(cells, "released")),
    )


def _read_artists(artists: str) -> str:
    """One Exportify writes "A;B", another "A, B" with a backslash before the commas of a name."""
    return _ARTIST_SIGN.sub(", ", artists.replace("\\,", ","))


def _read_spotify(cell: str) -> str | None:
    text = clean_text(cell)
    return f"spotify:track:{text}" if _SPOTIFY_ID.fullmatch(text) else read_spotify(text)


def _read_video(artist: str, title: str) -> tuple[str, str]:
    """(artist, title) of a row that came from a video: "Artist - Title (Official Video)", by some channel.

    Without a sign of a video a title with a dash stays whole: "Song - B mix" is a title.
    """
    bare = _VIDEO_WORDS.sub("", title).strip() or title
    channel = _CHANNEL.sub("", artist).strip() or artist
    named, rest = split_artist_title(bare)
    is_video = not artist or bare != title or channel != artist or named.casefold() == artist.casefold()
    if named and is_video:
        return named, rest
    return channel, bare
