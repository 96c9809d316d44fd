"""Tracks as points on paper by UMAP, which keeps neighbours together, and the map of the whole library."""

import sys
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from recommender.answering.library_map import LibraryMap, fill_square, flatten_by_pca
from recommender.catalogue.database import Database
from recommender.catalogue.embeddings import load_embeddings
from recommender.catalogue.models import current_bundle
from recommender.model.bundle import read_bundle
from recommender.model.in_service import NoModel
from recommender.settings import Settings

FloatArray = NDArray[np.float32]

# With fewer tracks UMAP's neighbourhoods are the whole set, and it shows nothing that PCA does not.
MIN_UMAP_TRACKS = 50
N_NEIGHBOURS = 15


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


def draw_library(database: Database, settings: Settings, *, seed: int = 0) -> str:
    """Draw the library as the bundle in service hears it, and keep the map; return the method.

    Raises
    ------
    NoModel
        No bundle is in service.
    """
    with database.read_session() as session:
        bundle = current_bundle(session)
        if bundle is None:
            raise NoModel("no model is in service, so there is nothing to draw")
        track_ids, raw = load_embeddings(session, bundle.fingerprint)
    standardisation = read_bundle(bundle.directory).standardisation
    embeddings = standardisation.apply(raw) if len(raw) else raw
    is_large = len(embeddings) >= MIN_UMAP_TRACKS
    plane = flatten_by_umap(embeddings, seed=seed) if is_large else flatten_by_pca(embeddings)[0]
    method = "umap" if is_large else "pca"
    LibraryMap(track_ids, fill_square(plane), method, bundle.fingerprint).save(settings)
    return method
