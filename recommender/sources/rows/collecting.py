"""Rows as a reader of playlists finds them, in order, with what it leaves out and why."""

from dataclasses import replace

from recommender.errors import UnreadableSource
from recommender.records.rows import SPOTIFY, SkippedRow, SourcePlaylist, SourceRow
from recommender.sources.rows.locations import read_location
from recommender.sources.rows.names import MAX_TEXT, clean_text, names_of_path, read_spotify

MAX_ROWS = 200_000  # of one playlist, or of the library behind several
MAX_PLAYLISTS = 20_000  # of one file


class RowCollector:
    """Takes rows and skipped rows in the order of the source."""

    def __init__(self) -> None:
        self._rows: list[SourceRow] = []
        self._skipped: list[SkippedRow] = []

    def __len__(self) -> int:
        return len(self._rows) + len(self._skipped)

    def add(self, row: SourceRow, *, text: str = "") -> None:
        """Take a row; one that says nothing counts as skipped, one without a title gets its file's name."""
        if not row.title and row.path:
            artist, title = names_of_path(row.path)
            row = replace(row, title=title, artist=row.artist or artist)
        if row.title or row.identities or row.path or row.url:
            refuse_too_many(len(self))
            self._rows.append(row)
        else:
            self.skip("no_name", "it names no track", text=text or row.artist)

    def skip(self, code: str, reason: str, *, text: str = "") -> None:
        """Leave out the row that comes now."""
        refuse_too_many(len(self))
        self._skipped.append(SkippedRow(len(self), code, reason, clean_text(text)[:200]))

    def playlist(self, name: str, source: str) -> SourcePlaylist:
        """What was taken, as a playlist."""
        return SourcePlaylist(clean_text(name) or "untitled", source, tuple(self._rows), tuple(self._skipped))

    def has_any_spotify(self) -> bool:
        """Whether a row is named by Spotify's own address of it."""
        return any(row.identity(SPOTIFY) for row in self._rows)


def refuse_too_many(n_rows: int, n_playlists: int = 0) -> None:
    """Refuse more than anybody keeps in one file, before it fills the memory."""
    if n_rows >= MAX_ROWS:
        raise UnreadableSource(f"the file holds more than {MAX_ROWS:,} rows; split it")
    if n_playlists >= MAX_PLAYLISTS:
        raise UnreadableSource(f"the file holds more than {MAX_PLAYLISTS:,} playlists; split it")


def add_location(
    collector: RowCollector, row: SourceRow, text: str, *, folder: str | None, is_path: bool = False
) -> None:
    """Take a row that lies at a path or an address written as ``text``, or is a link to Spotify."""
    if spotify := read_spotify(text):
        collector.add(replace(row, identities=((SPOTIFY, spotify),)))
        return
    place = read_location(text, folder=folder, is_path=is_path)
    if place.path is None and place.url is None and not row.title:
        reason = "it is neither a path nor an http(s) address"
        collector.skip("unsupported_location", reason, text=text[:MAX_TEXT])
    else:
        collector.add(replace(row, path=place.path, url=place.url), text=text)
