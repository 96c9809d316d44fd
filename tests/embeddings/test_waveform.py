"""Peaks of a track for drawing."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.errors import UndecodableAudio
from embeddings.waveform import read_waveform

RATE_HZ = 8_000


def _write(path: Path, y: np.ndarray, rate_hz: int = RATE_HZ) -> Path:
    soundfile.write(path, y, rate_hz, subtype="FLOAT")
    return path


def test_peaks_follow_the_loudness(tmp_path: Path) -> None:
    y = np.concatenate([np.full(RATE_HZ * 4, level) for level in (0.1, 0.8, 0.0, 0.4)])
    y[::2] *= -1
    peaks, duration_s = read_waveform(_write(tmp_path / "steps.wav", y), 8)
    assert duration_s == 16.0
    np.testing.assert_allclose(peaks[[0, 2, 6, 7]], [0.1, 0.8, 0.4, 0.4], atol=1e-6)
    assert peaks[5] < 0.01


def test_the_louder_channel_counts(tmp_path: Path) -> None:
    y = np.zeros((RATE_HZ * 2, 2))
    y[:, 1] = -0.5
    peaks, _ = read_waveform(_write(tmp_path / "right.wav", y), 4)
    np.testing.assert_allclose(peaks, 0.5)


@settings(max_examples=25, deadline=None)
@given(n_samples=st.integers(1, 40_000), n_points=st.integers(1, 500), level=st.floats(0.0, 4.0, width=32))
def test_any_length_gives_at_most_the_points_asked_for(
    tmp_path_factory: pytest.TempPathFactory, n_samples: int, n_points: int, level: float
) -> None:
    y = np.full(n_samples, level)
    path = _write(tmp_path_factory.mktemp("w") / "any.wav", y)
    peaks, duration_s = read_waveform(path, n_points)
    assert 1 <= len(peaks) <= n_points
    assert duration_s == n_samples / RATE_HZ
    np.testing.assert_allclose(peaks, min(level, 1.0), rtol=1e-6, atol=1e-30)


def test_no_audio_is_said(tmp_path: Path) -> None:
    path = tmp_path / "text.mp3"
    path.write_text("not music")
    with pytest.raises(UndecodableAudio):
        read_waveform(path, 10)
