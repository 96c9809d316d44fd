"""Fit a group's calibration on out-of-fold scores: artists held out, or single tracks of theirs."""

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
from recommender.model.familiarity import Familiarity, KindArray
from recommender.model.group import RawScores
from recommender.model.heads import log_softmax
from recommender.model.named_sets import MIN_HELD_OUT, HeldOutTracks, NamedSets, nearest_closeness
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
    cosine_spread=1.0,
    distance_spread=1.0,
    closeness=(),
)


@dataclass(frozen=True, eq=False)
class HeldOutScores:
    """Raw scores of tracks by models that had not seen them.

    ``votes`` maps each number of neighbours tried to the shares of the vote; everything is
    (n_tracks, n_labels). ``log_distance`` is NaN where nothing was left of a playlist. ``similarity``
    (n_tracks,) is that of the nearest track that was left, ``kinds`` (n_tracks,) how familiar each was to
    what was left.
    """

    logits: FloatArray
    familiar_logits: FloatArray
    votes: dict[int, FloatArray]
    cosine: FloatArray
    log_distance: FloatArray
    similarity: FloatArray
    kinds: KindArray

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> "HeldOutScores":
        """Return tables to be filled fold by fold."""
        return cls(
            logits=np.zeros(shape, np.float32),
            familiar_logits=np.zeros(shape, np.float32),
            votes={k: np.full(shape, 1 / shape[1], np.float32) for k in NEIGHBOUR_GRID},
            cosine=np.full(shape, np.nan, np.float32),
            log_distance=np.full(shape, np.nan, np.float32),
            similarity=np.full(shape[0], -np.inf, np.float32),
            kinds=np.full(shape[0], Familiarity.UNNAMED, np.int8),
        )

    def counted(self, membership: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(n_tracks, n_labels) bool: memberships of which something was left to be compared with."""
        return membership & np.isfinite(self.log_distance)

    def targets(self, membership: NDArray[np.bool_]) -> NDArray[np.float64]:
        """(n_tracks, n_labels): what probabilities should have been; each counted track has 1 to share."""
        counted = self.counted(membership)
        shares = counted / np.maximum(counted.sum(axis=1, keepdims=True), 1)
        return _smoothed(shares, np.isfinite(self.log_distance))

    def fill(
        self, rows: NDArray[np.int64], scores: RawScores, neighbourhood: Neighbourhood, kinds: KindArray
    ) -> None:
        """Enter the scores of one fold's tracks, their votes for every number of neighbours."""
        self.logits[rows] = scores.logits
        self.familiar_logits[rows] = (
            scores.logits if scores.familiar_logits is None else scores.familiar_logits
        )
        self.kinds[rows] = kinds
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
    counted = scores.counted(membership)
    if not counted.any():
        return replace(UNFITTED, closeness=(np.empty(0, np.float32),) * membership.shape[1])
    targets = scores.targets(membership)
    classifier_temperature, _ = fit_temperature(scores.logits, targets)
    votes = {k: (*fit_temperature(np.log(table), targets), k) for k, table in scores.votes.items()}
    neighbour_temperature, _, n_neighbours = min(votes.values(), key=lambda found: found[1])
    fitted = replace(
        UNFITTED,
        n_neighbours=n_neighbours,
        classifier_temperature=classifier_temperature,
        neighbour_temperature=neighbour_temperature,
        cosine_spread=_spread(scores.cosine[counted]),
        distance_spread=_spread(scores.log_distance[counted]),
    )
    classifier, _ = fitted.classifiers(scores.logits, None)
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
    calibration: Calibration, new: HeldOutScores, known: HeldOutScores, membership: NDArray[np.bool_]
) -> Familiar | None:
    """Return the blend for tracks whose artists are known, and how such tracks are recognised.

    Parameters
    ----------
    new : HeldOutScores
        What the calibration was fitted on.
    known : HeldOutScores
        The same tracks, held out one by one and not with their artists.
    """
    counted = np.isfinite(known.similarity) & np.isfinite(new.similarity)
    counted &= known.counted(membership).any(axis=1)
    by_known = counted & (known.kinds == Familiarity.KNOWN)
    if by_known.sum() < MIN_HELD_OUT:
        # Tracks by nobody or by one-off artists would speak for weak penalties, wrongly for new artists.
        # (GTZAN, without artists: 0.84 without the heads, 0.82 with; four genres of five tracks: 0.72, 0.70.)
        return None
    rows = by_known
    targets = known.targets(membership)[rows]
    classifier_temperature, _ = fit_temperature(known.familiar_logits[rows], targets)
    unfitted = Familiar(1.0, 1.0, 0.0, 0.0, classifier_temperature)
    _, classifier = replace(calibration, familiar=unfitted).classifiers(
        known.logits[rows], known.familiar_logits[rows]
    )
    neighbours = calibration.neighbours(known.votes[calibration.n_neighbours][rows])
    weights = WEIGHT_GRID if enough_to_choose(membership) else WEIGHT_OF_FEW
    weight, temperature = _fit_blend(classifier, neighbours, targets, weights)
    near, far = known.similarity[rows], new.similarity[rows]
    # Two normal distributions of one variance and equally many of each: the logistic curve between them.
    variance = float((near.var(dtype=np.float64) + far.var(dtype=np.float64)) / 2) or 1.0
    slope = max(float(near.mean() - far.mean()), 0.0) / variance
    centre = float((near.mean() + far.mean()) / 2)
    return Familiar(weight, temperature, centre, slope, classifier_temperature)


