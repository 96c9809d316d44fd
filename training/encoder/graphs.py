"""The Keras graphs: patches in, views of an embedding out. Shapes leave out the batch unless they name n."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from scipy.fft import dct

from embeddings.config import MelConfig, PatchConfig, View

# Frames and mel bands of a patch, as the pretrained network expects them.
PATCH_SHAPE = (PatchConfig.patch_frames, MelConfig.n_mels)
# Branch of the front end -> frames and bands of its filters: 0.4 and 0.7 of the bands, or single bands.
FRONT_KERNELS = {
    "timbral_38": (7, 38),
    "timbral_67": (7, 67),
    "temporal_128": (128, 1),
    "temporal_64": (64, 1),
    "temporal_32": (32, 1),
}
MSD_FILTERS = {"timbral_38": 204, "timbral_67": 204, "temporal_128": 51, "temporal_64": 51, "temporal_32": 51}
MSD_FRONT_DIM = sum(MSD_FILTERS.values())
MSD_POOLED_DIM = 1506
MSD_PENULTIMATE_DIM = 200
SMALL_FILTERS = (32, 64, 96, 128)
N_MFCC = 20
TIMBRE_VIEW = View("timbre", 3 * N_MFCC)
# TensorFlow 1 divided by sqrt(variance + 1e-3), and the pretrained weights were fitted to that.
BATCH_NORM_EPSILON = 1e-3

Tensor = Any  # Keras publishes no types


def _batch_norm(name: str) -> Any:
    return layers.BatchNormalization(epsilon=BATCH_NORM_EPSILON, name=name)


def _max_over_bands(x: Tensor, name: str) -> Tensor:
    """(n_frames, n_bands, n_filters) -> (n_frames, n_filters)."""
    pooled = layers.MaxPooling2D((1, x.shape[2]), name=name)(x)
    return ops.squeeze(pooled, axis=2)


def _front_branch(x: Tensor, *, n_filters: int, kernel: tuple[int, int], name: str) -> Tensor:
    """One musically motivated filter shape: (n_frames, n_mels, 1) -> (n_frames, n_filters).

    A tall kernel (frames, bands) hears timbre at any height, a long one (frames, 1) rhythm in each band.
    """
    if kernel[1] > 1:
        # Padded in time only: over the bands everything is pooled anyway.
        x = layers.ZeroPadding2D((kernel[0] // 2, 0), name=f"{name}_pad")(x)
        padding = "valid"
    else:
        padding = "same"
    x = layers.Conv2D(n_filters, kernel, padding=padding, activation="relu", name=f"{name}_conv")(x)
    return _max_over_bands(_batch_norm(f"{name}_bn")(x), f"{name}_pool")


def msd_front(n_filters: Mapping[str, int] = MSD_FILTERS) -> keras.Model:
    """MSD_musicnn's front end (Pons and Serra 2019): patches (n, 187, 96) float32 -> maps (n, 187, 561).

    Parameters
    ----------
    n_filters : mapping of str to int
        Filters of each branch. With fewer than the published ones, the fixed layer ``places`` puts their maps
        where the others expect them, and adds what the missing filters always say.
    """
    inputs = keras.Input(PATCH_SHAPE, name="patches")
    x = _batch_norm("input_bn")(ops.expand_dims(inputs, axis=3))
    branches = [
        _front_branch(x, n_filters=n, kernel=FRONT_KERNELS[name], name=name) for name, n in n_filters.items()
    ]
    maps = layers.Concatenate(name="front")(branches)
    if n_filters != MSD_FILTERS:
        maps = layers.Dense(MSD_FRONT_DIM, trainable=False, name="places")(maps)
    return keras.Model(inputs, maps, name="msd_front")


def msd_middle(n_frames: int = PATCH_SHAPE[0]) -> keras.Model:
    """MSD_musicnn's middle: front-end maps (n, 187, 561) -> pooled (n, 1506) float32.

    Three residual convolutions over time; then the maximum and the mean over time of each of the 561 + 192
    maps, interleaved as the checkpoint has them.
    """
    front = keras.Input((n_frames, MSD_FRONT_DIM), name="front")
    x = _middle_block(front, "middle_1")
    maps = [front, x]
    for name in ("middle_2", "middle_3"):
        x = layers.Add(name=f"{name}_add")([_middle_block(x, name), x])
        maps.append(x)
    features = layers.Concatenate(name="maps")(maps)
    pooled = ops.stack([ops.max(features, axis=1), ops.mean(features, axis=1)], axis=2)
    return keras.Model(front, layers.Flatten(name="pooled")(pooled), name="msd_middle")


def _middle_block(x: Tensor, name: str) -> Tensor:
    """(n_frames, n_maps) -> (n_frames, 64)."""
    return _batch_norm(f"{name}_bn")(
        layers.Conv1D(64, 7, padding="same", activation="relu", name=f"{name}_conv")(x)
    )


def msd_penultimate() -> keras.Model:
    """MSD_musicnn's last hidden layer: pooled (n, 1506) -> (n, 200) float32, after its batch norm."""
    pooled = keras.Input((MSD_POOLED_DIM,), name="pooled")
    x = layers.Dropout(0.5)(_batch_norm("pooled_bn")(pooled))
    x = layers.Dense(MSD_PENULTIMATE_DIM, activation="relu", name="penultimate")(x)
    return keras.Model(pooled, _batch_norm("penultimate_bn")(x), name="msd_penultimate")


