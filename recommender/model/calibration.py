"""From raw scores to numbers one can rely on: temperatures, the blends, closeness and its p-values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recommender.model.familiarity import Familiarity, KindArray
from recommender.model.heads import log_softmax
from recommender.model.named_sets import SAME_CLOSENESS, NamedSets

FloatArray = NDArray[np.float32]

# With fewer tracks of its own a playlist could turn nothing away at alpha 0.1: (0 + 1) / (8 + 1) > 0.1.
# Its p-value is then taken among the tracks of the whole group.
MIN_CALIBRATION_TRACKS = 9
# Keeps logarithms of probabilities finite.
TINY = 1e-9


@dataclass(frozen=True)
class Familiar:
    """The blend for tracks by an artist whom the playlists know.

    Attributes
    ----------
    classifier_weight, temperature : float
        As in :class:`Calibration`, fitted while a track's artist was left in.
    centre, slope : float
        The chance that a track whose artist is not named is such a one is 1 / (1 + exp(-slope * (similarity -
        centre))), similarity being that of its nearest track.
    classifier_temperature : float, optional
        As in :class:`Calibration`, of the heads for such tracks; None in models that have no heads for them.
    """

    classifier_weight: float
    temperature: float
    centre: float
    slope: float
    classifier_temperature: float | None = None

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
    cosine_spread, distance_spread : float
        Standard deviations that bring the parts of closeness to one scale.
    closeness : tuple of (n,) float32
        Per label, sorted: how close its own tracks came to it while they were held out.
    familiar : Familiar, optional
        None where nothing could be held out to fit it.
    named_sets : NamedSets
        What decides which playlists are named.
    logit_spread : float, optional
        Of the logit, which is part of closeness in models of the first format; None since.
    """

    n_neighbours: int
    classifier_temperature: float
    neighbour_temperature: float
    classifier_weight: float
    temperature: float
    cosine_spread: float
    distance_spread: float
    closeness: tuple[FloatArray, ...]
    familiar: Familiar | None = None
    named_sets: NamedSets = field(default_factory=NamedSets)
    logit_spread: float | None = None

    def share_known(self, kinds: KindArray, similarity: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return how much the blend for known artists has to say of tracks, (n,) in [0, 1].

        All where the artist is known, nothing where it is new; where it is not named, ``similarity`` (n,) to
        the nearest track of the group tells: the nearer it is, the more likely it is by the same artist.
        """
        if self.familiar is None:
            return np.zeros(len(kinds))
        by_sound = self.familiar.share(similarity)
        return np.where(kinds == Familiarity.UNNAMED, by_sound, kinds == Familiarity.KNOWN)

    def classifiers(
        self, logits: FloatArray, familiar_logits: FloatArray | None
    ) -> tuple[FloatArray, FloatArray]:
        """Return the probabilities of the classifiers for new and for known artists, (n, n_labels) each."""
        new = _probabilities(logits / self.classifier_temperature)
        if familiar_logits is None or self.familiar is None or self.familiar.classifier_temperature is None:
            return new, new
        return new, _probabilities(familiar_logits / self.familiar.classifier_temperature)

    def classifier(
        self, classifiers: tuple[FloatArray, FloatArray], share_known: NDArray[np.float64]
    ) -> FloatArray:
        """Return what the classifiers say together, (n, n_labels)."""
        new, known = (np.log(table.astype(np.float64) + TINY) for table in classifiers)
        share = share_known[:, None]
        return _probabilities((1 - share) * new + share * known)

    def neighbours(self, votes: FloatArray) -> FloatArray:
        """(n, n_labels) shares of the vote -> probabilities of the neighbours alone."""
        return _probabilities(np.log(votes) / self.neighbour_temperature)

    def blend(
        self,
        classifiers: tuple[FloatArray, FloatArray],
        neighbours: FloatArray,
        share_known: NDArray[np.float64],
    ) -> FloatArray:
        """Return the calibrated probabilities, (n, n_labels), rows sum to 1."""
        new, known = classifiers
        stranger = log_softmax(blend_logits(new, neighbours, self.classifier_weight) / self.temperature)
        if self.familiar is None:
            return _probabilities(stranger)
        familiar = blend_logits(known, neighbours, self.familiar.classifier_weight)
        share = share_known[:, None]
        return _probabilities(
            (1 - share) * stranger + share * log_softmax(familiar / self.familiar.temperature)
        )

    def measure_closeness(
        self, logits: FloatArray, cosine: FloatArray, log_distance: FloatArray
    ) -> FloatArray:
        """Return how close tracks are to each playlist, higher is closer: all (n, n_labels).

        The sum of the cosine to the prototype and of minus the logarithm of the distance to the nearest
        tracks, each in its own standard deviations. NaN where a distance is NaN. What the classifier says is
        left out: it compares the playlists with each other, however far away all of them are.
        """
        closeness = cosine / self.cosine_spread - log_distance / self.distance_spread
        if self.logit_spread is not None:
            closeness = closeness + logits / self.logit_spread
        return closeness.astype(np.float32)

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
    blended: NDArray[np.float64] = weight * np.log(classifier.astype(np.float64) + TINY) + (
        1 - weight
    ) * np.log(neighbours.astype(np.float64) + TINY)
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
