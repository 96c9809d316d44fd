"""Hear the files of a labelled folder without the database; what was heard once is read from a cache."""

import os
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.config import EncoderConfig
from embeddings.encoder_files import load_encoder_config
from recommender.audio_files.content_hash import content_sha256
from recommender.records.tracks import Place
from recommender.settings import Settings
from training.datasets.playlist_folders import TrackRow
from training.encoder.export import ensure_encoder
from training.listening.listeners import Heard, Listeners

Progress = Callable[[int, int, str], None]

COLLECT_S = 0.5


@dataclass(frozen=True, eq=False)
class HeardFolder:
    """Tracks of a folder that could be heard.

    ``raw`` is (n_tracks, dim) float32 and ``durations_s`` (n_tracks,) float64, in the order of ``rows``;
    ``failed`` names the other files with a code and a sentence.
    """

    config: EncoderConfig
    rows: tuple[TrackRow, ...]
    raw: NDArray[np.float32]
    durations_s: NDArray[np.float64]
    failed: tuple[tuple[TrackRow, str, str], ...]


def hear_folder(
    rows: Sequence[TrackRow],
    settings: Settings,
    *,
    encoder_directory: Path | None = None,
    progress: Progress | None = None,
) -> HeardFolder:
    """Return the raw vectors of the files, heard in a process for each core."""
    directory = encoder_directory or ensure_encoder(settings)
    config = load_encoder_config(directory)
    cache = _Cache(settings.cache_directory / "vectors" / config.fingerprint)
    found: dict[int, tuple[NDArray[np.float32], float]] = {}
    failed: dict[int, tuple[str, str]] = {}
    keys: dict[int, str] = {}
    for number, row in enumerate(rows):
        try:
            keys[number] = content_sha256(row.file)
        except OSError as error:
            failed[number] = ("unreadable_file", str(error.strerror))
            continue
        if (stored := cache.read(keys[number])) is not None:
            found[number] = stored
    waiting = {number: Place(rows[number].file) for number in keys if number not in found}
    for heard in hear_files(waiting, directory, settings):
        if heard.embedding is None:
            failed[heard.key] = (heard.code, heard.error)
        else:
            found[heard.key] = (heard.embedding.vector, heard.embedding.duration_s)
            cache.write(keys[heard.key], *found[heard.key])
        if progress:
            progress(len(found) + len(failed), len(rows), "listening")
    order = sorted(found)
    dim = config.embedding_dim
    return HeardFolder(
        config=config,
        rows=tuple(rows[number] for number in order),
        raw=np.array([found[number][0] for number in order], dtype=np.float32).reshape(len(order), dim),
        durations_s=np.array([found[number][1] for number in order], dtype=np.float64),
        failed=tuple((rows[number], *failed[number]) for number in sorted(failed)),
    )


def hear_files(places: Mapping[int, Place], directory: Path, settings: Settings) -> Iterator[Heard]:
    """Yield what became of each file under its key, in the order in which they are done."""
    n_processes = min(settings.embedding_processes, os.cpu_count() or 1, len(places))
    if not n_processes:
        return
    ahead, n_busy = deque(places.items()), 0
    with Listeners(directory, n_processes=n_processes) as listeners:
        while ahead or n_busy:
            while ahead and listeners.n_idle:
                key, place = ahead.popleft()
                listeners.submit(key, *place)
                n_busy += 1
            for heard in listeners.collect(COLLECT_S):
                n_busy -= 1
                yield heard


class _Cache:
    """One small file per recording, named by the hash of its audio; a damaged one counts as missing."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self, key: str) -> tuple[NDArray[np.float32], float] | None:
        try:
            with np.load(self._directory / f"{key}.npz", allow_pickle=False) as stored:
                return stored["vector"], float(stored["duration_s"])
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error):
            return None

    def write(self, key: str, vector: NDArray[np.float32], duration_s: float) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        aside = self._directory / f".{key}.{os.getpid()}.npz"
        np.savez(aside, vector=vector, duration_s=duration_s)
        aside.replace(self._directory / f"{key}.npz")
