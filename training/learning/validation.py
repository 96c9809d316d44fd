"""Which tracks to keep aside while training, to see when to stop."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from training.folds import artist_folds
from training.learning.targets import GroupTargets

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]


def hold_out_artists(
    targets: GroupTargets, artists: Sequence[Hashable], *, share: float, seed: int
) -> tuple[Mask, str]:
    """Choose the validation tracks: (n_tracks,) bool, and what they were kept apart by.

    Whole artists are held out. Where that would leave a label without training tracks (a playlist by one
    artist), its tracks stay in training. Where too few artists remain for that, single tracks are held out.

    Returns
    -------
    mask, kept_apart_by
        ``artist``, ``track``, or ``none`` with an empty mask.
    """
    names = np.array([repr(artist) for artist in artists])
    keys = np.unique(names, return_inverse=True)[1].astype(np.int64)
    for by, numbers in (("artist", keys), ("track", np.arange(len(keys)))):
        mask = _hold_out(targets, numbers, share=share, seed=seed)
        if mask.any():
            return mask, by
    return np.zeros(len(keys), dtype=bool), "none"


def _hold_out(targets: GroupTargets, keys: Rows, *, share: float, seed: int) -> Mask:
    mask = np.zeros(len(keys), dtype=bool)
    rows = np.flatnonzero(targets.labelled)
    n_parts = round(1 / share) if share > 0 else 0
    if n_parts < 2 or len(np.unique(keys[rows])) < n_parts:
        return mask
    membership = targets.shares > 0
    mask[rows] = artist_folds(membership[rows], keys[rows], n_folds=n_parts, seed=seed) == 0
    for belongs in membership.T:
        if not (belongs & ~mask).any():
            mask &= ~belongs
    return mask
