"""beets' library: the same tracks as its own program finds, read only; what is not understood is refused."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from recommender.errors import SettingsError, UnreadableSource
from recommender.records.rows import MBID, SourcePlaylist
from recommender.settings import Settings, load_settings
from recommender.sources.beets.library import read_beets
from recommender.sources.references import read_source
from tests.counterparts.beets import Beets, make_beets
from tests.folders import write_track

MBID_OF_ONE = "0b1e4f5a-3c2d-4b6e-9f70-1a2b3c4d5e6f"
TRACKS = (  # artist, title, album, tone in Hz, seconds
    ("Mira Vale", "Harbour Lights", "Slow Water", 220.0, 3.5),
    ("Mira Vale", "Glass Elevator", "Slow Water", 330.0, 4.5),
    ("Ólafur Ünder", "Kalt & Klar 100%", "Nord", 440.0, 5.5),
    ("The Low Tides", "harbour_town", "Second, Light", 550.0, 3.5),
    ("The Low Tides", "Paper: Lanterns", "Second, Light", 660.0, 6.5),
)


@pytest.fixture(scope="module")
def beets(tmp_path_factory: pytest.TempPathFactory) -> Beets:
    place = tmp_path_factory.mktemp("beets")
    music = place / "music"
    for number, (artist, title, album, tone_hz, duration_s) in enumerate(TRACKS):
        path = music / artist / f"{number}.flac"
        write_track(path, tone_hz=tone_hz, title=title, artist=artist, album=album, duration_s=duration_s)
    made = make_beets(place / "home", music)
    made.do("modify", "-y", "-W", "title:Glass", f"mb_trackid={MBID_OF_ONE}", "year=2019", "mood=calm night")
    made.do("modify", "-y", "-W", "artist:Low", "year=2001", "comp=1")
    (made.playlists / "evening.m3u").write_text("Mira Vale/0.flac\nThe Low Tides/4.flac\n")
    return made


def settings_of(beets: Beets, **options: object) -> Settings:
    named = {"beets_library": beets.library, "beets_playlists": beets.playlists}
    return load_settings({"data": beets.home / "data", **named, **options}, environ={})


def titles(playlist: SourcePlaylist) -> list[str]:
    return sorted(row.title for row in playlist.rows)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "harbour",
        "HARBOUR",
        "vale light",
        "title:harbour",
        "title:100%",
        "title:harbour_",
        "artist:=Mira",
        "title:=harbour_town",
        "title:=Harbour_town",
        "title:=~HARBOUR_TOWN",
        "title::^[HG]a",
        ":L[ai]",
        "year:2001",
        "year:2001..2019",
        "year:..2018",
        "year:2019..",
        "length:0:04..0:05",
        "length:5..",
        "^title:harbour",
        "-year:2001 -mood:calm",
        "title:glass , title:paper",
        "title:glass, year:2001",
        "mood:night",
        "comp:true",
        "comp:false",
        "singleton:true",
        "singleton:no",
        "artist+ title-",
        "year:2001 title+",
        "title:nothing-like-it",
        "title:Paper\\:",
        "no_such_field:x",
    ],
)
def test_a_query_finds_what_beets_itself_finds(beets: Beets, query: str) -> None:
    assert titles(read_beets(settings_of(beets), query)) == beets.titles(query)


def test_the_queries_above_tell_tracks_apart(beets: Beets) -> None:
    assert beets.titles("") == sorted(title for _, title, *_ in TRACKS)
    assert beets.titles("year:2001..2018") == ["Paper: Lanterns", "harbour_town"]


def test_a_playlist_is_the_file_that_beets_keeps(beets: Beets) -> None:
    # beets 2.14's own plugin finds none of them: it looks for whole paths among relative ones.
    settings = settings_of(beets)
    assert titles(read_beets(settings, "playlist:evening")) == ["Harbour Lights", "Paper: Lanterns"]
    assert titles(read_beets(settings, "playlist:evening artist:low")) == ["Paper: Lanterns"]
    assert len(read_beets(settings, "^playlist:evening").rows) == len(TRACKS) - 2
    music = beets.home.parent / "music"
    (beets.playlists / "whole.m3u8").write_text(f"{music}/Mira Vale/1.flac\n")
    assert titles(read_beets(settings, "playlist:whole")) == ["Glass Elevator"]


def test_a_path_is_what_lies_below_it(beets: Beets) -> None:
    music = beets.home.parent / "music"
    with sqlite3.connect(beets.library) as connection:
        (stored,) = connection.execute("SELECT path FROM items WHERE artist = 'Mira Vale'").fetchone()
    is_relative = not bytes(stored).startswith(b"/")
    query = "path:Mira" if is_relative else f"path:{music}/Mira"
    assert titles(read_beets(settings_of(beets), query)) == []
    below = '"path:Mira Vale"' if is_relative else f'"path:{music}/Mira Vale"'
    assert titles(read_beets(settings_of(beets), below)) == ["Glass Elevator", "Harbour Lights"]


def test_a_row_says_all_that_beets_knows(beets: Beets) -> None:
    playlist = read_source("beets:mood:calm", settings_of(beets))
    (row,) = playlist.rows
    assert (playlist.source, playlist.name) == ("beets", "mood:calm")
    assert (row.title, row.artist, row.album, row.released) == (
        "Glass Elevator",
        "Mira Vale",
        "Slow Water",
        "2019",
    )
    assert row.identity(MBID) == MBID_OF_ONE
    assert row.duration_s == pytest.approx(4.5, abs=0.01)
    assert (row.path or "").endswith("Mira Vale/1.flac")


def test_its_file_is_not_written_to(beets: Beets) -> None:
    before = (beets.library.read_bytes(), sorted(path.name for path in beets.home.iterdir()))
    read_beets(settings_of(beets), "harbour")
    assert (beets.library.read_bytes(), sorted(path.name for path in beets.home.iterdir())) == before


@pytest.fixture
def small(tmp_path: Path) -> Callable[..., Settings]:
    """A library made by hand, as an old beets made it: absolute paths, one genre."""

    def make(*, rows: int = 1) -> Settings:
        library = tmp_path / "library.db"
        with sqlite3.connect(library) as connection:
            connection.execute(
                "CREATE TABLE items (id INTEGER PRIMARY KEY, path BLOB, album_id INTEGER, title TEXT,"
                " artist TEXT, album TEXT, genre TEXT, comp INTEGER, year INTEGER, length REAL)"
            )
            for table in ("item_attributes", "album_attributes"):
                connection.execute(f"CREATE TABLE {table} (entity_id INTEGER, key TEXT, value TEXT)")
            connection.executemany(
                "INSERT INTO items VALUES (?, ?, 1, ?, 'A', 'B', 'Jazz', 0, 1999, NULL)",
                [(n, b"/m/caf\xe9 %d.mp3" % n, f"T {n}") for n in range(rows)],
            )
            connection.execute("INSERT INTO album_attributes VALUES (1, 'shelf', 'upper')")
        return load_settings({"data": tmp_path / "data", "beets_library": library}, environ={})

    return make


def test_an_old_library_and_its_albums_fields(small: Callable[..., Settings]) -> None:
    settings = small(rows=2)
    row, _ = read_beets(settings, "jazz shelf:upper year:1999").rows
    assert (row.path, row.duration_s) == ("/m/caf\udce9 0.mp3", None)
    assert titles(read_beets(settings, "path:/m")) == ["T 0", "T 1"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("added:2020..", "by date"),
        ("title::(", "no regular expression"),
        ("year:x", "no number"),
        ("comp:maybe", "neither true nor false"),
        ("title:~fuzzy", "plugins"),
        ('"open', "no query"),
        ("x" * 3000, "2000 characters"),
    ],
)
def test_what_is_not_understood_is_refused(small: Callable[..., Settings], query: str, said: str) -> None:
    with pytest.raises(UnreadableSource, match=said):
        read_beets(small(), query)


def test_playlists_are_files_of_one_folder(small: Callable[..., Settings], tmp_path: Path) -> None:
    settings = small()
    with pytest.raises(SettingsError, match="WHICHLIST_BEETS_PLAYLISTS"):
        read_beets(settings, "playlist:x")
    named = {"beets_library": settings.beets_library, "beets_playlists": tmp_path / "lists"}
    settings = load_settings({"data": tmp_path, **named}, environ={})
    for name in ("../library", "/etc/passwd", "..", "missing"):
        with pytest.raises(UnreadableSource):
            read_beets(settings, f"playlist:{name}")


def test_what_is_no_library_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="WHICHLIST_BEETS_LIBRARY"):
        read_beets(load_settings({"data": tmp_path}, environ={}), "x")
    for name, content in (("away.db", None), ("text.db", b"not a database" * 99), ("empty.db", b"")):
        library = tmp_path / name
        if content is not None:
            library.write_bytes(content)
        with pytest.raises(UnreadableSource):
            read_beets(load_settings({"data": tmp_path, "beets_library": library}, environ={}), "x")
