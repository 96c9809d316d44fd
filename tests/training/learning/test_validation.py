"""Which tracks are kept aside while training."""

import numpy as np
import pytest

from training.learning.targets import GroupTargets
from training.learning.validation import hold_out_artists


def library(n_artists: int, n_each: int = 3) -> tuple[GroupTargets, list[str]]:
    artists = [f"artist {a}" for a in range(n_artists) for _ in range(n_each)]
    labels = np.array([a % 2 for a in range(n_artists) for _ in range(n_each)])
    return GroupTargets.of({"g": np.eye(2)[labels]}), artists


@pytest.mark.parametrize("seed", range(5))
def test_no_artist_is_on_both_sides(seed):
    targets, artists = library(20)

    mask, by = hold_out_artists(targets, artists, share=0.2, seed=seed)

    names = np.array(artists)
    assert by == "artist"
    assert not set(names[mask]) & set(names[~mask])
    assert 0.1 <= mask.mean() <= 0.3
    assert targets.shares[mask].any(axis=0).all()


def test_the_seed_decides():
    targets, artists = library(20)

    first, again, other = (hold_out_artists(targets, artists, share=0.2, seed=s)[0] for s in (0, 0, 1))

    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("seed", range(5))
def test_a_playlist_by_one_artist_stays_in_training(seed):
    targets, artists = library(10)
    shares = np.pad(np.asarray(targets.shares), ((0, 4), (0, 1)))
    shares[-4:, 2] = 1
    targets = GroupTargets.of({"g": shares})

    mask, _ = hold_out_artists(targets, [*artists, *["one"] * 4], share=0.2, seed=seed)

    assert not mask[-4:].any()


def test_tracks_are_held_out_where_artists_are_too_few():
    targets, artists = library(2, n_each=10)

    mask, by = hold_out_artists(targets, artists, share=0.2, seed=0)

    assert by == "track"
    assert 0.1 <= mask.mean() <= 0.3


def test_three_tracks_are_all_needed_for_training():
    targets, artists = library(3, n_each=1)

    mask, by = hold_out_artists(targets, artists, share=0.2, seed=0)

    assert (by, mask.any()) == ("none", False)


def test_nothing_is_held_out_when_nothing_is_asked_for():
    targets, artists = library(20)

    assert hold_out_artists(targets, artists, share=0.0, seed=0)[1] == "none"


def test_unlabelled_tracks_are_never_held_out():
    targets, artists = library(20)
    shares = np.asarray(targets.shares).copy()
    shares[::2] = 0

    mask, _ = hold_out_artists(GroupTargets.of({"g": shares}), artists, share=0.2, seed=0)

    assert mask.any()
    assert not mask[::2].any()
