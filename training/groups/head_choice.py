"""Choose views and heads of a group on artist-conditional inner folds."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from training.folds import artist_folds, labels_left
from training.groups.fitting import (
    MILD,
    STRONG,
    FitContext,
    HeadChoice,
    default_choice,
    fit_head,
    fit_standardisation,
    weigh_views,
)
from training.groups.labels import LabelledTracks, artist_weights, enough_to_choose, linear_labels

N_FOLDS = 5
# Repeating the folds steadies the choice where it rests on few tracks; with many, a part of them is enough.
N_REPEATS = 3
# In standard errors of the difference. More than the one of Breiman et al. (1984), because of several choices
# the luckiest is easily one error ahead where none is better.
CLEARLY = 1.5
MAX_TRACKS_TO_REPEAT = 300
MAX_TRACKS = 600

IdArray = NDArray[np.int64]


def choose_head(tracks: LabelledTracks, keys: IdArray, context: FitContext) -> HeadChoice:
    """Return the plain choice, or the one of best out-of-fold balanced accuracy where that is clearly better.

    Clearly is by one and a half standard errors of the difference, artists counting as wholes: the best is
    partly the luckiest, and what luck chose costs accuracy on the next artists. Every artist counts by the
    design effect, as in training. Where there is too little to choose by, or no two labels with linear heads,
    the default is returned.
    """
    too_few = not enough_to_choose(tracks.membership) or len(np.unique(keys)) < 4
    if too_few or linear_labels(tracks.membership).sum() < 2:
        return default_choice(context.views)
    rows = _sample(tracks.membership, context.seed)
    tracks, keys = tracks.rows(rows), keys[rows]
    candidates = list(list_candidates(context.views))
    plain = candidates[0]
    right = _shares_right(tracks, keys, context, candidates)
    # Rounded, so that the order in which equal numbers were added up decides nothing.
    best = max(right, key=lambda choice: round(float(right[choice].sum()), 9))
    gain = np.zeros(int(keys.max()) + 1)
    np.add.at(gain, keys, right[best] - right[plain])
    return best if gain.sum() > CLEARLY * np.sqrt((gain**2).sum()) else plain


def list_candidates(views: Mapping[str, slice]) -> Iterator[HeadChoice]:
    """Yield the plain choice, mild heads on what the network heard; then strong ones on each view and on all.

    There are few, because choosing has its price: what inner folds chose among 36, most of them good, had
    0.78 on four genres; with these it is 0.79, and no less on game music.
    """
    yield HeadChoice(default_choice(views).view_weights, MILD)
    for view_weights in weigh_views(tuple(views)):
        yield HeadChoice(view_weights, STRONG)


def _shares_right(
    tracks: LabelledTracks, keys: IdArray, context: FitContext, candidates: Sequence[HeadChoice]
) -> dict[HeadChoice, NDArray[np.float64]]:
    """Return choice -> (n_tracks,) what each track adds to the weighted number of right answers."""
    n_repeats = N_REPEATS if len(tracks) <= MAX_TRACKS_TO_REPEAT else 1
    weights = artist_weights(tracks.membership, tracks.artist_numbers, correlation=0.2)
    right: dict[HeadChoice, NDArray[np.float64]] = {}
    for repeat in range(n_repeats):
        folds = artist_folds(tracks.membership, keys, n_folds=N_FOLDS, seed=context.seed + 1000 + repeat)
        counted = weights * labels_left(tracks.membership, folds)
        for choice, logits in _out_of_fold_logits(tracks, folds, context, candidates).items():
            found = np.take_along_axis(counted, logits.argmax(axis=1)[:, None], axis=1)[:, 0]
            right[choice] = right.get(choice, 0) + found / n_repeats
    return right


def _out_of_fold_logits(
    tracks: LabelledTracks, folds: IdArray, context: FitContext, candidates: Sequence[HeadChoice]
) -> dict[HeadChoice, NDArray[np.float32]]:
    """Return choice -> (n_tracks, n_labels) logits, each row by a head that had not seen its artist."""
    logits = {choice: np.zeros(tracks.membership.shape, np.float32) for choice in candidates}
    linear = linear_labels(tracks.membership)
    for fold in np.unique(folds):
        train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        known = tracks.rows(train)
        for choice, table in logits.items():
            standardisation = fit_standardisation(known.raw, context, choice.view_weights)
            head = fit_head(standardisation.apply(known.raw), known, choice, linear=linear)
            table[test] = head.logits(standardisation.apply(tracks.raw[test]))
    return logits


def _sample(membership: NDArray[np.bool_], seed: int) -> IdArray:
    """Return at most ``MAX_TRACKS`` rows; the fewer tracks a label has, the likelier each of them is kept."""
    if len(membership) <= MAX_TRACKS:
        return np.arange(len(membership))
    n_tracks = np.where(membership, membership.sum(axis=0), np.inf).min(axis=1)
    # The smallest of exponential waiting times are a weighted sample without replacement.
    waiting = np.random.default_rng(seed).exponential(n_tracks)
    return np.sort(np.argsort(waiting)[:MAX_TRACKS])
