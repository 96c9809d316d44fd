"""How much a track counts, worked by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.worlds import make_tracks
from training.groups.labels import MIN_LINEAR_TRACKS, artist_weights, linear_labels

# Three tracks of artist 5, one of artist 2; the second playlist holds one of each.
MEMBERSHIP = np.array([[1, 0], [1, 0], [1, 1], [1, 1]], dtype=bool)
ARTISTS = np.array([5, 5, 5, 2])


@pytest.mark.parametrize(
    ("correlation", "of_five", "of_two"),
    [
        (0.0, 1 / 4, 1 / 4),  # tracks count
        (1.0, 1 / 6, 1 / 2),  # artists count
        (0.2, (1 / 1.4) / (3 / 1.4 + 1), 1 / (3 / 1.4 + 1)),  # three tracks tell as much as 3 / 1.4 unrelated
    ],
)
def test_the_design_effect_by_hand(correlation: float, of_five: float, of_two: float) -> None:
    weights = artist_weights(MEMBERSHIP, ARTISTS, correlation=correlation)
    np.testing.assert_allclose(weights[:, 0], [of_five] * 3 + [of_two])
    np.testing.assert_allclose(weights[:, 1], [0, 0, 0.5, 0.5])  # one track each, whatever the correlation


@given(
    seed=st.integers(0, 1000),
    n_tracks=st.integers(1, 30),
    n_labels=st.integers(1, 4),
    correlation=st.floats(0, 1),
)
@settings(max_examples=60, deadline=None)
def test_weights_share_one_among_the_members(
    seed: int, n_tracks: int, n_labels: int, correlation: float
) -> None:
    rng = np.random.default_rng(seed)
    membership, artists = rng.random((n_tracks, n_labels)) < 0.4, rng.integers(0, 5, n_tracks)
    weights = artist_weights(membership, artists, correlation=correlation)
    np.testing.assert_array_equal(weights > 0, membership)
    np.testing.assert_allclose(weights.sum(axis=0), membership.any(axis=0), atol=1e-12)
    for label in range(n_labels):
        for artist in range(5):
            own = weights[membership[:, label] & (artists == artist), label]
            assert len(np.unique(own)) <= 1  # tracks of one artist count alike


def test_more_tracks_of_an_artist_count_more_together_and_less_each() -> None:
    together = []
    for n in (1, 2, 8, 64):
        artists = np.array([0] * n + [1] * 4)
        weights = artist_weights(np.ones((n + 4, 1), bool), artists, correlation=0.2)[:, 0]
        together.append(weights[:n].sum() / weights[n:].sum())
    assert together == sorted(together)
    assert together[-1] < 64 / 4 / 3  # far less than by tracks


def test_artists_are_known_by_name_whatever_the_case_and_strangers_are_alone() -> None:
    tracks = replace(make_tracks([6]), artists=("Ä", "ä", "", "B", "", "b"))
    numbers = tracks.artist_numbers
    assert numbers[0] == numbers[1] and numbers[3] == numbers[5]
    assert len(set(numbers.tolist())) == 4


def test_rows_select_everything_that_is_known_of_a_track() -> None:
    tracks = replace(make_tracks([3, 2]), albums=("a", "b", "c", "d", "e"))
    some = tracks.rows(np.array([4, 0]))
    assert len(some) == 2
    np.testing.assert_array_equal(some.track_ids, tracks.track_ids[[4, 0]])
    np.testing.assert_array_equal(some.raw, tracks.raw[[4, 0]])
    np.testing.assert_array_equal(some.membership, [[False, True], [True, False]])
    np.testing.assert_array_equal(some.durations_s, tracks.durations_s[[4, 0]])
    assert (some.artists, some.albums) == ((tracks.artists[4], tracks.artists[0]), ("e", "a"))


def test_without_a_playlist_only_what_was_nowhere_else_is_gone() -> None:
    tracks = make_tracks([2, 2, 2])
    membership = tracks.membership.copy()
    membership[0, 2] = True
    tracks = replace(tracks, membership=membership)
    left = tracks.without_label(0)
    np.testing.assert_array_equal(left.track_ids, tracks.track_ids[[0, 2, 3, 4, 5]])
    np.testing.assert_array_equal(left.membership, membership[[0, 2, 3, 4, 5], 1:])
    np.testing.assert_array_equal(tracks.membership, membership)


def test_a_label_needs_a_few_tracks_for_a_linear_row() -> None:
    tracks = make_tracks([MIN_LINEAR_TRACKS - 1, MIN_LINEAR_TRACKS, 0])
    assert linear_labels(tracks.membership).tolist() == [False, True, False]


def test_arguments_are_only_read() -> None:
    membership, artists = MEMBERSHIP.copy(), ARTISTS.copy()
    artist_weights(membership, artists, correlation=0.2)
    linear_labels(membership)
    np.testing.assert_array_equal(membership, MEMBERSHIP)
    np.testing.assert_array_equal(artists, ARTISTS)
