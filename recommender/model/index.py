"""Nearest tracks by cosine similarity: a FAISS structure that is exact for few tracks, clustered for many."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import faiss
import numpy as np
from numpy.typing import ArrayLike, NDArray

from recommender.model.index_file import Arrays, TrackIndexError, read_index_file, write_index_file

# An exact scan costs about 0.1 ms per 1,000 tracks of 280 columns on one core; past this it would be felt.
EXACT_MAX_TRACKS = 20_000
MANY_QUERIES = 32
# FAISS' default of 256 takes four times as long for no recall.
TRAINING_ROWS_PER_LIST = 64

IdArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]


class TrackIndex:
    """Track ids by unit-length track embeddings; exact for small libraries, clustered for large ones."""

    def __init__(self, structure: Any, *, fingerprint: str) -> None:
        self._structure = structure
        self.fingerprint = fingerprint

    @classmethod
    def build(
        cls,
        track_ids: ArrayLike,
        embeddings: ArrayLike,
        *,
        fingerprint: str,
        exact_max_tracks: int = EXACT_MAX_TRACKS,
    ) -> Self:
        """Return an index of ``embeddings`` (n_tracks, dim) float32, unit length, under ``track_ids``."""
        vectors = _unit_rows(embeddings)
        index = cls.empty(
            vectors, n_tracks=len(vectors), fingerprint=fingerprint, exact_max_tracks=exact_max_tracks
        )
        index.add(track_ids, vectors)
        return index

    @classmethod
    def empty(
        cls,
        training: ArrayLike,
        *,
        n_tracks: int,
        fingerprint: str,
        exact_max_tracks: int = EXACT_MAX_TRACKS,
    ) -> Self:
        """Return an index of no track, made for ``n_tracks`` that are like those of ``training`` (n, dim)."""
        vectors = _unit_rows(training)
        dim = vectors.shape[1]
        structure = _exact(dim) if n_tracks <= exact_max_tracks else _clustered(vectors, n_tracks)
        return cls(structure, fingerprint=fingerprint)

    def copy(self) -> Self:
        """Return another index of the same tracks, to be changed while this one is searched."""
        return type(self)(faiss.clone_index(self._structure), fingerprint=self.fingerprint)

    def __len__(self) -> int:
        return int(self._structure.ntotal)

    @property
    def dim(self) -> int:
        """Number of columns of an embedding."""
        return int(self._structure.d)

    def add(self, track_ids: ArrayLike, embeddings: ArrayLike) -> None:
        """Add tracks; one that is already there gets the new embedding."""
        ids = _distinct_ids(track_ids)
        vectors = _unit_rows(embeddings, dim=self.dim)
        if len(ids) != len(vectors):
            raise TrackIndexError(f"{len(ids)} track ids for {len(vectors)} embeddings")
        if len(self):
            self.remove(ids)
        self._structure.add_with_ids(vectors, ids)

    def remove(self, track_ids: ArrayLike) -> int:
        """Remove tracks and return how many were there."""
        ids = np.ascontiguousarray(track_ids, dtype=np.int64)
        return int(self._structure.remove_ids(faiss.IDSelectorBatch(ids)))

    def search(
        self, queries: ArrayLike, k: int, *, exclude: Collection[int] = ()
    ) -> tuple[IdArray, FloatArray]:
        """Return the ``k`` most similar tracks of each query, nearest first.

        Parameters
        ----------
        queries : (n_queries, dim) float32, unit length
        k : int
        exclude : track ids that must not be found, e.g. the seed track

        Returns
        -------
        neighbour_ids : (n_queries, k) int64, -1 where there are fewer tracks
        similarities : (n_queries, k) float32 in [-1, 1], -inf where there are fewer tracks
        """
        if k < 1:
            raise TrackIndexError(f"k must be at least 1, got {k}")
        vectors = _unit_rows(queries, dim=self.dim)
        excluded = np.unique(np.fromiter(exclude, dtype=np.int64, count=len(exclude)))
        if not len(self):
            return _padding(len(vectors), k)
        n_fetched = min(k + len(excluded), len(self))
        with _threads_for(len(vectors)):
            similarities, ids = self._structure.search(vectors, n_fetched)
        return _keep_first(ids, similarities, k, excluded)

    def save(self, path: Path, *, aside: Mapping[str, NDArray[Any]] | None = None) -> None:
        """Write the file aside and rename it, so that no reader ever sees half of it.

        ``aside`` are arrays of the caller's that are kept with it.
        """
        write_index_file(
            path,
            faiss.serialize_index(self._structure).tobytes(),
            fingerprint=self.fingerprint,
            dim=self.dim,
            n_tracks=len(self),
            aside=aside or {},
        )

    @classmethod
    def load(cls, path: Path, *, fingerprint: str, dim: int) -> Self:
        """Return the index in ``path``; refuse another encoder's, another dimension, or a damaged file."""
        return cls.load_with(path, fingerprint=fingerprint, dim=dim)[0]

    @classmethod
    def load_with(cls, path: Path, *, fingerprint: str, dim: int) -> tuple[Self, Arrays]:
        """Return the index in ``path`` as :meth:`load` does, and the arrays that were kept with it."""
        content, aside = read_index_file(path, fingerprint=fingerprint, dim=dim)
        return cls(faiss.deserialize_index(content), fingerprint=fingerprint), aside


