"""Data sets in their own layouts: what is read, what is left out and why, and which split comes with it."""

import errno
import os
from collections import Counter
from pathlib import Path

import pytest

from recommender.errors import NoAudio, UnreadableFolder
from tests.training.datasets.layout_folders import (
    FmaTrack,
    fma_clip,
    write_fma,
    write_gtzan,
    write_tone,
    write_tune,
)
from training.datasets.labelled_tracks import LabelledTracks, LayoutError, TooFewTracks
from training.datasets.layouts import read_layout

ROCK, HIP_HOP, INSTRUMENTAL, PUNK, POST_PUNK = 12, 21, 1235, 25, 58
FMA = (
    FmaTrack(2, (HIP_HOP,), artist="AWOL", bio="x," * 100_000),
    FmaTrack(5, (HIP_HOP,), artist="AWOL", split="validation"),
    FmaTrack(10, (ROCK, POST_PUNK), artist="Kurt", split="test"),
    FmaTrack(140, (PUNK,), artist='"Q" and the commas, again\nand a line break'),
    FmaTrack(1040, (ROCK,), artist="Ann"),
    FmaTrack(1041, (INSTRUMENTAL,), artist="Bea"),
    FmaTrack(1042, (INSTRUMENTAL,), artist="Cem"),
    FmaTrack(1043, (ROCK,), subset="medium", artist="Dora"),
)


def by_id(found: LabelledTracks) -> dict[int, str]:
    return {int(track.path.stem): track.label for track in found.tracks}


def reasons(found: LabelledTracks) -> dict[str, str]:
    return {file.path.name: file.code for file in found.skipped}


@pytest.fixture
def fma(tmp_path: Path) -> Path:
    """The tracks of :data:`FMA` whose clips are in the small subset."""
    return write_fma(tmp_path / "fma", FMA)


def test_the_fma_is_recognised_and_its_three_row_header_read(fma):
    found = read_layout(fma, "auto")

    assert found.layout == "fma"
    assert by_id(found) == {
        **{2: "Hip-Hop", 5: "Hip-Hop", 10: "Rock", 140: "Rock", 1040: "Rock"},
        **{1041: "Instrumental", 1042: "Instrumental"},
    }
    first, second, third, fourth, *_ = found.tracks
    assert (first.artist, first.title, first.album, first.part) == (
        *("AWOL", "Piece 2", "An album, with a comma", "train"),
    )
    assert (second.part, third.part) == ("validation", "test")
    assert fourth.artist == '"Q" and the commas, again\nand a line break'
    # Track 1043 is of the medium subset, whose clips nobody has downloaded: not a file that is missing.
    assert found.skipped == ()


@pytest.mark.parametrize("place", ["fma", "fma/fma_small"])
def test_the_fma_is_found_from_its_folder_and_from_its_clips(fma, place):
    assert len(read_layout(fma.parent / place, "fma").tracks) == 7


def test_genres_are_chosen_at_any_depth_and_the_deepest_named_one_counts(fma):
    two = read_layout(fma, "fma", labels=("rock", "hip-hop"))
    assert by_id(two) == {2: "Hip-Hop", 5: "Hip-Hop", 10: "Rock", 140: "Rock", 1040: "Rock"}
    assert two.labels == ("Hip-Hop", "Rock")

    deeper = read_layout(fma, "fma", labels=("Rock", "Punk", "Hip-Hop"), fewest=1)
    assert by_id(deeper) == {2: "Hip-Hop", 5: "Hip-Hop", 10: "Punk", 140: "Punk", 1040: "Rock"}

    deepest = read_layout(fma, "fma", labels=("Post-Punk", "Instrumental"), fewest=1)
    assert by_id(deepest) == {10: "Post-Punk", 1041: "Instrumental", 1042: "Instrumental"}


