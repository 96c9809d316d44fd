"""A made tune and an encoder small enough to check by hand."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from embeddings.encoder import Encoder

GOLDEN = Path(__file__).parent.parent / "golden"


@pytest.fixture
def music() -> Callable[..., NDArray[np.float32]]:
    """A made tune: chords of three partials that change every half second, over a little noise."""

    def make(duration_s: float, *, sample_rate_hz: int, n_channels: int = 1) -> NDArray[np.float32]:
        rng = np.random.default_rng(440)
        t = np.arange(round(duration_s * sample_rate_hz)) / sample_rate_hz
        root_hz = rng.choice([110.0, 147.0, 196.0, 262.0], size=int(duration_s * 2) + 1)
        phase = 2 * np.pi * np.cumsum(root_hz[(t * 2).astype(int)]) / sample_rate_hz
        y = 0.3 * np.sin(phase) + 0.15 * np.sin(2 * phase) + 0.1 * np.sin(5 * phase)
        channels = [y + 0.01 * rng.standard_normal(len(t)) for _ in range(n_channels)]
        return np.stack(channels, axis=1).astype(np.float32).squeeze()

    return make


@pytest.fixture(scope="session")
def tiny_encoder() -> Encoder:
    return Encoder.load(GOLDEN / "tiny_encoder")
