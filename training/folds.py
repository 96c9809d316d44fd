"""Artist-conditional folds: no artist, and no copy of a track, on both sides of a split."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IdArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

# Two tracks this alike (cosine of unit-length track embeddings) and this equal in length are one recording.
DUPLICATE_COSINE = 0.998
DUPLICATE_SECONDS = 1.5

JUDGED_BY = ("artist", "album", "track")


@dataclass(frozen=True, eq=False)
class Grouping:
    """What has to stay together when tracks are split.

    Attributes
    ----------
    keys : (n_tracks,) int64
        Tracks of equal key are never separated.
    judged_by : tuple of str, one per label
        ``artist`` where folds can be artist-conditional; ``album`` or ``track`` for a label with too few
        artists (albums), whose figures are therefore too good.
    """

    keys: IdArray
    judged_by: tuple[str, ...]


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
    n_tracks = len(membership)
    levels = {
        "artist": [_key(artists[row], albums[row], row) for row in range(n_tracks)],
        "album": [
            _key("", f"{artists[row]}/{albums[row]}" if albums[row] else "", row) for row in range(n_tracks)
        ],
        "track": [f"track/{row}" for row in range(n_tracks)],
    }
    judged_by = tuple(_level(column, levels) for column in membership.T)
    chosen = list(levels["artist"])
    for column, level in zip(membership.T, judged_by, strict=True):
        if level != "artist":
            # Only tracks that no artist-judged label needs are loosened, so that those stay honest.
            others = [label for label, by in enumerate(judged_by) if by == "artist"]
            for row in np.flatnonzero(column & ~membership[:, others].any(axis=1)):
                chosen[row] = levels[level][row]
    keys = np.unique(np.array(chosen), return_inverse=True)[1].astype(np.int64)
    return Grouping(_joined(keys, same_recording), judged_by)


def artist_folds(membership: BoolArray, keys: IdArray, *, n_folds: int, seed: int) -> IdArray:
    """Return the fold of each track, (n_tracks,) int64; equal keys share a fold, labels are spread evenly.

    There are never more folds than keys. A track in several playlists is spread by its rarest one.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    n_folds = min(n_folds, len(np.unique(keys)))
    folds = np.zeros(len(keys), dtype=np.int64)
    if n_folds < 2:
        return folds
    rarity = membership.sum(axis=0)
    primary = np.where(membership, rarity, np.inf).argmin(axis=1)
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    # Labels with fewer tracks than folds are expected here; the score card reports them instead.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for fold, (_, test) in enumerate(splitter.split(keys, primary, keys)):
            folds[test] = fold
    return folds


def same_recordings(embeddings: NDArray[np.float32], durations_s: NDArray[np.float64]) -> IdArray:
    """Return equal numbers for tracks that are one recording: near-identical embedding and duration.

    Parameters
    ----------
    embeddings : (n_tracks, dim) float32, unit length
    durations_s : (n_tracks,) float64; NaN is like no other
    """
    same = np.arange(len(embeddings), dtype=np.int64)
    for first in range(0, len(embeddings), 1024):
        block = slice(first, first + 1024)
        alike = embeddings[block] @ embeddings.T > DUPLICATE_COSINE
        alike &= np.abs(durations_s[block, None] - durations_s[None, :]) < DUPLICATE_SECONDS
        for row, other in np.argwhere(alike):
            a, b = same[row + first], same[other]
            if a != b:
                same[same == max(a, b)] = min(a, b)
    return same


def _key(artist: str, album: str, row: int) -> str:
    if artist:
        return f"artist/{artist.casefold()}"
    return f"album/{album.casefold()}" if album else f"track/{row}"


def _level(column: BoolArray, levels: dict[str, list[str]]) -> str:
    """Return the strictest level at which a label's tracks fall apart."""
    rows = np.flatnonzero(column)
    for level in JUDGED_BY:
        if len({levels[level][row] for row in rows}) > 1:
            return level
    return "track"


def _joined(keys: IdArray, same_recording: IdArray | None) -> IdArray:
    """Merge keys that share a recording."""
    if same_recording is None:
        return keys
    joined = keys.copy()
    for number in np.unique(same_recording):
        together = np.unique(joined[same_recording == number])
        if len(together) > 1:
            joined[np.isin(joined, together)] = together[0]
    return joined