def test_a_track_of_two_genres_goes_to_its_top_one_or_nowhere(tmp_path):
    tracks = [
        FmaTrack(1, (HIP_HOP, ROCK), top="Rock"),
        FmaTrack(2, (HIP_HOP, ROCK), top=""),
        *(FmaTrack(number, (genre,)) for number, genre in ((3, ROCK), (4, HIP_HOP))),
    ]

    found = read_layout(write_fma(tmp_path / "fma", tracks), labels=("Rock", "Hip-Hop"), fewest=1)

    assert by_id(found) == {1: "Rock", 3: "Rock", 4: "Hip-Hop"}
    assert reasons(found) == {"000002.mp3": "several_labels"}


def test_broken_clips_of_the_fma_are_left_out_each_with_its_reason(fma):
    fma_clip(fma, 5).unlink()
    write_tone(fma_clip(fma, 140), pitch_hz=300, duration_s=0.3)
    fma_clip(fma, 1040).write_bytes(b"")
    fma_clip(fma, 1041).write_bytes(b"not audio at all " * 40)
    write_tone(fma_clip(fma, 9), pitch_hz=300)

    found = read_layout(fma, fewest=1)

    assert by_id(found) == {2: "Hip-Hop", 10: "Rock", 1042: "Instrumental"}
    assert reasons(found) == {
        "000005.mp3": "missing_file",
        "000009.mp3": "not_in_list",
        "000140.mp3": "too_short",
        "001040.mp3": "undecodable_audio",
        "001041.mp3": "undecodable_audio",
    }
    with pytest.raises(TooFewTracks, match=r"Hip-Hop has 1.*at least 2 are needed; 5 files were left out"):
        read_layout(fma)


def test_a_subset_can_be_asked_for(fma):
    found = read_layout(fma, subset="medium")

    assert reasons(found) == {"001043.mp3": "missing_file"}
    with pytest.raises(LayoutError, match="no subset 'tiny'; there are: small, medium"):
        read_layout(fma, subset="tiny")


def test_a_list_of_tracks_that_is_damaged_is_refused(fma):
    tracks = fma / "fma_metadata" / "tracks.csv"
    tracks.write_text(tracks.read_text() + "abc,,,\n")
    with pytest.raises(LayoutError, match="cannot be read as FMA's list of tracks"):
        read_layout(fma)


def test_an_unknown_label_is_named_with_those_that_are_there(fma):
    with pytest.raises(LayoutError, match=r"no genre 'Polka'; there are: Hip-Hop, Instrumental, Post-Punk"):
        read_layout(fma, labels=("Rock", "Polka"))
    with pytest.raises(LayoutError, match="named twice"):
        read_layout(fma, labels=("Rock", "rock"))


@pytest.mark.parametrize(
    ("root", "suffix"), [("genres", ".au"), ("genres_original", ".wav"), ("Data/genres_original", ".wav")]
)
def test_gtzan_is_recognised_in_each_of_its_forms(tmp_path, root, suffix):
    write_gtzan(tmp_path, {"blues": 3, "rock": 3}, root=root, suffix=suffix)

    found = read_layout(tmp_path)

    assert found.layout == "gtzan"
    assert Counter(track.label for track in found.tracks) == {"blues": 3, "rock": 3}
    assert {track.path.suffix for track in found.tracks} == {suffix}


def test_a_genre_without_a_track_is_too_few(tmp_path):
    data = write_gtzan(tmp_path, {"blues": 2, "rock": 2})
    (data / "genres" / "jazz").mkdir()
    (data / "genres" / "jazz" / "jazz.00000.txt").write_text("no music")

    with pytest.raises(NoAudio, match="no audio that can be used"):
        read_layout(data, labels=("jazz",))
    with pytest.raises(TooFewTracks, match="jazz has 0, at least 2 are needed; 1 files were left out"):
        read_layout(data, labels=("jazz", "rock"))


