"""Which files a cue sheet is about, and the tracks that a file then has."""

import os
import struct
from pathlib import Path

import pytest

from embeddings.stretch import WHOLE, Stretch
from recommender.errors import NoSuchTrack
from recommender.feeds.same_recording import row_keys
from recommender.records.feeds import read_row, row_values
from recommender.sources.album_tracks import read_track, read_tracks, references_of
from recommender.sources.cue import images
from recommender.sources.cue.images import albums_in, read_album, stat_file, track_starts
from recommender.sources.cue.sheet import MalformedSheet
from recommender.sources.feeds.watched_folder import read_folder
from tests.folders import write_track

SHEET = (
    'PERFORMER "Ana"\nTITLE "Album"\nFILE "{}" WAVE\nTRACK 01 AUDIO\nTITLE "One"\nINDEX 01 00:00:00\n'
    'TRACK 02 AUDIO\nTITLE "Two"\nPERFORMER "Bo"\nINDEX 01 00:02:00\n'
)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return write_track(tmp_path / "album.flac", tone_hz=300, title="t", artist="a", album="z", duration_s=6)


@pytest.mark.parametrize(
    "name", ["album.flac", "ALBUM.FLAC", "album.wav", "C:\\Rips\\album.ape", "/x/y/album.wav"]
)
def test_the_file_is_found_whatever_the_sheet_calls_it(image: Path, name: str) -> None:
    image.with_name("any.cue").write_text(SHEET.format(name))
    assert list(read_album(image.with_name("any.cue")).images) == [image]


def test_an_only_file_is_found_by_the_name_of_the_sheet(image: Path) -> None:
    image.with_suffix(".cue").write_text(SHEET.format("renamed since.wav"))
    assert list(read_album(image.with_suffix(".cue")).images) == [image]
    image.with_name("album.flac.cue").write_text(SHEET.format("renamed since.wav"))
    assert list(read_album(image.with_name("album.flac.cue")).images) == [image]


@pytest.mark.parametrize(
    "name", ["../out.flac", "/etc/out.flac", "..\\out.flac", "gone.wav", "", "notes.txt"]
)
def test_nothing_outside_the_folder_is_looked_at(tmp_path: Path, name: str) -> None:
    write_track(tmp_path / "out.flac", tone_hz=300)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "notes.txt").write_text("no audio")
    (folder / "x.cue").write_text(SHEET.format(name))
    with pytest.raises(MalformedSheet, match="no audio file that it names is there"):
        read_album(folder / "x.cue")
    albums, useless = albums_in(folder)
    assert (albums, list(useless)) == ([], [folder / "x.cue"])


def test_a_second_sheet_for_a_file_is_of_no_use(image: Path) -> None:
    for name in ("a.cue", "b.cue"):
        image.with_name(name).write_text(SHEET.format("album.flac"))
    albums, useless = albums_in(image.parent)
    assert [album.path.name for album in albums] == ["a.cue"]
    assert useless == {image.with_name("b.cue"): "another sheet is about the same file"}


def test_the_sheet_names_the_tracks_and_the_tags_fill_in(image: Path) -> None:
    assert [track.stretch for track in read_tracks(image)] == [WHOLE]
    image.with_suffix(".cue").write_text(SHEET.format("album.flac").replace('TITLE "Album"\n', ""))
    tracks = read_tracks(image)
    assert [track.stretch for track in tracks] == [Stretch(0.0, 2.0), Stretch(2.0, None)]
    assert [(track.facts.title, track.facts.artist, track.facts.album) for track in tracks] == [
        ("One", "Ana", "z"),
        ("Two", "Bo", "z"),
    ]
    assert [track.facts.duration_s for track in tracks] == [2.0, None]


def test_a_file_of_one_track_speaks_for_itself(image: Path) -> None:
    image.with_suffix(".cue").write_text(
        'FILE "album.flac" WAVE\nTRACK 01 AUDIO\nTITLE "X"\nINDEX 01 00:00:00'
    )
    (track,) = read_tracks(image)
    assert (track.stretch, track.facts.title) == (WHOLE, "t")


