"""Made audio files with tags, and ways to listen to them, for tests of scans and jobs.

The ways to listen are functions of this module because the processes that listen import them by name.
"""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from embeddings.encoder import Encoder, TrackEmbedding
from embeddings.stretch import Stretch
from recommender.sources.album_tracks import FileTrack, read_tracks

TINY_ENCODER = Path(__file__).parent / "golden" / "tiny_encoder"
SAMPLE_RATE_HZ = 16_000
LISTENED_LOG = "listened.log"
SLOW_S = 0.2

Listen = Callable[[Path, Stretch], TrackEmbedding]


def write_track(
    path: Path, *, tone_hz: float, title: str = "", artist: str = "", album: str = "", duration_s: float = 3.5
) -> Path:
    """Write a two-partial tone, as FLAC or whatever the name says; returns the path."""
    t = np.arange(round(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    y = 0.4 * np.sin(2 * np.pi * tone_hz * t) + 0.2 * np.sin(2 * np.pi * 3 * tone_hz * t)
    path.parent.mkdir(parents=True, exist_ok=True)
    with soundfile.SoundFile(path, "w", samplerate=SAMPLE_RATE_HZ, channels=1) as file:
        for name, value in (("title", title), ("artist", artist), ("album", album)):
            if value:
                setattr(file, name, value)
        # libsndfile's Vorbis writer overflows its stack on one long block.
        for start in range(0, len(y), SAMPLE_RATE_HZ):
            file.write(y[start : start + SAMPLE_RATE_HZ])
    return path


def write_folder(folder: Path, *, n_tracks: int, first_hz: float = 200.0) -> list[Path]:
    """Write so many different tracks, named in the order of their pitch."""
    return [
        write_track(
            folder / f"{number:02}.flac", tone_hz=first_hz + 40 * number, title=f"t{number}", artist="a"
        )
        for number in range(n_tracks)
    ]


def listen_and_log(directory: Path) -> Listen:
    """Listen with the tiny encoder and note each file's name beside it, once for each time."""
    encoder = Encoder.load(directory, n_threads=1)

    def listen(path: Path, stretch: Stretch) -> TrackEmbedding:
        with (path.parent.parent / LISTENED_LOG).open("a", errors="surrogateescape") as log:
            log.write(f"{path.name}\n")
        return encoder.listen(path, stretch)

    return listen


def listen_slowly(directory: Path) -> Listen:
    """As :func:`listen_and_log`, slowly enough for somebody to interfere."""
    listen = listen_and_log(directory)

    def slow(path: Path, stretch: Stretch) -> TrackEmbedding:
        heard = listen(path, stretch)
        time.sleep(SLOW_S)
        return heard

    return slow


def listen_dangerously(directory: Path) -> Listen:
    """As :func:`listen_and_log`, but some files kill the process that hears them, or hang it."""
    listen = listen_and_log(directory)

    def dangerous(path: Path, stretch: Stretch) -> TrackEmbedding:
        heard = listen(path, stretch)
        if "poison" in path.name:
            os.kill(os.getpid(), signal.SIGKILL)
        if "endless" in path.name:
            time.sleep(3600)
        return heard

    return dangerous


def listened(folder: Path) -> list[str]:
    """Names of the files in a library's playlists that were listened to, in that order."""
    log = folder / LISTENED_LOG
    return log.read_text(errors="surrogateescape").splitlines() if log.exists() else []


def read_tracks_dangerously(path: Path) -> tuple[FileTrack, ...]:
    """As :func:`read_tracks`, but some files kill the process that reads their tags, or hang it."""
    if "deadly tags" in path.name:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "endless tags" in path.name:
        time.sleep(3600)
    return read_tracks(path)
