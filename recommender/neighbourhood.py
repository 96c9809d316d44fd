"""The tracks of a group's playlists around a query: the nearest, their vote, how close a playlist is."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recommender.heads import fit_prototypes, unit_rows
from recommender.index import TrackIndex

FloatArray = NDArray[np.float32]
IdArray = NDArray[np.int64]

# How many of a playlist's own tracks tell its distance.
N_DISTANCE = 15
# Exponent of the similarity in the vote: twice as similar counts eight times.
VOTE_POWER = 3
# Share of the vote that is spread evenly, so that no label ever has a vote of zero.
VOTE_FLOOR = 0.02


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest members of each label, nearest first: all (n_queries, n_labels, k).

    ``track_ids`` is -1 and ``similarity`` -inf where a label has fewer members; there ``weight`` is 0 and
    ``distance`` NaN.
    """

    track_ids: IdArray
    similarity: FloatArray
    weight: FloatArray
    distance: FloatArray


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """Tracks of the playlists of one group, in the group's own space.

    Attributes
    ----------
    track_ids : (n_members,) int64, distinct
    embeddings : (n_members, dim) float32, unit length
    lengths : (n_members,) float32
        Length of the standardised vector before it was made unit length.
    weights : (n_members, n_labels) float32
        How much a track counts in a label; 0 where it is no member, and each column sums to 1.
    """

    track_ids: IdArray
    embeddings: FloatArray
    lengths: FloatArray
    weights: FloatArray

    @property
    def membership(self) -> NDArray[np.bool_]:
        """(n_members, n_labels) bool."""
        answer: NDArray[np.bool_] = self.weights > 0
        return answer

    @cached_property
    def prototypes(self) -> FloatArray:
        """(n_labels, dim) float32, unit length."""
        return fit_prototypes(self.embeddings, self.weights.astype(np.float64))

    @cached_property
    def _sums(self) -> FloatArray:
        """(n_labels, dim): the prototypes before they are made unit length."""
        return self.weights.T @ self.embeddings

    @cached_property
    def _label_rows(self) -> tuple[IdArray, ...]:
        return tuple(np.flatnonzero(column) for column in self.membership.T)

    @cached_property
    def _label_indexes(self) -> tuple[TrackIndex, ...]:
        """One index per label over *rows* of this neighbourhood; never saved, so never mixed up."""
        return tuple(
            TrackIndex.build(rows, self.embeddings[rows], fingerprint="rows") for rows in self._label_rows
        )

    def nearest(
        self, queries: FloatArray, lengths: FloatArray, k: int, exclude_ids: Sequence[Sequence[int]] | None
    ) -> Nearest:
        """Return the ``k`` nearest members of every label, leaving out each query's ``exclude_ids``."""
        n_extra = max((len(ids) for ids in exclude_ids), default=0) if exclude_ids else 0
        found = [index.search(queries, k + n_extra) for index in self._label_indexes]
        rows = np.stack([ids for ids, _ in found], axis=1)
        similarity = np.stack([similarities for _, similarities in found], axis=1)
        track_ids = np.where(rows >= 0, self.track_ids[rows], -1)
        if exclude_ids:
            for query, ids in enumerate(exclude_ids):
                similarity[query][np.isin(track_ids[query], ids)] = -np.inf
            order = np.argsort(-similarity, axis=2, kind="stable")
            rows, similarity, track_ids = (
                np.take_along_axis(values, order, axis=2) for values in (rows, similarity, track_ids)
            )
        rows, similarity, track_ids = rows[..., :k], similarity[..., :k], track_ids[..., :k]
        there = np.isfinite(similarity)
        label = np.arange(rows.shape[1])[None, :, None]
        return Nearest(
            track_ids=np.where(there, track_ids, -1),
            similarity=similarity,
            weight=np.where(there, self.weights[rows, label], 0).astype(np.float32),
            distance=self._distances(rows, similarity, lengths, there),
        )

    def votes(self, nearest: Nearest, n_neighbours: int) -> FloatArray:
        """Return each label's share of the vote of the nearest members, (n_queries, n_labels), rows sum to 1.

        A neighbour counts with its similarity to the power of three and with its weight in the label, which
        corrects for the playlist's size and for artists with many tracks.
        """
        n_queries, n_labels, _ = nearest.similarity.shape
        flat = np.sort(nearest.similarity.reshape(n_queries, -1), axis=1)[:, ::-1]
        last = flat[:, min(n_neighbours, flat.shape[1]) - 1][:, None, None]
        counted = np.where(nearest.similarity >= last, np.maximum(nearest.similarity, 0), 0)
        share = (counted**VOTE_POWER * nearest.weight).sum(axis=2)
        total = share.sum(axis=1, keepdims=True)
        share = np.divide(share, total, out=np.full_like(share, 1 / n_labels), where=total > 0)
        votes: FloatArray = ((1 - VOTE_FLOOR) * share + VOTE_FLOOR / n_labels).astype(np.float32)
        return votes

    def prototype_cosines(
        self, queries: FloatArray, exclude_ids: Sequence[Sequence[int]] | None
    ) -> FloatArray:
        """(n_queries, dim) -> (n_queries, n_labels); a query that is a member is first taken out."""
        cosines: FloatArray = queries @ self.prototypes.T
        for query, ids in enumerate(exclude_ids or ()):
            rows = np.flatnonzero(np.isin(self.track_ids, ids)) if len(ids) else ()
            if len(rows):
                without = self._sums - self.weights[rows].T @ self.embeddings[rows]
                cosines[query] = unit_rows(without) @ queries[query]
        return cosines

    def _distances(
        self, rows: IdArray, similarity: FloatArray, lengths: FloatArray, there: NDArray[np.bool_]
    ) -> FloatArray:
        """Euclidean distances between standardised vectors, by the law of cosines."""
        a, b = lengths[:, None, None], self.lengths[rows]
        squared = a**2 + b**2 - 2 * a * b * np.where(there, similarity, 0)
        return np.where(there, np.sqrt(np.maximum(squared, 0)), np.nan).astype(np.float32)


def mean_log_distance(nearest: Nearest) -> FloatArray:
    """(n_queries, n_labels): log of the mean distance to a label's nearest members; NaN without any."""
    distance = nearest.distance[..., :N_DISTANCE]
    n_there = (~np.isnan(distance)).sum(axis=2)
    total = np.nansum(distance, axis=2)
    mean = np.divide(total, n_there, out=np.full_like(total, np.nan), where=n_there > 0)
    # Two copies of one file are at distance 0; the floor keeps the logarithm finite.
    logs: FloatArray = np.log(np.maximum(mean, 1e-3)).astype(np.float32)
    return logs
