"""Reads windows as the encoder does, and tells what they must hold."""

from pathlib import Path

import numpy as np
import soundfile
import soxr

from embeddings.audio import DEFAULT_LIMITS, AudioLimits, Windows, read_windows

RATE_HZ = 16_000
WINDOW_S = 3.008
N_WINDOW = 48_128


def read(path: Path, *, max_windows: int = 8, limits: AudioLimits = DEFAULT_LIMITS) -> Windows:
    return read_windows(
        path, window_s=WINDOW_S, max_windows=max_windows, sample_rate_hz=RATE_HZ, limits=limits
    )


def whole_track(path: Path) -> np.ndarray:
    """The obvious way: decode everything, average the channels, resample everything."""
    samples, sample_rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    return soxr.resample(samples.mean(axis=1), sample_rate_hz, RATE_HZ)


def assert_windows_of(windows: Windows, y: np.ndarray, *, atol: float = 2e-6) -> None:
    """Each window equals what the whole 16 kHz signal ``y`` has there."""
    for signal, start_s in zip(windows.signals, windows.start_s, strict=True):
        start = round(start_s * RATE_HZ)
        np.testing.assert_allclose(signal, y[start : start + len(signal)], atol=atol)
