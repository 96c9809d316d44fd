"""What every test may ask for: seeded chance, made sounds, a small demo library, and the databases."""

from collections.abc import Generator
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from training.demo.library import DemoLibrary, build_demo_library
from training.demo.plan import LibrarySize

pytest_plugins = ["tests.databases"]

REPOSITORY = Path(__file__).parent.parent
SMALL = LibrarySize(n_tracks=9, n_neither=2, n_new=3, shortest_s=6.0, longest_s=8.0)


class WriteAudio(Protocol):
    """Write a signal under the test's folder and return its path."""

    def __call__(
        self, name: str, y: NDArray[np.floating], *, sample_rate_hz: int, subtype: str | None = None
    ) -> Path: ...


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make what a test logged fit to be sent between processes: odd names are in it on purpose."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "replace").decode()) for name, text in report.sections]
    return report


@pytest.fixture
def rng() -> np.random.Generator:
    """Chance that is the same in every run."""
    return np.random.default_rng(440)


@pytest.fixture
def write_audio(tmp_path: Path) -> WriteAudio:
    """Write a signal (n_samples,) or (n_samples, n_channels); the name's suffix decides the format."""

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


@pytest.fixture(scope="session")
def demo_library(tmp_path_factory: pytest.TempPathFactory) -> DemoLibrary:
    """A small demo library, made once: nine tracks of three artists a playlist. Do not write into it."""
    return build_demo_library(tmp_path_factory.mktemp("demo") / "demo", size=SMALL, n_processes=1)


@pytest.fixture(scope="session")
def shared_music() -> Path:
    """Folder of real recordings that may stand beside the checkout, one folder per playlist."""
    folder = REPOSITORY.parent / "shared" / "music"
    if not folder.is_dir():
        pytest.skip("needs the real recordings of ../shared/music, which are no part of the project")
    return folder