def test_gtzan_is_split_by_the_published_lists(tmp_path):
    data = write_gtzan(tmp_path, {"blues": 5, "rock": 4}, suffix=".au")
    (data / "genres" / "blues" / "notes.txt").write_text("not music")
    # The published lists name .wav files, whatever form one has.
    (data / "train_filtered.txt").write_text("blues/blues.00000.wav\nrock/rock.00003.wav\n")
    (data / "valid_filtered.txt").write_text("blues/blues.00001.wav\n\nrock/rock.00000.wav\n")
    (data / "test_filtered.txt").write_text(
        "blues/blues.00004.wav\nrock/rock.00001.wav\nrock/rock.00077.wav\n"
    )

    found = read_layout(data)

    assert {track.path.stem: track.part for track in found.tracks} == {
        **{"blues.00000": "train", "blues.00001": "validation", "blues.00004": "test"},
        **{"rock.00003": "train", "rock.00000": "validation", "rock.00001": "test"},
    }
    assert reasons(found) == {
        **{"notes.txt": "extra_file", "rock.00077": "missing_file"},
        **dict.fromkeys(("blues.00002.au", "blues.00003.au", "rock.00002.au"), "not_in_split"),
    }
    assert "published" in found.notes[0]
    (data / "test_filtered.txt").unlink()
    with pytest.raises(LayoutError, match=r"only some of the lists of the split: add test_filtered\.txt"):
        read_layout(data)


def test_without_lists_gtzan_is_split_by_runs_of_numbers_and_says_so(tmp_path):
    data = write_gtzan(tmp_path, {"blues": 20, "rock": 20})
    copy = data / "genres" / "blues" / "blues.00019.wav"
    write_tune(copy, seed=0, gain=0.3, rate_hz=22_050)  # as blues.00000, softer and at another rate

    found = read_layout(data, seed=3)

    parts_of_block: dict[str, set[str]] = {}
    for track in found.tracks:
        parts_of_block.setdefault(track.album, set()).add(track.part)
    assert len(parts_of_block) == 20
    assert all(len(parts) == 1 for parts in parts_of_block.values())
    for genre in ("blues", "rock"):
        shares = Counter(track.part for track in found.tracks if track.label == genre)
        assert shares["train"] >= 9 and shares["test"] >= 4 and shares["validation"] >= 3
    assert reasons(found) == {"blues.00019.wav": "copy"}
    assert {track.artist for track in found.tracks} == {""}
    assert "nobody knows the artists" in found.notes[0] and "may be too good" in found.notes[0]
    assert read_layout(data, seed=3) == found
    assert read_layout(data, seed=4) != found


def test_with_the_index_of_artists_gtzan_is_split_by_them(tmp_path):
    data = write_gtzan(tmp_path, {"blues": 12, "rock": 12})
    lines = ["# from the index"]
    for genre in ("blues", "rock"):
        lines += [
            f"{genre}.{number:05d}.wav ::: {genre} player {number % 4} ::: Song {number}"
            for number in range(12)
        ]
    (data / "GTZANindex.txt").write_text("\n".join(lines) + "\n")

    found = read_layout(data)

    parts_of_artist: dict[str, set[str]] = {}
    for track in found.tracks:
        parts_of_artist.setdefault(track.artist, set()).add(track.part)
    assert len(parts_of_artist) == 8
    assert all(len(parts) == 1 for parts in parts_of_artist.values())
    assert {track.part for track in found.tracks} == {"train", "validation", "test"}
    assert next(track.title for track in found.tracks) == "Song 0"
    assert "artists" in found.notes[0] and "may be too good" not in found.notes[0]


@pytest.fixture
def playlists(tmp_path: Path) -> Path:
    """Two playlists of two tracks, with other files among them."""
    for playlist, pitch_hz in (("late", 300.0), ("loud", 900.0)):
        for number in range(2):
            write_tone(tmp_path / playlist / f"Artist {number} - Piece.flac", pitch_hz=pitch_hz + number)
    (tmp_path / "late" / "cover.jpg").write_bytes(b"a picture")
    (tmp_path / "late" / "broken.ogg").write_bytes(b"no music")
    (tmp_path / "late" / ".hidden.txt").write_text("nobody's business")
    write_tone(tmp_path / "alone.wav", pitch_hz=500)
    return tmp_path


