"""Figures of merit: pure functions of arrays, each with its denominator in words."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]
IdArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
CountArray = NDArray[np.int64] | NDArray[np.float64]

# In bins of fewer tracks, chance alone looks like miscalibration: ten playlists of ten tracks, answered with
# probabilities that are exactly right, have an error of 0.10 in bins of seven and of 0.05 in bins of twenty.
N_ECE_BINS, MIN_BIN_TRACKS = 15, 20
DIGITS = 4
N_BOOTSTRAP = 1000


def confusion_matrix(true: IdArray, predicted: IdArray, n_labels: int) -> IdArray:
    """Return counts, (n_labels, n_labels): row = the playlist a track is in, column = the one predicted."""
    counts = np.zeros((n_labels, n_labels), dtype=np.int64)
    np.add.at(counts, (true, predicted), 1)
    return counts


def recalls(confusion: IdArray) -> NDArray[np.float64]:
    """(n_labels,): right ones of a playlist / tracks of that playlist; NaN for a playlist without tracks."""
    return _ratio(confusion.diagonal(), confusion.sum(axis=1))


def precisions(confusion: IdArray) -> NDArray[np.float64]:
    """(n_labels,): right ones / tracks for which the playlist was predicted; NaN where it never was."""
    return _ratio(confusion.diagonal(), confusion.sum(axis=0))


def balanced_accuracy(true: IdArray, predicted: IdArray, n_labels: int) -> float:
    """Mean of the recalls over the playlists that have tracks."""
    return float(np.nanmean(recalls(confusion_matrix(true, predicted, n_labels))))


def macro_f1(confusion: IdArray) -> float:
    """Mean over playlists with tracks of 2 right / (tracks of it + tracks predicted to be of it)."""
    sums = confusion.sum(axis=0) + confusion.sum(axis=1)
    f1 = _ratio(2 * confusion.diagonal(), sums)
    return float(np.nanmean(f1[confusion.sum(axis=1) > 0]))


def bootstrap_interval(
    true: IdArray, predicted: IdArray, artists: IdArray, n_labels: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the 95 % interval of the balanced accuracy, artists drawn with replacement.

    Tracks of one artist stand or fall together, so drawing tracks would make the interval too narrow.
    """
    values = _bootstrap(true, (predicted,), artists, n_labels, rng)[0]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def paired_interval(
    true: IdArray,
    answers: tuple[IdArray, IdArray],
    artists: IdArray,
    n_labels: int,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Return the 95 % interval of the balanced accuracy of the first answers minus that of the second.

    The same artists are drawn for both, so what is hard for both does not widen it.
    """
    values, others = _bootstrap(true, answers, artists, n_labels, rng)
    low, high = np.quantile(values - others, [0.025, 0.975])
    return float(low), float(high)


def _bootstrap(
    true: IdArray, answers: Sequence[IdArray], artists: IdArray, n_labels: int, rng: np.random.Generator
) -> list[NDArray[np.float64]]:
    """(N_BOOTSTRAP,) balanced accuracies of each of the answers, over the same draws of artists."""
    names, number = np.unique(artists, return_inverse=True)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=N_BOOTSTRAP)
    found = []
    for predicted in answers:
        # Counts per artist add up, so a draw of artists needs no copy of their tracks.
        n_tracks, n_right = np.zeros((2, len(names), n_labels))
        np.add.at(n_tracks, (number, true), 1)
        np.add.at(n_right, (number, true), predicted == true)
        found.append(np.nanmean(_ratio(drawn @ n_right, drawn @ n_tracks), axis=1))
    return found


def chance_p_value(
    true: IdArray, predicted: IdArray, artists: IdArray, n_labels: int, rng: np.random.Generator
) -> float:
    """Return how often the answers would be as good dealt out at random, an artist's ones together.

    The share of permutations (and the answers themselves) of which the balanced accuracy is at least that of
    the answers. Of random labels, the bootstrap interval lies above chance one time in ten, because it cannot
    know that answers from one model go wrong together.
    """
    number = np.unique(artists, return_inverse=True)[1]
    in_order = true[np.argsort(number, kind="stable")]
    found = balanced_accuracy(true, predicted, n_labels)
    n_as_good = 0
    for _ in range(N_BOOTSTRAP):
        dealt = predicted[np.argsort(rng.permutation(number.max() + 1)[number], kind="stable")]
        n_as_good += balanced_accuracy(in_order, dealt, n_labels) >= found - 1e-9
    return (1 + n_as_good) / (1 + N_BOOTSTRAP)


def precision_at_k(probabilities: FloatArray, membership: BoolArray, k: int) -> float:
    """Share of tracks with one of their playlists among the first ``k``.

    For a track in one playlist there is one relevant answer, so this is what published work on single-label
    genres calls precision@k; its denominator is the number of tracks.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    return float(np.take_along_axis(membership, order, axis=1).any(axis=1).mean())


def expected_calibration_error(
    confidence: FloatArray, right: BoolArray, *, n_bins: int | None = None
) -> float:
    """Return sum over bins of |share right - mean confidence| * share of tracks; bins: :func:`reliability`.

    ``confidence`` (n,) is the probability of the first playlist, ``right`` (n,) whether it was one of the
    track's own (Naeini et al. 2015, with bins of equal mass).
    """
    return float(
        sum(abs(share - mean) * n for mean, share, n in reliability(confidence, right, n_bins=n_bins))
        / len(right)
    )


def reliability(
    confidence: FloatArray, right: BoolArray, *, n_bins: int | None = None
) -> list[tuple[float, float, int]]:
    """Return (mean confidence, share right, number of tracks) per bin of equal mass.

    There are 15, or fewer where they would hold fewer than 20 tracks each.
    """
    order = np.argsort(confidence, kind="stable")
    n_bins = n_bins or min(N_ECE_BINS, max(1, len(order) // MIN_BIN_TRACKS))
    parts = [part for part in np.array_split(order, n_bins) if len(part)]
    return [(float(confidence[part].mean()), float(right[part].mean()), len(part)) for part in parts]


def wilson_interval(n_right: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share, (NaN, NaN) of nothing (Wilson 1927)."""
    if not n:
        return float("nan"), float("nan")
    z = 1.96
    centre, spread = n_right + z**2 / 2, z * np.sqrt(n_right * (n - n_right) / n + z**2 / 4)
    return float((centre - spread) / (n + z**2)), float((centre + spread) / (n + z**2))


def auroc(scores_known: FloatArray, scores_unknown: FloatArray) -> float:
    """Return the chance that a known track scores above an unknown one, ties counting half."""
    if not len(scores_known) or not len(scores_unknown):
        return float("nan")
    ordered = np.sort(scores_unknown)
    below = np.searchsorted(ordered, scores_known, side="left")
    equal = np.searchsorted(ordered, scores_known, side="right") - below
    return float((below + equal / 2).sum() / (len(scores_known) * len(scores_unknown)))


def rounded(value: float) -> float | None:
    """Return a figure as reports show it; None for one that cannot be told (NaN)."""
    return None if np.isnan(value) else round(float(value), DIGITS)


def _ratio(part: CountArray, whole: CountArray) -> NDArray[np.float64]:
    ratio: NDArray[np.float64] = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return ratio
