"""Folds as properties of any library: nothing of a test track, its artist or its copies is trained on."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from tests.training.worlds import unit
from training.folds import (
    DUPLICATE_COSINE,
    DUPLICATE_SECONDS,
    artist_folds,
    group_tracks,
    held_together,
    labels_left,
    same_recordings,
)

Library = tuple[np.ndarray, list[str], list[str], np.ndarray]


@st.composite
def libraries(draw: st.DrawFn) -> Library:
    """(membership, artists, albums, recordings): unknown names, tracks in several playlists, copies."""
    n_tracks, n_labels = draw(st.integers(1, 24)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    membership = rng.random((n_tracks, n_labels)) < draw(st.floats(0, 0.6))
    membership[np.arange(n_tracks), rng.integers(0, n_labels, n_tracks)] = True
    artists = [("", "A", "a", "B", "C", "D")[number] for number in rng.integers(0, 6, n_tracks)]
    albums = [("", "X", "Y", "Z")[number] for number in rng.integers(0, 4, n_tracks)]
    recordings = rng.integers(0, draw(st.integers(1, 2 * n_tracks)), n_tracks)
    return membership, artists, albums, recordings


@given(library=libraries(), n_folds=st.integers(2, 6), seed=st.integers(0, 5))
@settings(max_examples=200, deadline=None)
def test_folds_of_any_library(library: Library, n_folds: int, seed: int) -> None:
    membership, artists, albums, recordings = library
    grouping = group_tracks(membership, artists=artists, albums=albums, same_recording=recordings)
    folds = artist_folds(membership, grouping.keys, n_folds=n_folds, seed=seed)
    # Every track once, no fold empty, and never more folds than keys.
    assert folds.shape == (len(membership),)
    n_keys = len(np.unique(grouping.keys))
    assert sorted(set(folds.tolist())) == list(range(min(n_folds, n_keys)))
    # Copies and equal keys on one side.
    for together in (recordings, grouping.keys):
        for number in np.unique(together):
            assert len(np.unique(folds[together == number])) == 1
    # No artist on both sides, but of playlists that say they are not judged by artist.
    honest = membership[:, [by == "artist" for by in grouping.judged_by]].any(axis=1)
    names = np.array([artist.casefold() for artist in artists])
    for name in set(names.tolist()) - {""}:
        assert len(np.unique(folds[honest & (names == name)])) <= 1
    # The same seed gives the same folds.
    again = artist_folds(membership, grouping.keys, n_folds=n_folds, seed=seed)
    np.testing.assert_array_equal(again, folds)


@given(library=libraries())
@settings(max_examples=200, deadline=None)
def test_every_playlist_says_what_it_is_judged_by(library: Library) -> None:
    membership, artists, albums, _ = library
    judged_by = group_tracks(membership, artists=artists, albums=albums).judged_by
    assert len(judged_by) == membership.shape[1]
    for column, by in zip(membership.T, judged_by, strict=True):
        known = {artists[row].casefold() for row in np.flatnonzero(column)} - {""}
        assert (by == "artist") <= (len(known) > 1)
        if by == "album":
            assert len({albums[row] for row in np.flatnonzero(column)} - {""}) + len(known) > 1


def test_one_artist_falls_back_to_albums_then_to_tracks_and_is_marked() -> None:
    membership = np.repeat(np.eye(4, dtype=bool), 4, axis=0)
    artists = ["A", "B", "A", "B", *["C"] * 4, *["D"] * 4, *[""] * 4]
    albums = ["X"] * 4 + ["X", "X", "Y", "Y"] + ["Z"] * 4 + [""] * 4
    grouping = group_tracks(membership, artists=artists, albums=albums)
    assert grouping.judged_by == ("artist", "album", "track", "track")
    assert [len(np.unique(keys)) for keys in grouping.keys.reshape(4, 4)] == [2, 2, 4, 4]
    assert grouping.keys[0] == grouping.keys[2] != grouping.keys[1] == grouping.keys[3]
    assert grouping.keys[4] == grouping.keys[5] != grouping.keys[6] == grouping.keys[7]


def test_an_artist_in_two_playlists_stays_together() -> None:
    membership = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=bool)
    grouping = group_tracks(membership, artists=["A", "B", "a", "C"], albums=[""] * 4)
    assert grouping.keys[0] == grouping.keys[2]
    assert grouping.judged_by == ("artist", "artist")


def test_what_an_artist_judged_playlist_needs_is_not_loosened_for_another() -> None:
    """The second playlist has one artist, but two of its tracks are in the first, which has two."""
    membership = np.array([[1, 0], [1, 1], [1, 1], [0, 1], [0, 1]], dtype=bool)
    grouping = group_tracks(membership, artists=["B", *["A"] * 4], albums=["", "X", "Y", "X", "Y"])
    assert grouping.judged_by == ("artist", "album")
    keys = grouping.keys
    assert keys[1] == keys[2]  # of artist A, whatever the album
    assert len({int(keys[row]) for row in (0, 1, 3, 4)}) == 4


def test_an_unknown_artist_is_no_second_artist() -> None:
    """Folds fall apart all the same, but nobody may call them artist-conditional."""
    membership = np.ones((3, 1), dtype=bool)
    grouping = group_tracks(membership, artists=["A", "A", ""], albums=["", "", ""])
    assert grouping.keys[0] == grouping.keys[1] != grouping.keys[2]
    assert grouping.judged_by == ("track",)
    by_album = group_tracks(membership, artists=["", "", ""], albums=["X", "X", "Y"])
    assert by_album.judged_by == ("album",)
    assert by_album.keys[0] == by_album.keys[1] != by_album.keys[2]


def test_albums_of_one_name_by_two_artists_are_two_albums() -> None:
    membership = np.array([[1, 0]] * 2 + [[0, 1]] * 2, dtype=bool)
    grouping = group_tracks(membership, artists=["A", "A", "B", "B"], albums=["Live", "X", "Live", "Y"])
    assert grouping.judged_by == ("album", "album")
    assert len(np.unique(grouping.keys)) == 4


def test_copies_join_the_artists_that_hold_them_however_long_the_chain() -> None:
    membership = np.ones((6, 1), dtype=bool)
    recordings = np.array([0, 1, 1, 2, 2, 3])  # B's track is also A's second, C's is also B's second
    grouping = group_tracks(
        membership, artists=["A", "A", "B", "B", "C", "D"], albums=[""] * 6, same_recording=recordings
    )
    assert len(np.unique(grouping.keys[:5])) == 1
    assert grouping.keys[5] != grouping.keys[0]


def test_another_seed_gives_other_folds() -> None:
    rng = np.random.default_rng(0)
    keys = rng.integers(0, 20, 100)
    membership = (keys % 2)[:, None] == np.arange(2)
    drawn = {artist_folds(membership, keys, n_folds=5, seed=seed).tobytes() for seed in range(10)}
    assert len(drawn) == 10


def uneven(membership: np.ndarray, folds: np.ndarray) -> float:
    """Mean over playlists of the spread of their shares over the folds."""
    shares = [
        membership[folds == fold].sum(axis=0) / membership.sum(axis=0) for fold in range(folds.max() + 1)
    ]
    return float(np.std(shares, axis=0).mean())


@pytest.mark.parametrize("n_artists", [6, 40])
def test_playlists_are_spread_as_evenly_as_scikit_learn_spreads_them(n_artists: int) -> None:
    ours, theirs = [], []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        label = rng.integers(0, 4, 300)
        artist = (rng.zipf(1.7, 300) % n_artists) * 4 + label  # a few artists have most of the tracks
        membership = label[:, None] == np.arange(4)
        ours.append(uneven(membership, artist_folds(membership, artist, n_folds=5, seed=seed)))
        folds = np.zeros(300, dtype=int)
        splitter = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        for fold, (_, test) in enumerate(splitter.split(artist, label, artist)):
            folds[test] = fold
        theirs.append(uneven(membership, folds))
    assert np.mean(ours) < 1.05 * np.mean(theirs)


def test_a_rare_playlist_is_spread_too() -> None:
    """Three tracks of three artists among 500: never two of them in one fold."""
    membership = np.repeat([[True, False], [False, True]], [500, 3], axis=0)
    folds = artist_folds(membership, np.arange(503), n_folds=5, seed=0)
    assert len(set(folds[500:].tolist())) == 3
    assert all(abs(n - 100) <= 1 for n in np.bincount(folds[:500]))


def test_playlists_smaller_than_the_number_of_folds() -> None:
    for n_tracks in (1, 2, 3):
        membership = np.repeat(np.eye(2, dtype=bool), n_tracks, axis=0)
        folds = artist_folds(membership, np.arange(2 * n_tracks), n_folds=5, seed=0)
        assert folds.max() + 1 == min(5, 2 * n_tracks)
    assert artist_folds(membership, np.zeros(6, int), n_folds=5, seed=0).tolist() == [0] * 6


def test_thousands_of_artists_are_split() -> None:
    rng = np.random.default_rng(0)
    keys = rng.integers(0, 2500, 5000)
    membership = (keys % 20)[:, None] == np.arange(20)
    folds = artist_folds(membership, keys, n_folds=5, seed=0)
    assert len(np.unique(np.stack([keys, folds]), axis=1).T) == len(np.unique(keys))  # each on one side
    np.testing.assert_allclose(np.bincount(folds), 1000, atol=25)


def test_what_is_left_of_a_playlist_outside_of_a_fold() -> None:
    membership = np.array([[1, 0], [1, 1], [0, 1], [0, 1]], dtype=bool)
    folds = np.array([0, 0, 0, 1])
    left = labels_left(membership, folds)
    np.testing.assert_array_equal(left, [[False, True], [False, True], [False, True], [True, True]])
    for row in range(4):
        np.testing.assert_array_equal(left[row], membership[folds != folds[row]].any(axis=0))


def test_copies_are_found_by_embedding_and_duration() -> None:
    rng = np.random.default_rng(0)
    embeddings = unit(rng.normal(size=(6, 200)))
    embeddings[1] = unit(embeddings[0] + rng.normal(scale=1e-3, size=200))  # the same, encoded again
    embeddings[2] = embeddings[0]  # the same, cut short
    embeddings[3] = embeddings[4]  # the same, of unknown length
    durations_s = np.array([200.0, 201.0, 190.0, np.nan, np.nan, 200.0])
    same = same_recordings(embeddings, durations_s)
    assert same[0] == same[1]
    assert len(set(same.tolist())) == 5


@pytest.mark.parametrize("n_tracks", [1, 30, 1100])
def test_copies_are_found_as_slow_counting_finds_them(n_tracks: int) -> None:
    """Chains of near copies included, across the blocks in which tracks are compared."""
    rng = np.random.default_rng(n_tracks)
    angle = np.sort(rng.uniform(0, 0.02 * n_tracks, n_tracks))  # neighbours on a circle are near copies
    embeddings = unit(np.stack([np.cos(angle), np.sin(angle)], axis=1))
    order = rng.permutation(n_tracks)
    same = same_recordings(embeddings[order], np.full(n_tracks, 100 + DUPLICATE_SECONDS / 2))
    chained = np.cos(np.diff(angle)) > DUPLICATE_COSINE
    placed = same[np.argsort(order)]
    for (one, other), alike in zip(pairwise(placed.tolist()), chained.tolist(), strict=True):
        assert (one == other) >= alike
    if angle[-1] < 6:  # no full circle, so that the ends do not meet
        assert len(set(same.tolist())) == 1 + int((~chained).sum())


def test_thousands_of_copies_are_found() -> None:
    embeddings = np.tile(unit(np.ones((1, 8))), (2000, 1))
    assert len(set(same_recordings(embeddings, np.full(2000, 60.0)).tolist())) == 1


def test_arguments_are_only_read() -> None:
    membership = np.repeat(np.eye(2, dtype=bool), 3, axis=0)
    artists, albums, recordings = ["A"] * 6, ["X", "Y"] * 3, np.array([0, 1, 2, 3, 4, 0])
    embeddings, durations_s = unit(np.eye(6)), np.full(6, 9.0)
    arrays = (membership, recordings, embeddings, durations_s)
    before = [array.copy() for array in arrays]
    keys = group_tracks(membership, artists=artists, albums=albums, same_recording=recordings).keys
    copied = keys.copy()
    artist_folds(membership, keys, n_folds=3, seed=0)
    same_recordings(embeddings, durations_s)
    labels_left(membership, np.array([0, 1] * 3))
    for array, copy in zip((*arrays, keys), (*before, copied), strict=True):
        np.testing.assert_array_equal(array, copy)
    assert artists == ["A"] * 6


def test_who_shares_an_artist_is_held_out_together() -> None:
    credits = [("Sol", "Uma"), ("Vic",), (), ("vic", "Sol"), ("Wes",), ("Wes", "Xan"), ()]
    assert held_together(credits) == (*("Vic", "Vic", "", "Vic"), *("Wes", "Wes", ""))
