"""Neighbours against slow NumPy, votes by hand and in a world whose answer is provable."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.model.neighbourhood import (
    FEW_QUERIES,
    N_DISTANCE,
    VOTE_FLOOR,
    Nearest,
    Neighbourhood,
    blocks,
    mean_log_distance,
)
from tests.training.worlds import unit


def make_neighbourhood(
    rng: np.random.Generator, *, n_members: int = 40, n_labels: int = 3, dim: int = 6
) -> Neighbourhood:
    """Members at random, some in two playlists; ids are no positions and in no order."""
    membership = rng.random((n_members, n_labels)) < 0.4
    membership[np.arange(n_members), np.arange(n_members) % n_labels] = True
    standardised = rng.normal(size=(n_members, dim))
    weights = membership * rng.uniform(0.5, 2, size=membership.shape)
    return Neighbourhood(
        track_ids=rng.permutation(n_members) * 7 + 3,
        embeddings=unit(standardised),
        lengths=np.linalg.norm(standardised, axis=1).astype(np.float32),
        weights=(weights / weights.sum(axis=0)).astype(np.float32),
    )


def draw_queries(rng: np.random.Generator, n: int, dim: int = 6) -> tuple[np.ndarray, np.ndarray]:
    standardised = rng.normal(size=(n, dim))
    return unit(standardised), np.linalg.norm(standardised, axis=1).astype(np.float32)


def slow_nearest(
    members: Neighbourhood, query: np.ndarray, label: int, exclude: list[int]
) -> list[tuple[float, int]]:
    """All (similarity, row) of a label, nearest first."""
    rows = [
        row
        for row, track_id in enumerate(members.track_ids.tolist())
        if members.weights[row, label] > 0 and track_id not in exclude
    ]
    return sorted(((float(query @ members.embeddings[row]), row) for row in rows), reverse=True)


@pytest.mark.parametrize("n_queries", [1, FEW_QUERIES, FEW_QUERIES + 30])
@pytest.mark.parametrize("k", [1, 5, 60])
def test_nearest_is_what_slow_numpy_finds(rng: np.random.Generator, n_queries: int, k: int) -> None:
    members = make_neighbourhood(rng)
    queries, lengths = draw_queries(rng, n_queries)
    exclude = [rng.choice(members.track_ids, rng.integers(0, 4)).tolist() for _ in range(n_queries)]
    found = members.nearest(queries, lengths, k, exclude_ids=exclude)
    for query in range(n_queries):
        for label in range(3):
            expected = slow_nearest(members, queries[query], label, exclude[query])[:k]
            n = len(expected)
            rows = [row for _, row in expected]
            np.testing.assert_array_equal(found.track_ids[query, label, :n], members.track_ids[rows])
            np.testing.assert_allclose(
                found.similarity[query, label, :n], [s for s, _ in expected], atol=1e-6
            )
            np.testing.assert_array_equal(found.weight[query, label, :n], members.weights[rows, label])
            standardised = members.embeddings[rows] * members.lengths[rows, None]
            apart = np.linalg.norm(standardised - lengths[query] * queries[query], axis=1)
            np.testing.assert_allclose(found.distance[query, label, :n], apart, atol=1e-3)
            assert (found.track_ids[query, label, n:] == -1).all()
            assert np.isneginf(found.similarity[query, label, n:]).all()
            assert (found.weight[query, label, n:] == 0).all()
            assert np.isnan(found.distance[query, label, n:]).all()


@given(seed=st.integers(0, 10_000), n_queries=st.integers(1, 12), k=st.integers(1, 50), data=st.data())
@settings(max_examples=40, deadline=None)
def test_what_is_excluded_never_appears_and_nothing_twice(
    seed: int, n_queries: int, k: int, data: st.DataObject
) -> None:
    rng = np.random.default_rng(seed)
    members = make_neighbourhood(rng, n_members=20)
    some = st.lists(st.sampled_from([*members.track_ids.tolist(), 1, 2]), max_size=20)
    exclude = [data.draw(some) for _ in range(n_queries)]
    found = members.nearest(*draw_queries(rng, n_queries), k, exclude_ids=exclude)
    for query in range(n_queries):
        for ids, similarity in zip(found.track_ids[query], found.similarity[query], strict=True):
            named = ids[ids >= 0].tolist()
            assert not set(named) & set(exclude[query])
            assert len(set(named)) == len(named)
            assert (np.diff(similarity[: len(named)]) <= 0).all()


def score(members: Neighbourhood, queries: np.ndarray, lengths: np.ndarray, **options: object) -> np.ndarray:
    """Vote, prototype cosine and distance side by side, (n_queries, 3, n_labels)."""
    nearest = members.nearest(queries, lengths, 20, **options)
    parts = (
        members.votes(nearest, 5),
        members.prototype_cosines(queries, options.get("exclude_ids")),
        mean_log_distance(nearest),
    )
    return np.stack(parts, axis=1)


@pytest.mark.parametrize("with_copies", [False, True])
def test_a_query_alone_is_the_query_in_any_batch(rng: np.random.Generator, *, with_copies: bool) -> None:
    """Copies of one track have similarities that differ in the last bit only: the vote must not notice."""
    members = make_neighbourhood(rng, n_members=60)
    if with_copies:
        members = replace(members, embeddings=members.embeddings[np.arange(60) // 20 * 20])
    queries, lengths = draw_queries(rng, 40)
    exclude = [[int(members.track_ids[query])] for query in range(40)]
    batch = score(members, queries, lengths, exclude_ids=exclude)
    for query in range(40):
        one = slice(query, query + 1)
        alone = score(members, queries[one], lengths[one], exclude_ids=exclude[one])
        np.testing.assert_allclose(alone[0], batch[query], atol=1e-5)
    np.testing.assert_allclose(
        score(members, queries[::-1], lengths[::-1], exclude_ids=exclude[::-1])[::-1], batch, atol=1e-5
    )


def test_a_long_batch_is_worked_on_in_parts(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = make_neighbourhood(rng)
    queries, lengths = draw_queries(rng, 25)
    exclude = [[int(track_id)] for track_id in members.track_ids[:25]]
    whole = score(members, queries, lengths, exclude_ids=exclude)
    monkeypatch.setattr("recommender.model.neighbourhood.QUERIES_AT_ONCE", 4)
    np.testing.assert_allclose(score(members, queries, lengths, exclude_ids=exclude), whole, atol=1e-5)


@given(n_rows=st.integers(0, 50), size=st.integers(1, 20))
def test_blocks_cover_every_row_once(n_rows: int, size: int) -> None:
    rows = [row for block in blocks(n_rows, size) for row in range(n_rows)[block]]
    assert rows == list(range(n_rows))
    assert all(block.stop - block.start == size for block in blocks(n_rows, size))


def checkerboard(n_labels: int, n_per_label: int) -> Neighbourhood:
    """Track i is in playlist i % n_labels; tracks of one playlist have a cosine of 1/2, all others of 0."""
    n = n_labels * n_per_label
    label = np.arange(n) % n_labels
    directions = np.eye(n_labels + n, dtype=np.float32)
    return Neighbourhood(
        track_ids=np.arange(n) + 100,
        embeddings=unit(directions[label] + directions[n_labels:]),
        lengths=np.ones(n, np.float32),
        weights=((label[:, None] == np.arange(n_labels)) / n_per_label).astype(np.float32),
    )


@pytest.mark.parametrize(("n_labels", "n_per_label"), [(2, 2), (4, 5), (7, 12)])
def test_precision_at_1_is_1_in_the_checkerboard_world(n_labels: int, n_per_label: int) -> None:
    members = checkerboard(n_labels, n_per_label)
    exclude = [[track_id] for track_id in members.track_ids.tolist()]
    nearest = members.nearest(members.embeddings, members.lengths, 20, exclude_ids=exclude)
    own = np.arange(len(exclude)) % n_labels
    rows = np.arange(len(own))
    for n_neighbours in (1, 5, 20):
        votes = members.votes(nearest, n_neighbours)
        np.testing.assert_array_equal(votes.argmax(axis=1), own)
        # Strangers have a cosine of exactly zero, so nothing but the floor is left for them.
        np.testing.assert_allclose(votes[rows, own], 1 - VOTE_FLOOR + VOTE_FLOOR / n_labels, atol=1e-6)
    cosines = members.prototype_cosines(members.embeddings, exclude)
    np.testing.assert_array_equal(cosines.argmax(axis=1), own)
    n = n_per_label - 1  # cosine of a track to the mean of n tracks at 1/2 to it and to each other
    np.testing.assert_allclose(cosines[rows, own], (n / 2) / np.sqrt(n + n * (n - 1) / 2), atol=1e-5)


def make_nearest(similarity: list[list[float]], weight: list[list[float]]) -> Nearest:
    """One query; one row per label."""
    s, w = (np.array([values], dtype=np.float32) for values in (similarity, weight))
    return Nearest(np.zeros(s.shape, np.int64), s, w, np.ones(s.shape, np.float32))


def vote(nearest: Nearest, n_neighbours: int) -> np.ndarray:
    """The vote without its floor, (n_labels,)."""
    votes = checkerboard(2, 2).votes(nearest, n_neighbours)[0]
    np.testing.assert_allclose(votes.sum(), 1, atol=1e-6)
    return (votes - VOTE_FLOOR / len(votes)) / (1 - VOTE_FLOOR)


def test_votes_worked_by_hand() -> None:
    nearest = make_nearest([[0.8, 0.4], [0.4, -0.5]], [[0.5, 0.25], [1.0, 0.5]])
    np.testing.assert_allclose(vote(nearest, 1), [1, 0], atol=1e-6)
    # 0.8 cubed is eight times 0.4 cubed: 8 * 0.5 against 1 * 1, then with the second 0.4 of weight 0.25.
    np.testing.assert_allclose(vote(nearest, 3), [4.25 / 5.25, 1 / 5.25], atol=1e-6)
    # What points away has no vote, however many may vote.
    np.testing.assert_allclose(vote(nearest, 99), [4.25 / 5.25, 1 / 5.25], atol=1e-6)


def test_without_anything_similar_the_vote_is_even() -> None:
    nearest = make_nearest([[-0.1, -0.2], [-np.inf, -np.inf]], [[0.5, 0.5], [0, 0]])
    np.testing.assert_allclose(vote(nearest, 3), [0.5, 0.5], atol=1e-6)


def test_equals_vote_together_even_past_the_number_of_neighbours() -> None:
    """Which of two copies comes first is chance, so neither may be left out for the other."""
    almost = float(np.nextafter(np.float32(0.5), np.float32(0)))  # as far as rounding goes, a copy
    nearest = make_nearest([[0.5, almost], [almost, 0.2]], [[0.5, 0.5], [0.5, 0.5]])
    np.testing.assert_allclose(vote(nearest, 1), [2 / 3, 1 / 3], atol=1e-6)


def test_a_large_playlist_does_not_outvote_a_small_one(rng: np.random.Generator) -> None:
    """40 tracks of one playlist and 4 of another, all equally similar to the query."""
    label = np.repeat([0, 1], [40, 4])
    directions = np.eye(45, dtype=np.float32)
    members = Neighbourhood(
        track_ids=np.arange(44),
        embeddings=unit(directions[:1] + directions[1:]),
        lengths=np.ones(44, np.float32),
        weights=((label[:, None] == np.arange(2)) / np.array([40, 4])).astype(np.float32),
    )
    nearest = members.nearest(directions[:1], np.ones(1, np.float32), 40)
    np.testing.assert_allclose(members.votes(nearest, 44), [[0.5, 0.5]], atol=1e-5)


def test_an_artist_with_many_tracks_counts_as_the_weights_say() -> None:
    """Label 0: nine tracks of one artist with the weight of one; label 1: one track of another."""
    members = replace(
        checkerboard(2, 9),
        weights=np.array([[1 / 18, 0], [0, 1 / 9]] * 9, dtype=np.float32),
    )
    query = unit(np.ones((1, members.embeddings.shape[1])))  # equally similar to all
    votes = members.votes(members.nearest(query, np.ones(1, np.float32), 20), 18)[0]
    assert (votes[0] - VOTE_FLOOR / 2) / (votes[1] - VOTE_FLOOR / 2) == pytest.approx(0.5, rel=1e-4)


def test_a_member_is_taken_out_of_the_prototypes_it_is_compared_with(rng: np.random.Generator) -> None:
    members = make_neighbourhood(rng)
    queries, exclude = (
        members.embeddings[:10],
        [[track_id, 1] for track_id in members.track_ids[:10].tolist()],
    )
    cosines = members.prototype_cosines(queries, exclude)
    for row in range(10):
        others = np.delete(np.arange(40), row)
        for label in range(3):
            mean = members.weights[others, label] @ members.embeddings[others]
            assert cosines[row, label] == pytest.approx(queries[row] @ unit(mean), abs=1e-5)
    np.testing.assert_allclose(
        members.prototype_cosines(queries, None), queries @ members.prototypes.T, atol=1e-6
    )
    np.testing.assert_allclose(np.linalg.norm(members.prototypes, axis=1), 1, atol=1e-6)


def test_mean_distance_of_the_nearest_few(rng: np.random.Generator) -> None:
    members = make_neighbourhood(rng, n_members=60)
    queries, lengths = draw_queries(rng, 12)
    found = mean_log_distance(members.nearest(queries, lengths, 30))
    standardised = members.embeddings * members.lengths[:, None]
    for query in range(12):
        for label in range(3):
            own = np.flatnonzero(members.membership[:, label])
            most_similar = own[np.argsort(-(members.embeddings[own] @ queries[query]))][:N_DISTANCE]
            apart = np.linalg.norm(standardised[most_similar] - lengths[query] * queries[query], axis=1)
            assert found[query, label] == pytest.approx(np.log(apart.mean()), abs=1e-4)


@pytest.mark.filterwarnings("error")
def test_a_playlist_without_tracks_has_no_distance_and_copies_a_finite_one(rng: np.random.Generator) -> None:
    members = make_neighbourhood(rng)
    empty = replace(members, weights=members.weights * np.array([1, 0, 1], np.float32))
    nearest = empty.nearest(members.embeddings[:1], members.lengths[:1], 20)
    assert np.isnan(mean_log_distance(nearest)[0]).tolist() == [False, True, False]
    assert (nearest.track_ids[0, 1] == -1).all()
    np.testing.assert_array_equal(empty.prototypes[1], 0)
    only = members.nearest(members.embeddings[:1], members.lengths[:1], 1)
    none_apart = replace(only, distance=np.zeros_like(only.distance))
    np.testing.assert_allclose(mean_log_distance(none_apart), np.log(1e-3), rtol=1e-6)
    everything = [members.track_ids.tolist()]
    left = members.nearest(members.embeddings[:1], members.lengths[:1], 20, exclude_ids=everything)
    assert np.isnan(mean_log_distance(left)).all()


def test_arguments_are_only_read(rng: np.random.Generator) -> None:
    members = make_neighbourhood(rng)
    queries, lengths = draw_queries(rng, 5)
    arrays = (queries, lengths, members.track_ids, members.embeddings, members.lengths, members.weights)
    before = [array.copy() for array in arrays]
    exclude = [[int(members.track_ids[0])]] * 5
    score(members, queries, lengths, exclude_ids=exclude)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert exclude == [[int(members.track_ids[0])]] * 5
