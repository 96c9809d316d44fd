"""Weights of MSD_musicnn (Pons and Serra 2019), read from the files of the ``musicnn`` package.

The package itself is never imported: its code is written for TensorFlow 1. The weights are ISC-licensed.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from training.encoder.available import checkpoint_folder
from training.encoder.graphs import EncoderGraph, msd_front, msd_middle, msd_penultimate, msd_tags
from training.encoder.lean_front import keep_living

MSD_TAGS = (
    "rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s",
    "alternative rock", "jazz", "beautiful", "metal", "chillout", "male vocalists", "classic rock",
    "soul", "indie rock", "Mellow", "electronica", "80s", "folk", "90s", "chill", "instrumental",
    "punk", "oldies", "blues", "hard rock", "ambient", "acoustic", "experimental", "female vocalist",
    "guitar", "Hip-Hop", "70s", "party", "country", "easy listening", "sexy", "catchy", "funk",
    "electro", "heavy metal", "Progressive rock", "60s", "rnb", "indie pop", "sad", "House", "happy",
)  # fmt: skip

# Our layer -> the name TensorFlow 1 gave it, numbered in the order of creation.
CONVOLUTIONS = {
    "timbral_38": "conv2d", "timbral_67": "conv2d_1", "temporal_128": "conv2d_2",
    "temporal_64": "conv2d_3", "temporal_32": "conv2d_4", "middle_1": "conv2d_5",
    "middle_2": "conv2d_6", "middle_3": "conv2d_7",
}  # fmt: skip
BATCH_NORMS = {
    "input": "batch_normalization", "timbral_38": "batch_normalization_1",
    "timbral_67": "batch_normalization_2", "temporal_128": "batch_normalization_3",
    "temporal_64": "batch_normalization_4", "temporal_32": "batch_normalization_5",
    "middle_1": "batch_normalization_6", "middle_2": "batch_normalization_7",
    "middle_3": "batch_normalization_8", "pooled": "batch_normalization_9",
    "penultimate": "batch_normalization_10",
}  # fmt: skip
DENSES = {"penultimate": "dense", "tags": "dense_1"}

ReadArray = Callable[[str], np.ndarray]


class MissingWeights(Exception):
    """The package that holds the pretrained weights is not installed."""

    code = "missing_weights"


def pretrained_encoder() -> EncoderGraph:
    """MSD_musicnn up to its penultimate layer, with its weights; MissingWeights without the package."""
    front, middle, penultimate = msd_front(), msd_middle(), msd_penultimate()
    _load_weights(front, middle, penultimate)
    return EncoderGraph((keep_living(front), middle, penultimate))


def pretrained_tags() -> Any:
    """The pretrained output layer, a Keras model: trunk view (n, 200) -> probability of MSD_TAGS (n, 50)."""
    model = msd_tags()
    _load_weights(model)
    return model


def _load_weights(*models: Any) -> None:
    read = _open_checkpoint()
    for layer in (layer for model in models for layer in model.layers if layer.weights):
        layer.set_weights(_layer_weights(layer, read))


def _open_checkpoint() -> ReadArray:
    import tensorflow as tf

    folder = checkpoint_folder()
    if folder is None:
        raise MissingWeights("the package musicnn is not installed: pip install --no-deps musicnn==0.1.0")
    # The prefix ends in a slash, which tf.train.load_checkpoint would take for a folder of checkpoints.
    reader = tf.compat.v1.train.NewCheckpointReader(f"{folder}/")
    read: ReadArray = reader.get_tensor
    return read


def _layer_weights(layer: Any, read: ReadArray) -> list[np.ndarray]:
    stem = layer.name.removesuffix("_bn").removesuffix("_conv")
    if layer.name.endswith("_bn"):
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        return [read(f"{BATCH_NORMS[stem]}/{name}") for name in names]
    source = CONVOLUTIONS[stem] if layer.name.endswith("_conv") else DENSES[stem]
    # A TensorFlow 1 kernel as wide as its one-channel picture is a convolution over time alone.
    return [read(f"{source}/kernel").reshape(layer.kernel.shape), read(f"{source}/bias")]
