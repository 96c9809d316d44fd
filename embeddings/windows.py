"""Where to read a track: evenly spread windows, and the stretches of the file behind them."""

from dataclasses import dataclass
from math import ceil, gcd
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Read before and after a window and dropped after resampling, so that a window has the samples that the whole
# track resampled at once has there. The resampler needs 20 ms for that (measured: to 4e-7); before a window,
# Vorbis gives wrong samples for up to 23 ms after a seek, and Opus asks for 80 ms to settle.
_LEAD_IN_S = 0.1
_LEAD_OUT_S = 0.02


class Span(NamedTuple):
    """A stretch of the file, in its own samples, and what to drop from the front once it is resampled."""

    start: int
    n_samples: int
    n_drop: int


@dataclass(frozen=True, eq=False)
class WindowPlan:
    """The windows of one track.

    Attributes
    ----------
    spans : one for each window, in the order of time
    start_s : (n_windows,) float64
        Where each window begins in the track.
    n_window : int
        Samples of each window at ``to_hz``: as many as wanted, or fewer when the whole track is shorter.
    """

    spans: tuple[Span, ...]
    start_s: NDArray[np.float64]
    n_window: int
    from_hz: int
    to_hz: int
    duration_s: float


def plan_windows(n_samples: int, *, from_hz: int, to_hz: int, n_window: int, max_windows: int) -> WindowPlan:
    """Lay out up to ``max_windows`` windows, each in the middle of an equal share of the track.

    There are as many as fit without overlap, at least one.

    Parameters
    ----------
    n_samples : int
        Length of the track at ``from_hz``, >= 1 once resampled.
    n_window : int
        Wanted length of a window at ``to_hz``.
    """
    # Windows begin where samples of the file and of the signal coincide: every 10 ms from 44.1 to 16 kHz.
    from_step, to_step = from_hz // gcd(from_hz, to_hz), to_hz // gcd(from_hz, to_hz)
    n_lead_in, n_lead_out = (ceil(lead_s * from_hz / from_step) for lead_s in (_LEAD_IN_S, _LEAD_OUT_S))
    n_track = n_samples * to_hz // from_hz
    n_windows = min(max(n_track // n_window, 1), max_windows)
    n_window = min(n_window, n_track)
    middles = (np.arange(n_windows) + 0.5) * n_track / n_windows
    steps: list[int] = ((middles - n_window / 2) // to_step).astype(int).tolist()
    spans = []
    for step in steps:
        first = max(step - n_lead_in, 0)
        stop = (step + n_lead_out) * from_step + ceil(n_window * from_hz / to_hz)
        start = first * from_step
        spans.append(Span(start, min(stop, n_samples) - start, (step - first) * to_step))
    start_s = np.array(steps, dtype=np.float64) * to_step / to_hz
    return WindowPlan(tuple(spans), start_s, n_window, from_hz, to_hz, n_samples / from_hz)
