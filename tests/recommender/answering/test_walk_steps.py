"""Walks through made spaces whose right way is known."""

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.answering.walk_steps import LibraryTooSmall, SameTrack, WalkError, walk, waypoints


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def arc(degrees: np.ndarray) -> np.ndarray:
    """Points of a circle in the plane of the first two of four dimensions."""
    angles = np.radians(degrees)
    return unit(np.stack([np.cos(angles), np.sin(angles), 0 * angles, 0 * angles], axis=1))


def repeats(artists: list[int]) -> int:
    return sum(one == other >= 0 for one, other in pairwise(artists))


@st.composite
def spaces(draw: st.DrawFn, *, max_tracks: int = 40) -> tuple[np.ndarray, np.ndarray, list[int], int]:
    """Embeddings, ids, artists (negative: unknown) and a length that the tracks allow."""
    n_tracks = draw(st.integers(2, max_tracks))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    ids = rng.permutation(1000)[:n_tracks]
    artists = rng.integers(-1, draw(st.integers(1, 6)), size=n_tracks).tolist()
    return unit(rng.normal(size=(n_tracks, 6))), ids, artists, draw(st.integers(2, n_tracks))


@given(spaces())
@settings(max_examples=60, deadline=None)
def test_a_walk_has_its_ends_its_length_and_no_track_twice(space):
    embeddings, ids, artists, length = space
    start, end = int(ids[0]), int(ids[-1])
    before = embeddings.copy()

    path = walk(embeddings, ids, start, end, length, artists=artists)

    assert (path[0], path[-1], len(path)) == (start, end, length)
    assert len(set(path.tolist())) == length
    assert set(path.tolist()) <= set(ids.tolist())
    assert np.array_equal(embeddings, before)
    assert np.array_equal(path, walk(embeddings, ids, start, end, length, artists=artists))


@given(spaces())
@settings(max_examples=30, deadline=None)
def test_the_order_in_which_tracks_are_named_does_not_matter(space):
    embeddings, ids, artists, length = space
    start, end = int(ids[0]), int(ids[-1])
    turned = walk(embeddings[::-1], ids[::-1], start, end, length, artists=artists[::-1])

    assert np.array_equal(turned, walk(embeddings, ids, start, end, length, artists=artists))


@given(spaces(max_tracks=7))
@settings(max_examples=80, deadline=None)
def test_no_two_in_a_row_are_by_one_artist_where_any_walk_avoids_it(space):
    embeddings, ids, artists, length = space
    artist_of = dict(zip(ids.tolist(), artists, strict=True))
    start, end = int(ids[0]), int(ids[-1])
    others = [track_id for track_id in ids.tolist() if track_id not in (start, end)]
    is_avoidable = any(
        repeats([artist_of[track_id] for track_id in (start, *middle, end)]) == 0
        for middle in permutations(others, length - 2)
    )

    path = walk(embeddings, ids, start, end, length, artists=artists)

    assert is_avoidable == (repeats([artist_of[track_id] for track_id in path.tolist()]) == 0)


@given(st.integers(0, 2**32 - 1), st.integers(4, 24))
@settings(max_examples=60, deadline=None)
def test_one_artist_in_every_second_place_is_spread_over_them(seed, length):
    # A way that avoids repeats with every track there is, of which only the tracks and not the order is told.
    rng = np.random.default_rng(seed)
    artists = np.where(np.arange(length) % 2, rng.integers(1, 4, length), 0)
    order = np.concatenate([[0], 1 + rng.permutation(length - 2), [length - 1]])
    embeddings = unit(rng.normal(size=(length, 3)))

    path = walk(embeddings, np.arange(length), 0, length - 1, length, artists=artists[order].tolist())

    assert repeats(artists[order][path].tolist()) == 0


@given(spaces(max_tracks=16))
@settings(max_examples=40, deadline=None)
def test_no_two_tracks_would_better_change_places(space):
    embeddings, ids, artists, length = space
    row_of = {track_id: row for row, track_id in enumerate(ids.tolist())}
    path = [row_of[track_id] for track_id in walk(embeddings, ids, ids[0], ids[-1], length, artists=artists)]
    points = waypoints(embeddings[0], embeddings[-1], length - 2)

    def worth(rows: list[int]) -> float:
        steps = sum(float(embeddings[one] @ embeddings[other]) for one, other in pairwise(rows))
        pull = sum(float(points[place] @ embeddings[row]) for place, row in enumerate(rows[1:-1]))
        return steps + pull - 100 * repeats([artists[row] for row in rows])

    for one in range(1, length - 1):
        for other in range(one + 1, length - 1):
            swapped = list(path)
            swapped[one], swapped[other] = swapped[other], swapped[one]
            assert worth(swapped) <= worth(path) + 1e-4


