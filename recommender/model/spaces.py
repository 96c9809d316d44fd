"""Whether two spaces tell tracks apart alike: as a library grows, what they are fitted on moves a little."""

import numpy as np

from embeddings.encoder import Standardisation


def is_same(one: Standardisation, other: Standardisation) -> bool:
    """Whether a vector has exactly one place in both."""
    return np.array_equal(one.mean, other.mean) and np.array_equal(one.scale, other.scale)


def is_near(one: Standardisation, other: Standardisation, *, within: float) -> bool:
    """Whether both use the same columns, about one origin, about as long.

    Parameters
    ----------
    within : how far the origin may have moved, where vectors are about 1 long, and how much of its length a
        column may have been stretched.
    """
    used = one.scale > 0
    if not np.array_equal(used, other.scale > 0):
        return False
    moved = float(np.linalg.norm((one.mean - other.mean) * one.scale))
    stretched = float(np.abs(other.scale[used] / one.scale[used] - 1).max(initial=0))
    return moved < within and stretched < within
