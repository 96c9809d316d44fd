"""Log-mel patches on disk, so that training hears every track once and reads it many times."""

import hashlib
import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.config import FRONT_END_VERSION, MelConfig, PatchConfig
from embeddings.patches import track_patches
from embeddings.stretch import WHOLE, Stretch
from recommender.audio_files.content_hash import content_sha256, stretch_sha256
from recommender.disk import replacing
from recommender.records.tracks import Place

Patches = NDArray[np.float32]


@dataclass(frozen=True)
class MelCache:
    """One file per recording, named by its content; another front end gets another folder.

    An entry is the patches as float16 (half a thousandth of a unit of log-mel at worst). The archive's
    checksum is verified on reading, and an entry that fails it is made again.
    """

    directory: Path
    mel: MelConfig = field(default_factory=MelConfig)
    patches: PatchConfig = field(default_factory=PatchConfig)

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits of all that fixes what a log-mel patch means."""
        text = json.dumps([FRONT_END_VERSION, asdict(self.mel), asdict(self.patches)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def entry(self, content: str) -> Path:
        """File of the recording whose content hash this is."""
        return self.directory / self.fingerprint / content[:2] / f"{content}.npz"

    def patches_of(self, path: Path, stretch: Stretch = WHOLE, *, content: str | None = None) -> Patches:
        """Log-mel patches of an audio file: (n_patches, patch_frames, n_mels) float32.

        Parameters
        ----------
        path : Path
            Read only when the cache has nothing sound; what cannot be heard raises an EmbeddingError.
        content : str, optional
            Content hash of the file, or of the stretch, where it is already known.
        """
        entry = self.entry(content or stretch_sha256(content_sha256(path), stretch))
        found = read_entry(entry)
        if found is None:
            found = track_patches(path, self.mel, self.patches, stretch=stretch).patches.astype(np.float16)
            write_entry(entry, found)
        return found.astype(np.float32)


def read_entry(entry: Path, *, n_axes: int = 3) -> NDArray[np.float16] | None:
    """Return what the cache holds of a recording; None where that is missing, damaged or of another kind."""
    try:
        with np.load(entry, allow_pickle=False) as archive:
            patches: NDArray[np.float16] = archive["patches"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return patches if patches.ndim == n_axes and patches.dtype == np.float16 else None


def write_entry(entry: Path, patches: NDArray[np.float16]) -> None:
    """Put a recording into the cache, in one step."""
    entry.parent.mkdir(parents=True, exist_ok=True)
    # Aside first: two workers may make one entry at a time, and a killed one must not leave half of it.
    with replacing(entry) as file:
        np.savez(file, patches=patches)


class CachedPatches(Sequence[Patches]):
    """Patches of many tracks, each read from the cache when asked for: what the trainer takes."""

    def __init__(self, cache: MelCache, places: Sequence[Place]) -> None:
        self._cache = cache
        self._places = tuple(places)
        # Hashing reads the whole file, so it is done once and not in every epoch.
        self._contents = tuple(stretch_sha256(content_sha256(p.path), p.stretch) for p in self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, row: int) -> Patches:  # type: ignore[override]  # one track at a time, no slices
        return self._cache.patches_of(*self._places[row], content=self._contents[row])
