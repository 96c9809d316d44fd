"""Playlists that sound alike: how well the group tells each pair of them apart."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from training.metrics import N_BOOTSTRAP

FloatArray = NDArray[np.float32]
IdArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

# A pair is worth a word when guessing would do as well ...
CHANCE = 0.5
# ... and worth merging only when it is also certain that it is never told apart well.
WELL_APART = 0.8


@dataclass(frozen=True)
class SiblingPair:
    """Two playlists that cannot be shown to be told apart better than by guessing.

    Attributes
    ----------
    labels : (int, int)
    told_apart : float
        Given a track of each, how often their probabilities say rightly which is which (AUROC; guessing
        gives 0.5). NaN when one has no track that the other has not.
    low, high : float
        Its 95 % interval over artists.
    n_confused : int
        Tracks of one for which the other was ranked first.
    n_shared : int
        Tracks in both.
    """

    labels: tuple[int, int]
    told_apart: float
    low: float
    high: float
    n_confused: int
    n_shared: int

    @property
    def advice(self) -> str:
        """``merge`` when they are told apart badly for certain, ``too few`` when nobody can know yet."""
        return "too few" if self.high > WELL_APART else "merge"


def find_siblings(
    membership: BoolArray, probability: FloatArray, keys: IdArray, rng: np.random.Generator
) -> list[SiblingPair]:
    """Return the pairs whose interval reaches down to guessing, worst first.

    Parameters
    ----------
    membership : (n_tracks, n_labels) bool
    probability : (n_tracks, n_labels) float32, out of fold
    keys : (n_tracks,) int64
        Tracks of equal key stand or fall together; keys are drawn for the interval.
    """
    predicted = probability.argmax(axis=1)
    number = np.unique(keys, return_inverse=True)[1]
    found = []
    for a, b in combinations(range(membership.shape[1]), 2):
        only_a, only_b = membership[:, a] & ~membership[:, b], membership[:, b] & ~membership[:, a]
        odds = np.log(probability[:, a] + 1e-9) - np.log(probability[:, b] + 1e-9)
        told_apart, low, high = _told_apart(odds, only_a, only_b, number, rng)
        if not low > CHANCE:
            n_confused = int((only_a & (predicted == b)).sum() + (only_b & (predicted == a)).sum())
            n_shared = int((membership[:, a] & membership[:, b]).sum())
            found.append(SiblingPair((a, b), told_apart, low, high, n_confused, n_shared))
    return sorted(found, key=lambda pair: (pair.advice == "too few", np.nan_to_num(pair.told_apart)))


def _told_apart(
    odds: FloatArray, only_a: BoolArray, only_b: BoolArray, number: IdArray, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Return the AUROC of the odds and its interval; (NaN, 0, 0) when the playlists hold the same tracks.

    Wins are counted per pair of keys, so that a draw of keys needs two products and no sorting.
    """
    if not (only_a.any() and only_b.any()):
        same = not (only_a.any() or only_b.any())
        return float("nan"), 0.0, 0.0 if same else 1.0
    difference = odds[only_a][:, None] - odds[only_b][None, :]
    wins = (difference > 0) + (difference == 0) / 2
    keys_a, at_a = np.unique(number[only_a], return_inverse=True)
    keys_b, at_b = np.unique(number[only_b], return_inverse=True)
    won_by_key, played_by_key = np.zeros((2, len(keys_a), len(keys_b)))
    np.add.at(won_by_key, (at_a[:, None], at_b[None, :]), wins)
    np.add.at(played_by_key, (at_a[:, None], at_b[None, :]), 1)
    every = np.unique(np.concatenate([keys_a, keys_b]))
    drawn = rng.multinomial(len(every), np.full(len(every), 1 / len(every)), size=N_BOOTSTRAP)
    times_a, times_b = (drawn[:, np.searchsorted(every, keys)] for keys in (keys_a, keys_b))
    won, played = (((times_a @ table) * times_b).sum(axis=1) for table in (won_by_key, played_by_key))
    low, high = np.quantile(won[played > 0] / played[played > 0], [0.025, 0.975])
    return float(wins.mean()), float(low), float(high)
