"""Would more tracks help?  The group learnt from ever more of its artists, judged on held-out ones."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from training.groups.fit import GroupLabels, fit_group
from training.groups.fitting import FitContext
from training.groups.labels import LabelledTracks
from training.judging.held_out_hearing import HeldOutHearing
from training.judging.outer_folds import Judged
from training.metrics import N_BOOTSTRAP, recalls

IdArray = NDArray[np.int64]
CountArray = NDArray[np.float64]
Progress = Callable[[int, int, str], None]

# Parts of each playlist's artists that are learnt from, beside all of them.
SHARES = (1 / 8, 1 / 4, 1 / 2)
N_DRAWS = 3
# With fewer keys (artists) of a playlist to learn from, a point says more about them than about their number.
MIN_KEYS = 1.5
# What counts as help, in balanced accuracy, and how far beyond the tracks at hand a guess is worth making.
HELPFUL_GAIN = 0.03
MAX_FACTOR = 4.0


@dataclass(frozen=True)
class LearningPoint:
    """What was reached with ``n_tracks`` (mean over draws and folds): balanced accuracy, 95 % interval."""

    n_tracks: float
    balanced_accuracy: float
    low: float
    high: float
    recalls: tuple[float, ...]


@dataclass(frozen=True)
class LearningCurve:
    """Points by rising number of tracks, the last with all training tracks.

    Attributes
    ----------
    gain, gain_low, gain_high : float
        What the last doubling of the artists brought, and its 95 % interval over artists.
    n_more_tracks : int or None
        How many more would add about ``HELPFUL_GAIN``; None when that is beyond guessing, or no help.
    """

    points: tuple[LearningPoint, ...]
    gain: float
    gain_low: float
    gain_high: float
    n_more_tracks: int | None

    @property
    def still_rises(self) -> bool:
        """Whether the last doubling helped by more than the noise."""
        return self.gain_low > 0

    @property
    def advice(self) -> str:
        """A sentence."""
        change = f"{self.gain:+.2f} (95 % interval {self.gain_low:+.2f} to {self.gain_high:+.2f})"
        if not self.still_rises:
            return (
                "More tracks like these would not visibly help: learning from all artists instead of half of"
                f" them changed the balanced accuracy by {change}, which is within its noise."
            )
        if self.n_more_tracks is None:
            return (
                "The curve still rises, but too slowly to say how many tracks would make a difference: the"
                f" last doubling brought {change}."
            )
        return (
            f"About {self.n_more_tracks} more tracks by other artists would help: they would add about"
            f" {HELPFUL_GAIN:.2f} to the balanced accuracy, if the curve goes on as it does; the last"
            f" doubling brought {change}."
        )


def draw_learning_curve(
    labels: GroupLabels,
    tracks: LabelledTracks,
    context: FitContext,
    judged: Judged,
    *,
    counted: NDArray[np.bool_],
    hearing: HeldOutHearing | None = None,
    progress: Progress | None = None,
) -> LearningCurve | None:
    """Return the curve; None with too few artists to leave any of them out.

    The folds, and what was chosen within each, are those of ``judged``; only what is learnt from shrinks.

    Parameters
    ----------
    counted : (n_labels,) bool
        Whose recalls make up the balanced accuracy.
    hearing : HeldOutHearing, optional
        As in :func:`training.judging.outer_folds.judge_group`.
    """
    number = np.unique(judged.grouping.keys, return_inverse=True)[1]
    folds = np.unique(judged.folds).tolist()
    shares = [share for share in SHARES if share * _mean_keys(tracks, judged, number) >= MIN_KEYS]
    if not shares or len(judged.choices) != len(folds):
        return None
    n_labels = tracks.membership.shape[1]
    counts = np.zeros((len(shares) + 1, int(number.max()) + 1, n_labels, n_labels))
    n_tracks = np.zeros(len(shares) + 1)
    _count(counts[-1], number, tracks.membership, judged.probability)
    for done, fold in enumerate(folds):
        heard = tracks if hearing is None else replace(tracks, raw=hearing.raw[fold])
        train, test = np.flatnonzero(judged.folds != fold), np.flatnonzero(judged.folds == fold)
        n_tracks[-1] += len(train) / len(folds)
        for draw in range(N_DRAWS):
            order = np.random.default_rng([context.seed, fold, draw]).random(len(counts[0]))
            for step, share in enumerate(shares):
                rows = train[_first_keys(tracks.membership[train], number[train], order, share)]
                grouping = judged.grouping.rows(rows)
                fitted = fit_group(
                    labels,
                    heard.rows(rows),
                    context,
                    grouping,
                    choice=judged.choices[done],
                    for_known=False,
                )
                asked = heard.rows(test)
                probability = fitted.model.score(asked.raw, artists=asked.artists, n_nearest=0).probability
                _count(counts[step], number[test], tracks.membership[test], probability)
                n_tracks[step] += len(rows) / len(folds) / N_DRAWS
        if progress:
            progress(done + 1, len(folds), f"learning curve: fold {done + 1} of {len(folds)}")
    return read_curve(n_tracks, counts, counted, np.random.default_rng(context.seed))


def read_curve(
    n_tracks: NDArray[np.float64],
    counts: CountArray,
    counted: NDArray[np.bool_],
    rng: np.random.Generator,
) -> LearningCurve:
    """Return what the counts of right and wrong say.

    Parameters
    ----------
    n_tracks : (n_points,) float64, rising
    counts : (n_points, n_keys, n_labels, n_labels) float64
        Confusions per key; the same keys are drawn for all points, so that their differences are paired.
    """
    n_keys = counts.shape[1]
    drawn = rng.multinomial(n_keys, np.full(n_keys, 1 / n_keys), size=N_BOOTSTRAP)
    right = np.diagonal(counts, axis1=2, axis2=3)
    values = _accuracies(drawn @ right, drawn @ counts.sum(axis=3), counted)
    whole = counts.sum(axis=1)
    accuracies = [float(np.nanmean(recalls(confusion)[counted])) for confusion in whole]
    low, high = np.nanquantile(values, [0.025, 0.975], axis=1)
    gain_low, gain_high = np.nanquantile(values[-1] - values[-2], [0.025, 0.975])
    points = tuple(
        LearningPoint(
            float(n_tracks[row]),
            accuracies[row],
            float(low[row]),
            float(high[row]),
            tuple(recalls(whole[row]).tolist()),
        )
        for row in range(len(accuracies))
    )
    return LearningCurve(
        points,
        gain=accuracies[-1] - accuracies[-2],
        gain_low=float(gain_low),
        gain_high=float(gain_high),
        n_more_tracks=extrapolate(n_tracks, np.array(accuracies)),
    )


def extrapolate(n_tracks: NDArray[np.float64], accuracies: NDArray[np.float64]) -> int | None:
    """Return how many more tracks would add ``HELPFUL_GAIN``; None when that is too far to be guessed.

    The share of errors is taken to fall as a power of the number of tracks (Cortes et al. 1993), fitted by
    least squares on logarithms, and to go on from the last point.
    """
    errors = 1 - accuracies
    if errors[-1] <= HELPFUL_GAIN:
        return None
    power = -np.polyfit(np.log(n_tracks), np.log(errors), 1)[0]
    if power <= 0:
        return None
    exponent = np.log(errors[-1] / (errors[-1] - HELPFUL_GAIN)) / power
    if exponent > np.log(MAX_FACTOR):
        return None
    return int(np.ceil(n_tracks[-1] * np.expm1(exponent)))


def _accuracies(right: CountArray, n_tracks: CountArray, counted: NDArray[np.bool_]) -> CountArray:
    """(n_points, n_draws, n_labels) counts -> (n_points, n_draws) balanced accuracies."""
    ratio = np.divide(right, n_tracks, out=np.full(right.shape, np.nan), where=n_tracks > 0)
    means: CountArray = np.nanmean(ratio[..., counted], axis=-1)
    return means


def _mean_keys(tracks: LabelledTracks, judged: Judged, number: IdArray) -> float:
    """How many keys a playlist has to learn from, on average, while one fold is held out."""
    n_folds = len(np.unique(judged.folds))
    n_keys = [len(np.unique(number[column])) for column in tracks.membership.T]
    return float(np.mean(n_keys)) * (1 - 1 / n_folds)


def _first_keys(
    membership: NDArray[np.bool_], number: IdArray, order: NDArray[np.float64], share: float
) -> IdArray:
    """Rows of the first ``share`` of each label's keys by ``order``; a larger share holds a smaller one."""
    taken = np.zeros(len(membership), dtype=bool)
    for column in membership.T:
        keys = np.unique(number[column])
        first = keys[np.argsort(order[keys])[: int(np.ceil(share * len(keys)))]]
        taken |= np.isin(number, first) & column
    return np.flatnonzero(taken)


def _count(
    counts: CountArray,
    number: IdArray,
    membership: NDArray[np.bool_],
    probability: NDArray[np.float32],
) -> None:
    """Add what was predicted; a track in several playlists counts for the one ranked first among them."""
    own = np.where(membership, probability, -1).argmax(axis=1)
    np.add.at(counts, (number, own, probability.argmax(axis=1)), 1)
