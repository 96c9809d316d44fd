"""Which playlists an answer names, and when it calls a track a stranger: two promises, fitted out of fold.

A track that belongs into one of the playlists is called a stranger to all at most once in ``alpha_none``:
the conformal p-value (Vovk et al. 2005) of how close it is to the nearest playlist. When it is none, the
playlists named hold the right one at least 1 - ``alpha`` of the time and are few: those whose probability
reaches a threshold (Sadinle et al. 2019). Both are taken among held-out tracks that are as familiar as the
one asked about (Mondrian conformal prediction), so that each kind has its promise kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.model.familiarity import Familiarity, KindArray
from recommender.records.promises import Promise

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]

# Below this nothing could be turned away at alpha_none 0.05: (0 + 1) / (18 + 1) > 0.05.
MIN_HELD_OUT = 19
CAREFUL_P_VALUE = 0.05
# Values this close are equal: their last digits depend on what else is in the batch.
SAME_PROBABILITY = np.float32(1e-5)
SAME_CLOSENESS = np.float32(1e-4)
# So little apart, two playlists are equally probable: the same playlist twice, told apart by rounding.
TIED_PROBABILITY = np.float32(1e-3)


@dataclass(frozen=True, eq=False)
class HeldOutTracks:
    """What was said of tracks of one kind of familiarity while they were held out.

    Attributes
    ----------
    closeness : (n,) float32
        To the nearest playlist, higher is closer.
    own, first : (n,) float32
        Probability of the track's own playlist (of several the most probable), and of the most probable one.
    """

    closeness: FloatArray
    own: FloatArray
    first: FloatArray

    def __len__(self) -> int:
        return len(self.closeness)

    @classmethod
    def joined(cls, parts: Sequence["HeldOutTracks"]) -> "HeldOutTracks":
        """Return all of several, of none an empty one."""
        empty = np.empty(0, np.float32)
        columns = (
            [getattr(part, item.name) for part in parts if len(part)] or [empty] for item in fields(cls)
        )
        return cls(*(np.concatenate(column) for column in columns))

    def stranger_p_values(self, closeness: FloatArray) -> FloatArray:
        """Return the share of held-out tracks (and the asked one) as far out: (n,) -> (n,)."""
        n_farther = np.searchsorted(self._sorted_closeness, closeness + SAME_CLOSENESS, side="right")
        p_value: FloatArray = ((1 + n_farther) / (len(self) + 1)).astype(np.float32)
        return p_value

    def threshold(self, promise: Promise, n_labels: int, *, is_careful: bool = False) -> float:
        """Return the score from which on a playlist is named: 1 - ``alpha`` of sets then hold the right one.

        Taken of those alone that are not called strangers; minus infinity where they are too few to miss one.
        With ``is_careful`` that share is kept in 19 of 20 libraries that are drawn like this one, and not on
        average over them (Vovk 2012, conditional validity).
        """
        kept = np.sort(self._scores(promise, n_labels))
        place = int(np.floor(promise.alpha * (len(kept) + 1) + 1e-9))
        if is_careful:
            from scipy.special import bdtrik  # slow to import, and few libraries have no artist

            place = int(np.nan_to_num(np.ceil(bdtrik(CAREFUL_P_VALUE, len(kept), promise.alpha))))
        return float(kept[place - 1]) if place else -np.inf

    def coverage(self, promise: Promise, n_labels: int, threshold: float) -> float:
        """Return the share of them, strangers apart, whose right playlist is named; NaN of none."""
        kept = self._scores(promise, n_labels)
        return float(is_named(kept, threshold).mean()) if len(kept) else float("nan")

    @cached_property
    def _sorted_closeness(self) -> FloatArray:
        return np.sort(self.closeness)

    def _scores(self, promise: Promise, n_labels: int) -> FloatArray:
        kept = self.stranger_p_values(self.closeness) > promise.alpha_none
        return naming_scores(self.own[kept], self.first[kept], promise, n_labels)


def naming_scores(probability: FloatArray, first: FloatArray, promise: Promise, n_labels: int) -> FloatArray:
    """Return how easily a playlist is named, of its probability and that of the most probable one.

    Infinity for the most probable one, which is always named; 0, which never is, for one that is less
    probable than by chance, or where the most probable one keeps the promise alone; else its probability.
    """
    chance = 1 / n_labels
    ruled_out = (probability < chance - SAME_PROBABILITY) | (first >= 1 - promise.alpha)
    scores: FloatArray = np.where(ruled_out, 0, probability).astype(np.float32)
    return np.where(probability >= first - TIED_PROBABILITY, np.float32(np.inf), scores)


def is_named(scores: FloatArray, threshold: float) -> BoolArray:
    """Whether a playlist with such a score is named."""
    named: BoolArray = (scores > 0) & (scores >= threshold - SAME_PROBABILITY)
    return named


@dataclass(frozen=True, eq=False)
class Named:
    """What answers name.

    Attributes
    ----------
    fits : (n, n_labels) bool
        The playlists named; none of a stranger.
    p_value : (n,) float32
        Share of the tracks with a playlist that lie as far out; a stranger's is at most ``alpha_none``.
    """

    fits: BoolArray
    p_value: FloatArray


@dataclass(frozen=True, eq=False)
class NamedSets:
    """The held-out answers of a group, by the familiarity of their tracks."""

    held_out: Mapping[Familiarity, HeldOutTracks] = field(default_factory=dict)
    _rules: dict[tuple[Any, ...], tuple[HeldOutTracks, float]] = field(default_factory=dict, init=False)

    def basis(self, kind: Familiarity) -> str:
        """Say what the promise to tracks rests on: ``own`` of the kind, ``pooled``, or ``none``, too few."""
        if self._n_own(kind) >= MIN_HELD_OUT:
            return "own"
        return "pooled" if len(self.of(kind)) >= MIN_HELD_OUT else "none"

    def of(self, kind: Familiarity) -> HeldOutTracks:
        """Return the held-out answers that tracks of a kind are compared with: all, where its own are few."""
        if self._n_own(kind) >= MIN_HELD_OUT:
            return self.held_out[kind]
        # The unnamed are the others once more, asked as if nobody knew their artists.
        named = [
            self.held_out[other] for other in (Familiarity.NEW, Familiarity.KNOWN) if other in self.held_out
        ]
        return HeldOutTracks.joined(named or list(self.held_out.values()))

    def name(
        self,
        probability: FloatArray,
        closeness: FloatArray,
        playlist_p_values: FloatArray,
        kinds: KindArray,
        promise: Promise,
    ) -> Named:
        """Return the playlists that are named for each track.

        Parameters
        ----------
        probability, closeness, playlist_p_values : (n, n_labels) float32
        kinds : (n,) int8 of :class:`Familiarity`
        """
        n_labels = probability.shape[1]
        nearest = nearest_closeness(closeness)
        scores = naming_scores(probability, probability.max(axis=1, keepdims=True), promise, n_labels)
        # With nothing held out, the largest p-value of the playlists is one that promises as much, or more.
        p_value = np.nan_to_num(playlist_p_values, nan=1.0).max(axis=1).astype(np.float32)
        fits = np.zeros(probability.shape, dtype=bool)
        for kind in map(Familiarity, np.unique(kinds).tolist()):
            rows, (held_out, threshold) = kinds == kind, self._rule(kind, promise, n_labels)
            if len(held_out):
                p_value[rows] = held_out.stranger_p_values(nearest[rows])
            fits[rows] = is_named(scores[rows], threshold)
        # Of a playlist that has nothing to compare with, only the classifier speaks, which knows the track.
        comparable = ~np.isnan(closeness) & (p_value > promise.alpha_none)[:, None]
        return Named(fits & comparable, p_value)

    def coverage(self, kind: Familiarity, promise: Promise, n_labels: int) -> float:
        """Return how often the right playlist was named of held-out tracks as familiar, strangers apart."""
        held_out, threshold = self._rule(kind, promise, n_labels)
        return held_out.coverage(promise, n_labels, threshold)

    def _rule(self, kind: Familiarity, promise: Promise, n_labels: int) -> tuple[HeldOutTracks, float]:
        """Return what tracks of a kind are compared with, and the threshold: worked out once."""
        asked = (kind, promise, n_labels)
        if asked not in self._rules:
            held_out = self.of(kind)
            # Where nobody's artist is known, tracks of one artist were on both sides, which looks too good.
            is_careful = not {Familiarity.NEW, Familiarity.KNOWN} & set(self.held_out)
            self._rules[asked] = held_out, held_out.threshold(promise, n_labels, is_careful=is_careful)
        return self._rules[asked]

    def _n_own(self, kind: Familiarity) -> int:
        return len(self.held_out.get(kind, ()))


def nearest_closeness(closeness: FloatArray) -> FloatArray:
    """(n, n_labels) -> (n,): to the nearest playlist; infinite where there is nothing to compare with."""
    there = ~np.isnan(closeness)
    nearest: FloatArray = np.where(there, closeness, -np.inf).max(axis=1)
    return np.where(there.any(axis=1), nearest, np.float32(np.inf))
