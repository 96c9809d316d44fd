"""Made sounds and ways to write them, for the tests of this package."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from embeddings.encoder import Encoder

GOLDEN = Path(__file__).parent.parent / "golden"


class WriteAudio(Protocol):
    """Write a signal under the test's folder and return its path."""

    def __call__(
        self, name: str, y: NDArray[np.floating], *, sample_rate_hz: int, subtype: str | None = None
    ) -> Path: ...


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(440)


@pytest.fixture
def write_audio(tmp_path: Path) -> WriteAudio:
    def write(name: str, y: NDArray[np.floating], *, sample_rate_hz: int, subtype: str | None = None) -> Path:
        path = tmp_path / name
        n_channels = 1 if y.ndim == 1 else y.shape[1]
        kind = {"format": "OGG", "subtype": "OPUS"} if path.suffix == ".opus" else {"subtype": subtype}
        with soundfile.SoundFile(path, "w", samplerate=sample_rate_hz, channels=n_channels, **kind) as file:
            # libsndfile's Vorbis writer overflows its stack on one long block.
            for start in range(0, len(y), sample_rate_hz):
                file.write(y[start : start + sample_rate_hz])
        return path

    return write


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
