"""Flat maps of embeddings: PCA against an eigendecomposition, UMAP by what it must keep."""

import json
import subprocess
import sys

import numpy as np
import pytest

from training.maps import flatten_by_pca


def test_pca_is_the_plane_of_most_variance(rng: np.random.Generator) -> None:
    embeddings = (rng.normal(size=(80, 6)) * [5, 3, 1, 0.5, 0.2, 0.1]).astype(np.float32)
    plane, share = flatten_by_pca(embeddings)
    values, vectors = np.linalg.eigh(np.cov(embeddings.T))
    expected = (embeddings - embeddings.mean(axis=0)) @ vectors[:, [-1, -2]]
    assert np.abs(plane) == pytest.approx(np.abs(expected), abs=1e-3)
    assert share == pytest.approx(values[-2:].sum() / values.sum(), abs=1e-5)


@pytest.mark.parametrize("shape", [(1, 4), (2, 4), (5, 1)])
def test_pca_of_next_to_nothing(shape: tuple[int, int]) -> None:
    plane, share = flatten_by_pca(np.ones(shape, np.float32))
    assert plane.shape == (shape[0], 2)
    assert np.allclose(plane, 0)
    assert share == 1.0


@pytest.mark.slow
def test_umap_keeps_groups_apart_each_time_alike_and_brings_no_tensorflow(rng: np.random.Generator) -> None:
    """In a process of its own, because this one may have imported TensorFlow for other tests."""
    label = np.repeat(np.arange(3), 25)
    embeddings = (4 * np.eye(3, 8)[label] + 0.3 * rng.normal(size=(75, 8))).astype(np.float32)
    code = (
        "import json, sys, numpy as np; from training.maps import flatten_by_umap;"
        "embeddings = np.array(json.load(sys.stdin), dtype=np.float32);"
        "planes = [flatten_by_umap(embeddings, seed=3).tolist() for _ in range(2)];"
        "print(json.dumps({'planes': planes, 'tensorflow': 'tensorflow' in sys.modules}))"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(
        command, input=json.dumps(embeddings.tolist()), capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert found["planes"][0] == found["planes"][1]
    assert not found["tensorflow"]
    plane = np.array(found["planes"][0])
    distance = np.linalg.norm(plane[:, None] - plane[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    assert (label[distance.argmin(axis=1)] == label).all()
