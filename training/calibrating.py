"""Fit a group's calibration on out-of-fold scores."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recommender.calibration import Calibration, blend_logits, fit_temperature, sorted_closeness
from recommender.neighbourhood import Nearest, Neighbourhood

FloatArray = NDArray[np.float32]

NEIGHBOUR_GRID = (5, 10, 20)
WEIGHT_GRID = tuple(np.linspace(0, 1, 11).round(1).tolist())

# What holds until something was held out: a group in which every playlist has one track.
UNFITTED = Calibration(
    n_neighbours=max(NEIGHBOUR_GRID),
    classifier_temperature=1.0,
    neighbour_temperature=1.0,
    classifier_weight=0.5,
    temperature=1.0,
    cosine_spread=1.0,
    distance_spread=1.0,
    closeness=(),
)


@dataclass(frozen=True, eq=False)
class HeldOutScores:
    """Raw scores of tracks by models that had seen neither them nor their artists.

    ``votes`` maps each number of neighbours tried to the shares of the vote; everything is
    (n_tracks, n_labels).
    """

    logits: FloatArray
    votes: dict[int, FloatArray]
    cosine: FloatArray
    log_distance: FloatArray

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> "HeldOutScores":
        """Return tables to be filled fold by fold."""
        return cls(
            logits=np.zeros(shape, np.float32),
            votes={k: np.full(shape, 1 / shape[1], np.float32) for k in NEIGHBOUR_GRID},
            cosine=np.full(shape, np.nan, np.float32),
            log_distance=np.full(shape, np.nan, np.float32),
        )

    def fill_votes(self, rows: NDArray[np.int64], neighbourhood: Neighbourhood, nearest: Nearest) -> None:
        """Count the vote of one fold for every number of neighbours in the grid."""
        for k, table in self.votes.items():
            table[rows] = neighbourhood.votes(nearest, k)


def fit_calibration(scores: HeldOutScores, membership: NDArray[np.bool_]) -> Calibration:
    """Return temperatures, neighbour count and blend weight of least held-out log loss, and the closeness.

    Every track counts once; one in several playlists is shared among them.
    """
    targets = membership / membership.sum(axis=1, keepdims=True)
    classifier_temperature, _ = fit_temperature(scores.logits, targets)
    votes = {k: (*fit_temperature(np.log(table), targets), k) for k, table in scores.votes.items()}
    neighbour_temperature, _, n_neighbours = min(votes.values(), key=lambda found: found[1])
    fitted = replace(
        UNFITTED,
        n_neighbours=n_neighbours,
        classifier_temperature=classifier_temperature,
        neighbour_temperature=neighbour_temperature,
        cosine_spread=_spread(scores.cosine, membership),
        distance_spread=_spread(scores.log_distance, membership),
    )
    classifier = fitted.classifier(scores.logits)
    neighbours = fitted.neighbours(scores.votes[n_neighbours])
    blends = [
        (*fit_temperature(blend_logits(classifier, neighbours, weight), targets), weight)
        for weight in WEIGHT_GRID
    ]
    temperature, _, classifier_weight = min(blends, key=lambda found: found[1])
    closeness = scores.cosine / fitted.cosine_spread - scores.log_distance / fitted.distance_spread
    return replace(
        fitted,
        classifier_weight=classifier_weight,
        temperature=temperature,
        closeness=sorted_closeness([closeness[column, label] for label, column in enumerate(membership.T)]),
    )


def _spread(values: FloatArray, membership: NDArray[np.bool_]) -> float:
    """Standard deviation over the tracks' own playlists; 1 where there is none."""
    spread = float(np.nanstd(values[membership])) if np.isfinite(values[membership]).any() else 0.0
    return spread if spread > 0 else 1.0
