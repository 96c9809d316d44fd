"""What is written for the programs of DJs is read again by us, and by readers of other people's."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from recommender.records.rows import SourcePlaylist, SourceRow
from recommender.sources.files.reading import read_playlists
from recommender.sources.files.writing import MANY, PlaylistFormat, write_playlist, write_playlists
from tests.counterparts.others import need_counterparts, read_elsewhere, write_elsewhere
from tests.playlist_exports import TRACKS, serato_library, traktor

OF_DJS = (PlaylistFormat.REKORDBOX, PlaylistFormat.TRAKTOR, PlaylistFormat.SERATO)
ROWS = tuple(
    SourceRow(track.title, track.artist, track.album, 25.0, path=f"/music/{track.place}") for track in TRACKS
)
TWICE = SourcePlaylist("Late & <early>", "feed", (*ROWS, ROWS[2]))
AWKWARD = (
    *("/m/100%25 x%41.flac", "/m/100%41.flac", "/m/a;b+c#d.flac", "/m/a\\b.flac", '/m/"x" & <y>.flac'),
    *("C:\\Music\\Über\\a.flac", "C:/Music/b.flac"),
)


def read_back(data: bytes, name: str = "Late & <early>") -> list[SourcePlaylist]:
    return read_playlists(data, name=name)


@pytest.mark.parametrize("written_as", OF_DJS)
def test_order_names_and_doubles_come_back(written_as: PlaylistFormat) -> None:
    [read] = read_back(write_playlist(TWICE, written_as))
    assert read.name == TWICE.name and read.skipped == ()
    assert [row.path for row in read.rows] == [row.path for row in TWICE.rows]
    if written_as is not PlaylistFormat.SERATO:
        assert read.rows == TWICE.rows


@pytest.mark.parametrize("written_as", OF_DJS)
@pytest.mark.parametrize("path", AWKWARD)
def test_paths_come_back_as_they_are(path: str, written_as: PlaylistFormat) -> None:
    playlist = SourcePlaylist("x", "feed", (SourceRow("T", "A", path=path),))
    [read] = read_back(write_playlist(playlist, written_as))
    slashed = path.replace("\\", "/") if path[1] == ":" else path
    expected = slashed[2:] if written_as is PlaylistFormat.SERATO and path[1] == ":" else slashed
    assert [row.path for row in read.rows] == [expected]


@pytest.mark.parametrize("written_as", OF_DJS)
def test_what_has_no_file_or_no_name_in_text_is_left_out(written_as: PlaylistFormat) -> None:
    rows = (
        SourceRow("T", "A", url="https://x.example/a"),
        SourceRow("U", "B", path="/m/\udce9.flac"),
        ROWS[0],
    )
    [read] = read_back(write_playlist(SourcePlaylist("x", "feed", rows), written_as))
    assert [row.path for row in read.rows] == [ROWS[0].path]


@pytest.mark.parametrize("written_as", sorted(MANY))
def test_a_file_holds_many_and_each_track_once(written_as: PlaylistFormat) -> None:
    lists = [SourcePlaylist("one", "feed", ROWS[:5]), SourcePlaylist("two", "feed", ROWS[3:])]
    data = write_playlists(lists, written_as)
    assert [(p.name, p.rows) for p in read_back(data)] == [(p.name, p.rows) for p in lists]
    assert data.count(b'"Round (Radio Edit)"') == 1


@pytest.mark.parametrize("written_as", sorted(MANY))
def test_an_empty_list_is_one_all_the_same(written_as: PlaylistFormat) -> None:
    [read] = read_back(write_playlist(SourcePlaylist("none", "feed", ()), written_as))
    assert (read.name, read.rows) == ("none", ())


class TestOthers:
    @pytest.fixture(autouse=True)
    def installed(self) -> None:
        need_counterparts()

    @pytest.mark.parametrize("written_as", OF_DJS)
    def test_their_readers_see_the_same(self, written_as: PlaylistFormat, tmp_path: Path) -> None:
        path = tmp_path / f"mine.{written_as.suffix}"
        path.write_bytes(write_playlist(TWICE, written_as))
        [(name, rows)] = read_elsewhere(written_as.value, path).items()
        assert name == ("mine" if written_as is PlaylistFormat.SERATO else TWICE.name)
        assert [_place(place, written_as) for _, _, place in rows] == [row.path for row in TWICE.rows]
        if written_as is not PlaylistFormat.SERATO:
            assert [(artist, title) for artist, title, _ in rows] == [
                (row.artist, row.title) for row in TWICE.rows
            ]

    @pytest.mark.parametrize("kind", ["rekordbox", "crate"])
    def test_what_they_write_is_read(self, kind: str, tmp_path: Path) -> None:
        path = tmp_path / f"theirs.{'xml' if kind == 'rekordbox' else 'crate'}"
        lead = "" if kind == "crate" else "/"
        rows = [[track.artist, track.title, f"{lead}music/{track.place}"] for track in TRACKS]
        write_elsewhere(kind, path, {"theirs": rows})
        [read] = read_playlists(path.read_bytes(), name=path.name)
        assert [row.path for row in read.rows] == [f"/music/{track.place}" for track in TRACKS]
        if kind == "rekordbox":
            assert names(read.rows) == [(track.artist, track.title) for track in TRACKS]

    def test_a_collection_that_they_wrote_anew_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "collection.nml"
        path.write_bytes(traktor())
        write_elsewhere("nml", path, {})
        assert path.read_bytes() != traktor()
        [read] = read_playlists(path.read_bytes(), name=path.name)
        assert names(read.rows) == [(track.artist, track.title) for track in TRACKS]

    def test_the_library_of_serato_is_made_as_they_read_it(self, tmp_path: Path) -> None:
        path = tmp_path / "database V2"
        path.write_bytes(serato_library())
        [rows] = read_elsewhere("library", path).values()
        assert rows == [[track.artist, track.title, f"Music/{track.place}"] for track in TRACKS]


def names(rows: Sequence[SourceRow]) -> list[tuple[str, str]]:
    return [(row.artist, row.title) for row in rows]


def _place(place: str, written_as: PlaylistFormat) -> str:
    """A path as their readers give it: crates name no drive, and pyrekordbox takes the first slash off."""
    return place if written_as is PlaylistFormat.TRAKTOR else f"/{place}"
