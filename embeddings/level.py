"""One loudness for every track: what the network hears must not depend on who mastered it, or how loud."""

import numpy as np
from numpy.typing import NDArray

from embeddings.config import LevelConfig

FloatArray = NDArray[np.float32]


def level_windows(signals: FloatArray, config: LevelConfig) -> FloatArray:
    """Return the windows of a track without constant offset and at one level: (n_windows, n_samples) float32.

    All windows get the same gain, so what is quiet in a track stays quieter than what is loud in it. The
    level is the power mean of the windows that are neither noise (``floor_dbfs``) nor more than ``gate_db``
    below that mean, after the two gates of ITU-R BS.1770: a long quiet beginning changes nothing. A track
    that is all noise comes back as silence.

    Parameters
    ----------
    signals : (n_windows, n_samples) float32
    """
    # A constant offset is no sound, but it has a level.
    centred = signals - signals.mean(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)
    power = np.mean(np.square(centred, dtype=np.float64), axis=1)
    sounding = power[power >= _power(config.floor_dbfs)]
    if not len(sounding):
        return np.zeros_like(centred)
    loud = sounding[sounding >= sounding.mean() * _power(-config.gate_db)]
    gain = np.sqrt(_power(config.target_dbfs) / loud.mean())
    levelled: FloatArray = centred * np.float32(gain)
    return levelled


def level_dbfs(signals: FloatArray) -> NDArray[np.float64]:
    """RMS level of signals, (n_signals, n_samples) -> (n_signals,), in dB; 0 is a full-scale square wave."""
    power = np.mean(np.square(signals, dtype=np.float64), axis=1)
    level: NDArray[np.float64] = 10.0 * np.log10(np.maximum(power, 1e-20))
    return level


def _power(level_db: float) -> float:
    return float(10.0 ** (level_db / 10.0))