def msd_tags() -> keras.Model:
    """MSD_musicnn's output layer: penultimate (n, 200) -> probability of each of its 50 tags (n, 50)."""
    penultimate = keras.Input((MSD_PENULTIMATE_DIM,), name="penultimate")
    return keras.Model(
        penultimate, layers.Dense(50, activation="sigmoid", name="tags")(penultimate), name="msd_tags"
    )


def small_trunk(patch_shape: tuple[int, int] = PATCH_SHAPE) -> keras.Model:
    """Four 3x3 blocks of 32 to 128 filters: patches (n, 187, 96) -> pooled (n, 256), mean then maximum."""
    inputs = keras.Input(patch_shape, name="patches")
    x = _batch_norm("input_bn")(ops.expand_dims(inputs, axis=3))
    for row, n_filters in enumerate(SMALL_FILTERS):
        x = layers.Conv2D(n_filters, 3, padding="same", use_bias=False, name=f"block_{row}_conv")(x)
        x = layers.ReLU(name=f"block_{row}_relu")(_batch_norm(f"block_{row}_bn")(x))
        x = layers.MaxPooling2D(2, name=f"block_{row}_pool")(x)
    pooled = [layers.GlobalAveragePooling2D(name="mean")(x), layers.GlobalMaxPooling2D(name="maximum")(x)]
    return keras.Model(inputs, layers.Concatenate(name="pooled")(pooled), name="small_trunk")


def new_penultimate(pooled_dim: int, *, n_units: int, dropout: float) -> keras.Model:
    """A penultimate layer to be trained: pooled (n, pooled_dim) -> (n, n_units) float32.

    Its first batch norm is fixed: the trainer sets it to the pooled features' own mean and variance.
    """
    pooled = keras.Input((pooled_dim,), name="pooled")
    x = _batch_norm("pooled_bn")(pooled)
    x = layers.Dense(n_units, activation="relu", name="penultimate")(layers.Dropout(dropout)(x))
    return keras.Model(pooled, _batch_norm("penultimate_bn")(x), name="new_penultimate")


def heads(dim: int, *, n_labels: int, dropout: float) -> keras.Model:
    """Logits of all groups side by side: penultimate (n, dim) -> (n, n_labels) float32.

    One linear layer holds every group's head; the loss takes the softmax group by group.
    """
    penultimate = keras.Input((dim,), name="penultimate")
    x = layers.Dropout(dropout)(penultimate)
    # float32 also under mixed precision: a softmax in half precision loses small probabilities.
    return keras.Model(penultimate, layers.Dense(n_labels, dtype="float32", name="logits")(x), name="heads")


def timbre(patches: Tensor) -> Tensor:
    """Statistics of the spectral envelope: patches (n, n_frames, n_mels) -> (n, 60).

    Columns: mean, then standard deviation over time of 20 cepstral coefficients (orthonormal DCT-II of the
    log-mel; Davis and Mermelstein 1980), then the standard deviation of their first difference.
    """
    basis = dct(np.eye(patches.shape[2]), type=2, norm="ortho", axis=1)[:, :N_MFCC].astype(np.float32)
    cepstrum = ops.matmul(patches, basis)
    mean = ops.mean(cepstrum, axis=1, keepdims=True)
    change = cepstrum[:, 1:] - cepstrum[:, :-1]
    parts = [ops.squeeze(mean, axis=1), _deviation(cepstrum - mean), _deviation(change)]
    return ops.concatenate(parts, axis=1)


def _deviation(centred: Tensor) -> Tensor:
    """Root mean square over time: (n, n_frames, n_columns) -> (n, n_columns)."""
    return ops.sqrt(ops.mean(ops.square(centred), axis=1))


@dataclass(frozen=True, eq=False)
class EncoderGraph:
    """An encoder as a chain of Keras models, from patches to the trunk view; the timbre view is beside it."""

    stages: tuple[keras.Model, ...]

    @property
    def views(self) -> tuple[View, ...]:
        """Names of the embedding's columns, in order."""
        return (View("trunk", self.stages[-1].output_shape[1]), TIMBRE_VIEW)

    def model(self) -> keras.Model:
        """The whole of it: patches (n, 187, 96) float32 -> embeddings (n, dim) float32, in inference mode."""
        patches = keras.Input(self.stages[0].input_shape[1:], name="patches")
        columns = [self._trunk_view(patches), timbre(patches)]
        return keras.Model(patches, ops.concatenate(columns, axis=1), name="encoder")

    def trunk_model(self) -> keras.Model:
        """The trunk view alone: patches (n, 187, 96) -> (n, trunk_dim), in inference mode."""
        patches = keras.Input(self.stages[0].input_shape[1:], name="patches")
        return keras.Model(patches, self._trunk_view(patches), name="trunk")

    def _trunk_view(self, patches: Tensor) -> Tensor:
        x = patches
        for stage in self.stages:
            x = stage(x, training=False)
        return x
