"""What flatters a score card is said: formats, albums, copies, sizes, one dominant artist."""

import numpy as np
import pytest

from recommender.records.tracks import FileFormat
from training.judging.cautions import (
    caution_albums,
    caution_artists,
    caution_copies,
    caution_formats,
    caution_sizes,
)

NAMES = ("calm", "loud")
MP3, FLAC = FileFormat("mp3", 44_100, 128.0), FileFormat("flac", 44_100, 700.0)


def in_two(n_first: int, n_second: int) -> np.ndarray:
    """Membership of tracks in the first and then in the second playlist."""
    return np.repeat(np.eye(2, dtype=bool), [n_first, n_second], axis=0)


def test_a_container_of_its_own_is_said_of_both_playlists() -> None:
    found = caution_formats(NAMES, in_two(10, 10), [MP3] * 10 + [FLAC] * 10)
    assert {label for label, _ in found} == {0, 1}
    assert "100% of the tracks of 'calm' are mp3 files, of the other tracks 0%" in found[0][1]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (FileFormat("mp3", 22_050, 128.0), "at 22.05 kHz"),
        (FileFormat("mp3", 44_100, 320.0), "at most 400 kbit/s"),
    ],
)
def test_a_rate_of_its_own(other: FileFormat, said: str) -> None:
    found = caution_formats(NAMES, in_two(10, 10), [MP3] * 10 + [other] * 10)
    assert any(said in sentence for label, sentence in found if label == 1)


def test_a_mixture_of_formats_says_nothing() -> None:
    assert caution_formats(NAMES, in_two(10, 10), [MP3, FLAC] * 10) == []
    assert caution_formats(NAMES, in_two(10, 10), [FileFormat()] * 20) == []
    assert caution_formats(NAMES, in_two(3, 3), [MP3] * 3 + [FLAC] * 3) == []  # too few to tell


def test_an_album_on_both_sides_of_a_split() -> None:
    albums = ["live", "live", "studio", "studio", "", ""]
    folds = np.array([0, 1, 0, 0, 0, 1])
    ((label, sentence),) = caution_albums(NAMES, in_two(4, 2), albums, folds)
    assert label == 0
    assert "'live'" in sentence
    assert "studio" not in sentence


def test_a_recording_in_two_playlists() -> None:
    same = np.array([0, 1, 2, 0])
    (sentence,) = caution_copies(NAMES, in_two(2, 2), same, ["a", "b", "c", "a again"])
    assert "'a' was found in both 'calm' and 'loud'" in sentence


def test_copies_in_one_playlist_and_tracks_in_both_are_no_contradiction() -> None:
    assert caution_copies(NAMES, in_two(2, 2), np.array([0, 0, 2, 3]), ["a", "b", "c", "d"]) == []
    both = np.array([[True, True], [True, False]])
    assert caution_copies(NAMES, both, np.array([0, 0]), ["a", "b"]) == []


def test_sizes() -> None:
    assert caution_sizes(NAMES, in_two(10, 11)) == []
    (unequal,) = caution_sizes(NAMES, in_two(60, 6))
    assert "60 tracks in 'calm', 6 in 'loud'" in unequal
    (few,) = caution_sizes(NAMES, in_two(10, 3))
    assert "fewer than 5 tracks: 'loud'" in few


def test_playlists_with_the_same_tracks() -> None:
    (sentence,) = caution_sizes(NAMES, np.ones((9, 2), dtype=bool))
    assert "share 9 tracks" in sentence


def test_one_dominant_artist() -> None:
    artists = ["x"] * 7 + ["y", "z", "w"] + ["x", "y", "z", ""]
    ((label, sentence),) = caution_artists(NAMES, in_two(10, 4), artists)
    assert label == 0
    assert "7 of the 10 tracks of 'calm' are by 'x'" in sentence
    # A single artist is another matter: then folds cannot be artist-conditional at all.
    assert caution_artists(NAMES, in_two(3, 3), ["x"] * 3 + ["", "", ""]) == []
