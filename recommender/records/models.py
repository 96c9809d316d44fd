"""Models and what the catalogue holds, as plain values; times are seconds since 1970, UTC."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class StoredPatches:
    """Raw patch embeddings of one track.

    ``patches`` is (n_patches, dim) float32, ``start_s`` (n_patches,) float64, ``patch_s`` the length
    of the audio behind one patch.
    """

    patches: NDArray[np.float32]
    start_s: NDArray[np.float64]
    patch_s: float


@dataclass(frozen=True)
class BundleInfo:
    """One trained bundle; ``state`` is champion, challenger or retired."""

    id: str
    state: str
    directory: Path
    fingerprint: str
    created_at: float
    promoted_at: float | None
    summary: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CatalogueCounts:
    """How much the catalogue holds; ``n_embeddings`` is per encoder fingerprint."""

    n_tracks: int
    n_artists: int
    n_files: int
    n_failed_files: int
    n_playlists: int
    n_embeddings: dict[str, int]
    n_bundles: int
    n_jobs: dict[str, int]


@dataclass(frozen=True)
class SchemaState:
    """The database's revision beside the program's."""

    revision: str | None
    head: str

    @property
    def is_current(self) -> bool:
        """Whether the tables are those this program expects."""
        return self.revision == self.head