def test_a_sheet_in_the_tags_of_a_flac(image: Path) -> None:
    text = SHEET.format("whatever it was called.wav").encode()
    field = b"CUESHEET=" + text
    comment = struct.pack("<I", 4) + b"made" + struct.pack("<II", 1, len(field)) + field
    data = image.read_bytes()
    # A comment block behind STREAMINFO; libsndfile's own comes later and says less.
    block = bytes([4]) + len(comment).to_bytes(3, "big") + comment
    image.write_bytes(data[:42] + block + data[42:])
    assert [track.facts.title for track in read_tracks(image)] == ["One", "Two"]


def test_a_sheet_in_an_ape_tag(image: Path) -> None:
    text = SHEET.format("x.wav").encode()
    item = struct.pack("<II", len(text), 0) + b"Cuesheet\0" + text
    footer = b"APETAGEX" + struct.pack("<IIII", 2000, len(item) + 32, 1, 0) + bytes(8)
    image.write_bytes(image.read_bytes() + item + footer)
    assert [track.facts.title for track in read_tracks(image)] == ["One", "Two"]


def test_a_track_is_asked_for_by_its_number(image: Path) -> None:
    sheet = image.with_suffix(".cue")
    sheet.write_text(SHEET.format("album.flac"))
    assert references_of(sheet) == [f"{image}#1", f"{image}#2"]
    file, track = read_track(Path(f"{image}#2"))
    assert (file, track.facts.title) == (image, "Two")
    for number in (0, 3):
        with pytest.raises(NoSuchTrack, match="has 2 tracks"):
            read_track(Path(f"{image}#{number}"))
    with pytest.raises(NoSuchTrack, match="there is no file"):
        read_track(image.with_name("gone.flac#1"))
    odd = write_track(image.with_name("mix.flac#2.flac"), tone_hz=300)
    assert read_track(odd)[0] == odd


def test_a_sheet_counts_as_a_part_of_its_file(image: Path) -> None:
    alone = stat_file(image)
    image.with_suffix(".cue").write_text(SHEET.format("album.flac"))
    both = stat_file(image)
    assert both != alone
    image.with_suffix(".cue").write_text(SHEET.format("album.flac").replace("Two", "Three"))
    assert stat_file(image) != both
    image.with_suffix(".cue").unlink()
    assert stat_file(image) == alone


def test_a_watched_folder_has_an_item_for_each_track(image: Path) -> None:
    write_track(image.with_name("single.flac"), tone_hz=500)
    image.with_suffix(".cue").write_text(SHEET.format("album.flac"))
    rows = [read_row(row_values(row)).row for row in read_folder(image.parent)]
    assert [(row.path, row.start_s) for row in rows] == [
        (str(image), 0.0),
        (str(image), 2.0),
        (str(image.with_name("single.flac")), None),
    ]
    assert len({key for row in rows for key in row_keys(row)}) == 3


def test_a_folder_is_read_once_for_all_its_files_until_something_in_it_changes(
    image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet, listed, read = image.with_suffix(".cue"), list[Path](), list[Path]()
    sheet.write_text(SHEET.format(image.name))

    def settle(*paths: Path) -> None:
        for path in paths:
            os.utime(path, ns=(0, path.stat().st_mtime_ns - 60_000_000_000))

    list_sheets, read_one = images._list_sheets, images.read_album
    monkeypatch.setattr(images, "_list_sheets", lambda folder: listed.append(folder) or list_sheets(folder))
    monkeypatch.setattr(images, "read_album", lambda path: read.append(path) or read_one(path))
    settle(sheet, image.parent)
    assert [len(track_starts(image)) for _ in range(50)] == [2] * 50
    assert (len(listed), len(read)) == (1, 1)
    sheet.write_text(SHEET.format(image.name).partition("TRACK 02")[0])  # in place: the folder is as it was
    assert track_starts(image) == [None]
    settle(sheet)
    assert track_starts(image) == [None]
    sheet.unlink()
    assert albums_in(image.parent) == ([], {})
