"""How fast and how exact the index is: recall@10 against an exact search, time for one query, memory.

``python -m tests.benchmarks.bench_index [--tracks 1000000] [--dim 280]``

The made library has 300 clusters in a 24-dimensional space, mapped to ``dim`` columns with noise: as hard to
search as music is, unlike vectors without any structure.
"""

import argparse
import resource
import time

import faiss
import numpy as np
from numpy.typing import NDArray

from recommender.model.index import TrackIndex

N_QUERIES = 200
K = 10
CHUNK = 100_000


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tracks", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=280)
    arguments = parser.parse_args()
    world = make_library(arguments.tracks + N_QUERIES, dim=arguments.dim)
    embeddings, queries = world[:-N_QUERIES], world[-N_QUERIES:]
    exact = nearest_rows(embeddings, queries)
    started = time.perf_counter()
    index = TrackIndex.build(np.arange(len(embeddings)), embeddings, fingerprint="benchmark")
    built_s = time.perf_counter() - started
    times_ms, n_found = [], 0
    for query, rows in zip(queries, exact, strict=True):
        started = time.perf_counter()
        found, _ = index.search(query[None], K)
        times_ms.append(1e3 * (time.perf_counter() - started))
        n_found += len(set(found[0].tolist()) & set(rows.tolist()))
    print(f"tracks          {len(index)} x {index.dim}, built in {built_s:.0f} s")  # noqa: T201
    print(f"recall@{K}       {n_found / (N_QUERIES * K):.4f}")  # noqa: T201
    print(f"one query       {np.median(times_ms):.2f} ms median, {np.percentile(times_ms, 99):.2f} ms p99")  # noqa: T201
    size_mb = len(faiss.serialize_index(index._structure)) / 1e6
    print(f"size            {size_mb:.0f} MB ({size_mb * 1e6 / len(index):.0f} bytes a track)")  # noqa: T201
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak of the run {peak_mb:.0f} MB, the made library included")  # noqa: T201


def make_library(n_tracks: int, *, dim: int, seed: int = 440) -> NDArray[np.float32]:
    """Return (n_tracks, dim) float32 of unit length."""
    rng = np.random.default_rng(seed)
    mapping = rng.standard_normal((24, dim)).astype(np.float32)
    centres = rng.standard_normal((300, 24)).astype(np.float32)
    embeddings = np.empty((n_tracks, dim), np.float32)
    for start in range(0, n_tracks, CHUNK):
        n = min(CHUNK, n_tracks - start)
        latent = centres[rng.integers(300, size=n)] + rng.standard_normal((n, 24), np.float32)
        chunk = latent @ mapping + 1.5 * rng.standard_normal((n, dim), np.float32)
        embeddings[start : start + n] = chunk / np.linalg.norm(chunk, axis=1, keepdims=True)
    return embeddings


def nearest_rows(embeddings: NDArray[np.float32], queries: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the true nearest rows, (n_queries, K), by an exact product."""
    rows = np.argpartition(-(queries @ embeddings.T), K, axis=1)[:, :K]
    return rows.astype(np.int64)


if __name__ == "__main__":
    main()
