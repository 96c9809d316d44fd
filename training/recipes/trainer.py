"""Train a network of an experiment, with the epochs, checkpoints and judgement of every training."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from training.learning.augment import augment, blank
from training.learning.config import TrainingConfig
from training.learning.graph import compile_model, on_devices
from training.learning.loop import Progress, TrainingReport, run_epochs
from training.learning.pipelines import draw_patches, patch_batches
from training.learning.run_state import RunState, run_signature
from training.learning.targets import GroupTargets, judge_tracks, softmax

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]

IMAGES_AT_ONCE = 32
N_HASHED_TRACKS = 16
MAX_BLANK_SHARE = 0.15
GROUP = "default"


@dataclass(frozen=True, eq=False)
class RecipeNetwork:
    """A network with a layer called ``penultimate``, and logits of the labels as its output."""

    model: keras.Model

    def logits(self, images: Array) -> Array:
        """(n_images, n_labels) of one track's images (n_images, *shape)."""
        return in_parts(self.model, images)

    @cached_property
    def _penultimate(self) -> keras.Model:
        return keras.Model(self.model.inputs, self.model.get_layer("penultimate").output)

    def embed(self, images: Array) -> Array:
        """(n_images, dim) of a track's images: what its penultimate layer holds."""
        return in_parts(self._penultimate, images)


def fit_recipe_network(
    build: Callable[[], keras.Model],
    images: Sequence[Array],
    membership: NDArray[Any],
    *,
    artists: Sequence[Hashable],
    config: TrainingConfig,
    choose_validation: Callable[..., tuple[Mask, str]],
    is_mel: bool,
    directory: Path | None,
    progress: Progress,
    before: Callable[[RecipeNetwork], None] = lambda network: None,
) -> tuple[RecipeNetwork, TrainingReport]:
    """Train a network from nothing; returned in its best state, with how the run went.

    Parameters
    ----------
    build : callable
        Returns the network, weights drawn anew.
    images : sequence of (n_images, *shape) arrays
        One per track; may read from disk at each access.
    membership : (n_tracks, n_labels)
        Rows of zeros are neither learnt nor judged.
    is_mel : bool
        Whether the images are plain log-mel patches, whose level and spectral balance may be varied.
    before : callable
        Shown the network before it has learnt anything.
    """
    targets = GroupTargets.of({GROUP: np.asarray(membership)})
    held, by = choose_validation(targets, artists, share=config.validation_share, seed=config.seed)
    training, validation = np.flatnonzero(targets.labelled & ~held), np.flatnonzero(held)
    shares, change = np.zeros_like(targets.shares), augment_mel if is_mel else augment_images
    shares[training] = targets.training_targets(config, training)
    keras.utils.set_random_seed(config.seed)
    with on_devices():
        model = build()
        compile_model(model, pretrained=(), slices=targets.slices, config=config)
    network = RecipeNetwork(model)
    before(network)
    state = _start(model, config, [targets.shares, training, validation], images, directory)

    def batches(rng: np.random.Generator) -> Any:
        drawn = draw_patches(images, training, per_track=config.patches_per_track, rng=rng)
        return patch_batches(images, shares, drawn, config=config, rng=rng, augment=change)

    def judge(_model: keras.Model) -> dict[str, float]:
        logits = [network.logits(images[row]) for row in validation.tolist()]
        return judge_tracks(logits, targets.shares[validation], targets.slices)

    stopped = run_epochs(
        model,
        batches=batches,
        judge=judge,
        config=config,
        state=state,
        directory=directory,
        progress=progress,
    )
    return network, TrainingReport(
        mode=config.mode,
        history=tuple(state.history),
        best_epoch=state.best_epoch,
        stopped=stopped,
        seconds=state.seconds,
        validated_by=by,
        n_tracks=len(training),
        n_validation_tracks=len(validation),
    )


def _start(
    model: keras.Model,
    config: TrainingConfig,
    parts: Sequence[NDArray[Any]],
    images: Sequence[Array],
    directory: Path | None,
) -> RunState:
    """The checkpoint of this very training, or a new one's; ``parts`` says who learns what."""
    heard = [images[row][:1] for row in parts[1][:N_HASHED_TRACKS].tolist()]
    # Layers are numbered in the order of creation, so only their shapes are the same in another process.
    shapes = [tuple(weight.shape) for weight in model.weights]
    signature = run_signature(config, shapes, arrays=[*parts, *heard])
    return RunState.load(directory, signature) if directory else RunState(signature)


def augment_mel(images: Any, *, config: TrainingConfig, seed: Any) -> Any:
    """:func:`training.learning.augment.augment` of log-mel images (n, n_frames, n_mels, 1)."""
    return augment(images[..., 0], config=config, seed=seed)[..., None]


def augment_images(images: Any, *, config: TrainingConfig, seed: Any) -> Any:
    """Blank a stretch of rows and one of columns, if that is asked for: images (n, n_rows, n_columns, n)."""
    if not config.spec_augment:
        return images
    import tensorflow as tf

    seeds = tf.random.split(seed, 2)
    for axis in (1, 2):
        images = blank(images, axis=axis, max_share=MAX_BLANK_SHARE, seed=seeds[axis - 1])
    return images


def vote(logits: Array, *, how: str) -> Array:
    """(n_labels,) probabilities of a track from the logits of its images (n_images, n_labels).

    ``mean`` is their mean probability; ``majority`` gives each image one vote, and only ties are decided by
    the mean.
    """
    probabilities = softmax(logits)
    mean: Array = probabilities.mean(axis=0)
    if how == "mean":
        return mean
    votes = np.bincount(probabilities.argmax(axis=1), minlength=logits.shape[1])
    shares: Array = ((votes + mean) / (len(logits) + 1)).astype(np.float32)
    return shares


def in_parts(model: keras.Model, images: Array) -> Array:
    """The model's answers to a track's images, some at a time.

    Filled up to a power of two, since TensorFlow traces a model anew for every number of images.
    """
    rows = np.asarray(images, dtype=np.float32)
    answers = []
    for start in range(0, len(rows), IMAGES_AT_ONCE):
        part = rows[start : start + IMAGES_AT_ONCE]
        filled = np.resize(part, (1 << (len(part) - 1).bit_length(), *part.shape[1:]))
        answers.append(np.asarray(model.predict_on_batch(filled))[: len(part)])
    said: Array = np.concatenate(answers).astype(np.float32)
    return said
