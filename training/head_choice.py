"""Choose views, penalty and artist weighting of a group on artist-conditional inner folds."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from recommender.calibration import fit_temperature
from training.fitting import (
    FitContext,
    HeadChoice,
    default_choice,
    fit_head,
    fit_standardisation,
)
from training.folds import artist_folds, labels_left
from training.labels import LabelledTracks, artist_weights, enough_to_choose, linear_labels

# From strong to weak, so that each fit starts from its neighbour's.
L2_GRID = (0.3, 0.1, 0.03, 0.01)
ARTIST_CORRELATIONS = (0.2, 1.0)
N_FOLDS = 5
# Repeating the folds steadies the choice where it rests on few tracks; with many, a part of them is enough.
N_REPEATS = 3
MAX_TRACKS_TO_REPEAT = 300
MAX_TRACKS = 600

IdArray = NDArray[np.int64]


def choose_head(tracks: LabelledTracks, keys: IdArray, context: FitContext) -> HeadChoice:
    """Return the choice with the best out-of-fold balanced accuracy, log loss deciding between equals.

    Every artist counts in it by the design effect, as in training. Where there is too little to choose by, or
    no two labels with a linear head, the default is returned.
    """
    too_few = not enough_to_choose(tracks.membership) or len(np.unique(keys)) < 4
    if too_few or linear_labels(tracks.membership).sum() < 2:
        return default_choice(context.views)
    rows = _sample(tracks.membership, context.seed)
    tracks, keys = tracks.rows(rows), keys[rows]
    n_repeats = N_REPEATS if len(tracks) <= MAX_TRACKS_TO_REPEAT else 1
    weights = artist_weights(tracks.membership, tracks.artist_numbers, correlation=0.2)
    totals: dict[HeadChoice, tuple[float, float]] = {}
    for repeat in range(n_repeats):
        folds = artist_folds(tracks.membership, keys, n_folds=N_FOLDS, seed=context.seed + 1000 + repeat)
        counted = weights * labels_left(tracks.membership, folds)
        for choice, logits in _out_of_fold_logits(tracks, folds, context).items():
            accuracy, loss = totals.get(choice, (0.0, 0.0))
            right = float(np.take_along_axis(counted, logits.argmax(axis=1)[:, None], axis=1).sum())
            totals[choice] = (accuracy + right, loss - fit_temperature(logits, counted)[1])
    # Rounded, so that the order in which equal numbers were added up decides nothing.
    return max(totals, key=lambda choice: (round(totals[choice][0], 9), totals[choice][1]))


def _out_of_fold_logits(
    tracks: LabelledTracks, folds: IdArray, context: FitContext
) -> dict[HeadChoice, NDArray[np.float32]]:
    """Return choice -> (n_tracks, n_labels) logits, each row by a head that had not seen its artist."""
    logits: dict[HeadChoice, NDArray[np.float32]] = {}
    linear = linear_labels(tracks.membership)
    for fold in np.unique(folds):
        train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        known = tracks.rows(train)
        for view_weights in _view_weights(tuple(context.views)):
            standardisation = fit_standardisation(known.raw, context, view_weights)
            embeddings, asked = standardisation.apply(known.raw), standardisation.apply(tracks.raw[test])
            for correlation in ARTIST_CORRELATIONS:
                head = None
                for l2 in L2_GRID:
                    choice = HeadChoice(view_weights, l2, correlation)
                    head = fit_head(embeddings, known, choice, linear=linear, start=head)
                    table = logits.setdefault(choice, np.zeros(tracks.membership.shape, np.float32))
                    table[test] = head.logits(asked)
    return logits


def _view_weights(names: tuple[str, ...]) -> Iterator[tuple[tuple[str, float], ...]]:
    """Yield each view alone, and all of them in equal parts."""
    for alone in names:
        yield tuple((name, float(name == alone)) for name in names)
    if len(names) > 1:
        yield tuple((name, 1 / len(names)) for name in names)


def _sample(membership: NDArray[np.bool_], seed: int) -> IdArray:
    """Return at most ``MAX_TRACKS`` rows; the fewer tracks a label has, the likelier each of them is kept."""
    if len(membership) <= MAX_TRACKS:
        return np.arange(len(membership))
    n_tracks = np.where(membership, membership.sum(axis=0), np.inf).min(axis=1)
    # The smallest of exponential waiting times are a weighted sample without replacement.
    waiting = np.random.default_rng(seed).exponential(n_tracks)
    return np.sort(np.argsort(waiting)[:MAX_TRACKS])
