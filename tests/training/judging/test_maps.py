"""UMAP by what it must keep."""

import json
import subprocess
import sys

import numpy as np
import pytest


@pytest.mark.slow
def test_umap_keeps_groups_apart_each_time_alike_and_brings_no_tensorflow(rng: np.random.Generator) -> None:
    """In a process of its own, because this one may have imported TensorFlow for other tests."""
    label = np.repeat(np.arange(3), 25)
    embeddings = (4 * np.eye(3, 8)[label] + 0.3 * rng.normal(size=(75, 8))).astype(np.float32)
    code = (
        "import json, sys, numpy as np; from training.judging.maps import flatten_by_umap;"
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
