"""The MSD_musicnn front end rewritten for the serving CPU: the same function in two thirds of the time.

Two rewritings, exact up to the rounding of float32; every export is checked against the plain graph:

* rectifier and batch norm come after the pooling over bands instead of before it, so they touch one value per
  frame and filter instead of sixty. Where the batch norm's gain is negative (three filters in four), the
  largest output comes from the smallest input: those filters are negated, and the largest is right for all;
* a filter on a one-channel picture gives the processor one product per step of its inner loop. The picture is
  cut into overlapping rows first, by a convolution with the identity, and the rows become channels.
"""

from dataclasses import dataclass

import keras
import numpy as np
from keras import layers, ops

from training.encoder.graphs import FRONT_KERNELS, MSD_FRONT_DIM, Tensor, msd_front

ROW_FRAMES = 8


@dataclass(frozen=True, eq=False)
class _Filters:
    """One branch: filters turned so that the largest response is wanted, and what follows the pooling."""

    kernel: np.ndarray  # (n_frames, n_bands, 1, n_filters)
    bias: np.ndarray  # (n_filters,), as all below
    negated: np.ndarray
    gain: np.ndarray
    shift: np.ndarray

    @classmethod
    def of(cls, front: keras.Model, name: str) -> "_Filters":
        kernel, bias = front.get_layer(f"{name}_conv").get_weights()
        norm = front.get_layer(f"{name}_bn")
        gamma, beta, mean, variance = norm.get_weights()
        gain = gamma / np.sqrt(variance + norm.epsilon)
        sign = np.where(gain < 0, -1, 1).astype(np.float32)
        return cls(kernel * sign, bias * sign, gain < 0, np.abs(gain), beta - mean * gain)

    def finish(self, responses: Tensor) -> Tensor:
        """(n, n_frames, n_bands, n_filters) -> (n, n_frames, n_filters), as the plain graph has them."""
        x = ops.squeeze(layers.MaxPooling2D((1, responses.shape[2]))(responses), axis=2) + self.bias
        # A negated filter's rectified output is never above zero, a plain one's never below.
        bound = np.float32(1e30)
        x = ops.maximum(x, np.where(self.negated, -bound, 0).astype(np.float32))
        x = ops.minimum(x, np.where(self.negated, 0, bound).astype(np.float32))
        return x * self.gain + self.shift


def lean_front(front: keras.Model) -> keras.Model:
    """The same function as this :func:`training.encoder.graphs.msd_front`, in inference mode."""
    patches = keras.Input(front.input_shape[1:], name="patches")
    x = front.get_layer("input_bn")(ops.expand_dims(patches, axis=3), training=False)
    branches = []
    for name, (_, n_bands) in FRONT_KERNELS.items():
        hear = _timbral if n_bands > 1 else _temporal
        branches.append(hear(x, _Filters.of(front, name)))
    maps = ops.concatenate(branches, axis=2)
    if "places" in {layer.name for layer in front.layers}:
        maps = front.get_layer("places")(maps)
    return keras.Model(patches, maps, name="lean_front")


def _timbral(x: Tensor, filters: _Filters) -> Tensor:
    """(n_frames, n_mels, 1) -> (n_frames, n_filters); a row is all the bands under the filter."""
    n_frames, n_bands = filters.kernel.shape[:2]
    identity = np.eye(n_bands, dtype=np.float32).reshape(1, n_bands, 1, n_bands)
    x = layers.ZeroPadding2D((n_frames // 2, 0))(x)
    rows = ops.conv(x, identity, padding="valid")
    return filters.finish(ops.conv(rows, filters.kernel.transpose(0, 2, 1, 3), padding="valid"))


def _temporal(x: Tensor, filters: _Filters) -> Tensor:
    """(n_frames, n_mels, 1) -> (n_frames, n_filters); a row is eight successive frames of one band."""
    n_frames, _, _, n_filters = filters.kernel.shape
    identity = np.eye(ROW_FRAMES, dtype=np.float32).reshape(ROW_FRAMES, 1, 1, ROW_FRAMES)
    before = (n_frames - 1) // 2
    x = layers.ZeroPadding2D(((before, n_frames - 1 - before), (0, 0)))(x)
    rows = ops.conv(x, identity, padding="valid")
    kernel = filters.kernel.reshape(n_frames // ROW_FRAMES, ROW_FRAMES, 1, n_filters).transpose(0, 2, 1, 3)
    return filters.finish(ops.conv(rows, kernel, padding="valid", dilation_rate=(ROW_FRAMES, 1)))


# A filter whose weights are this small beside the branch's largest filter is dead.
DEAD_BELOW = 1e-5


def keep_living(front: keras.Model) -> keras.Model:
    """Return a front end that computes only the filters that hear something, and says what ``front`` says.

    Of the 561 pretrained filters 497 are dead: regularisation drove their weights to nothing (the largest is
    a millionth of the smallest living one's), so each says the same whatever it hears. Left in, they would
    cost most of the time, and fine-tuning would wake them up as noise.
    """
    living = {name: _lives(front.get_layer(f"{name}_conv")) for name in FRONT_KERNELS}
    lean = msd_front({name: int(lives.sum()) for name, lives in living.items()})
    lean.get_layer("input_bn").set_weights(front.get_layer("input_bn").get_weights())
    constant = np.zeros(MSD_FRONT_DIM, dtype=np.float32)
    start = 0
    for name, lives in living.items():
        conv, norm = front.get_layer(f"{name}_conv"), front.get_layer(f"{name}_bn")
        lean.get_layer(conv.name).set_weights([weights[..., lives] for weights in conv.get_weights()])
        lean.get_layer(norm.name).set_weights([weights[lives] for weights in norm.get_weights()])
        always = norm(np.maximum(conv.get_weights()[1], 0)[None, None, None], training=False)
        constant[start : start + len(lives)] = np.where(lives, 0, np.asarray(always).ravel())
        start += len(lives)
    places = np.eye(MSD_FRONT_DIM, dtype=np.float32)[np.concatenate(list(living.values()))]
    lean.get_layer("places").set_weights([places, constant])
    return lean


def _lives(conv: keras.layers.Conv2D) -> np.ndarray:
    """(n_filters,) bool."""
    kernel = conv.get_weights()[0]
    size = np.linalg.norm(kernel.reshape(-1, kernel.shape[-1]), axis=0)
    return np.asarray(size > DEAD_BELOW * size.max())
