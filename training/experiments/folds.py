"""What is learnt from and what is asked in each fold of an experiment."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.datasets.labelled_tracks import TooFewTracks
from training.experiments.tracks import ExperimentTracks
from training.folds import artist_folds
from training.recipes.recipe import Recipe

IdArray = NDArray[np.int64]
ChooseValidation = Callable[..., tuple[NDArray[np.bool_], str]]

PARTS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows to learn from, rows to be asked for, and rows to stop by where the data set names them.

    ``validation`` is part of neither; None leaves it to the trainer to hold artists of ``train`` back.
    """

    train: IdArray
    test: IdArray
    validation: IdArray | None = None

    @property
    def known(self) -> IdArray:
        """Rows that may be looked at before the test: to learn from and to stop by."""
        return self.train if self.validation is None else np.sort(np.append(self.train, self.validation))

    def choose_validation(self) -> ChooseValidation | None:
        """Return what tells a trainer which tracks to stop by; None leaves it to the trainer."""
        if self.validation is None:
            return None
        validation = self.validation

        def choose(targets: Any, _artists: Sequence[Hashable], **_: Any) -> tuple[NDArray[np.bool_], str]:
            mask = np.zeros(len(targets.shares), dtype=bool)
            mask[validation] = True
            return mask, "the parts of the data set" if len(validation) else "none"

        return choose


def has_published_split(tracks: ExperimentTracks, recipe: Recipe) -> bool:
    """Whether the data set's own parts are used: every label must be in its training and test parts."""
    parts = np.array(tracks.parts)
    return recipe.judging.published_split and all(
        (tracks.tracks.membership & (parts == part)[:, None]).any(axis=0).all() for part in ("train", "test")
    )


def make_folds(tracks: ExperimentTracks, recipe: Recipe) -> tuple[Fold, ...]:
    """Return the folds: the published one, or so many that share no artist and no copy of a track.

    Raises
    ------
    TooFewTracks
        In no fold a label could be learnt and asked for.
    """
    if has_published_split(tracks, recipe):
        train, validation, test = (np.flatnonzero(np.array(tracks.parts) == part) for part in PARTS)
        return (Fold(_some_of_each(tracks, train, recipe, 0), test, validation if len(validation) else None),)
    membership, keys = tracks.tracks.membership, tracks.grouping.keys
    numbers = artist_folds(membership, keys, n_folds=recipe.judging.n_folds, seed=recipe.training.seed)
    folds = []
    for number in np.unique(numbers).tolist():
        train = _some_of_each(tracks, np.flatnonzero(numbers != number), recipe, number)
        folds.append(Fold(train, np.flatnonzero(numbers == number)))
    usable = [fold for fold in folds if membership[fold.train].any(axis=0).sum() > 1]
    if not usable:
        raise TooFewTracks(
            "no fold has two playlists left to learn from while whole artists, and copies of a recording,"
            " are held back together: the playlists need more artists, and tracks that differ"
        )
    return tuple(usable)


def shared_keys(tracks: ExperimentTracks, folds: Sequence[Fold]) -> list[str]:
    """Return a warning where a split has artists, or copies of a recording, on both sides; else nothing."""
    keys = tracks.grouping.keys
    n_shared = sum(int(np.isin(keys[fold.test], keys[fold.known]).sum()) for fold in folds)
    if not n_shared:
        return []
    said = f"{n_shared} of the tracks asked for have an artist, or a copy, among those learnt from"
    return [f"{said}: the figures are too good; --set judging.published_split=false keeps them apart"]


def draw_rows(own: IdArray, rows: IdArray, n_tracks: int, rng: np.random.Generator) -> IdArray:
    """Return at most ``n_tracks`` rows of each label; more from the same chance contain the fewer."""
    order = rng.permutation(rows)
    drawn = [order[own[order] == label][:n_tracks] for label in np.unique(own[rows])]
    return np.sort(np.concatenate(drawn))


def _some_of_each(tracks: ExperimentTracks, rows: IdArray, recipe: Recipe, number: int) -> IdArray:
    n_tracks = recipe.judging.training_tracks_per_label
    if not n_tracks:
        return rows
    return draw_rows(tracks.own, rows, n_tracks, np.random.default_rng([recipe.training.seed, number]))