def fit_named_sets(
    calibration: Calibration, new: HeldOutScores, known: HeldOutScores | None, membership: NDArray[np.bool_]
) -> NamedSets:
    """Return what was said of held-out tracks, by how familiar they were: what promises are kept by.

    The parameters are as in :func:`fit_familiar`; without ``known`` nothing was learnt for known artists.
    Whoever asks about a track without naming its artist may ask about either kind, so those answers are held
    against both, each given as if nobody knew the artist.
    """
    known = known or new
    is_named = known.kinds != Familiarity.UNNAMED
    nameless = np.full(len(membership), Familiarity.UNNAMED, np.int8)
    asked = {
        Familiarity.NEW: [(new, new.kinds, new.kinds == Familiarity.NEW)],
        Familiarity.KNOWN: [(known, known.kinds, known.kinds == Familiarity.KNOWN)],
        Familiarity.UNNAMED: [
            (new, nameless, is_named),
            (known, nameless, (known.kinds == Familiarity.KNOWN) | ~is_named),
        ],
    }
    held_out = {
        kind: HeldOutTracks.joined(
            [_answers(calibration, scores, membership, kinds, rows) for scores, kinds, rows in parts]
        )
        for kind, parts in asked.items()
    }
    return NamedSets({kind: answers for kind, answers in held_out.items() if len(answers)})


def _answers(
    calibration: Calibration,
    scores: HeldOutScores,
    membership: NDArray[np.bool_],
    kinds: KindArray,
    rows: NDArray[np.bool_],
) -> HeldOutTracks:
    """Return what is said of some of the held-out tracks, as if they were of these kinds."""
    counted = scores.counted(membership)
    rows = rows & counted.any(axis=1) & np.isfinite(scores.similarity)
    probability = calibration.blend(
        calibration.classifiers(scores.logits, scores.familiar_logits),
        calibration.neighbours(scores.votes[calibration.n_neighbours]),
        calibration.share_known(kinds, scores.similarity),
    )[rows]
    closeness = calibration.measure_closeness(scores.logits, scores.cosine, scores.log_distance)[rows]
    return HeldOutTracks(
        closeness=nearest_closeness(closeness),
        own=np.where(counted[rows], probability, 0).max(axis=1, initial=0),
        first=probability.max(axis=1, initial=0),
    )


def _smoothed(targets: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Laplace's rule of succession for right and wrong: of n right ones the next is wrong in 1 of n + 2.

    What is taken from a certain target goes to the other labels that were ``known``, (n_tracks, n_labels)
    bool, while a track was held out, in equal parts. Counting each of k labels as one more track, 1 in
    n + k, made the answers of ten playlists of ten tracks eleven points too timid.
    """
    weight = targets.sum(axis=1, keepdims=True)
    others = known & (targets <= 0)
    n_others = others.sum(axis=1, keepdims=True)
    doubt = np.where(n_others > 0, 1 / (float(weight.sum()) + 2), 0)
    smoothed: NDArray[np.float64] = (1 - doubt) * targets + doubt * weight * others / np.maximum(n_others, 1)
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
