"""What may make a score card's figures look better, or mean less, than they should: read from the data."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from recommender.records.tracks import FileFormat

IdArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

# A format is suspicious when most of a playlist has it and few of the other tracks do.
TELLING_SHARE = 0.6
MIN_TRACKS_TO_TELL = 5
UNEQUAL_SIZES = 10
DOMINANT_SHARE = 0.5
FEW_TRACKS = 5
SAME_PLAYLIST = 0.5
N_NAMED = 3


def caution_formats(
    names: Sequence[str], membership: BoolArray, formats: Sequence[FileFormat]
) -> list[tuple[int, str]]:
    """Return (label, sentence) for playlists that the kind of file betrays: container, rate or bit rate.

    A share of tracks with a property that is higher by ``TELLING_SHARE`` in a playlist than outside lets a
    classifier recognise the file instead of the music.
    """
    found = []
    for label, column in enumerate(membership.T):
        if column.sum() < MIN_TRACKS_TO_TELL or (~column).sum() < MIN_TRACKS_TO_TELL:
            continue
        for values in zip(*(described.properties for described in formats), strict=True):
            inside, outside = (
                Counter(value for value, is_in in zip(values, side, strict=True) if value and is_in)
                for side in (column, ~column)
            )
            if not inside:
                continue
            value, n_tracks = inside.most_common(1)[0]
            share, elsewhere = n_tracks / column.sum(), outside[value] / (~column).sum()
            if share - elsewhere >= TELLING_SHARE:
                sentence = (
                    f"{share:.0%} of the tracks of {names[label]!r} are {value}, of the other tracks"
                    f" {elsewhere:.0%}: the kind of file may be recognised instead of the music"
                )
                found.append((label, sentence))
    return found


def caution_artists(
    names: Sequence[str], membership: BoolArray, artists: Sequence[str]
) -> list[tuple[int, str]]:
    """Return (label, sentence) for playlists of several artists of which one has most of the tracks."""
    found = []
    for label, column in enumerate(membership.T):
        counts = Counter(artists[row] for row in np.flatnonzero(column).tolist() if artists[row])
        if len(counts) < 2:
            continue
        artist, n_tracks = counts.most_common(1)[0]
        if n_tracks > DOMINANT_SHARE * column.sum():
            sentence = (
                f"{n_tracks} of the {column.sum()} tracks of {names[label]!r} are by {artist!r}: while they"
                " are held out, little of the playlist is left to learn from"
            )
            found.append((label, sentence))
    return found


def caution_albums(
    names: Sequence[str], membership: BoolArray, albums: Sequence[str], folds: IdArray
) -> list[tuple[int, str]]:
    """Return (label, sentence) for playlists with an album on both sides of a split."""
    found = []
    for label, column in enumerate(membership.T):
        sides: dict[str, set[int]] = {}
        for row in np.flatnonzero(column).tolist():
            if albums[row]:
                sides.setdefault(albums[row], set()).add(int(folds[row]))
        split = [album for album, on in sides.items() if len(on) > 1]
        if split:
            found.append(
                (
                    label,
                    f"albums of {names[label]!r} that lie on both sides of a split: {_named(split)};"
                    " this makes the playlist look easier than it is",
                )
            )
    return found


def caution_copies(
    names: Sequence[str], membership: BoolArray, same_recording: IdArray, titles: Sequence[str]
) -> list[str]:
    """Return sentences on recordings that lie in different playlists as different files."""
    pairs: dict[tuple[int, int], list[str]] = {}
    for number, n_copies in zip(*np.unique(same_recording, return_counts=True), strict=True):
        if n_copies < 2:
            continue
        rows = np.flatnonzero(same_recording == number)
        within = membership[rows]
        for a, b in combinations(np.flatnonzero(within.any(axis=0)).tolist(), 2):
            if not (within[:, a] & within[:, b]).any():
                pairs.setdefault((a, b), []).append(titles[rows[0]])
    return [
        f"{_named(found)} was found in both {names[a]!r} and {names[b]!r}: no answer can be right for both"
        for (a, b), found in pairs.items()
    ]


def caution_sizes(names: Sequence[str], membership: BoolArray) -> list[str]:
    """Return sentences on playlists of very unequal size, too few tracks, or mostly the same tracks."""
    sizes = membership.sum(axis=0)
    found = []
    small, large = int(sizes.argmin()), int(sizes.argmax())
    if sizes[large] >= UNEQUAL_SIZES * sizes[small]:
        found.append(
            f"the playlists are of very unequal size: {sizes[large]} tracks in {names[large]!r},"
            f" {sizes[small]} in {names[small]!r}; the figures of the small one rest on little"
        )
    few = [name for name, size in zip(names, sizes, strict=True) if size < FEW_TRACKS]
    if few:
        found.append(f"fewer than {FEW_TRACKS} tracks: {_named(few)}; such figures are anecdotes")
    for a, b in combinations(range(len(names)), 2):
        n_shared = int((membership[:, a] & membership[:, b]).sum())
        if n_shared > SAME_PLAYLIST * min(sizes[a], sizes[b]):
            found.append(
                f"{names[a]!r} and {names[b]!r} share {n_shared} tracks, more than half of the smaller one:"
                " they can hardly be told apart"
            )
    return found


def _named(names: Sequence[str]) -> str:
    """Return up to ``N_NAMED`` names in quotes, and how many more there are."""
    shown = ", ".join(repr(name) for name in names[:N_NAMED])
    return shown + (f" and {len(names) - N_NAMED} more" if len(names) > N_NAMED else "")
