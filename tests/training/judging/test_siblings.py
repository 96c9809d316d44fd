"""Which playlists are hard to tell apart, against a slow count and worlds with a known answer."""

from itertools import product

import numpy as np
import pytest

from training.judging.siblings import find_siblings


def make_answers(odds: np.ndarray, label: np.ndarray, *, n_labels: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Membership and probabilities of tracks in one playlist each; ``odds`` are those of the first."""
    probability = np.full((len(label), n_labels), 1e-6, np.float32)
    probability[:, 0] = 1 / (1 + np.exp(-odds))
    probability[:, 1] = 1 - probability[:, 0]
    return label[:, None] == np.arange(n_labels), probability


def test_told_apart_is_the_share_of_pairs_put_the_right_way(rng: np.random.Generator) -> None:
    label = np.arange(40) % 2
    odds = rng.normal(size=40).round(1) + 0.1 * (label == 0)
    membership, probability = make_answers(odds, label)
    (pair,) = find_siblings(membership, probability, np.arange(40), rng)
    wins = [
        (a > b) + (a == b) / 2 for a, b in product(probability[label == 0, 0], probability[label == 1, 0])
    ]
    assert pair.labels == (0, 1)
    assert pair.told_apart == pytest.approx(np.mean(wins), abs=0.01)
    assert pair.low < pair.told_apart < pair.high
    predicted = probability.argmax(axis=1)
    assert pair.n_confused == int((predicted != label).sum())


def test_playlists_of_one_sound_are_to_be_merged(rng: np.random.Generator) -> None:
    label = np.arange(200) % 2
    membership, probability = make_answers(rng.normal(size=200), label)
    (pair,) = find_siblings(membership, probability, np.arange(200), rng)
    assert pair.advice == "merge"
    assert pair.high < 0.65


def test_playlists_told_apart_are_not_listed(rng: np.random.Generator) -> None:
    label = np.arange(60) % 2
    membership, probability = make_answers(rng.normal(size=60) + 2.0 * (label == 0), label)
    assert find_siblings(membership, probability, np.arange(60), rng) == []


def test_a_bias_towards_one_playlist_is_no_reason_to_merge(rng: np.random.Generator) -> None:
    label = np.arange(60) % 2
    # Everything is placed in the first playlist, yet its own tracks always more surely.
    membership, probability = make_answers(5.0 + rng.random(60) + 1.5 * (label == 0), label)
    assert set(probability.argmax(axis=1)) == {0}
    assert find_siblings(membership, probability, np.arange(60), rng) == []


def test_few_artists_leave_it_open(rng: np.random.Generator) -> None:
    label = np.arange(60) % 2
    # Two artists a playlist: one is told apart surely, the other surely mistaken.
    artist = np.arange(60) // 2 % 2
    odds = np.where(artist == 0, 4.0, -4.0) * np.where(label == 0, 1, -1)
    membership, probability = make_answers(odds, label)
    (pair,) = find_siblings(membership, probability, 2 * artist + label, rng)
    assert pair.told_apart == pytest.approx(0.5)
    assert pair.advice == "too few"


def test_the_same_tracks_twice(rng: np.random.Generator) -> None:
    membership = np.ones((6, 2), dtype=bool)
    (pair,) = find_siblings(membership, np.full((6, 2), 0.5, np.float32), np.arange(6), rng)
    assert np.isnan(pair.told_apart)
    assert (pair.n_shared, pair.advice) == (6, "merge")


def test_the_worst_pair_comes_first(rng: np.random.Generator) -> None:
    label = np.repeat(np.arange(3), 80)
    probability = rng.dirichlet(np.ones(3), size=240).astype(np.float32)
    pairs = find_siblings(label[:, None] == np.arange(3), probability, np.arange(240), rng)
    assert len(pairs) == 3
    told_apart = [pair.told_apart for pair in pairs]
    assert told_apart == sorted(told_apart)
