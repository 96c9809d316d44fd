"""Standardisation: z-scores, view weights, unit length."""

import numpy as np
import pytest

from embeddings.encoder import Standardisation
from embeddings.errors import EmbeddingError

VIEWS = {"trunk": slice(0, 6), "timbre": slice(6, 8)}
EQUAL = {"trunk": 1.0, "timbre": 1.0}


@pytest.fixture
def raw(rng) -> np.ndarray:
    scales = np.array([1, 2, 4, 0.5, 3, 1, 1000, 400])
    return (rng.standard_normal((500, 8)) * scales + 7 * scales).astype(np.float32)


def test_each_view_has_its_weight_whatever_its_columns_and_their_units(raw) -> None:
    standardisation = Standardisation.fit(raw, VIEWS, {"trunk": 3.0, "timbre": 1.0})
    z = (raw - standardisation.mean) * standardisation.scale
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(z.std(axis=0), np.sqrt([3 / 6] * 6 + [1 / 2] * 2), rtol=1e-3)
    squared = np.square(z).mean(axis=0)
    assert squared[:6].sum() / squared[6:].sum() == pytest.approx(3.0, rel=1e-3)


def test_embeddings_have_unit_length(raw) -> None:
    embeddings = Standardisation.fit(raw, VIEWS, EQUAL).apply(raw)
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-6)


def test_the_unit_of_a_view_does_not_matter(raw) -> None:
    other = raw * np.array([8, 8, 8, 8, 8, 8, 0.25, 0.25], np.float32)
    np.testing.assert_allclose(
        Standardisation.fit(other, VIEWS, EQUAL).apply(other),
        Standardisation.fit(raw, VIEWS, EQUAL).apply(raw),
        atol=1e-5,
    )


def test_a_row_alone_equals_the_same_row_among_others(raw) -> None:
    standardisation = Standardisation.fit(raw, VIEWS, EQUAL)
    together = standardisation.apply(raw)
    for row in (0, 250, 499):
        np.testing.assert_allclose(standardisation.apply(raw[row : row + 1])[0], together[row], atol=1e-6)


def test_constant_columns_are_dropped_and_leave_the_weights_as_they_were(raw) -> None:
    raw[:, 2] = 0.3
    raw[:, 7] = 0
    standardisation = Standardisation.fit(raw, VIEWS, EQUAL)
    assert np.flatnonzero(standardisation.scale == 0).tolist() == [2, 7]
    squared = np.square((raw - standardisation.mean) * standardisation.scale).mean(axis=0)
    np.testing.assert_allclose([squared[:6].sum(), squared[6:].sum()], 1, rtol=1e-3)


def test_a_column_that_hardly_moves_is_not_blown_up(raw) -> None:
    raw[:, 2] *= 1e-4
    standardisation = Standardisation.fit(raw, VIEWS, EQUAL)
    loud = standardisation.standardise(raw)
    np.testing.assert_allclose(loud[:, 2].std(), loud[:, 0].std() * 4e-4 / (0.1 * raw[:, 0].std()), rtol=0.2)
    # A track that moves it as others move their columns lies beyond them, but not by thousands.
    stranger = raw[:1] + np.eye(8, dtype=np.float32)[2] * raw[:, 0].std()
    moved = standardisation.standardise(stranger)[0, 2] - loud[0, 2]
    assert moved == pytest.approx(10 * loud[:, 0].std(), rel=0.3)


def test_a_view_without_weight_is_not_heard(raw) -> None:
    standardisation = Standardisation.fit(raw, VIEWS, {"trunk": 1.0, "timbre": 0.0})
    other = raw.copy()
    other[:, 6:] = 0
    np.testing.assert_array_equal(standardisation.apply(other), standardisation.apply(raw))


def test_arguments_are_only_read(raw) -> None:
    before = raw.copy()
    Standardisation.fit(raw, VIEWS, EQUAL).apply(raw)
    np.testing.assert_array_equal(raw, before)


def test_a_track_without_direction_is_refused(raw) -> None:
    standardisation = Standardisation.fit(raw, VIEWS, EQUAL)
    for bad in (standardisation.mean, np.full(8, np.nan, np.float32)):
        with pytest.raises(EmbeddingError, match=r"without direction at rows \[1\]"):
            standardisation.apply(np.stack([raw[0], bad]))


@pytest.mark.parametrize("shape", [(8,), (2, 7)])
def test_another_number_of_columns_is_refused(shape, raw) -> None:
    with pytest.raises(EmbeddingError, match=r"raw must be \(n, 8\)"):
        Standardisation.fit(raw, VIEWS, EQUAL).apply(np.zeros(shape, np.float32))


@pytest.mark.parametrize("shape", [(8,), (1, 8)])
def test_statistics_need_two_tracks(shape) -> None:
    with pytest.raises(EmbeddingError, match="n_tracks >= 2"):
        Standardisation.fit(np.zeros(shape, np.float32), VIEWS, EQUAL)


def test_views_and_weights_must_name_the_same(raw) -> None:
    with pytest.raises(EmbeddingError, match="'timbre', 'trunk'"):
        Standardisation.fit(raw, VIEWS, {"trunk": 1.0})
