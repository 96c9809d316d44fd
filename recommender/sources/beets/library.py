"""The tracks that a query finds in beets' library file, which is opened for reading only.

beets keeps one SQLite file: ``items`` with a column for each field, and ``item_attributes`` with those that
its users made up. Paths are bytes; newer ones are relative to the music folder, which stands in its
configuration and not in the library: they are matched by their ends, as all paths from elsewhere.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from recommender.errors import SettingsError, UnreadableSource
from recommender.records.rows import ISRC, MBID, SourcePlaylist, SourceRow
from recommender.settings import Settings
from recommender.sources.beets.query import parse_query
from recommender.sources.files.reading import read_playlist_file
from recommender.sources.rows.collecting import RowCollector
from recommender.sources.rows.names import clean_text, read_isrc, read_mbid, read_seconds

SOURCE = "beets"
ORDER = ("artist", "album", "disc", "track")
_WAIT_S = 5.0
_SUFFIXES = (".m3u", ".m3u8")


def read_beets(settings: Settings, query: str) -> SourcePlaylist:
    """The tracks that a query finds, by artist and album; of ``*`` or nothing, all.

    Raises
    ------
    SettingsError
        ``WHICHLIST_BEETS_LIBRARY`` names no library, or ``WHICHLIST_BEETS_PLAYLISTS`` is needed.
    UnreadableSource
        The file is not beets' library, or the query is not understood.
    """
    if settings.beets_library is None:
        raise SettingsError("beets: needs WHICHLIST_BEETS_LIBRARY, the path of its library file")
    collector = RowCollector()
    for item in _find(settings.beets_library, query, settings.beets_playlists):
        collector.add(_row(item))
    name = query.removeprefix("playlist:") if query.startswith("playlist:") else query
    return collector.playlist(name if name not in ("", "*") else SOURCE, SOURCE)


def _find(library: Path, query: str, playlists: Path | None) -> list[dict[str, Any]]:
    try:
        with closing(_open(library)) as connection:
            numbers = _number_fields(connection)
            asked = parse_query(
                "" if query.strip() == "*" else query,
                numbers=numbers,
                in_playlist=lambda name: _playlist_test(playlists, name),
            )
            found = [item for item in _items(connection) if asked.takes(item)]
    except sqlite3.Error as error:
        raise UnreadableSource(f"{str(library)!r} cannot be read as beets' library: {error}") from error
    return sorted(found, key=lambda item: tuple(_sortable(item.get(field)) for field in ORDER))


def _open(library: Path) -> sqlite3.Connection:
    if not library.is_file():
        raise UnreadableSource(f"{str(library)!r} is not a file")
    connection = sqlite3.connect(f"{library.absolute().as_uri()}?mode=ro", uri=True, timeout=_WAIT_S)
    connection.row_factory = sqlite3.Row
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    return connection


def _number_fields(connection: sqlite3.Connection) -> frozenset[str]:
    columns = connection.execute("PRAGMA table_info(items)").fetchall()
    if not {"title", "artist", "path"} <= {column["name"] for column in columns}:
        raise UnreadableSource("the file is a database, and not beets' library")
    return frozenset(column["name"] for column in columns if column["type"] in ("INTEGER", "REAL"))


def _items(connection: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    """Every item with all its fields; a field of its album holds where it has none of that name."""
    of_items = _attributes(connection, "item_attributes")
    of_albums = _attributes(connection, "album_attributes")
    for row in connection.execute("SELECT * FROM items ORDER BY id"):
        item = dict(row)
        item["path"] = os.fsdecode(bytes(item["path"] or b""))
        yield of_albums.get(item.get("album_id"), {}) | of_items.get(item["id"], {}) | item


def _attributes(connection: sqlite3.Connection, table: str) -> dict[Any, dict[str, Any]]:
    found: dict[Any, dict[str, Any]] = {}
    for row in connection.execute(f"SELECT entity_id, key, value FROM {table}"):
        found.setdefault(row["entity_id"], {})[row["key"]] = row["value"]
    return found


def _row(item: dict[str, Any]) -> SourceRow:
    named = ((MBID, read_mbid(item.get("mb_trackid"))), (ISRC, read_isrc(item.get("isrc"))))
    return SourceRow(
        title=clean_text(item.get("title")),
        artist=clean_text(item.get("artist")),
        album=clean_text(item.get("album")),
        duration_s=read_seconds(item.get("length")),
        identities=tuple((scheme, value) for scheme, value in named if value),
        path=item["path"] or None,
        released=str(item["year"]) if item.get("year") else "",
    )


def _sortable(value: object) -> tuple[bool, str, float]:
    if isinstance(value, int | float):
        return False, "", float(value)
    return value is None, str(value or "").lower(), 0.0


def _playlist_test(folder: Path | None, name: str) -> Callable[[str], bool]:
    """Whether a path is in the playlist file of a name: what beets' own plugin ``playlist`` looks for."""
    if folder is None:
        raise SettingsError("playlist: needs WHICHLIST_BEETS_PLAYLISTS, the folder of beets' playlists")
    if "/" in name or name in ("", ".", ".."):
        raise UnreadableSource(f"{name[:100]!r} is no name of a playlist file")
    files = [folder / name, *(folder / f"{name}{suffix}" for suffix in _SUFFIXES)]
    file = next((file for file in files if file.suffix.lower() in _SUFFIXES and file.is_file()), None)
    if file is None:
        raise UnreadableSource(f"the folder of beets' playlists has no {name[:100]!r}")
    paths = {row.path for playlist in read_playlist_file(file) for row in playlist.rows if row.path}
    # Relative to a music folder that only beets knows: the file's own folder was put before it.
    ends = {path.removeprefix(f"{folder}/") for path in paths}
    return lambda path: path in paths or path in ends or any(whole.endswith(f"/{path}") for whole in paths)
