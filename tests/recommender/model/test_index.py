"""TrackIndex against three lines of NumPy, its file format, and the golden file of version 1."""

from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.model.index import TrackIndex
from recommender.model.index_file import CorruptIndex, IndexMismatch, TrackIndexError, read_header

GOLDEN = Path(__file__).parents[2] / "golden"
FINGERPRINT = "0123456789ab"


def unit_rows(rng: np.random.Generator, n_rows: int, dim: int) -> np.ndarray:
    values = rng.standard_normal((n_rows, dim)).astype(np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


@pytest.fixture
def embeddings() -> np.ndarray:
    return unit_rows(np.random.default_rng(440), 60, 16)


@pytest.fixture
def track_ids() -> np.ndarray:
    return np.arange(60) * 3 + 7


@pytest.fixture
def index(track_ids: np.ndarray, embeddings: np.ndarray) -> TrackIndex:
    return TrackIndex.build(track_ids, embeddings, fingerprint=FINGERPRINT)


def assert_agrees_with_numpy(
    found: tuple[np.ndarray, np.ndarray],
    queries: np.ndarray,
    embeddings: np.ndarray,
    track_ids: np.ndarray,
    exclude: list[int],
) -> None:
    """The reference: same similarities in the same order; ids may swap only among equal similarities."""
    ids, similarities = found
    reference = queries @ embeddings.T
    reference[:, np.isin(track_ids, exclude)] = -np.inf
    expected = -np.sort(-reference, axis=1)[:, : ids.shape[1]]
    n = expected.shape[1]
    np.testing.assert_allclose(similarities[:, :n], expected, atol=1e-5)
    assert (ids[:, n:] == -1).all() and np.isneginf(similarities[:, n:]).all()
    rows = {track_id: row for row, track_id in enumerate(track_ids)}
    for query in range(len(queries)):
        kept = ids[query][ids[query] >= 0]
        assert len(set(kept)) == len(kept)
        np.testing.assert_allclose(
            [reference[query, rows[track_id]] for track_id in kept],
            similarities[query, : len(kept)],
            atol=1e-5,
        )


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_tracks=st.integers(1, 40),
    n_queries=st.integers(1, 25),
    k=st.integers(1, 50),
    n_excluded=st.integers(0, 40),
)
def test_search_agrees_with_numpy(seed: int, n_tracks: int, n_queries: int, k: int, n_excluded: int) -> None:
    rng = np.random.default_rng(seed)
    track_ids = rng.choice(1000, size=n_tracks, replace=False)
    embeddings = unit_rows(rng, n_tracks, 8)
    embeddings[n_tracks // 2] = embeddings[0]  # a tie
    queries = unit_rows(rng, n_queries, 8)
    exclude = (
        rng.choice(1000, size=n_excluded, replace=False).tolist() + track_ids[: n_excluded // 4].tolist()
    )
    index = TrackIndex.build(track_ids, embeddings, fingerprint=FINGERPRINT)
    found = index.search(queries, k, exclude=exclude)
    assert_agrees_with_numpy(found, queries, embeddings, track_ids, exclude)


def test_a_query_alone_is_answered_as_in_a_batch(index: TrackIndex, embeddings: np.ndarray) -> None:
    batch_ids, batch_similarities = index.search(embeddings, 5)
    for row, embedding in enumerate(embeddings):
        ids, similarities = index.search(embedding[None], 5)
        assert ids[0].tolist() == batch_ids[row].tolist()
        np.testing.assert_allclose(similarities[0], batch_similarities[row], atol=1e-6)


@pytest.mark.parametrize("n_queries", [1, 60])
def test_searching_leaves_the_number_of_threads_as_it_was(
    index: TrackIndex, embeddings: np.ndarray, n_queries: int
) -> None:
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(2)
    try:
        index.search(embeddings[:n_queries], 3)
        assert faiss.omp_get_max_threads() == 2
    finally:
        faiss.omp_set_num_threads(before)


def test_arguments_are_not_changed(index: TrackIndex, embeddings: np.ndarray, track_ids: np.ndarray) -> None:
    before = embeddings.copy()
    index.search(embeddings, 3, exclude=[7])
    index.add(track_ids, embeddings)
    np.testing.assert_array_equal(embeddings, before)


def test_a_track_added_again_has_the_new_embedding(index: TrackIndex, embeddings: np.ndarray) -> None:
    index.add([7], -embeddings[:1])
    assert len(index) == 60
    ids, similarities = index.search(-embeddings[:1], 1)
    assert ids[0, 0] == 7
    assert similarities[0, 0] == pytest.approx(1.0)


def test_a_removed_track_is_not_found(index: TrackIndex, embeddings: np.ndarray) -> None:
    assert index.remove([10, 11]) == 1  # 11 was never there
    assert len(index) == 59
    assert 10 not in index.search(embeddings, 60)[0]


def test_an_empty_index_answers_with_padding(embeddings: np.ndarray) -> None:
    index = TrackIndex.build([], np.zeros((0, 16), np.float32), fingerprint=FINGERPRINT)
    ids, similarities = index.search(embeddings[:2], 3)
    assert (ids == -1).all() and np.isneginf(similarities).all()


@pytest.mark.parametrize(
    ("queries", "k", "said"),
    [
        (np.full((1, 16), 0.25, np.float32), 0, "k must be at least 1, got 0"),
        (np.full((1, 9), 1 / 3, np.float32), 1, r"\(n, 16\), got shape \(1, 9\)"),
        (np.zeros((1, 16), np.float32), 1, "unit length, got 0.0"),
        (np.full((1, 16), np.nan, np.float32), 1, "unit length, got nan"),
        (np.full(16, 0.25, np.float32), 1, r"got shape \(16,\)"),
    ],
)
def test_bad_queries_are_refused_with_the_value(
    index: TrackIndex, queries: np.ndarray, k: int, said: str
) -> None:
    with pytest.raises(TrackIndexError, match=said):
        index.search(queries, k)


@pytest.mark.parametrize("ids", [[1, 1], [-1, 2], [1, 2, 3]])
def test_bad_ids_are_refused(embeddings: np.ndarray, ids: list[int]) -> None:
    with pytest.raises(TrackIndexError):
        TrackIndex.build(ids, embeddings[:2], fingerprint=FINGERPRINT)


def test_a_saved_index_answers_the_same(index: TrackIndex, embeddings: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "index.faiss"
    index.save(path)
    loaded = TrackIndex.load(path, fingerprint=FINGERPRINT, dim=16)
    for ours, theirs in zip(index.search(embeddings, 4), loaded.search(embeddings, 4), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert [entry.name for entry in tmp_path.iterdir()] == ["index.faiss"]
    header = read_header(path)
    assert (header.fingerprint, header.dim, header.metric, header.n_tracks) == (FINGERPRINT, 16, "cosine", 60)


def test_another_encoders_index_is_refused_naming_both(index: TrackIndex, tmp_path: Path) -> None:
    index.save(tmp_path / "i")
    with pytest.raises(IndexMismatch, match=r"fingerprint 0123456789ab, expected ffffffffffff"):
        TrackIndex.load(tmp_path / "i", fingerprint="f" * 12, dim=16)


def test_another_dimension_is_refused_naming_both(index: TrackIndex, tmp_path: Path) -> None:
    index.save(tmp_path / "i")
    with pytest.raises(IndexMismatch, match=r"dim 16, expected 17"):
        TrackIndex.load(tmp_path / "i", fingerprint=FINGERPRINT, dim=17)


def test_damaged_files_are_refused(index: TrackIndex, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    index.save(whole)
    content = whole.read_bytes()
    flipped = bytearray(content)
    flipped[-100] ^= 1
    damaged = {
        "empty": b"",
        "text": b"not an index, but long enough to hold a header",
        "half": content[: len(content) // 2],
        "half_header": content[:40],
        "flipped": bytes(flipped),
    }
    for name, data in damaged.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(CorruptIndex, match=name):
            TrackIndex.load(tmp_path / name, fingerprint=FINGERPRINT, dim=16)


def test_a_later_format_is_refused_naming_both(index: TrackIndex, tmp_path: Path) -> None:
    index.save(tmp_path / "i")
    content = bytearray((tmp_path / "i").read_bytes())
    content[8] = 3
    (tmp_path / "i").write_bytes(content)
    with pytest.raises(IndexMismatch, match="format version 3, expected up to 2"):
        TrackIndex.load(tmp_path / "i", fingerprint=FINGERPRINT, dim=16)


def test_a_large_library_is_clustered_and_still_finds_the_nearest(tmp_path: Path) -> None:
    rng = np.random.default_rng(440)
    n_tracks, dim = 6_000, 32
    centres = unit_rows(rng, 40, dim)
    near = centres[rng.integers(40, size=n_tracks + 50)] + 0.1 * rng.standard_normal((n_tracks + 50, dim))
    vectors = (near / np.linalg.norm(near, axis=1, keepdims=True)).astype(np.float32)
    embeddings, queries = vectors[:n_tracks], vectors[n_tracks:]
    index = TrackIndex.build(np.arange(n_tracks), embeddings, fingerprint=FINGERPRINT, exact_max_tracks=1_000)
    index.save(tmp_path / "i")
    loaded = TrackIndex.load(tmp_path / "i", fingerprint=FINGERPRINT, dim=dim)
    exact = np.argsort(-(queries @ embeddings.T), axis=1)[:, :10]
    found, similarities = loaded.search(queries, 10)
    recall = np.mean([len(set(f) & set(e)) / 10 for f, e in zip(found, exact, strict=True)])
    assert recall >= 0.95
    assert (np.diff(similarities, axis=1) <= 0).all()
    assert index.remove([int(found[0, 0])]) == 1
    assert found[0, 0] not in index.search(queries[:1], 10)[0]


def test_the_golden_file_of_version_1_loads_for_ever() -> None:
    world = np.load(GOLDEN / "index_v1.npz", allow_pickle=False)
    index = TrackIndex.load(GOLDEN / "index_v1.faiss", fingerprint="a1b2c3d4e5f6", dim=8)
    ids, similarities = index.search(world["queries"], 3)
    assert ids.tolist() == world["neighbour_ids"].tolist()
    np.testing.assert_allclose(similarities, world["similarities"], atol=1e-5)


def test_arrays_are_kept_with_the_index(index: TrackIndex, embeddings: np.ndarray, tmp_path: Path) -> None:
    aside = {"moments": np.arange(5.0), "names": np.array(["a", "b"])}
    index.save(tmp_path / "i", aside=aside)
    loaded, found = TrackIndex.load_with(tmp_path / "i", fingerprint=FINGERPRINT, dim=16)
    assert {name: values.tolist() for name, values in found.items()} == {
        name: values.tolist() for name, values in aside.items()
    }
    np.testing.assert_array_equal(loaded.search(embeddings, 4)[0], index.search(embeddings, 4)[0])


def test_a_copy_is_changed_alone(index: TrackIndex, embeddings: np.ndarray) -> None:
    copy = index.copy()
    copy.remove([7])
    assert (len(index), len(copy)) == (60, 59)
    assert index.search(embeddings[:1], 1)[0][0, 0] == 7
    assert copy.search(embeddings[:1], 1)[0][0, 0] != 7
