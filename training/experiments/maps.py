"""An experiment's tracks on paper: what its network heard before and after training."""

from collections.abc import Callable
from typing import Any

import numpy as np

from recommender.answering.library_map import flatten_by_pca
from training.experiments.figures import JudgedRecipe, standardise
from training.judging.maps import N_NEIGHBOURS, flatten_by_umap

Progress = Callable[[int, int, str], None]


def draw_planes(judged: JudgedRecipe, *, progress: Progress = lambda *_: None) -> dict[str, Any]:
    """Return what the maps are drawn from: those of the first fold's network, for all tracks.

    Returns
    -------
    dict
        ``planes``: name -> (n_tracks, 2) points, ``variance`` of the two PCAs, and ``tracks`` with a title,
        a label and whether the network had learnt from each.
    """
    fold, answer, tracks = judged.folds[0], judged.answers[0], judged.tracks
    planes: dict[str, list[list[float]]] = {}
    variance = {}
    for when, embeddings in (("before", answer.before), ("after", answer.embeddings)):
        scaled = standardise(embeddings, np.arange(len(embeddings)))
        points, variance[when] = flatten_by_pca(scaled)
        planes[f"pca_{when}"] = points.tolist()
        # With fewer tracks than a neighbourhood UMAP has nothing to go by.
        if len(scaled) > N_NEIGHBOURS:
            progress(0, 0, "drawing the maps")
            planes[f"umap_{when}"] = flatten_by_umap(scaled, seed=judged.recipe.training.seed).tolist()
    learnt = set(fold.known.tolist())
    return {
        "planes": planes,
        "variance": variance,
        "tracks": [
            {
                "title": tracks.titles[row],
                "artist": tracks.tracks.artists[row],
                "label": tracks.names[label],
                "learnt": row in learnt,
            }
            for row, label in enumerate(tracks.own.tolist())
        ],
    }
