"""Fit a group's calibration on out-of-fold scores."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recommender.model.calibration import (
    Calibration,
    Familiar,
    blend_logits,
    fit_temperature,
    sorted_closeness,
)
from recommender.model.group import RawScores
from recommender.model.heads import log_softmax
from recommender.model.neighbourhood import Neighbourhood
from training.groups.labels import enough_to_choose

FloatArray = NDArray[np.float32]

NEIGHBOUR_GRID = (5, 10, 20)
WEIGHT_GRID = tuple(np.linspace(0, 1, 11).round(1).tolist())
# Among a handful of tracks the neighbours are the prototypes over again, only less steady.
WEIGHT_OF_FEW = (1.0,)

# What holds where nothing could be held out: a group in which every playlist has one track.
UNFITTED = Calibration(
    n_neighbours=max(NEIGHBOUR_GRID),
    classifier_temperature=1.0,
    neighbour_temperature=1.0,
    classifier_weight=0.5,
    temperature=1.0,
    logit_spread=1.0,
    cosine_spread=1.0,
    distance_spread=1.0,
    closeness=(),
)


@dataclass(frozen=True, eq=False)
class HeldOutScores:
    """Raw scores of tracks by models that had seen neither them nor their artists.

    ``votes`` maps each number of neighbours tried to the shares of the vote; everything is
    (n_tracks, n_labels). ``log_distance`` is NaN where nothing was left of a playlist. ``similarity``
    (n_tracks,) is that of the nearest track that was left.
    """

    logits: FloatArray
    votes: dict[int, FloatArray]
    cosine: FloatArray
    log_distance: FloatArray
    similarity: FloatArray

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> "HeldOutScores":
        """Return tables to be filled fold by fold."""
        return cls(
            logits=np.zeros(shape, np.float32),
            votes={k: np.full(shape, 1 / shape[1], np.float32) for k in NEIGHBOUR_GRID},
            cosine=np.full(shape, np.nan, np.float32),
            log_distance=np.full(shape, np.nan, np.float32),
            similarity=np.full(shape[0], -np.inf, np.float32),
        )

    def fill(self, rows: NDArray[np.int64], scores: RawScores, neighbourhood: Neighbourhood) -> None:
        """Enter the scores of one fold's tracks, their votes for every number of neighbours."""
        self.logits[rows] = scores.logits
        self.cosine[rows] = scores.cosine
        self.log_distance[rows] = scores.log_distance
        self.similarity[rows] = scores.nearest.best_similarity
        for k, table in self.votes.items():
            table[rows] = neighbourhood.votes(scores.nearest, k)


def fit_calibration(scores: HeldOutScores, membership: NDArray[np.bool_]) -> Calibration:
    """Return temperatures, neighbour count and blend weight of least held-out log loss, and the closeness.

    Every track counts once; one in several playlists is shared among them. Where nothing was left of a
    playlist while its track was held out, nothing can be learnt from how it was scored. The targets are
    smoothed: that n held-out tracks were all placed right is no proof that the next one will be.
    """
    known = np.isfinite(scores.log_distance)
    counted = membership & known
    if not counted.any():
        return replace(UNFITTED, closeness=(np.empty(0, np.float32),) * membership.shape[1])
    targets = _smoothed(counted / np.maximum(counted.sum(axis=1, keepdims=True), 1), known)
    classifier_temperature, _ = fit_temperature(scores.logits, targets)
    votes = {k: (*fit_temperature(np.log(table), targets), k) for k, table in scores.votes.items()}
    neighbour_temperature, _, n_neighbours = min(votes.values(), key=lambda found: found[1])
    fitted = replace(
        UNFITTED,
        n_neighbours=n_neighbours,
        classifier_temperature=classifier_temperature,
        neighbour_temperature=neighbour_temperature,
        logit_spread=_spread(scores.logits[counted]),
        cosine_spread=_spread(scores.cosine[counted]),
        distance_spread=_spread(scores.log_distance[counted]),
    )
    classifier = fitted.classifier(scores.logits)
    neighbours = fitted.neighbours(scores.votes[n_neighbours])
    weights = WEIGHT_GRID if enough_to_choose(membership) else WEIGHT_OF_FEW
    classifier_weight, temperature = _fit_blend(classifier, neighbours, targets, weights)
    closeness = fitted.measure_closeness(scores.logits, scores.cosine, scores.log_distance)
    return replace(
        fitted,
        classifier_weight=classifier_weight,
        temperature=temperature,
        closeness=sorted_closeness([closeness[column, label] for label, column in enumerate(counted.T)]),
    )


def fit_familiar(
    calibration: Calibration, strangers: HeldOutScores, familiar: HeldOutScores, membership: NDArray[np.bool_]
) -> Familiar | None:
    """Return the blend for tracks whose artists are known, and how such tracks are recognised.

    Parameters
    ----------
    strangers : HeldOutScores
        What the calibration was fitted on.
    familiar : HeldOutScores
        The same tracks, held out one by one and not with their artists.
    """
    counted = np.isfinite(familiar.similarity) & np.isfinite(strangers.similarity)
    if not enough_to_choose(membership[counted]):
        return None
    known = np.isfinite(familiar.log_distance)
    targets = _smoothed(
        membership * known / np.maximum((membership & known).sum(axis=1, keepdims=True), 1), known
    )
    classifier = calibration.classifier(familiar.logits)
    neighbours = calibration.neighbours(familiar.votes[calibration.n_neighbours])
    weight, temperature = _fit_blend(classifier, neighbours, targets, WEIGHT_GRID)
    near, far = familiar.similarity[counted], strangers.similarity[counted]
    # Two normal distributions of one variance and equally many of each: the logistic curve between them.
    variance = float((near.var(dtype=np.float64) + far.var(dtype=np.float64)) / 2) or 1.0
    slope = max(float(near.mean() - far.mean()), 0.0) / variance
    return Familiar(weight, temperature, centre=float((near.mean() + far.mean()) / 2), slope=slope)


def _smoothed(targets: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Laplace's rule of succession on n tracks and k labels: a certain target becomes (n + 1) / (n + k).

    k counts the labels that were ``known``, (n_tracks, n_labels) bool, while a track was held out.
    """
    weight = targets.sum(axis=1, keepdims=True)
    n_tracks = float(weight.sum())
    smoothed: NDArray[np.float64] = (n_tracks * targets + weight * known) / (
        n_tracks + known.sum(axis=1, keepdims=True)
    )
    return smoothed


def _fit_blend(
    classifier: FloatArray, neighbours: FloatArray, targets: NDArray[np.float64], weights: Sequence[float]
) -> tuple[float, float]:
    """Return the classifier's weight in the blend, and the temperature of the blend.

    Of the weights whose held-out log loss is within one standard error of the best, the largest is taken
    (the rule of Breiman et al. 1984): neighbours that do not clearly help only add noise.
    """
    losses, temperatures = [], []
    for weight in weights:
        logits = blend_logits(classifier, neighbours, weight)
        temperature, _ = fit_temperature(logits, targets)
        losses.append(-(targets * log_softmax(logits / temperature)).sum(axis=1))
        temperatures.append(temperature)
    worse = np.array(losses) - losses[int(np.argmin([loss.sum() for loss in losses]))]
    error = worse.std(axis=1) / np.sqrt(len(targets))
    number = int(np.flatnonzero(worse.mean(axis=1) <= error).max())
    return float(weights[number]), temperatures[number]


def _spread(values: FloatArray) -> float:
    """Standard deviation, 1 where there is none."""
    return float(values.std(dtype=np.float64)) or 1.0
