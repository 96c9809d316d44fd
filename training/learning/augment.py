"""Random changes of log-mel patches that leave a track what it is: TensorFlow functions of whole batches.

Each takes a seed, a pair of integers, and is a pure function of its arguments.
Patches are (n, n_frames, n_mels) float32 = log10(1 + gain * power).
"""

from typing import Any

import tensorflow as tf

from training.learning.config import TrainingConfig

Tensor = Any  # TensorFlow publishes no types

MAX_TIME_SHARE = 0.2
MAX_BAND_SHARE = 0.15
LOW_PASS_DB = 60.0
LOW_PASS_LOWEST_SHARE = 0.5


def augment(patches: Tensor, *, config: TrainingConfig, seed: Tensor) -> Tensor:
    """All the changes that ``config`` asks for but mixup, which needs the targets too."""
    seeds = tf.random.split(seed, 4)
    patches = change_power(patches, power_db(patches, config=config, seed=seeds[0]))
    if config.spec_augment:
        patches = blank(patches, axis=1, max_share=MAX_TIME_SHARE, seed=seeds[1])
        patches = blank(patches, axis=2, max_share=MAX_BAND_SHARE, seed=seeds[2])
    return patches


def change_power(patches: Tensor, change_db: Tensor) -> Tensor:
    """The log-mel a track would have had, had each band's power changed by ``change_db`` (n, 1, n_mels)."""
    power = tf.pow(10.0, patches) - 1.0
    return tf.math.log1p(power * tf.pow(10.0, change_db / 10.0)) / tf.math.log(10.0)


def power_db(patches: Tensor, *, config: TrainingConfig, seed: Tensor) -> Tensor:
    """Random level, tilt and low-pass of each patch: (n, 1, n_mels) in dB."""
    seeds = tf.random.split(seed, 4)
    n, n_mels = tf.shape(patches)[0], patches.shape[2]
    slope = tf.linspace(-1.0, 1.0, n_mels)[None, None, :]
    level = _uniform((n, 1, 1), config.level_db, seeds[0])
    tilt = _uniform((n, 1, 1), config.tilt_db, seeds[1])
    cut = tf.random.stateless_uniform((n, 1, 1), seeds[2], 2 * LOW_PASS_LOWEST_SHARE - 1, 1.0)
    hit = tf.random.stateless_uniform((n, 1, 1), seeds[3]) < config.low_pass_share
    low_pass = tf.where(hit & (slope > cut), -LOW_PASS_DB, 0.0)
    return level + tilt * slope + low_pass


def blank(patches: Tensor, *, axis: int, max_share: float, seed: Tensor) -> Tensor:
    """Set one random stretch of each patch to silence, of at most ``max_share`` of the axis.

    ``patches`` may have further axes, whose entries are all blanked.
    """
    seeds = tf.random.split(seed, 2)
    n, length = tf.shape(patches)[0], patches.shape[axis]
    width = tf.random.stateless_uniform((n, 1), seeds[0], 0.0, max_share * length)
    start = tf.random.stateless_uniform((n, 1), seeds[1], 0.0, 1.0) * (length - width)
    position = tf.range(length, dtype=tf.float32)[None, :]
    keep = tf.cast((position < start) | (position >= start + width), patches.dtype)
    shape = [length if number == axis else 1 for number in range(1, len(patches.shape))]
    return patches * tf.reshape(keep, [n, *shape])


def mix(inputs: Tensor, targets: Tensor, weight: Tensor, *, seed: Tensor) -> tuple[Tensor, Tensor]:
    """Mixup (Zhang et al. 2018): ``weight`` (n,) of each row, the rest of another row; targets alike."""
    other = tf.random.experimental.stateless_shuffle(tf.range(tf.shape(inputs)[0]), seed)
    return _blend(inputs, other, weight), _blend(targets, other, weight)


def _blend(rows: Tensor, other: Tensor, weight: Tensor) -> Tensor:
    weight = tf.reshape(weight, [-1] + [1] * (len(rows.shape) - 1))
    return weight * rows + (1.0 - weight) * tf.gather(rows, other)


def _uniform(shape: tuple[Any, ...], largest: float, seed: Tensor) -> Tensor:
    return tf.random.stateless_uniform(shape, seed, -1.0, 1.0) * largest
