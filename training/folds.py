"""Artist-conditional folds: no artist, and no copy of a track, on both sides of a split."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

IdArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

# Two tracks this alike (cosine of unit-length track embeddings) and this equal in length are one recording.
DUPLICATE_COSINE = 0.998
DUPLICATE_SECONDS = 1.5
# How many tracks are compared with all others at a time.
BLOCK_TRACKS = 1024

JUDGED_BY = ("artist", "album", "track")


@dataclass(frozen=True, eq=False)
class Grouping:
    """What has to stay together when tracks are split.

    Attributes
    ----------
    keys : (n_tracks,) int64
        Tracks of equal key are never separated.
    judged_by : tuple of str, one per label
        ``artist`` where two known artists make folds artist-conditional; else ``album`` or ``track``: an
        artist may then be on both sides, and the label's figures are too good.
    recordings : (n_tracks,) int64
        Equal for copies of one recording, which stay together even where their artist does not.
    """

    keys: IdArray
    judged_by: tuple[str, ...]
    recordings: IdArray

    def rows(self, rows: IdArray) -> "Grouping":
        """Return the part about some of the tracks."""
        return replace(self, keys=self.keys[rows], recordings=self.recordings[rows])


def group_tracks(
    membership: BoolArray,
    *,
    artists: Sequence[str],
    albums: Sequence[str],
    same_recording: IdArray | None = None,
) -> Grouping:
    """Return the keys of the tracks, by artist where each label has two, else by album, else by track.

    Parameters
    ----------
    membership : (n_tracks, n_labels) bool
    artists, albums : names; an empty artist falls back to the album, an empty album to the track itself
    same_recording : (n_tracks,) int64, optional
        Equal numbers mark copies of one recording, see :func:`same_recordings`.
    """
    levels = _levels(artists, albums)
    level_of = [_strictest(column, levels) for column in membership.T]
    by_artist = membership[:, [level == "artist" for level in level_of]].any(axis=1)
    chosen = list(levels["artist"])
    for column, level in zip(membership.T, level_of, strict=True):
        # Only tracks that no artist-judged label needs are loosened, so that those stay honest.
        for row in np.flatnonzero(column & ~by_artist):
            chosen[row] = levels[level][row]
    keys: IdArray = np.unique(np.array(chosen), return_inverse=True)[1].astype(np.int64)
    judged_by = tuple(_judged_by({chosen[row] for row in np.flatnonzero(column)}) for column in membership.T)
    if same_recording is None:
        return Grouping(keys, judged_by, np.arange(len(keys)))
    return Grouping(_joined(keys, same_recording), judged_by, same_recording)


def held_together(credits: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return a name for each track that it shares with every track it has an artist in common with.

    Also by way of others: who plays with one artist here and with another there keeps all three together.
    It is the name of one of the artists; empty for a track of which none is known.
    """
    leads: dict[str, str] = {}
    spelled = {name.casefold(): name for names in reversed(credits) for name in reversed(names)}

    def lead(name: str) -> str:
        key = name.casefold()
        while leads.setdefault(key, key) != key:
            key = leads[key]
        return key

    for first, *others in (names for names in credits if names):
        for other in others:
            leads[lead(other)] = lead(first)
    return tuple(spelled[lead(names[0])] if names else "" for names in credits)


def artist_folds(membership: BoolArray, keys: IdArray, *, n_folds: int, seed: int) -> IdArray:
    """Return the fold of each track, (n_tracks,) int64; equal keys share a fold, labels are spread evenly.

    There are never more folds than keys, and none is empty. Large keys are given away first, each to the
    fold that holds least of the labels it brings; otherwise the order is chance.
    """
    number = np.unique(keys, return_inverse=True)[1]
    n_keys = int(number.max()) + 1
    brings = np.zeros((n_keys, membership.shape[1]))
    np.add.at(brings, number, membership)
    share = brings / np.maximum(brings.sum(axis=0), 1)
    size = brings.sum(axis=1) * np.random.default_rng(seed).uniform(0.5, 1, n_keys)
    held = np.zeros((min(n_folds, n_keys), membership.shape[1]))
    fold_of_key = np.zeros(n_keys, dtype=np.int64)
    for key in np.argsort(-size):
        # This adds least to the sum of squared shares; between equals, to the fold that holds least.
        fold = np.lexsort((held.sum(axis=1), held @ share[key]))[0]
        held[fold] += share[key]
        fold_of_key[key] = fold
    return fold_of_key[number]


