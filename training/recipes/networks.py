"""The graphs of the experiments: one image in, logits of the labels out. Shapes leave out the batch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import keras
from keras import layers, ops

from training.encoder.graphs import BATCH_NORM_EPSILON
from training.learning.config import TrainingError

KINDS = ("waveform_cnn", "cnn2d", "resnet", "conv1d_lstm", "crnn")
# Keras's own 0.99 needs hundreds of steps before a network answers as it was trained; seven songs do not give
# that many.
MOMENTUM = 0.9

Tensor = Any  # Keras publishes no types
Shape = tuple[int, int, int]


@dataclass(frozen=True)
class NetworkOptions:
    """How large a network is.

    Attributes
    ----------
    n_units : int
        Columns of the layer ``penultimate``.
    dropout : float
        Before the penultimate layer; the logits follow it at once.
    width : int
        Filters of the first block, or units of a recurrent layer; 0 for the kind's own.
    depth : int
        Blocks of convolutions; 0 for the kind's own. An image too small for so many halvings gets fewer.
    """

    n_units: int = 64
    dropout: float = 0.3
    width: int = 0
    depth: int = 0

    def __post_init__(self) -> None:
        ranges = {"n_units": (1, 4096), "dropout": (0.0, 0.95), "width": (0, 1024), "depth": (0, 12)}
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            kinds = (int,) if isinstance(low, int) else (int, float)
            if not isinstance(value, kinds) or isinstance(value, bool) or not low <= value <= high:
                what = "a whole number" if isinstance(low, int) else "a number"
                raise TrainingError(f"{name} must be {what} between {low:g} and {high:g}, got {value!r}")


def recipe_network(kind: str, shape: Shape, n_labels: int, options: Mapping[str, Any]) -> keras.Model:
    """Return a network with weights drawn anew: images (n, *shape) float32 -> logits (n, n_labels) float32.

    Its last hidden layer is called ``penultimate``, (n, n_units).

    Parameters
    ----------
    kind : str
        ``waveform_cnn`` for pictures of lines, ``cnn2d`` four 3x3 blocks, ``resnet`` a small ConvNeXt (Liu
        et al. 2022), ``conv1d_lstm`` convolutions over time alone and an LSTM, ``crnn`` 3x3 blocks and a GRU
        over time (Choi et al. 2017).
    shape : (n_moments, n_columns, n_channels)
        Of an image; its first axis is time.
    options : mapping
        Fields of :class:`NetworkOptions`.

    Raises
    ------
    TrainingError
        The message names the kind or the option and what is allowed.
    """
    if kind not in _BUILDERS:
        raise TrainingError(f"there is no network {kind!r}; there are: {', '.join(KINDS)}")
    allowed = [field.name for field in fields(NetworkOptions)]
    if unknown := [name for name in options if name not in allowed]:
        raise TrainingError(f"a network has no option {', '.join(unknown)}; allowed: {', '.join(allowed)}")
    if len(shape) != 3 or min(shape) < 1 or n_labels < 2:
        raise TrainingError(
            f"a network needs images of (moments, columns, channels) and at least 2 labels, got {shape} and "
            f"{n_labels}"
        )
    chosen = NetworkOptions(**options)
    images = keras.Input(tuple(shape), name="images")
    pooled = _BUILDERS[kind](_batch_norm("input_bn")(images), chosen)
    x = layers.Dropout(chosen.dropout, name="dropout")(pooled)
    x = layers.Dense(chosen.n_units, activation="relu", name="penultimate")(x)
    # float32 also under mixed precision: a softmax in half precision loses small probabilities.
    return keras.Model(images, layers.Dense(n_labels, dtype="float32", name="logits")(x), name=kind)


def _waveform_cnn(x: Tensor, chosen: NetworkOptions) -> Tensor:
    """Wide first filters, which see a stretch of the line at once; then 3x3 blocks."""
    n_filters = chosen.width or 16
    x = _block(x, n_filters, "stem", kernel=7, stride=2)
    x = _blocks(x, [2 * n_filters, 4 * n_filters, 4 * n_filters], chosen.depth or 3)
    return _pooled(x)


def _cnn2d(x: Tensor, chosen: NetworkOptions) -> Tensor:
    """Four 3x3 blocks, 24 to 96 filters."""
    n_filters = chosen.width or 24
    return _pooled(_blocks(x, [n_filters, 2 * n_filters, 3 * n_filters, 4 * n_filters], chosen.depth or 4))


def _resnet(x: Tensor, chosen: NetworkOptions) -> Tensor:
    """ConvNeXt, sized for a CPU: a 4x4 stem, then stages of ``depth`` blocks of 7x7 depthwise convolutions.

    Batch norms stand for its layer norms: with small batches on a CPU they are faster, and at inference
    each is one multiplication.
    """
    n_filters = chosen.width or 32
    stride = tuple(min(4, size) for size in x.shape[1:3])
    x = layers.Conv2D(n_filters, stride, strides=stride, use_bias=False, name="stem_conv")(x)
    x = _batch_norm("stem_bn")(x)
    for stage, factor in enumerate((1, 2, 4)):
        if stage:
            if min(x.shape[1:3]) < 2:
                break
            x = layers.Conv2D(factor * n_filters, 2, strides=2, name=f"down_{stage}")(x)
        for number in range(chosen.depth or 2):
            x = _convnext_block(x, f"stage_{stage}_{number}")
    return layers.GlobalAveragePooling2D(name="pooled")(x)


def _convnext_block(x: Tensor, name: str) -> Tensor:
    """(rows, columns, n_filters) -> the same: a depthwise look around, then an inverted bottleneck."""
    n_filters = x.shape[3]
    y = layers.DepthwiseConv2D(7, padding="same", use_bias=False, name=f"{name}_look")(x)
    y = layers.Conv2D(4 * n_filters, 1, name=f"{name}_widen")(_batch_norm(f"{name}_bn")(y))
    y = layers.Activation("gelu", name=f"{name}_gelu")(y)
    y = layers.Conv2D(n_filters, 1, name=f"{name}_narrow")(y)
    return layers.Add(name=f"{name}_add")([x, y])


def _conv1d_lstm(x: Tensor, chosen: NetworkOptions) -> Tensor:
    """All columns and channels of a moment as one vector; 1-D convolutions over time; an LSTM."""
    width = chosen.width or 64
    x = layers.Reshape((x.shape[1], x.shape[2] * x.shape[3]), name="moments")(x)
    for number in range(chosen.depth or 3):
        x = layers.Conv1D(width, 5, padding="same", use_bias=False, name=f"block_{number}_conv")(x)
        x = layers.ReLU(name=f"block_{number}_relu")(_batch_norm(f"block_{number}_bn")(x))
        if x.shape[1] > 1:
            x = layers.MaxPooling1D(2, name=f"block_{number}_pool")(x)
    return layers.LSTM(width, name="pooled")(x)


def _crnn(x: Tensor, chosen: NetworkOptions) -> Tensor:
    """3x3 blocks that halve time and columns; what is left of a moment goes through a GRU over time."""
    n_filters = chosen.width or 24
    x = _blocks(x, [n_filters, 2 * n_filters, 3 * n_filters, 3 * n_filters], chosen.depth or 4)
    x = layers.Reshape((x.shape[1], x.shape[2] * x.shape[3]), name="moments")(x)
    states = layers.GRU(chosen.width or 48, return_sequences=True, name="gru")(x)
    # The last state has heard all, but best what came last: the mean over time stands beside it.
    mean = layers.GlobalAveragePooling1D(name="mean")(states)
    return layers.Concatenate(name="pooled")([mean, states[:, -1]])


_BUILDERS: dict[str, Callable[[Tensor, NetworkOptions], Tensor]] = {
    "waveform_cnn": _waveform_cnn,
    "cnn2d": _cnn2d,
    "resnet": _resnet,
    "conv1d_lstm": _conv1d_lstm,
    "crnn": _crnn,
}


def _blocks(x: Tensor, filters: list[int], depth: int) -> Tensor:
    """So many 3x3 blocks, each halving the image where it can; the last number of filters is repeated."""
    for number in range(depth):
        x = _block(x, filters[min(number, len(filters) - 1)], f"block_{number}")
    return x


def _block(x: Tensor, n_filters: int, name: str, *, kernel: int = 3, stride: int = 1) -> Tensor:
    """(rows, columns, n) -> (rows / 2, columns / 2, n_filters), an axis of one staying as it is."""
    x = layers.Conv2D(n_filters, kernel, strides=stride, padding="same", use_bias=False, name=f"{name}_conv")(
        x
    )
    x = layers.ReLU(name=f"{name}_relu")(_batch_norm(f"{name}_bn")(x))
    pool = tuple(min(2, size) for size in x.shape[1:3])
    return layers.MaxPooling2D(pool, name=f"{name}_pool")(x)


def _pooled(x: Tensor) -> Tensor:
    """(rows, columns, n) -> (2 n,): mean and maximum."""
    pooled = [ops.mean(x, axis=(1, 2)), ops.max(x, axis=(1, 2))]
    return layers.Concatenate(name="pooled")(pooled)


def _batch_norm(name: str) -> Any:
    return layers.BatchNormalization(momentum=MOMENTUM, epsilon=BATCH_NORM_EPSILON, name=name)
