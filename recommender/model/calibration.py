"""From raw scores to numbers one can rely on: temperatures, the blend, and conformal p-values."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recommender.model.heads import log_softmax

FloatArray = NDArray[np.float32]

# With fewer tracks of its own a playlist could turn nothing away at alpha 0.1: (0 + 1) / (8 + 1) > 0.1.
# Its p-value is then taken among the tracks of the whole group.
MIN_CALIBRATION_TRACKS = 9
# Values this close are equal: their last digits depend on what else is in the batch.
SAME_CLOSENESS = np.float32(1e-4)


@dataclass(frozen=True)
class Familiar:
    """The blend for tracks that sound like ones by an artist whom the playlists know.

    Attributes
    ----------
    classifier_weight, temperature : float
        As in :class:`Calibration`, fitted while a track's artist was left in.
    centre, slope : float
        The chance that a track is such a one is 1 / (1 + exp(-slope * (similarity - centre))), similarity
        being that of its nearest track.
    """

    classifier_weight: float
    temperature: float
    centre: float
    slope: float

    def share(self, similarity: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n,) similarities of the nearest tracks -> how much this blend has to say."""
        exponent = np.clip(-self.slope * (similarity.astype(np.float64) - self.centre), -50, 50)
        share: NDArray[np.float64] = 1 / (1 + np.exp(exponent))
        return share


@dataclass(frozen=True, eq=False)
class Calibration:
    """Everything fitted on out-of-fold predictions of one group.

    Attributes
    ----------
    n_neighbours : int
        How many neighbours vote.
    classifier_temperature, neighbour_temperature, temperature : float
        Divide the classifier's logits, the logarithm of the vote, and that of their blend (Guo et al. 2017).
    classifier_weight : float
        Weight of the classifier in the log-linear blend, in [0, 1]; the neighbours have the rest.
    logit_spread, cosine_spread, distance_spread : float
        Standard deviations that bring the three parts of closeness to one scale.
    closeness : tuple of (n,) float32
        Per label, sorted: how close its own tracks came to it while they were held out.
    familiar : Familiar, optional
        None where too few tracks were there to fit it.
    """

    n_neighbours: int
    classifier_temperature: float
    neighbour_temperature: float
    classifier_weight: float
    temperature: float
    logit_spread: float
    cosine_spread: float
    distance_spread: float
    closeness: tuple[FloatArray, ...]
    familiar: "Familiar | None" = None

    def classifier(self, logits: FloatArray) -> FloatArray:
        """(n, n_labels) logits -> probabilities of the classifier alone."""
        return _probabilities(logits / self.classifier_temperature)

    def neighbours(self, votes: FloatArray) -> FloatArray:
        """(n, n_labels) shares of the vote -> probabilities of the neighbours alone."""
        return _probabilities(np.log(votes) / self.neighbour_temperature)

    def blend(
        self, classifier: FloatArray, neighbours: FloatArray, similarity: NDArray[np.floating]
    ) -> FloatArray:
        """Return the calibrated probabilities, (n, n_labels), rows sum to 1.

        ``similarity`` (n,) is that of the nearest track of the group. The nearer it is, the more likely it
        is by the same artist, and the more the blend fitted for such tracks has to say.
        """
        stranger = blend_logits(classifier, neighbours, self.classifier_weight) / self.temperature
        if self.familiar is None:
            return _probabilities(stranger)
        familiar = blend_logits(classifier, neighbours, self.familiar.classifier_weight)
        share = self.familiar.share(similarity)[:, None]
        logits = (1 - share) * log_softmax(stranger) + share * log_softmax(
            familiar / self.familiar.temperature
        )
        return _probabilities(logits)

    def measure_closeness(
        self, logits: FloatArray, cosine: FloatArray, log_distance: FloatArray
    ) -> FloatArray:
        """Return how close tracks are to each playlist, higher is closer: all (n, n_labels).

        The sum of what the classifier says, of the cosine to the prototype and of minus the logarithm of the
        distance to the nearest tracks, each in its own standard deviations. NaN where a distance is NaN.
        """
        closeness: FloatArray = (
            logits / self.logit_spread + cosine / self.cosine_spread - log_distance / self.distance_spread
        ).astype(np.float32)
        return closeness

    def p_values(self, closeness: FloatArray) -> FloatArray:
        """Return class-wise conformal p-values (Vovk et al. 2005), (n, n_labels).

        The share of a playlist's own held-out tracks (and the asked one) that lie at least as far out. With
        no track to compare with it is 1: nothing speaks against the playlist. NaN where closeness is NaN.
        """
        columns = [
            _p_value(own if len(own) >= MIN_CALIBRATION_TRACKS else self._pooled, closeness[:, label])
            for label, own in enumerate(self.closeness)
        ]
        return np.stack(columns, axis=1)

    @cached_property
    def _pooled(self) -> FloatArray:
        """Closeness of the held-out tracks of the whole group, sorted."""
        return np.sort(np.concatenate(self.closeness))


def blend_logits(classifier: FloatArray, neighbours: FloatArray, weight: float) -> NDArray[np.float64]:
    """Log-linear blend of two probability tables, before its temperature: (n, n_labels)."""
    tiny = 1e-9
    blended: NDArray[np.float64] = weight * np.log(classifier.astype(np.float64) + tiny) + (
        1 - weight
    ) * np.log(neighbours.astype(np.float64) + tiny)
    return blended


def fit_temperature(logits: NDArray[np.floating], targets: NDArray[np.float64]) -> tuple[float, float]:
    """Return the temperature of least log loss, and that loss.

    Parameters
    ----------
    logits : (n, n_labels)
    targets : (n, n_labels) float64, weights as in :func:`recommender.model.heads.fit_linear_head`
    """
    from scipy.optimize import minimize_scalar

    weights = targets / targets.sum()

    def loss(log_temperature: float) -> float:
        return float(-(weights * log_softmax(logits / np.exp(log_temperature))).sum())

    found = minimize_scalar(loss, bounds=(-6.0, 3.0), method="bounded", options={"xatol": 0.01})
    return float(np.exp(found.x)), float(found.fun)


def sorted_closeness(values: Sequence[NDArray[np.floating]]) -> tuple[FloatArray, ...]:
    """Per-label values as :class:`Calibration` keeps them; NaN (nothing to compare with) is left out."""
    return tuple(np.sort(column[~np.isnan(column)]).astype(np.float32) for column in values)


def _p_value(calibration: FloatArray, closeness: FloatArray) -> FloatArray:
    n_farther = np.searchsorted(calibration, closeness + SAME_CLOSENESS, side="right")
    p_value = (1 + n_farther) / (len(calibration) + 1)
    return np.where(np.isnan(closeness), np.nan, p_value).astype(np.float32)


def _probabilities(logits: NDArray[np.floating]) -> FloatArray:
    return np.exp(log_softmax(logits)).astype(np.float32)
