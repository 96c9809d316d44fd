"""The map of the library: PCA against an eigendecomposition, and what happens to tracks that come and go."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from recommender.answering.library_map import FILE_NAME, LibraryMap, complete_map, fill_square, flatten_by_pca
from recommender.settings import Settings

FINGERPRINT = "0123456789ab"


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


def _drawn(n: int) -> LibraryMap:
    points = np.stack([np.linspace(-1, 1, n), np.zeros(n)], axis=1).astype(np.float32)
    return LibraryMap(np.arange(n, dtype=np.int64), points, "umap", FINGERPRINT)


@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=20),
)
@hypothesis_settings(max_examples=50, deadline=None)
def test_a_filled_square_keeps_its_shape(points: list[tuple[float, float]]) -> None:
    filled = fill_square(np.array(points, dtype=np.float64).astype(np.float32))
    assert np.isfinite(filled).all()
    assert np.abs(filled).max() <= 1 + 1e-5


def test_a_kept_map_is_read_again(settings: Settings) -> None:
    assert LibraryMap.load(settings) is None
    drawn = _drawn(4)
    drawn.save(settings)
    again = LibraryMap.load(settings)
    assert again is not None
    np.testing.assert_array_equal(again.points, drawn.points)
    assert (again.method, again.fingerprint) == ("umap", FINGERPRINT)
    assert [path.name for path in settings.maps_directory.iterdir()] == [FILE_NAME]


def test_a_damaged_map_counts_as_missing(settings: Settings) -> None:
    _drawn(4).save(settings)
    path = settings.maps_directory / FILE_NAME
    path.write_bytes(path.read_bytes()[:60])
    assert LibraryMap.load(settings) is None


def test_a_new_track_stands_amid_its_nearest_and_a_lost_one_is_gone() -> None:
    embeddings = np.eye(12, dtype=np.float32)
    near = embeddings[:5].sum(axis=0, keepdims=True) / np.sqrt(5)
    drawn = _drawn(12)
    ids = np.array([*range(11), 99], dtype=np.int64)
    found = complete_map(drawn, ids, np.concatenate([embeddings[:11], near]).astype(np.float32))
    assert found.track_ids.tolist() == ids.tolist()
    np.testing.assert_array_equal(found.points[:11], drawn.points[:11])
    np.testing.assert_allclose(found.points[11], drawn.points[:5].mean(axis=0), atol=1e-6)


def test_a_map_of_other_tracks_only_still_has_every_track() -> None:
    ids = np.array([50, 51], dtype=np.int64)
    found = complete_map(replace(_drawn(3)), ids, np.eye(2, dtype=np.float32))
    assert np.isfinite(found.points).all()
    assert len(found.points) == 2
