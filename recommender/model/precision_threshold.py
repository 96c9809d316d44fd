"""From which probability on at most one in so many listed tracks is wrong, by what was judged out of fold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.9


@dataclass(frozen=True)
class Threshold:
    """The least probability with which the promise is kept, and what says so.

    ``n_wrong`` of ``n_tracks`` held-out tracks that fit and reach ``probability`` did not belong to the
    playlist; ``basis`` is "playlist" when these were its own answers, "group" when those of all together.
    """

    probability: float
    n_tracks: int
    n_wrong: int
    basis: str


@dataclass(frozen=True, eq=False)
class _Answers:
    """Answers that a list would hold: (n,) probability, and whether the track belongs to the playlist."""

    probability: NDArray[np.float64]
    right: NDArray[np.bool_]


def find_thresholds(card: Mapping[str, Any], *, at_most_wrong: float) -> dict[str, Threshold | None]:
    """Playlist -> from which probability on at most this share of its list is wrong; None without evidence.

    Parameters
    ----------
    card : mapping
        The score card of one group: what models that had not heard a track's artist said of it.
    at_most_wrong : float
        In (0, 1). The lower end of the 90 % one-sided interval of Clopper and Pearson (1934) for the share of
        right ones must reach 1 - ``at_most_wrong``. Few tracks therefore prove nothing: without any error it
        takes 22 of them for 0.1.
    """
    tracks: Sequence[Mapping[str, Any]] = card.get("tracks", ())
    answers = {name: _listed(tracks, name) for name in card.get("labels", ())}
    pooled = _Answers(
        np.concatenate([found.probability for found in answers.values()] or [np.empty(0)]),
        np.concatenate([found.right for found in answers.values()] or [np.empty(0, bool)]),
    )
    for_all = find_threshold(pooled.probability, pooled.right, at_most_wrong=at_most_wrong, basis="group")
    return {
        name: find_threshold(found.probability, found.right, at_most_wrong=at_most_wrong, basis="playlist")
        or for_all
        for name, found in answers.items()
    }


def find_threshold(
    probability: NDArray[np.float64], right: NDArray[np.bool_], *, at_most_wrong: float, basis: str
) -> Threshold | None:
    """The smallest of the probabilities above which the promise is kept; both arrays are (n,)."""
    if not len(probability):
        return None
    order = np.argsort(-probability, kind="stable")
    falling, n_right = probability[order], np.cumsum(right[order], dtype=np.int64)
    n_listed = np.arange(1, len(order) + 1)
    # Of equal probabilities all are listed, or none.
    is_last = np.append(falling[1:] < falling[:-1], True)
    kept = np.flatnonzero(is_last & (lower_bound(n_right, n_listed) >= 1 - at_most_wrong))
    if not len(kept):
        return None
    last = kept[-1]
    return Threshold(float(falling[last]), int(n_listed[last]), int(n_listed[last] - n_right[last]), basis)


def lower_bound(n_right: NDArray[np.int64], n_listed: NDArray[np.int64]) -> NDArray[np.float64]:
    """Lower end of the one-sided Clopper-Pearson interval for a share; all (n,)."""
    from scipy.special import betaincinv  # slow to import, and few callers ask for a promise

    bound: NDArray[np.float64] = betaincinv(np.maximum(n_right, 1), n_listed - n_right + 1, 1 - CONFIDENCE)
    return np.where(n_right > 0, bound, 0.0)


def _listed(tracks: Sequence[Mapping[str, Any]], name: str) -> _Answers:
    """The held-out tracks that fit a playlist; cards of models of the first format do not tell."""
    fits = np.array([name in track.get("fits", ()) for track in tracks], dtype=bool)
    probability = np.array([track["probabilities"][name] or 0.0 for track in tracks], dtype=np.float64)
    right = np.array([track["label"] == name for track in tracks], dtype=bool)
    return _Answers(probability[fits], right[fits])