def labels_left(membership: BoolArray, folds: IdArray) -> BoolArray:
    """(n_tracks, n_labels) bool: has the label any track outside of this track's fold?"""
    in_fold = np.zeros((int(folds.max()) + 1, membership.shape[1]), dtype=np.int64)
    np.add.at(in_fold, folds, membership)
    left: BoolArray = (membership.sum(axis=0) > in_fold)[folds]
    return left


def same_recordings(
    embeddings: NDArray[np.float32],
    durations_s: NDArray[np.float64],
    *,
    least_cosine: float = DUPLICATE_COSINE,
) -> IdArray:
    """Return equal numbers for tracks that are one recording: near-identical embedding and duration.

    Parameters
    ----------
    embeddings : (n_tracks, dim) float32, unit length
    durations_s : (n_tracks,) float64; NaN is like no other
    """
    pairs = []
    for first in range(0, len(embeddings), BLOCK_TRACKS):
        block = slice(first, first + BLOCK_TRACKS)
        alike = embeddings[block] @ embeddings.T > least_cosine
        alike &= np.abs(durations_s[block, None] - durations_s[None, :]) < DUPLICATE_SECONDS
        pairs.append(np.argwhere(alike) + np.array([first, 0]))
    one, other = np.concatenate(pairs).T
    return _connected(one, other, len(embeddings))


def _levels(artists: Sequence[str], albums: Sequence[str]) -> dict[str, list[str]]:
    """Return level -> the key of each track; what is unknown falls back to the next level."""
    tracks = [f"track/{row}" for row in range(len(artists))]
    by_album = [
        f"album/{artist}/{album}".casefold() if album else track
        for artist, album, track in zip(artists, albums, tracks, strict=True)
    ]
    by_artist = [
        f"artist/{artist}".casefold() if artist else album
        for artist, album in zip(artists, by_album, strict=True)
    ]
    return {"artist": by_artist, "album": by_album, "track": tracks}


def _strictest(column: BoolArray, levels: dict[str, list[str]]) -> str:
    """Return the strictest level at which a label's tracks fall apart."""
    rows = np.flatnonzero(column)
    return next((level for level in JUDGED_BY if len({levels[level][row] for row in rows}) > 1), "track")


def _judged_by(keys: set[str]) -> str:
    """Return the strictest level of which a label has two keys."""
    n_keys = {level: sum(key.startswith(f"{level}/") for key in keys) for level in JUDGED_BY}
    return next((level for level in JUDGED_BY if n_keys[level] > 1), "track")


def _joined(keys: IdArray, same_recording: IdArray) -> IdArray:
    """Merge keys that share a recording."""
    n_keys = int(keys.max()) + 1
    recordings = n_keys + np.unique(same_recording, return_inverse=True)[1]
    return _connected(keys, recordings, int(recordings.max()) + 1)[keys]


def _connected(one: IdArray, other: IdArray, n_nodes: int) -> IdArray:
    """(n_nodes,) int64: equal numbers for nodes that a chain of the given edges connects."""
    # SciPy is slow to import, and only a refit needs it.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = coo_array((np.ones(len(one), dtype=bool), (one, other)), shape=(n_nodes, n_nodes))
    numbers: IdArray = connected_components(edges, directed=False)[1].astype(np.int64)
    return numbers
