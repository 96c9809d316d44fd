"""Write index_v1.faiss and what it must answer (index_v1.npz).

Run once per format version, from the project root, and never for an old one:
``python -m tests.golden.regenerate_index``. The answers are computed by NumPy, not by the index.
"""

from pathlib import Path

import numpy as np

from recommender.model.index import TrackIndex
from recommender.model.index_file import FORMAT_VERSION

HERE = Path(__file__).parent


def unit_rows(rng: np.random.Generator, n_rows: int) -> np.ndarray:
    """Return (n_rows, 8) float32 of unit length."""
    values = rng.standard_normal((n_rows, 8)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def main() -> None:
    """Write both files of the present format version."""
    rng = np.random.default_rng(440)
    track_ids, embeddings, queries = np.arange(20) * 5 + 1, unit_rows(rng, 20), unit_rows(rng, 4)
    similarities = queries @ embeddings.T
    rows = np.argsort(-similarities, axis=1)[:, :3]
    name = f"index_v{FORMAT_VERSION}"
    TrackIndex.build(track_ids, embeddings, fingerprint="a1b2c3d4e5f6").save(HERE / f"{name}.faiss")
    np.savez(
        HERE / f"{name}.npz",
        queries=queries,
        neighbour_ids=track_ids[rows],
        similarities=np.take_along_axis(similarities, rows, axis=1),
    )


if __name__ == "__main__":
    main()