@contextmanager
def _threads_for(n_queries: int) -> Iterator[None]:
    """Search few queries on the calling thread alone.

    OpenMP's threads wait for each other by spinning: on a busy machine a search of 0.04 ms took 6 ms.
    """
    before = faiss.omp_get_max_threads()
    if n_queries < MANY_QUERIES:
        faiss.omp_set_num_threads(1)  # OpenMP keeps this per thread, so no other search is slowed down
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _exact(dim: int) -> Any:
    return faiss.IndexIDMap2(faiss.IndexFlatIP(dim))


def n_training_rows(n_tracks: int) -> int:
    """How many tracks a clustered index of ``n_tracks`` is trained on."""
    return min(n_tracks, TRAINING_ROWS_PER_LIST * _n_lists(n_tracks))


def _n_lists(n_tracks: int) -> int:
    return int(2 ** round(np.log2(4 * np.sqrt(max(n_tracks, 1)))))


def _clustered(training: FloatArray, n_tracks: int) -> Any:
    """Return a trained, empty inverted file with one byte per column."""
    n_lists = _n_lists(n_tracks)
    structure: Any = faiss.index_factory(training.shape[1], f"IVF{n_lists},SQ8", faiss.METRIC_INNER_PRODUCT)
    structure.cp.max_points_per_centroid = TRAINING_ROWS_PER_LIST
    structure.train(training)
    structure.nprobe = max(n_lists // 32, 64)  # recall@10 of 0.98 at 0.1 to 1 M clustered tracks
    return structure


def _unit_rows(values: ArrayLike, *, dim: int | None = None) -> FloatArray:
    """Return ``values`` as contiguous (n, dim) float32; refuse what is not of unit length."""
    vectors = np.ascontiguousarray(values, dtype=np.float32)
    if vectors.ndim != 2 or (dim is not None and vectors.shape[1] != dim):
        raise TrackIndexError(f"embeddings must be (n, {dim or 'dim'}), got shape {vectors.shape}")
    lengths = np.linalg.norm(vectors, axis=1)
    if not np.allclose(lengths, 1.0, atol=1e-3):
        raise TrackIndexError(f"embeddings must be of unit length, got {lengths.min()} to {lengths.max()}")
    return vectors


def _distinct_ids(track_ids: ArrayLike) -> IdArray:
    ids = np.ascontiguousarray(track_ids, dtype=np.int64)
    if ids.ndim != 1 or len(np.unique(ids)) != len(ids) or (ids < 0).any():
        raise TrackIndexError("track ids must be (n_tracks,), distinct and not negative")
    return ids


def _padding(n_queries: int, k: int) -> tuple[IdArray, FloatArray]:
    return np.full((n_queries, k), -1, np.int64), np.full((n_queries, k), -np.inf, np.float32)


def _keep_first(
    ids: IdArray, similarities: FloatArray, k: int, excluded: IdArray
) -> tuple[IdArray, FloatArray]:
    """Return the first ``k`` columns that are neither empty nor excluded, order kept, padded to ``k``."""
    drop = (ids < 0) | np.isin(ids, excluded)
    columns = np.argsort(drop, axis=1, kind="stable")[:, :k]
    dropped = np.take_along_axis(drop, columns, axis=1)
    kept_ids, kept_similarities = _padding(len(ids), k)
    n = columns.shape[1]
    kept_ids[:, :n] = np.where(dropped, -1, np.take_along_axis(ids, columns, axis=1))
    kept_similarities[:, :n] = np.where(dropped, -np.inf, np.take_along_axis(similarities, columns, axis=1))
    return kept_ids, kept_similarities
