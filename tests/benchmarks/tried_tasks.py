"""One question to a candidate: tracks with known playlists, tracks asked about, and the rest of a library."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.model.heads import fit_linear_head
from tests.benchmarks.research_sets import FloatArray, IdArray, read_four_genres, read_patches
from training.folds import artist_folds
from training.groups.fitting import MILD, OF_FEW
from training.groups.labels import artist_weights

N_LABELS = 4


@dataclass(frozen=True, eq=False)
class FourGenres:
    """What the pretrained network hears: penultimate (n, 8, 200), pooled (n, 8, 1506), tags (n, 8, 50)."""

    label: IdArray
    artist: IdArray
    penultimate: FloatArray
    pooled: FloatArray
    tags: FloatArray
    timbre: FloatArray

    @classmethod
    def read(cls, folder: Path) -> "FourGenres":
        """Hear every patch with the network frozen: a quarter of a minute on a quiet core."""
        from training.encoder.pretrained import pretrained_encoder, pretrained_tags
        from training.learning.trainer import pooled_features

        bench, graph, tags = read_four_genres(folder), pretrained_encoder(), pretrained_tags()
        pooled = np.stack(pooled_features(graph, list(read_patches(folder))))
        penultimate = np.stack([np.asarray(graph.stages[-1].predict_on_batch(track)) for track in pooled])
        named = np.stack([np.asarray(tags.predict_on_batch(track)) for track in penultimate])
        return cls(bench.label, bench.artist, penultimate, pooled, named, bench.raw[:, 200:])


@dataclass(frozen=True, eq=False)
class Task:
    """Rows of a set: ``known`` with their labels, ``asked``, and a ``library`` nobody labelled."""

    set: FourGenres
    known: IdArray
    asked: IdArray
    library: IdArray
    seed: int

    @cached_property
    def label(self) -> IdArray:
        """Labels of the known tracks."""
        return self.set.label[self.known]

    @cached_property
    def artist(self) -> IdArray:
        """Artists of the known tracks."""
        return self.set.artist[self.known]

    @property
    def heads(self) -> tuple[tuple[float, float], ...]:
        """The service's own heads for so many tracks."""
        return MILD if len(self.known) >= 10 * N_LABELS else OF_FEW

    @property
    def there(self) -> IdArray:
        """All that may be looked at before the question comes."""
        return np.concatenate([self.known, self.library])


def answer_linear(
    known: FloatArray,
    asked: FloatArray,
    task: Task,
    *,
    heads: tuple[tuple[float, float], ...] | None = None,
) -> FloatArray:
    """Logits (n_asked, 4) of the mean of linear heads on unit-length rows."""
    membership = task.label[:, None] == np.arange(N_LABELS)
    total = np.zeros((len(asked), N_LABELS), np.float32)
    for l2, correlation in heads or task.heads:
        weights = artist_weights(membership, task.artist, correlation=correlation)
        total += fit_linear_head(known.astype(np.float32), weights, l2=l2).logits(asked.astype(np.float32))
    return total


def standardise(vectors: FloatArray, task: Task, by: IdArray | None = None) -> tuple[FloatArray, FloatArray]:
    """Known and asked rows, z-scored with the statistics of the known (or of ``by``), unit length."""
    rows = vectors[task.known if by is None else by]
    centre, spread = rows.mean(axis=0), rows.std(axis=0)
    spread = np.maximum(spread, 0.1 * np.median(spread[spread > 0]))
    scaled = (vectors - centre) / spread
    return unit(scaled[task.known]), unit(scaled[task.asked])


def unit(rows: FloatArray) -> FloatArray:
    """Rows of unit length."""
    scaled: FloatArray = rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9)
    return scaled


def fold_tasks(data: FourGenres, seed: int) -> Iterator[Task]:
    """All tracks of four artist-conditional folds are known, the fifth is asked about."""
    membership = data.label[:, None] == np.arange(N_LABELS)
    folds = artist_folds(membership, data.artist, n_folds=5, seed=seed)
    for fold in range(5):
        known = np.flatnonzero(folds != fold)
        yield Task(data, known, np.flatnonzero(folds == fold), known[:0], seed)


def few_tasks(data: FourGenres, n_draws: int) -> Iterator[list[Task]]:
    """Five tracks a playlist; the other artists are dealt into two halves, library and asked, both ways.

    The draws are those of the score card.
    """
    rng, split = np.random.default_rng(0), np.random.default_rng(1)
    for draw in range(n_draws):
        known = np.concatenate(
            [rng.permutation(np.flatnonzero(data.label == g))[:5] for g in range(N_LABELS)]
        )
        rest = np.flatnonzero(~np.isin(data.artist, data.artist[known]))
        artists = split.permutation(np.unique(data.artist[rest]))
        half: NDArray[np.bool_] = np.isin(data.artist[rest], artists[: len(artists) // 2])
        yield [Task(data, known, rest[part], rest[~part], draw) for part in (half, ~half)]
