"""Playlists in CSV, as Exportify, TuneMyMusic, Soundiiz, Google Takeout and many others write them."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from recommender.errors import UnreadableSource
from recommender.records.rows import ISRC, MBID, SPOTIFY, SourcePlaylist, SourceRow
from recommender.sources.files.csv_columns import (
    CHOSEN,
    NAMING,
    by_heading,
    find_columns,
    fold_heading,
    is_data,
)
from recommender.sources.files.writing import FORMULA
from recommender.sources.rows.collecting import RowCollector, refuse_too_many
from recommender.sources.rows.hints import NO_HINTS, Hints
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
N_SHOWN = 5
_N_JUDGED = 200  # rows by whose values a column is known
_MAX_COLUMNS = 200
_SPOTIFY_ID = re.compile(r"[A-Za-z0-9]{22}")
_ARTIST_SIGN = re.compile(r"\s*;\s*")
_CHANNEL = re.compile(r"\s+-\s+Topic$|VEVO$")
_VIDEO_WORDS = re.compile(
    r"\s*[(\[](?:official\s+)?(?:music\s+|lyrics?\s+)?(?:video|audio|visuali[sz]er|lyrics?|hd|hq|4k)[^()\[\]]{0,60}[)\]]",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class TablePreview:
    """What is shown of a table whose columns are not known: its headings, its first rows, and a guess.

    ``head`` is empty where the first line is a row already; ``guess`` is column -> place from 0; ``key``
    is what files of the same kind have in common.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    guess: Mapping[str, int]
    key: str


class UnknownColumns(UnreadableSource):
    """A table of which a person has to say which column is title, artist, album or ISRC."""

    code = "unknown_columns"

    def __init__(self, preview: TablePreview) -> None:
        seen = ", ".join(repr(clean_text(heading)[:40]) for heading in preview.head[:20])
        super().__init__(
            f"it is not clear which columns of the table hold title and artist; they are {seen or 'unnamed'}"
        )
        self.preview = preview


@dataclass(frozen=True)
class Table:
    """A table, and which column holds what."""

    delimiter: str
    has_head: bool
    columns: Mapping[str, tuple[int, ...]]
    preview: TablePreview

    def cell(self, cells: Sequence[str], column: str) -> str:
        """The text in a column, empty where the row or the file has none; artists one by one are joined."""
        found = [cells[place].strip() for place in self.columns.get(column, ()) if place < len(cells)]
        cell = ", ".join(filter(None, found)) if len(found) > 1 else found[0] if found else ""
        return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def is_csv(text: str) -> bool:
    """Whether the first line is a head whose columns are known."""
    return _known_delimiter(_first_line(text)) is not None


def looks_like_csv(text: str) -> bool:
    """Whether the first lines have the same number of columns, though no known head."""
    lines = [line for line in text[:20_000].splitlines()[:10] if line.strip()]
    if any(" - " in line for line in lines):
        return False
    for delimiter in DELIMITERS:
        counts = {len(cells) for cells in csv.reader(lines, delimiter=delimiter, skipinitialspace=True)}
        if len(lines) > 1 and len(counts) == 1 and counts.pop() > 2:
            return True
    return False


def read_csv(
    text: str,
    *,
    name: str,
    folder: str | None,
    hints: Hints = NO_HINTS,
    chosen: Mapping[str, str] | None = None,
) -> list[SourcePlaylist]:
    """The playlists in a CSV file: one for each name in a column of playlist names, else one.

    Parameters
    ----------
    hints : Hints
        What the library knows of the values, and what a person said of files with such a head.
    chosen : mapping, optional
        What a person says of this file: column -> its heading, or its number from 1.

    Raises
    ------
    UnknownColumns
        Nobody knows which column holds title and artist.
    UnreadableSource
        The table is damaged, or lacks a column that was chosen.
    """
    table = open_table(text, hints=hints, chosen=chosen)
    collectors: dict[str, RowCollector] = {}
    is_spotify = False
    rows = _cells(text, table.delimiter)
    for n_rows, cells in enumerate(islice(rows, int(table.has_head), None)):
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


