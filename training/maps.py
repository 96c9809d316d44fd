"""The tracks of a group as points on paper: two ways of flattening their embeddings."""

import sys
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

# With fewer tracks UMAP's neighbourhoods are the whole set, and it shows nothing that PCA does not.
MIN_UMAP_TRACKS = 50
N_NEIGHBOURS = 15


def flatten_by_pca(embeddings: FloatArray) -> tuple[FloatArray, float]:
    """Return the first two principal components, (n_tracks, 2), and the share of variance they hold."""
    centred = embeddings - embeddings.mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    plane = np.zeros((len(embeddings), 2), dtype=np.float32)
    plane[:, : min(2, len(s))] = (u * s)[:, :2]
    total = float((s**2).sum())
    return plane, float((s[:2] ** 2).sum()) / total if total else 1.0


def flatten_by_umap(embeddings: FloatArray, *, seed: int) -> FloatArray:
    """Return a plane on which neighbours stay neighbours (McInnes et al. 2018), (n_tracks, 2).

    Distances between far groups mean nothing on it. The same seed gives the same map.
    """
    if "tensorflow" not in sys.modules:
        # umap would import TensorFlow for a variant that is not used: six seconds and 700 MB.
        cast(dict[str, Any], sys.modules).setdefault("umap.parametric_umap", None)
    from umap import UMAP

    model = UMAP(n_neighbors=N_NEIGHBOURS, init="pca", random_state=seed, n_jobs=1)
    plane: FloatArray = np.asarray(model.fit_transform(embeddings), dtype=np.float32)
    return plane
