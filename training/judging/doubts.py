"""Tracks worth a second listen: those that may be in the wrong playlist, and those that were misplaced."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IdArray = NDArray[np.int64]

# How probable, and how much more so than its own playlist, another one must be before a label is doubted.
MIN_ODDS = 4.0
MIN_PROBABILITY = 0.5
N_NEAREST = 3


@dataclass(frozen=True, eq=False)
class HeldOutAnswers:
    """What models that had heard nothing of a track's artist say of it; all (n_tracks, n_labels, ...).

    ``nearest`` holds rows of the neighbours, most similar first, -1 where there is none; ``similarity``
    theirs, NaN there.
    """

    membership: NDArray[np.bool_]
    probability: FloatArray
    p_value: FloatArray
    nearest: IdArray
    similarity: FloatArray

    @property
    def predicted(self) -> IdArray:
        """(n_tracks,) int64: the playlist ranked first."""
        first: IdArray = self.probability.argmax(axis=1)
        return first

    @property
    def own(self) -> IdArray:
        """(n_tracks,) int64: of the track's playlists, the one ranked first."""
        first: IdArray = np.where(self.membership, self.probability, -1).argmax(axis=1)
        return first


@dataclass(frozen=True)
class Doubt:
    """A track, the playlist it is in, the one it was placed in, and its neighbours as (row, similarity)."""

    row: int
    own: int
    other: int
    p_value: float
    own_probability: float
    other_probability: float
    nearest: tuple[tuple[int, float], ...]


def find_doubtful(answers: HeldOutAnswers, *, alpha: float) -> list[Doubt]:
    """Return the tracks that fit another playlist and not their own, the most doubtful first.

    A track is doubted when its own playlist turns it away (p-value at most ``alpha``), another one does
    not, that one is probable (``MIN_PROBABILITY``) and at least ``MIN_ODDS`` times as probable, and such an
    answer is to be trusted: of the tracks that were placed there at least as surely, most belong there.
    """
    own, other = answers.own, answers.predicted
    each = np.arange(len(own))
    turned_away = answers.p_value[each, own] <= alpha
    fits_other = answers.p_value[each, other] > alpha
    probability = answers.probability[each, other]
    clearly = probability >= np.maximum(MIN_PROBABILITY, MIN_ODDS * answers.probability[each, own])
    doubted = (own != other) & turned_away & fits_other & clearly & (_trust(answers) > 0.5)
    return _describe(answers, np.flatnonzero(doubted))


def find_misplaced(answers: HeldOutAnswers) -> list[Doubt]:
    """Return the tracks for which none of their playlists was ranked first, the surest mistakes first."""
    return _describe(answers, np.flatnonzero(answers.own != answers.predicted))


def _trust(answers: HeldOutAnswers) -> NDArray[np.float64]:
    """(n_tracks,): share right among the others placed in the same playlist at least as surely.

    The share of all that were placed there counts as one more, so that the surest has something to go by.
    """
    predicted, right = answers.predicted, answers.predicted == answers.own
    sureness = answers.probability.max(axis=1)
    trust = np.zeros(len(right))
    for label in np.unique(predicted):
        rows = np.flatnonzero(predicted == label)
        rows = rows[np.argsort(-sureness[rows], kind="stable")]
        surer = np.arange(len(rows))
        n_right = np.cumsum(right[rows]) - right[rows]
        trust[rows] = (n_right + right[rows].mean()) / (surer + 1)
    return trust


def _describe(answers: HeldOutAnswers, rows: Iterable[int]) -> list[Doubt]:
    own, other = answers.own, answers.predicted
    found = [
        Doubt(
            row=int(row),
            own=int(own[row]),
            other=int(other[row]),
            p_value=float(answers.p_value[row, own[row]]),
            own_probability=float(answers.probability[row, own[row]]),
            other_probability=float(answers.probability[row, other[row]]),
            nearest=_nearest_of_all(answers, row),
        )
        for row in rows
    ]
    return sorted(found, key=lambda doubt: doubt.own_probability / doubt.other_probability)


def _nearest_of_all(answers: HeldOutAnswers, row: int) -> tuple[tuple[int, float], ...]:
    """Return the nearest tracks whatever their playlist; one in several playlists is named once."""
    nearest, similarity = answers.nearest[row].ravel(), answers.similarity[row].ravel()
    order = np.argsort(-np.nan_to_num(similarity, nan=-np.inf), kind="stable")
    pairs = {int(nearest[place]): float(similarity[place]) for place in order if nearest[place] >= 0}
    return tuple(pairs.items())[:N_NEAREST]
