"""tf.data pipelines: from tracks to batches, the same batches for the same seed and epoch."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.learning.augment import augment, mix
from training.learning.config import TrainingConfig

Array = NDArray[np.float32]
Rows = NDArray[np.int64]


def draw_patches(patches: Sequence[Array], tracks: Rows, *, per_track: int, rng: np.random.Generator) -> Rows:
    """Which patches one epoch sees, in which order: (n_drawn, 2) pairs of track row and patch row.

    Parameters
    ----------
    patches : sequence of (n_patches, n_frames, n_mels) arrays
        Of every track.
    tracks : (n,) int
        Tracks to draw from.
    per_track : int
        At most so many patches of one track, none twice.
    """
    drawn = [(track, patch) for track in tracks for patch in rng.permutation(len(patches[track]))[:per_track]]
    return np.asarray(rng.permutation(np.array(drawn, dtype=np.int64).reshape(-1, 2), axis=0))


def mixing_weights(n: int, *, config: TrainingConfig, rng: np.random.Generator) -> Array:
    """Weight of each row in its own mixture, in [0.5, 1]: (n,) float32."""
    if config.mixup == 0.0:
        return np.ones(n, dtype=np.float32)
    weights = rng.beta(config.mixup, config.mixup, size=n)
    return np.maximum(weights, 1.0 - weights).astype(np.float32)


def patch_batches(
    patches: Sequence[Array],
    targets: Array,
    drawn: Rows,
    *,
    config: TrainingConfig,
    rng: np.random.Generator,
    augment: Callable[..., Any] = augment,
) -> Any:
    """A tf.data.Dataset of (augmented and mixed patches, targets), read track by track as it goes.

    Parameters
    ----------
    patches : sequence of (n_patches, n_frames, n_mels) arrays
        One per track; may read from disk.
    targets : (n_tracks, n_labels) float32
    drawn : (n_drawn, 2) int
        As from :func:`draw_patches`.
    augment : callable
        As :func:`training.learning.augment.augment`, for what is no log-mel patch.
    """
    shape = patches[0].shape[1:]

    def read(pair: Rows) -> Array:
        return np.asarray(patches[int(pair[0])][int(pair[1])], dtype=np.float32)

    def load(pair: Any, target: Any, weight: Any) -> tuple[Any, Any, Any]:
        patch = tf.numpy_function(read, [pair], tf.float32)
        return tf.ensure_shape(patch, shape), target, weight

    def change(step: Any, batch: tuple[Any, Any, Any]) -> tuple[Any, Any]:
        inputs, target, weight = batch
        seeds = tf.random.split(tf.stack([seed, tf.cast(step, tf.int32)]), 2)
        inputs = augment(inputs, config=config, seed=seeds[0])
        return mix(inputs, target, weight, seed=seeds[1])

    seed = int(rng.integers(2**31))
    weights = mixing_weights(len(drawn), config=config, rng=rng)
    rows = tf.data.Dataset.from_tensor_slices((drawn, targets[drawn[:, 0]], weights))
    loaded = rows.map(load, num_parallel_calls=2).batch(config.batch_size)
    return loaded.enumerate().map(change).prefetch(2)


def feature_batches(
    features: Array, targets: Array, *, config: TrainingConfig, rng: np.random.Generator
) -> Any:
    """A tf.data.Dataset of (mixed features, targets), in random order; both arrays are (n_patches, ...)."""
    order = rng.permutation(len(features))
    seed = int(rng.integers(2**31))
    weights = mixing_weights(len(order), config=config, rng=rng)

    def change(step: Any, batch: tuple[Any, Any, Any]) -> tuple[Any, Any]:
        return mix(*batch, seed=tf.stack([seed, tf.cast(step, tf.int32)]))

    rows = tf.data.Dataset.from_tensor_slices((features[order], targets[order], weights))
    return rows.batch(config.batch_size).enumerate().map(change).prefetch(2)
