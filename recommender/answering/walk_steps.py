"""A walk through the embedding space: tracks that lead from one to another in small steps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recommender.errors import RecommenderError

IdArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]

# What two neighbours by one artist cost: more than any exchange of tracks can gain.
_REPEAT = 100.0
_MAX_SWEEPS = 8
# Below this sine of the angle between two ends, no direction leads from one to the other.
_NO_DIRECTION = 1e-6


class WalkError(RecommenderError):
    """No walk can be made of these tracks."""

    code = "no_walk"


class LibraryTooSmall(WalkError):
    """There are fewer tracks than the walk is to have."""

    code = "library_too_small"


class SameTrack(WalkError):
    """A walk from a track to itself leads nowhere."""

    code = "same_track"


def waypoints(start: FloatArray, end: FloatArray, n: int, *, through: FloatArray | None = None) -> FloatArray:
    """Return ``n`` points evenly spaced between two on the great circle through both, without the ends.

    Parameters
    ----------
    start, end : (dim,) unit length
    through : (dim,), optional
        Which way to go where the ends lie exactly opposite, and every way is as short.

    Returns
    -------
    (n, dim) float32, unit length
    """
    cosine = float(np.clip(np.dot(start, end), -1.0, 1.0))
    aside = end - cosine * start
    if np.linalg.norm(aside) < _NO_DIRECTION:
        aside = _any_way(start, through)
    aside = aside / np.linalg.norm(aside)
    angles = np.arccos(cosine) * np.arange(1, n + 1) / (n + 1)
    points: FloatArray = (np.cos(angles)[:, None] * start + np.sin(angles)[:, None] * aside).astype(
        np.float32
    )
    return points


def walk(
    embeddings: FloatArray,
    track_ids: ArrayLike,
    start: int,
    end: int,
    length: int,
    *,
    artists: Sequence[int] | None = None,
) -> IdArray:
    """Return ``length`` track ids from ``start`` to ``end``, none of them twice; the same every time.

    Each is near its own point on the great circle between the two ends and near its neighbours on the walk,
    as judged by the sum of all those similarities; two in a row are by one artist only where there is no
    other way.

    Parameters
    ----------
    embeddings : (n_tracks, dim) float32, unit length
    track_ids : (n_tracks,) distinct
    artists : (n_tracks,) int, optional
        Negative where nobody knows the artist, who is then nobody else's.

    Raises
    ------
    SameTrack, LibraryTooSmall, WalkError
    """
    ids: IdArray = np.asarray(track_ids, dtype=np.int64)
    if start == end:
        raise SameTrack(f"the walk would begin and end at track {start}: name two different tracks")
    if length < 2:
        raise WalkError(f"a walk has at least 2 tracks, its ends; got {length}")
    if len(ids) < length:
        raise LibraryTooSmall(f"a walk of {length} tracks cannot be made of {len(ids)}")
    rows = {track_id: row for row, track_id in enumerate(ids.tolist())}
    if missing := [track_id for track_id in (start, end) if track_id not in rows]:
        raise WalkError(f"track {missing[0]} is not among those that the walk is made of")
    space = _Space.of(embeddings, rows[start], rows[end], length - 2, artists)
    path = _improve(space, _first_path(space))
    return ids[path]


@dataclass(frozen=True, eq=False)
class _Space:
    """What a walk is judged by.

    ``pull`` is (n_points, n_tracks), the similarity of each track to each point on the way; ``artist``
    (n_tracks,) numbers artists from 0, strangers each on their own.
    """

    embeddings: FloatArray
    artist: IdArray
    pull: FloatArray
    start: int
    end: int

    @classmethod
    def of(
        cls, embeddings: FloatArray, start: int, end: int, n_points: int, artists: Sequence[int] | None
    ) -> "_Space":
        known = np.full(len(embeddings), -1) if artists is None else np.asarray(artists, dtype=np.int64)
        own = -1 - np.arange(len(embeddings))
        artist = np.unique(np.where(known < 0, own, known), return_inverse=True)[1]
        through = embeddings.mean(axis=0)
        points = waypoints(embeddings[start], embeddings[end], n_points, through=through)
        return cls(embeddings, artist.astype(np.int64), points @ embeddings.T, start, end)

    def near(self, row: int) -> FloatArray:
        """(n_tracks,) similarity of every track to one."""
        similarity: FloatArray = self.embeddings @ self.embeddings[row]
        return similarity

    def step(self, row: int) -> FloatArray:
        """(n_tracks,) what it is worth to stand beside a track: similarity, and another artist."""
        worth: FloatArray = self.near(row) - _REPEAT * (self.artist == self.artist[row])
        return worth


def _first_path(space: _Space) -> list[int]:
    """Choose track after track, never one that would force a repeated artist later on."""
    n_points = len(space.pull)
    is_free = np.ones(len(space.embeddings), dtype=bool)
    is_free[[space.start, space.end]] = False
    path = [space.start]
    for point in range(n_points):
        left = np.bincount(space.artist[is_free], minlength=int(space.artist.max()) + 1)
        fine = _leaves_a_way(left, n_points - point - 1, int(space.artist[space.end]))
        worth = space.pull[point] + space.step(path[-1]) - _REPEAT * ~fine[space.artist]
        path.append(int(np.where(is_free, worth, -np.inf).argmax()))
        is_free[path[-1]] = False
    return [*path, space.end]


def _leaves_a_way(left: IdArray, n_after: int, last: int) -> NDArray[np.bool_]:
    """Return for each artist whether, once a track of theirs is next, the walk can go on without a repeat.

    Parameters
    ----------
    left : (n_artists,) tracks of each that are free
    n_after : tracks that follow it before the end
    last : artist of the end
    """
    artist = np.arange(len(left))
    if n_after == 0:
        others: NDArray[np.bool_] = artist != last
        return others
    # Of n places in a row, an artist can take every other one: half of those not beside another of theirs.
    most = (n_after + 1 - (artist == last)) // 2
    room = np.minimum(left, most)
    room_after = np.minimum(left - 1, np.maximum(n_after - (artist == last), 0) // 2)
    finishes: NDArray[np.bool_] = room.sum() - room + room_after >= n_after
    return finishes


def _improve(space: _Space, path: list[int]) -> list[int]:
    """Exchange tracks, with unused ones and among each other, as long as that makes the walk better."""
    for _ in range(_MAX_SWEEPS):
        before = list(path)
        _replace(space, path)
        _swap(space, path)
        if path == before:
            break
    return path


def _replace(space: _Space, path: list[int]) -> None:
    """Put the best free track, or the one that is there, in each place."""
    is_free = np.ones(len(space.embeddings), dtype=bool)
    is_free[path] = False
    beside = {row: space.step(row) for row in path}
    for place in range(1, len(path) - 1):
        before, here, after = path[place - 1 : place + 2]
        worth = space.pull[place - 1] + beside[before] + beside[after]
        best = int(np.where(is_free, worth, -np.inf).argmax())
        if is_free[best] and worth[best] > worth[here] + _NO_DIRECTION:
            is_free[here], is_free[best] = True, False
            path[place] = best
            beside[best] = space.step(best)


def _swap(space: _Space, path: list[int]) -> None:
    """Let two tracks change places where that makes the walk better."""
    rows = np.array(path)
    steps = np.stack([space.step(row)[rows] for row in path])
    pull = space.pull[:, rows]
    order = list(range(len(path)))

    def worth(*places: int) -> float:
        """What the tracks in these places and the steps from and to them are worth."""
        edges = {edge for place in places for edge in (place - 1, place)}
        stands = sum(float(pull[place - 1, order[place]]) for place in places)
        return stands + sum(float(steps[order[edge], order[edge + 1]]) for edge in edges)

    for one in range(1, len(path) - 1):
        for other in range(one + 1, len(path) - 1):
            before = worth(one, other)
            order[one], order[other] = order[other], order[one]
            if worth(one, other) <= before + _NO_DIRECTION:
                order[one], order[other] = order[other], order[one]
    path[:] = rows[order].tolist()


def _any_way(start: FloatArray, through: FloatArray | None) -> FloatArray:
    """Return a direction at right angles to ``start``, towards ``through`` if that says one."""
    axis = np.zeros_like(start)
    axis[np.abs(start).argmin()] = 1.0
    for towards in (axis if through is None else through, axis):
        aside: FloatArray = towards - np.dot(towards, start) * start
        if np.linalg.norm(aside) >= _NO_DIRECTION:
            return aside
    raise WalkError("a space of one dimension has no way around")
