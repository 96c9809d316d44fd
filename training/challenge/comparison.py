"""Champion against challenger on the same artist-conditional folds, and how sure the difference is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from training.folds import Grouping
from training.groups.fit import GroupLabels, fit_group
from training.groups.fitting import FitContext
from training.groups.labels import LabelledTracks
from training.metrics import N_BOOTSTRAP, recalls

IdArray = NDArray[np.int64]
# Fold -> raw vectors (n_tracks, dim) of a group's tracks, by an encoder fitted without that fold.
RawByFold = Mapping[int, NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class FoldedGroup:
    """A group and the folds on which encoders are compared; ``folds`` is (n_tracks,) int64."""

    labels: GroupLabels
    tracks: LabelledTracks
    grouping: Grouping
    folds: IdArray

    def confusions(self, raw_by_fold: RawByFold, context: FitContext) -> IdArray:
        """Return what one encoder gets right and wrong, counted per key: (n_keys, n_labels, n_labels).

        A track in several playlists counts for the one that was ranked first among them.
        """
        _, number = np.unique(self.grouping.keys, return_inverse=True)
        n_labels = self.tracks.membership.shape[1]
        counts = np.zeros((int(number.max()) + 1, n_labels, n_labels), dtype=np.int64)
        for fold in np.unique(self.folds).tolist():
            tracks = replace(self.tracks, raw=raw_by_fold[fold])
            train, test = np.flatnonzero(self.folds != fold), np.flatnonzero(self.folds == fold)
            grouping = Grouping(self.grouping.keys[train], self.grouping.judged_by)
            model = fit_group(self.labels, tracks.rows(train), context, grouping).model
            probability = model.score(tracks.raw[test], n_nearest=0).probability
            own = np.where(tracks.membership[test], probability, -1).argmax(axis=1)
            np.add.at(counts, (number[test], own, probability.argmax(axis=1)), 1)
        return counts


@dataclass(frozen=True)
class Comparison:
    """Mean balanced accuracy over the groups, of both encoders, and the 95 % interval of the difference."""

    champion: float
    challenger: float
    low: float
    high: float

    @property
    def is_better(self) -> bool:
        """Whether the challenger wins by more than its uncertainty."""
        return self.low > 0


def compare(
    champion: Sequence[IdArray], challenger: Sequence[IdArray], rng: np.random.Generator
) -> Comparison:
    """Compare counts of :meth:`FoldedGroup.confusions`, one array per group, by a paired bootstrap.

    Artists are drawn with replacement, the same ones for both encoders, because the tracks of one artist
    stand or fall together.
    """
    drawn = [
        rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=N_BOOTSTRAP)
        for counts in champion
    ]
    differences = _accuracies(challenger, drawn) - _accuracies(champion, drawn)
    low, high = np.quantile(differences, [0.025, 0.975])
    whole = [np.ones((1, len(counts)), dtype=np.int64) for counts in champion]
    return Comparison(
        champion=float(_accuracies(champion, whole)[0]),
        challenger=float(_accuracies(challenger, whole)[0]),
        low=float(low),
        high=float(high),
    )


def _accuracies(counts: Sequence[IdArray], drawn: Sequence[IdArray]) -> NDArray[np.float64]:
    """(n_draws,): mean over the groups of the balanced accuracy among the artists drawn."""
    per_group = [
        [np.nanmean(recalls(np.tensordot(times, group, axes=1))) for times in draws]
        for group, draws in zip(counts, drawn, strict=True)
    ]
    means: NDArray[np.float64] = np.mean(per_group, axis=0)
    return means