def open_table(text: str, *, hints: Hints = NO_HINTS, chosen: Mapping[str, str] | None = None) -> Table:
    """The table in a text with what its columns hold.

    Raises
    ------
    UnknownColumns, UnreadableSource
    """
    delimiter = _known_delimiter(_first_line(text)) or _likely_delimiter(text)
    first, *rows = [
        *(cells[:_MAX_COLUMNS] for cells in islice(_cells(text, delimiter), 1 + _N_JUDGED)),
    ] or [[]]
    has_head = not rows or not is_data(first, rows, hints)
    judged = rows if has_head else [first, *rows]
    head = tuple(clean_text(cell)[:100] for cell in first) if has_head else ("",) * len(first)
    key = "\x1f".join(map(fold_heading, head)) if has_head else f"no head, {len(first)} columns"
    said = _places(chosen, head) if chosen else dict(hints.columns_of(key) or {})
    columns = find_columns(head, judged, hints, said)
    guess = {column: places[0] for column, places in columns.places.items()}
    shown = tuple(tuple(clean_text(cell)[:100] for cell in cells) for cells in judged[:N_SHOWN])
    preview = TablePreview(head if has_head else (), shown, guess, key)
    if not columns.is_sure or not NAMING & columns.places.keys():
        raise UnknownColumns(preview)
    if chosen:
        hints.note_columns(key, said)
    return Table(delimiter, has_head, columns.places, preview)


def _places(chosen: Mapping[str, str], head: Sequence[str]) -> dict[str, int]:
    """Column -> place from 0, of headings or numbers from 1."""
    folded = [fold_heading(heading) for heading in head]
    places: dict[str, int] = {}
    for column, named in chosen.items():
        if column not in CHOSEN:
            raise UnreadableSource(f"a column can be {', '.join(CHOSEN)}, not {column[:40]!r}")
        text = str(named).strip()
        if text.isascii() and text.isdecimal() and 1 <= int(text) <= len(head):
            places[column] = int(text) - 1
        elif fold_heading(text) and fold_heading(text) in folded:
            places[column] = folded.index(fold_heading(text))
        else:
            known = ", ".join(f"{n} {heading}".strip() for n, heading in enumerate(head[:30], start=1))
            raise UnreadableSource(f"the table has no column {text[:100]!r} for {column}; it has {known}")
    return places


def _cells(text: str, delimiter: str) -> Iterator[list[str]]:
    """Every row, the first line included."""
    reader = csv.reader(
        io.StringIO(text.lstrip("\ufeff \r\n"), newline=""), delimiter=delimiter, skipinitialspace=True
    )
    try:
        yield from reader
    except csv.Error as error:
        raise UnreadableSource(f"the CSV is damaged near line {reader.line_num}: {error}") from error


def _first_line(text: str) -> str:
    stripped = text.lstrip()[:20_000]
    return re.split(r"[\r\n]", stripped, maxsplit=1)[0]


def _known_delimiter(header: str) -> str | None:
    """The delimiter that makes the most known columns of a head; None if none makes one that names tracks."""
    found = {delimiter: by_heading(_split(header, delimiter)) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=lambda delimiter: len(found[delimiter]))
    # One column alone is a line of text that happens to be a word such as "Title".
    return best if NAMING & found[best].keys() and len(found[best]) > 1 else None


def _likely_delimiter(text: str) -> str:
    """The delimiter that parts most lines into as many cells as the first."""
    lines = [line for line in text[:20_000].splitlines()[:20] if line.strip()]

    def fit(delimiter: str) -> tuple[int, int]:
        widths = [len(_split(line, delimiter)) for line in lines]
        return (
            (sum(width == widths[0] for width in widths), widths[0]) if widths and widths[0] > 1 else (0, 0)
        )

    return max(DELIMITERS, key=fit)


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        return []


def _read_row(table: Table, cells: list[str], *, folder: str | None) -> SourceRow:
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
