"""Signal to pictures of its curve: smoothed, cut into samples, drawn as lines between fixed axes."""

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import EmbeddingError

FloatArray = NDArray[np.float32]

# Thickness of the line, in pixels.
LINE_PX = 1.0


def smooth(y: FloatArray, n_samples: int) -> FloatArray:
    """Return the moving average of a signal over ``n_samples``, centred: (n,) -> (n,) float32.

    At the ends it is the average over the part that is there.
    """
    if n_samples < 1:
        raise EmbeddingError(f"a moving average needs at least 1 sample, got {n_samples}")
    # In float64: over minutes of sound, a running sum in float32 drifts by more than what is drawn.
    total = np.concatenate([[0.0], np.cumsum(y, dtype=np.float64)])
    first = np.clip(np.arange(len(y)) - n_samples // 2, 0, None)
    stop = np.clip(np.arange(len(y)) - n_samples // 2 + n_samples, None, len(y))
    averages: FloatArray = ((total[stop] - total[first]) / (stop - first)).astype(np.float32)
    return averages


def draw_lines(curves: FloatArray, *, top: float, width: int, height: int) -> FloatArray:
    """Draw each curve between fixed axes; what lies below 0 or above ``top`` is cut off.

    Parameters
    ----------
    curves : (n_curves, n_samples), n_samples >= width
    top : float > 0
        Value at the upper edge; the lower edge is 0.

    Returns
    -------
    (n_curves, width, height) float32 in [0, 1]: how much of a pixel the line covers. The first axis of a
    picture is time, the second rises from 0 to ``top``.
    """
    if curves.ndim != 2 or curves.shape[1] < width or min(width, height) < 1 or not top > 0:
        raise EmbeddingError(
            f"cannot draw curves of shape {curves.shape} on {width} x {height} pixels up to {top}"
        )
    edges = np.linspace(0, curves.shape[1], width + 1).astype(int)[:-1]
    # The line goes on to where the next pixel begins.
    joins = np.concatenate([curves[:, edges[1:]], curves[:, -1:]], axis=1)
    scale = height / top
    low = np.minimum(np.minimum.reduceat(curves, edges, axis=1), joins) * scale - LINE_PX / 2
    high = np.maximum(np.maximum.reduceat(curves, edges, axis=1), joins) * scale + LINE_PX / 2
    pixels = np.arange(height, dtype=np.float32)
    covered = np.minimum(high[:, :, None], pixels + 1) - np.maximum(low[:, :, None], pixels)
    drawn: FloatArray = np.clip(covered, 0.0, 1.0).astype(np.float32)
    return drawn