def test_tracks_on_the_way_are_walked_in_order(rng):
    # Nine stations ten degrees apart, amid tracks that lie aside.
    stations = arc(np.arange(0, 90, 10))
    aside = unit(stations[rng.integers(0, 9, 30)] + 2 * np.eye(4)[rng.integers(2, 4, 30)])
    order = rng.permutation(39)
    embeddings = np.concatenate([stations, aside])[order]
    ids = order + 100

    assert walk(embeddings, ids, 100, 108, 9).tolist() == list(range(100, 109))
    assert walk(embeddings, ids, 108, 100, 9).tolist() == list(range(108, 99, -1))
    assert walk(embeddings, ids, 100, 108, 5).tolist() == [100, 102, 104, 106, 108]


def test_steps_are_even_in_a_dense_space(rng):
    embeddings = unit(rng.normal(size=(3000, 4)))
    ids = np.arange(3000)
    start, end = 0, int((embeddings @ embeddings[0]).argmin())

    path = walk(embeddings, ids, start, end, 12)

    angles = np.degrees(np.arccos((embeddings[path[1:]] * embeddings[path[:-1]]).sum(axis=1)))
    whole = np.degrees(np.arccos(embeddings[start] @ embeddings[end]))
    assert angles.sum() < 1.5 * whole
    assert angles.max() < 2 * whole / 11
    # Each step leads away from the one end and towards the other.
    assert (np.diff(embeddings[path] @ embeddings[start]) < 0.02).all()
    assert (np.diff(embeddings[path] @ embeddings[end]) > -0.02).all()


def test_a_walk_of_every_track_is_still_in_order(rng):
    embeddings = arc(np.arange(0, 100, 10))
    artists = [-1] * 10

    assert walk(embeddings, np.arange(10), 0, 9, 10, artists=artists).tolist() == list(range(10))


def test_another_artist_is_worth_a_detour():
    embeddings = np.concatenate([arc(np.array([0, 30, 60, 90])), unit(np.array([[1.0, 1.0, 3.0, 0.0]]))])
    artists = [1, 2, 2, 3, 4]

    assert walk(embeddings, np.arange(5), 0, 3, 4, artists=artists).tolist() in ([0, 1, 4, 3], [0, 4, 2, 3])
    # Where nobody knows the artists, two strangers are not one.
    assert walk(embeddings, np.arange(5), 0, 3, 4, artists=[1, -1, -1, 3, 4]).tolist() == [0, 1, 2, 3]
    assert walk(embeddings, np.arange(5), 0, 3, 4).tolist() == [0, 1, 2, 3]


def test_the_ends_alone_are_a_walk():
    assert walk(arc(np.array([0.0, 50.0, 90.0])), [7, 8, 9], 7, 9, 2).tolist() == [7, 9]


def test_waypoints_lie_evenly_on_the_great_circle(rng):
    start, end = unit(rng.normal(size=(2, 5)))
    points = np.concatenate([start[None], waypoints(start, end, 7), end[None]])

    steps = np.arccos((points[1:] * points[:-1]).sum(axis=1))
    assert np.allclose(np.linalg.norm(points, axis=1), 1, atol=1e-6)
    assert np.allclose(steps, np.arccos(start @ end) / 8, atol=1e-4)
    assert np.linalg.matrix_rank(points, tol=1e-4) == 2


def test_opposite_ends_are_joined_by_way_of_the_library():
    start = np.array([1, 0, 0], np.float32)
    for through in (np.array([0, 1, 0], np.float32), None):
        middle = waypoints(start, -start, 1, through=through)[0]
        assert abs(middle @ start) < 1e-6
        assert np.linalg.norm(middle) == pytest.approx(1)
    assert np.allclose(
        waypoints(start, -start, 1, through=np.array([5, 3, 0], np.float32))[0], [0, 1, 0], atol=1e-6
    )


def test_between_opposite_ends_the_walk_goes_where_the_tracks_are():
    angles = np.radians(np.arange(0, 181, 20))
    by_the_third = np.stack([np.cos(angles), 0 * angles, np.sin(angles), 0 * angles], axis=1)
    elsewhere = [[0.5, 1, 0, 0], [-0.5, 1, 0, 0]]
    embeddings = unit(np.concatenate([by_the_third, elsewhere]))

    assert walk(embeddings, np.arange(12), 0, 9, 4).tolist() == [0, 3, 6, 9]


def test_two_tracks_in_one_place_are_a_walk_on_the_spot(rng):
    embeddings = unit(np.concatenate([np.ones((3, 4)), rng.normal(size=(5, 4))]))

    assert walk(embeddings, np.arange(8), 0, 1, 3).tolist() == [0, 2, 1]


def test_what_cannot_be_walked():
    embeddings, ids = arc(np.array([0.0, 40.0, 90.0])), [7, 8, 9]
    with pytest.raises(SameTrack, match="begin and end at track 7"):
        walk(embeddings, ids, 7, 7, 3)
    with pytest.raises(LibraryTooSmall, match="4 tracks cannot be made of 3"):
        walk(embeddings, ids, 7, 9, 4)
    with pytest.raises(WalkError, match="at least 2"):
        walk(embeddings, ids, 7, 9, 1)
    with pytest.raises(WalkError, match="track 5 is not among"):
        walk(embeddings, ids, 7, 5, 3)
