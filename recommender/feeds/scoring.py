"""What a model says of a feed's tracks, from the embeddings that are kept: no audio is touched."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.model.group import GroupModel, GroupScores
from recommender.records.promises import Promise

N_NEAREST = 3
_DIGITS = 4

FloatArray = NDArray[np.float32]


def score_tracks(
    group: GroupModel,
    track_ids: Sequence[int],
    raw: FloatArray,
    *,
    artists: Sequence[str],
    promise: Promise,
    n_threads: int = 1,
) -> list[tuple[int, dict[str, Any]]]:
    """Return (track, results) of tracks that were heard; a track never speaks for itself.

    Parameters
    ----------
    raw : (n_tracks, dim) float32
        Vectors as the database keeps them, in the order of ``track_ids``.
    artists : names, in that order; empty where nobody knows

    Returns
    -------
    results : for each track, under ``playlists``, the group's playlists, the most probable first.
        Each has ``id``, ``probability``, ``fits``, ``p_value``, ``classifier``, ``neighbours`` and
        ``nearest``: pairs of a track's id and its similarity.
    """
    members = set(group.member_ids.tolist())
    exclude = [[track_id] if track_id in members else [] for track_id in track_ids]
    scores = group.score(
        raw,
        artists=artists,
        exclude_ids=exclude if any(exclude) else None,
        n_nearest=N_NEAREST,
        n_threads=n_threads,
    )
    fits = group.name(scores, promise).fits
    return list(zip(map(int, track_ids), _describe(group, scores, fits), strict=True))


def _describe(group: GroupModel, scores: GroupScores, fits: NDArray[np.bool_]) -> Iterable[dict[str, Any]]:
    ids = group.playlist_ids.tolist()
    orders = np.argsort(-scores.probability, axis=1, kind="stable").tolist()
    tables = (scores.probability, scores.p_value, scores.classifier, scores.neighbours)
    probability, p_value, classifier, neighbours = (
        np.round(t.astype(np.float64), _DIGITS).tolist() for t in tables
    )
    nearest_ids = scores.nearest_ids.tolist()
    similarity = np.round(scores.nearest_similarity.astype(np.float64), _DIGITS).tolist()
    for row, order in enumerate(orders):
        yield {
            "playlists": [
                {
                    "id": ids[label],
                    "probability": probability[row][label],
                    "fits": bool(fits[row, label]),
                    "p_value": None if np.isnan(scores.p_value[row, label]) else p_value[row][label],
                    "classifier": classifier[row][label],
                    "neighbours": neighbours[row][label],
                    "nearest": [
                        [track_id, near]
                        for track_id, near in zip(
                            nearest_ids[row][label], similarity[row][label], strict=True
                        )
                        if track_id >= 0
                    ],
                }
                for label in order
            ]
        }
