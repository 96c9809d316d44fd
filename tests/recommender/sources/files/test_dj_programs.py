"""Traktor, Serato, VirtualDJ and Windows Media Player: what is left out, what is damaged, what is huge."""

import tracemalloc
from pathlib import Path

import pytest

from recommender.errors import UnreadableSource
from recommender.sources.files.reading import read_playlist_file, read_playlists
from tests.playlist_exports import TRACKS, crate, serato_library, tag, traktor, zipped

DAMAGED = "breaks off|damaged"


def test_traktor_gives_the_lists_that_the_user_made_numbered_where_they_share_a_name() -> None:
    found = read_playlists(traktor(playlists=("Set", "Set", "Late & early")), name="collection.nml")
    assert [(p.name, p.source, len(p.rows)) for p in found] == [
        ("Set", "traktor", len(TRACKS)),
        ("Set (2)", "traktor", len(TRACKS)),
        ("Late & early", "traktor", len(TRACKS)),
    ]
    first = found[0].rows[0]
    assert first.path == f"C:/Music/{TRACKS[0].place}"
    assert (first.artist, first.title, first.album, first.duration_s) == (*TRACKS[0], 25.0)


def test_a_track_that_the_collection_lacks_is_named_by_its_place() -> None:
    key = tag("ENTRY", tag("PRIMARYKEY", TYPE="TRACK", KEY="Macintosh HD/:Users/:me/:A - T.mp3"))
    node = tag("NODE", tag("PLAYLIST", key, TYPE="LIST"), TYPE="PLAYLIST", NAME="x")
    [playlist] = read_playlists(tag("NML", tag("PLAYLISTS", node)).encode(), name="x.nml")
    assert [(row.path, row.artist, row.title) for row in playlist.rows] == [("/Users/me/A - T.mp3", "A", "T")]


def test_a_collection_without_playlists_of_the_user_is_refused() -> None:
    with pytest.raises(UnreadableSource, match="holds no playlist of yours"):
        read_playlists(traktor(playlists=()), name="collection.nml")


def test_a_collection_of_300_mb_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "collection.nml"
    whole = traktor()
    start, end = whole.index(b"</ENTRY>"), whole.index(b"</COLLECTION>")
    with path.open("wb") as file:
        file.write(whole[:start])
        for _ in range(5_000):
            file.write(b'<CUE_V2 NAME="' + b"x" * 60_000 + b'" TYPE="0" START="1.5"></CUE_V2>')
        file.write(whole[start:end] + whole[end:])
    assert path.stat().st_size > 300e6
    tracemalloc.start()
    [playlist] = read_playlist_file(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(playlist.rows) == len(TRACKS) and most < 10e6


@pytest.mark.parametrize("data", [traktor(), crate(), serato_library()], ids=["nml", "crate", "library"])
def test_half_of_a_file_is_no_file(data: bytes) -> None:
    for share in (0.3, 0.5, 0.9, 0.99):
        with pytest.raises(UnreadableSource, match=DAMAGED):
            read_playlists(data[: int(share * len(data))], name="x")


def test_a_file_that_is_written_to_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.m3u8"
    path.write_text("#EXTM3U\na.mp3\n")
    read = Path.read_bytes

    def read_and_append(self: Path) -> bytes:
        data = read(self)
        with self.open("a") as file:
            file.write("b.mp3\n")
        return data

    monkeypatch.setattr(Path, "read_bytes", read_and_append)
    with pytest.raises(UnreadableSource, match="written to while it was read"):
        read_playlist_file(path)
    monkeypatch.undo()
    assert len(read_playlist_file(path)[0].rows) == 2


def test_a_crate_says_places_and_the_library_beside_it_names(tmp_path: Path) -> None:
    crates = tmp_path / "_Serato_" / "Subcrates"
    crates.mkdir(parents=True)
    path = crates / "Set%%Early.crate"
    path.write_bytes(crate())
    [alone] = read_playlist_file(path)
    assert (alone.name, alone.source) == ("Set/Early", "serato")
    assert alone.rows[0].path == f"/Music/{TRACKS[0].place}" and alone.rows[0].duration_s is None
    (crates.parent / "database V2").write_bytes(serato_library())
    [named] = read_playlist_file(path)
    assert [(row.artist, row.title, row.album) for row in named.rows] == [tuple(track) for track in TRACKS]
    assert {row.duration_s for row in named.rows} == {25.0}


def test_an_archive_of_crates_knows_their_library_and_gives_only_crates() -> None:
    members = {
        "_Serato_/Subcrates/A.crate": crate(TRACKS[:2]),
        "_Serato_/Subcrates/B.crate": crate(TRACKS[2:]),
    }
    found = read_playlists(zipped(**members, **{"_Serato_/database V2": serato_library()}), name="x.zip")
    assert [(playlist.name, len(playlist.rows)) for playlist in found] == [("A", 2), ("B", 6)]
    assert all(row.album and row.duration_s for playlist in found for row in playlist.rows)


def test_a_crate_may_name_what_it_likes_and_nothing_is_opened() -> None:
    from recommender.sources.files.serato import write_crate

    [playlist] = read_playlists(write_crate(["/../../etc/passwd", "/dev/zero", "/x/\0y"]), name="x.crate")
    assert [row.path for row in playlist.rows] == ["/etc/passwd", "/dev/zero"]
    assert len(playlist.skipped) == 1


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"vrsn\0\0\0\4\0x\0y", "no crate: it is 'xy'"),
        (b"vrsn\xff\xff\xff\xff", DAMAGED),
        (bytes.fromhex("e1a09c91f83c7742852c3bcc1401d3f2") + b"x" * 40, "foobar2000 .FPL.*save it as M3U8"),
    ],
)
def test_what_is_no_playlist_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableSource, match=sentence):
        read_playlists(data, name="x")


def test_remixes_have_their_name_in_brackets() -> None:
    song = tag("song", path="C:\\a.mp3", artist="A", title="T", remix="Dub", songlength="100")
    [row] = read_playlists(tag("VirtualFolder", song).encode(), name="x.vdjfolder")[0].rows
    assert (row.title, row.artist, row.path, row.duration_s) == ("T (Dub)", "A", "C:/a.mp3", 100.0)


def test_an_asx_takes_the_first_of_several_places_and_needs_no_ends() -> None:
    text = (
        "<asx version='3'><title>X &amp; Y</title><ENTRY><ref href='a.wma'><ref href='b.wma'><title>T</title>"
    )
    [playlist] = read_playlists(text.encode(), name="x.asx", folder=Path("/m"))
    assert playlist.name == "X & Y"
    assert [(row.title, row.path) for row in playlist.rows] == [("T", "/m/a.wma")]


def test_old_references_are_read_too() -> None:
    [playlist] = read_playlists(b"[Reference]\r\nRef1=http://x.example/a.mp3\r\nRef2=b.mp3\r\n", name="x.asx")
    assert [(row.url, row.path) for row in playlist.rows] == [
        ("http://x.example/a.mp3", None),
        (None, "b.mp3"),
    ]
