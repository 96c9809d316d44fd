"""What a front end shows of many tracks, on disk and as much of it in memory as is reasonable."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.audio_files.content_hash import content_sha256
from training.learning.mel_cache import read_entry, write_entry
from training.recipes.front_ends import FrontEnd

Images = NDArray[np.float32]

# Images of more than this, as float16, are read from disk at each use.
MAX_BYTES = 1 << 30


class CachedImages(Sequence[Images]):
    """Images of many tracks, (n_images, *shape) float32 each: what the trainer takes.

    One file per recording, named by its content, in a folder of the front end's fingerprint.
    """

    def __init__(self, directory: Path, front_end: FrontEnd, paths: Sequence[Path]) -> None:
        self._directory = directory / front_end.fingerprint
        self._front_end = front_end
        self._paths = tuple(paths)
        self._contents = tuple(content_sha256(path) for path in self._paths)
        self._held: dict[int, NDArray[np.float16]] = {}
        self._n_bytes = 0

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, row: int) -> Images:  # type: ignore[override]  # one track at a time, no slices
        found = self._held.get(row)
        if found is None:
            found = self._read(row)
            if self._n_bytes + found.nbytes <= MAX_BYTES:
                self._held[row] = found
                self._n_bytes += found.nbytes
        return found.astype(np.float32)

    def _read(self, row: int) -> NDArray[np.float16]:
        content = self._contents[row]
        entry = self._directory / content[:2] / f"{content}.npz"
        found = read_entry(entry, n_axes=1 + len(self._front_end.shape))
        if found is None:
            found = self._front_end.hear(self._paths[row]).astype(np.float16)
            write_entry(entry, found)
        return found


class PickedImages(Sequence[Images]):
    """Images of a selection of tracks, or of parts of them: pairs of a track's row and a slice."""

    def __init__(self, images: Sequence[Images], picked: Sequence[tuple[int, slice]]) -> None:
        self._images = images
        self._picked = tuple(picked)

    def __len__(self) -> int:
        return len(self._picked)

    def __getitem__(self, row: int) -> Images:  # type: ignore[override]  # one at a time, no slices
        track, part = self._picked[row]
        return self._images[track][part]
