"""Worlds with a known answer: one cloud of vectors per playlist, in which every artist has a place."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import hadamard

from training.folds import Grouping
from training.groups.fit import FittedGroup, GroupLabels, fit_group, group_by_artist
from training.groups.fitting import FitContext, default_choice
from training.groups.labels import LabelledTracks

DIM = 24
# The first view knows the playlists and the artists; the second is noise unless a test says otherwise.
VIEWS = {"trunk": slice(0, 16), "timbre": slice(16, DIM)}
# Playlists lie at right angles, each in all columns of the first view, as z-scores would have it.
DIRECTIONS = hadamard(16) / 4


def make_tracks(
    n_tracks: Sequence[int],
    *,
    n_artists: int | Sequence[int] = 4,
    distance: float = 4.0,
    artist_spread: float = 0.6,
    noise: float = 0.6,
    seed: int = 440,
) -> LabelledTracks:
    """Return tracks of ``len(n_tracks)`` playlists whose centres are ``distance`` apart at right angles.

    ``n_artists`` is the number of artists of each playlist; no artist is in two.
    """
    rng = np.random.default_rng(seed)
    n_labels = len(n_tracks)
    artists_of = [n_artists] * n_labels if isinstance(n_artists, int) else list(n_artists)
    label = np.repeat(np.arange(n_labels), n_tracks)
    artist = np.concatenate([np.arange(n) % max(m, 1) for n, m in zip(n_tracks, artists_of, strict=True)])
    places = rng.normal(scale=artist_spread, size=(n_labels, max(artists_of), DIM))
    raw = rng.normal(scale=noise, size=(len(label), DIM))
    raw[:, VIEWS["trunk"]] += places[label, artist, :16] + distance * DIRECTIONS[label]
    return LabelledTracks(
        track_ids=np.arange(len(label)) * 3 + 11,
        raw=raw.astype(np.float32),
        membership=label[:, None] == np.arange(n_labels),
        artists=tuple(f"artist {a} of {b}" for a, b in zip(artist, label, strict=True)),
        albums=("",) * len(label),
        durations_s=rng.uniform(60, 6000, len(label)),
    )


def make_labels(n_labels: int) -> GroupLabels:
    """Playlists with ids that are no positions."""
    names = tuple(f"playlist {label}" for label in range(n_labels))
    return GroupLabels(7, "default", np.arange(n_labels) + 50, names)


def make_context(tracks: LabelledTracks, *, seed: int = 0) -> FitContext:
    """A library that holds nothing but the labelled tracks."""
    return FitContext(VIEWS, tracks.raw[:0], seed)


def group_of(tracks: LabelledTracks) -> Grouping:
    """What stays together, as a refit finds it."""
    context = make_context(tracks)
    return group_by_artist(tracks, context, default_choice(context.views))


def fit(tracks: LabelledTracks, *, seed: int = 0) -> FittedGroup:
    """A fitted group, as a refit fits it."""
    labels = make_labels(tracks.membership.shape[1])
    return fit_group(labels, tracks, make_context(tracks, seed=seed), group_of(tracks))


def with_random_labels(tracks: LabelledTracks, *, seed: int = 1) -> LabelledTracks:
    """The same tracks in playlists that have nothing to do with them; an artist stays in one playlist."""
    rng = np.random.default_rng(seed)
    n_labels = tracks.membership.shape[1]
    names = sorted(set(tracks.artists))
    drawn = dict(zip(names, rng.permutation(np.arange(len(names)) % n_labels), strict=True))
    label = np.array([drawn[name] for name in tracks.artists])
    return replace(tracks, membership=label[:, None] == np.arange(n_labels))


def unit(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows of unit length."""
    return (values / np.linalg.norm(values, axis=-1, keepdims=True)).astype(np.float32)
