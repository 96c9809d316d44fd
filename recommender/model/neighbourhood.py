"""The tracks of a group's playlists around a query: the nearest, their vote, how close a playlist is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recommender.model.heads import fit_prototypes, unit_rows

FloatArray = NDArray[np.float32]
IdArray = NDArray[np.int64]
RowArray = NDArray[np.int32]

# How many of a playlist's own tracks tell its distance.
N_DISTANCE = 15
# Share of the vote that is spread evenly, so that no label ever has a vote of zero.
VOTE_FLOOR = 0.02
# Similarities this close are equal: their last bits depend on what else is in the batch.
SAME_SIMILARITY = 1e-6
# How many queries are worked on at a time: few enough to stay in the processor's cache with a playlist.
QUERIES_AT_ONCE = 512
FEW_QUERIES = 8


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest members of each label, nearest first: all (n_queries, n_labels, k).

    ``track_ids`` may name fewer than k, as asked; it is -1 and ``similarity`` -inf where a label has fewer
    members; there ``weight`` is 0 and ``distance`` NaN.
    """

    track_ids: IdArray
    similarity: FloatArray
    weight: FloatArray
    distance: FloatArray

    @property
    def best_similarity(self) -> FloatArray:
        """(n_queries,): of the nearest member of any label, -inf where there is none."""
        best: FloatArray = self.similarity[:, :, :1].max(axis=(1, 2), initial=-np.inf)
        return best


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
    def _label_rows(self) -> tuple[RowArray, ...]:
        return tuple(np.flatnonzero(column).astype(np.int32) for column in self.membership.T)

    @cached_property
    def _label_embeddings(self) -> tuple[FloatArray, ...]:
        return tuple(self.embeddings[rows] for rows in self._label_rows)

    @cached_property
    def _label_weights(self) -> FloatArray:
        """(n_labels, n_members)."""
        return np.ascontiguousarray(self.weights.T)

    @cached_property
    def _row_of(self) -> dict[int, int]:
        return {track_id: row for row, track_id in enumerate(self.track_ids.tolist())}

    def rows_of(self, track_ids: Sequence[int]) -> list[int]:
        """Rows of those of the tracks that are members."""
        return [self._row_of[track_id] for track_id in track_ids if track_id in self._row_of]

    def nearest(
        self,
        queries: FloatArray,
        lengths: FloatArray,
        k: int,
        *,
        exclude_ids: Sequence[Sequence[int]] | None = None,
        n_named: int | None = None,
    ) -> Nearest:
        """Return the ``k`` nearest members of every label, leaving out each query's ``exclude_ids``.

        Parameters
        ----------
        queries : (n_queries, dim) float32, unit length
        lengths : (n_queries,) float32
            Length of the standardised vectors before they were made unit length.
        n_named : int, optional
            How many of the k get their track ids told; by default all.
        """
        shape = (len(queries), self.weights.shape[1], k)
        rows, similarity = np.zeros(shape, np.int32), np.full(shape, -np.inf, np.float32)
        for block in blocks(len(queries), QUERIES_AT_ONCE):
            excluded = self._excluded(exclude_ids[block] if exclude_ids else ())
            for label, similarities in self._similarities(queries[block]):
                members = self._label_rows[label]
                n_found = min(k, len(members))
                for query, member in excluded:
                    similarities[query, members == member] = -np.inf
                found, columns = _largest(similarities, n_found)
                similarity[block, label, :n_found], rows[block, label, :n_found] = found, members[columns]
        return self._describe(rows, similarity, lengths, n_named)

    def _similarities(self, queries: FloatArray) -> Iterator[tuple[int, FloatArray]]:
        """Yield (label, similarities to its members (n_queries, n_members)) of every label that has any.

        One label at a time: what is worked on then stays in the processor's cache.
        """
        few = _few_cosines(queries, self.embeddings) if len(queries) <= FEW_QUERIES else None
        for label, members in enumerate(self._label_rows):
            if len(members):
                yield label, self._cosines(queries, label) if few is None else np.take(few, members, axis=1)

    def _cosines(self, queries: FloatArray, label: int) -> FloatArray:
        cosines: FloatArray = queries @ self._label_embeddings[label].T
        return cosines

    def _excluded(self, exclude_ids: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
        """(query, row) of every member that must not speak for a query."""
        return [(query, row) for query, ids in enumerate(exclude_ids) for row in self.rows_of(ids)]

    def _describe(
        self, rows: RowArray, similarity: FloatArray, lengths: FloatArray, n_named: int | None
    ) -> Nearest:
        there = similarity > -np.inf
        is_full = bool(there.all())
        weight = self._label_weights[np.arange(similarity.shape[1])[:, None], rows]
        track_ids = self.track_ids[rows[..., :n_named]]
        return Nearest(
            track_ids=track_ids if is_full else np.where(there[..., :n_named], track_ids, -1),
            similarity=similarity,
            weight=weight if is_full else np.where(there, weight, 0),
            distance=self._distances(rows, similarity, lengths, None if is_full else there),
        )

    def votes(self, nearest: Nearest, n_neighbours: int) -> FloatArray:
        """Return each label's share of the vote of the nearest members, (n_queries, n_labels), rows sum to 1.

        A neighbour counts with its similarity to the power of three and with its weight in the label, which
        corrects for the playlist's size and for artists with many tracks.
        """
        n_queries, n_labels, k = nearest.similarity.shape
        n_all = n_labels * k
        column = n_all - min(n_neighbours, n_all)
        rising = np.partition(nearest.similarity.reshape(n_queries, n_all), column, axis=1)
        last = rising[:, column, None, None] - SAME_SIMILARITY
        counted = np.where(nearest.similarity >= last, np.maximum(nearest.similarity, 0), 0)
        # Twice as similar counts eight times. Multiplied out: a power of floats takes ten times as long.
        cubed = counted * counted * counted
        share = np.einsum("qlk,qlk->ql", cubed, nearest.weight)
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
            if rows := self.rows_of(ids):
                without = self._sums - self.weights[rows].T @ self.embeddings[rows]
                cosines[query] = unit_rows(without) @ queries[query]
        return cosines

    def _distances(
        self, rows: RowArray, similarity: FloatArray, lengths: FloatArray, there: NDArray[np.bool_] | None
    ) -> FloatArray:
        """Euclidean distances between standardised vectors, by the law of cosines."""
        a, b = lengths[:, None, None], self.lengths[rows]
        cosine = similarity if there is None else np.where(there, similarity, 0)
        distance: FloatArray = np.sqrt(np.maximum(a**2 + b**2 - 2 * a * b * cosine, 0)).astype(np.float32)
        return distance if there is None else np.where(there, distance, np.float32(np.nan))


def blocks(n_rows: int, size: int) -> list[slice]:
    """Return consecutive slices of ``size`` rows that cover all of them; a single empty one of none."""
    return [slice(first, first + size) for first in range(0, max(n_rows, 1), size)]


def _few_cosines(queries: FloatArray, members: FloatArray) -> FloatArray:
    """(n_queries, dim) and (n_members, dim), unit length -> (n_queries, n_members).

    A matrix product would wake the threads of BLAS, and on a busy machine wait 20 ms for them.
    """
    cosines: FloatArray = np.vecdot(queries[:, None], members)
    return cosines


def _largest(values: FloatArray, k: int) -> tuple[FloatArray, IdArray]:
    """Return the ``k`` largest values of each row, largest first, and their columns; equal ones by column.

    Value and column are put in order as one integer, which is ten times as fast as ``argpartition``.
    """
    bits = values.view(np.int32)
    # Floats rise as these integers do: below zero, all bits but the sign count the other way.
    keys = (bits ^ ((bits >> 31) & 0x7FFFFFFF)).astype(np.int64)
    keys *= -(2**32)
    keys += np.arange(values.shape[1])
    keys.partition(k - 1, axis=1)
    columns = np.sort(keys[:, :k], axis=1) & 0xFFFFFFFF
    first = np.arange(0, values.size, values.shape[1])[:, None]
    return values.take(columns + first), columns


def mean_log_distance(nearest: Nearest) -> FloatArray:
    """(n_queries, n_labels): log of the mean distance to a label's nearest members; NaN without any."""
    distance = nearest.distance[..., :N_DISTANCE]
    there = ~np.isnan(distance)
    n_there = there.sum(axis=2)
    total = np.where(there, distance, 0).sum(axis=2)
    mean = np.divide(total, n_there, out=np.full_like(total, np.nan), where=n_there > 0)
    # Two copies of one file are at distance 0; the floor keeps the logarithm finite.
    logs: FloatArray = np.log(np.maximum(mean, 1e-3)).astype(np.float32)
    return logs