def test_playlists_are_read_and_the_rest_is_listed(playlists):
    found = read_layout(playlists)

    assert found.layout == "folder"
    assert Counter(track.label for track in found.tracks) == {"late": 2, "loud": 2}
    assert found.tracks[0].artist == "Artist 0"
    assert reasons(found) == {
        **{"alone.wav": "no_playlist", "broken.ogg": "undecodable_audio", "cover.jpg": "extra_file"},
    }


def test_a_manifest_says_what_is_in_a_folder(playlists):
    manifest = playlists / "tracks.csv"
    rows = ("late/Artist 0 - Piece.flac,a,Ann", "loud/Artist 0 - Piece.flac,b,Bea")
    manifest.write_text("\n".join(("file,playlist,artist", *rows)))

    found = read_layout(playlists, "folder", manifest=manifest, fewest=1)

    assert [(track.label, track.artist) for track in found.tracks] == [("a", "Ann"), ("b", "Bea")]


def test_what_an_unknown_artist_is_called_is_not_an_artist(tmp_path):
    for name in ("one", "two"):
        for number in range(2):
            write_tone(tmp_path / name / f"{number}.wav", pitch_hz=300)

    assert {track.artist for track in read_layout(tmp_path).tracks} == {""}


def test_gtzan_may_be_read_as_mere_playlists(tmp_path):
    data = write_gtzan(tmp_path, {"blues": 2, "rock": 2})

    found = read_layout(data / "genres", "folder")

    assert (found.layout, len(found.tracks)) == ("folder", 4)


def test_another_layout_is_named(fma, playlists):
    with pytest.raises(LayoutError, match=r"has the layout fma .* but gtzan is expected"):
        read_layout(fma, "gtzan")
    with pytest.raises(LayoutError, match=r"has the layout folder .* but fma is expected"):
        read_layout(playlists, "fma")
    with pytest.raises(LayoutError, match=r"no layout 'spreadsheet'; there are: auto, folder, fma, gtzan"):
        read_layout(playlists, "spreadsheet")


def test_a_folder_that_holds_nothing_says_what_was_looked_for(tmp_path):
    with pytest.raises(UnreadableFolder, match="missing or no folder"):
        read_layout(tmp_path / "nowhere")
    with pytest.raises(NoAudio, match="<playlist>/<audio files>"):
        read_layout(tmp_path)
    with pytest.raises(LayoutError, match=r"nothing of the layout fma: fma_metadata/tracks\.csv"):
        read_layout(tmp_path, "fma")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "broken.mp3").write_bytes(b"")
    with pytest.raises(NoAudio, match="no audio that can be used"):
        read_layout(tmp_path)


def test_a_folder_that_may_not_be_read_is_named(playlists, monkeypatch):
    scandir = os.scandir

    def refuse_late(folder):  # taking its rights away would not keep root out
        if os.fsdecode(folder).endswith("late"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse_late)
    with pytest.raises(UnreadableFolder, match=r"late.* cannot be read: Permission denied"):
        read_layout(playlists)


def test_one_playlist_alone_is_too_few(playlists):
    with pytest.raises(TooFewTracks, match="has 1 labels with audio, at least 2 are needed"):
        read_layout(playlists, labels=("loud",))
    with pytest.raises(TooFewTracks, match="late has 2, loud has 2, at least 3 are needed"):
        read_layout(playlists, fewest=3)


def test_looking_at_the_files_can_be_left_to_others(playlists):
    found = read_layout(playlists, check_audio=False)

    assert "broken.ogg" in {track.path.name for track in found.tracks}


def test_progress_counts_the_files(playlists):
    said: list[tuple[int, int, str]] = []
    read_layout(playlists, progress=lambda *step: said.append(step))

    assert [(n_done, n_total) for n_done, n_total, _ in said] == [(number, 5) for number in range(1, 6)]
