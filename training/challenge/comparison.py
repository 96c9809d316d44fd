"""Champion against challenger on the same artist-conditional folds, and how sure the difference is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from training.folds import Grouping
from training.groups.fit import GroupLabels, fit_group
from training.groups.fitting import FitContext
from training.groups.labels import LabelledTracks
from training.judging.figures import compare_with_chance
from training.metrics import N_BOOTSTRAP, recalls

IdArray = NDArray[np.int64]
# One way to deal artists to folds may favour a challenger; three seldom do.
N_SEEDS = 3
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
            asked, grouping = tracks.rows(test), self.grouping.rows(train)
            model = fit_group(self.labels, tracks.rows(train), context, grouping, for_known=False).model
            probability = model.score(asked.raw, artists=asked.artists, n_nearest=0).probability
            own = np.where(asked.membership, probability, -1).argmax(axis=1)
            np.add.at(counts, (number[test], own, probability.argmax(axis=1)), 1)
        return counts


@dataclass(frozen=True)
class Trial:
    """What both encoders got right and wrong on the folds of one seed: an array per group each."""

    champion: Sequence[IdArray]
    challenger: Sequence[IdArray]


@dataclass(frozen=True)
class Comparison:
    """Both encoders over all fold seeds that were tried.

    Attributes
    ----------
    champion, challenger : float
        Mean balanced accuracy over the groups.
    low, high : float
        95 % interval of the difference.
    n_seeds, n_won : int
        How often the artists were dealt to folds anew, and how often the challenger was better then.
    beats_chance : bool
        Whether the challenger's answers are better than guessing, by more than their uncertainty.
    """

    champion: float
    challenger: float
    low: float
    high: float
    n_seeds: int
    n_won: int
    beats_chance: bool

    @property
    def may_win(self) -> bool:
        """Whether the challenger has won so far, each time and by more than its uncertainty."""
        return self.low > 0 and self.n_won == self.n_seeds and self.beats_chance

    @property
    def is_better(self) -> bool:
        """Whether it has won on as many fold seeds as are needed."""
        return self.may_win and self.n_seeds >= N_SEEDS


def compare(trials: Sequence[Trial], rng: np.random.Generator) -> Comparison:
    """Compare counts of :meth:`FoldedGroup.confusions` by a paired bootstrap over all trials together.

    Artists are drawn with replacement, the same ones for both encoders, because the tracks of one artist
    stand or fall together.
    """
    champion, challenger = (
        [np.sum(counts, axis=0) for counts in zip(*sides, strict=True)]
        for sides in ([trial.champion for trial in trials], [trial.challenger for trial in trials])
    )
    drawn = [
        rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=N_BOOTSTRAP)
        for counts in champion
    ]
    theirs = _accuracies(challenger, drawn)
    low, high = np.quantile(theirs - _accuracies(champion, drawn), [0.025, 0.975])
    return Comparison(
        champion=_accuracy(champion),
        challenger=_accuracy(challenger),
        low=float(low),
        high=float(high),
        n_seeds=len(trials),
        n_won=sum(_accuracy(trial.challenger) > _accuracy(trial.champion) for trial in trials),
        beats_chance=_beats_chance(trials[0].challenger, float(np.quantile(theirs, 0.025))),
    )


def _beats_chance(groups: Sequence[IdArray], low: float) -> bool:
    """Whether the lower end of the accuracy lies above guessing, and answers dealt out at random are worse.

    The latter in one group at least: in a group of a few artists nothing can be better than chance.
    """
    if low <= float(np.mean([1 / counts.shape[1] for counts in groups])):
        return False
    return not all(_is_chance(counts) for counts in groups)


def _is_chance(counts: IdArray) -> bool:
    keys, own, predicted = (np.repeat(places, counts[counts > 0]) for places in np.nonzero(counts))
    return compare_with_chance(own, predicted, keys, counts.shape[1], seed=0)[1]


def _accuracy(groups: Sequence[IdArray]) -> float:
    return float(_accuracies(groups, [np.ones((1, len(counts)), dtype=np.int64) for counts in groups])[0])


def _accuracies(counts: Sequence[IdArray], drawn: Sequence[IdArray]) -> NDArray[np.float64]:
    """(n_draws,): mean over the groups of the balanced accuracy among the artists drawn."""
    per_group = [
        [np.nanmean(recalls(np.tensordot(times, group, axes=1))) for times in draws]
        for group, draws in zip(counts, drawn, strict=True)
    ]
    means: NDArray[np.float64] = np.mean(per_group, axis=0)
    return means
