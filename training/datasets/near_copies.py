"""Files that hold one recording under two names, found by their sound."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.config import MelConfig, PatchConfig
from embeddings.errors import EmbeddingError
from embeddings.patches import track_patches
from training.folds import IdArray, same_recordings

Progress = Callable[[int, int, str], None]
Sound = tuple[NDArray[np.float32], float]

# A patch of 187 frames and 96 bands is seen as so many cells of time and of bands.
N_TIMES, N_BANDS = 11, 12
N_PATCHES = PatchConfig.max_patches
# Measured on 131 recordings: copies that were encoded, resampled and made softer reach 0.95 and more, what is
# no copy 0.62 at most.
LEAST_COSINE = 0.9


def find_recordings(paths: Sequence[Path], *, progress: Progress | None = None) -> IdArray:
    """Return equal numbers for files that hold one recording, whatever their format and level.

    Two do where their log-mels rise and fall alike, band by band, and they are equally long. An excerpt that
    begins elsewhere is not recognised, and a file that cannot be heard is like no other.

    Returns
    -------
    (n_paths,) int64
    """
    if not paths:
        return np.empty(0, dtype=np.int64)
    courses = np.zeros((len(paths), N_PATCHES * N_TIMES * N_BANDS), np.float32)
    durations_s = np.full(len(paths), np.nan)
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # decoding lets the other threads run
        for row, sound in enumerate(pool.map(_sound, paths)):
            if sound is not None:
                courses[row, : len(sound[0])], durations_s[row] = sound
            if progress:
                progress(row + 1, len(paths), "looking for copies")
    return same_recordings(courses, durations_s, least_cosine=LEAST_COSINE)


def _sound(path: Path) -> Sound | None:
    """Return how a track's bands rise and fall, of unit length, and its duration; None without sound."""
    try:
        heard = track_patches(path, MelConfig(), PatchConfig())
    except EmbeddingError:
        return None
    n_patches, n_frames, n_mels = heard.patches.shape
    cells = heard.patches.reshape(n_patches, N_TIMES, n_frames // N_TIMES, N_BANDS, n_mels // N_BANDS)
    course = cells.mean(axis=(2, 4))
    course = (course - course.mean(axis=(0, 1))).ravel()
    return course / max(float(np.linalg.norm(course)), 1e-6), heard.duration_s
