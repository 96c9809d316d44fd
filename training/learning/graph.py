"""The network of one training run: which parts are new, which are tuned, and how fast each may move."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

from training.encoder import graphs
from training.encoder.graphs import EncoderGraph, Tensor
from training.learning.config import TrainingConfig

Array = NDArray[np.float32]

# A pretrained front end hears what all music has in common, so it moves least.
FRONT_END_SLOWNESS = 0.1


class LayerwiseAdamW(keras.optimizers.AdamW):  # type: ignore[misc]  # Keras publishes no types
    """AdamW in which each variable has its own share of the learning rate (discriminative fine-tuning)."""

    def __init__(self, *, shares: Sequence[float], **options: Any) -> None:
        super().__init__(**options)
        self._shares = tuple(shares)

    def update_step(self, gradient: Tensor, variable: Tensor, learning_rate: Tensor) -> None:
        """One step of one variable; ``shares`` stand in the order of the model's trainable variables."""
        share = self._shares[self._get_variable_index(variable)]
        super().update_step(gradient, variable, learning_rate * share)


@contextmanager
def on_devices() -> Iterator[None]:
    """Everything built inside runs on all GPUs, in mixed precision; on CPUs in float32.

    The processors' global policy is put back afterwards.
    """
    gpus = tf.config.list_physical_devices("GPU")
    policy = keras.config.dtype_policy()
    strategy = tf.distribute.MirroredStrategy() if len(gpus) > 1 else tf.distribute.get_strategy()
    try:
        if gpus:
            keras.config.set_dtype_policy("mixed_float16")
        with strategy.scope():
            yield
    finally:
        keras.config.set_dtype_policy(policy)


def copy_stage(stage: keras.Model) -> keras.Model:
    """The same stage with the same weights, under the precision and on the devices now in force."""
    builders: dict[str, Callable[[], keras.Model]] = {
        "msd_front": lambda: graphs.msd_front(
            {name: stage.get_layer(f"{name}_conv").filters for name in graphs.FRONT_KERNELS}
        ),
        "msd_middle": graphs.msd_middle,
        "msd_penultimate": graphs.msd_penultimate,
        "small_trunk": lambda: graphs.small_trunk(stage.input_shape[1:]),
        "new_penultimate": lambda: graphs.new_penultimate(
            stage.input_shape[1], n_units=stage.output_shape[1], dropout=0.0
        ),
    }
    copy = builders[stage.name]()
    copy.set_weights(stage.get_weights())
    return copy


def copy_heads(head: keras.Model) -> keras.Model:
    """The same heads, in float32 on the first device."""
    copy = graphs.heads(head.input_shape[1], n_labels=head.output_shape[1], dropout=0.0)
    copy.set_weights(head.get_weights())
    return copy


def pooled_stages(graph: EncoderGraph) -> tuple[keras.Model, ...]:
    """The trunk: the stages up to the pooled features, without a penultimate layer."""
    return tuple(stage for stage in graph.stages if not stage.name.endswith("penultimate"))


def training_model(
    trunk: tuple[keras.Model, ...], penultimate: keras.Model, *, n_labels: int, config: TrainingConfig
) -> keras.Model:
    """Compilable whole: (patches, or pooled features when ``trunk`` is empty) -> logits of all groups."""
    first = (*trunk, penultimate)[0]
    inputs = keras.Input(first.input_shape[1:], name="inputs")
    x = inputs
    for stage in (*trunk, penultimate):
        x = stage(x)
    head = graphs.heads(penultimate.output_shape[1], n_labels=n_labels, dropout=config.dropout / 2)
    return keras.Model(inputs, head(x), name="training")


def compile_model(
    model: keras.Model,
    *,
    pretrained: tuple[keras.Model, ...],
    slices: Mapping[str, slice],
    config: TrainingConfig,
) -> None:
    """Give the model its loss and its learning rates; pretrained stages move little, batch norms not."""
    slowed: dict[str, float] = {}
    if config.mode != "scratch":
        for stage in pretrained:
            slow = FRONT_END_SLOWNESS if stage.name == "msd_front" else 1.0
            _fix_batch_norms(stage)
            share = slow * config.trunk_learning_rate / config.learning_rate
            slowed |= {variable.path: share for variable in stage.trainable_variables}
    optimiser = LayerwiseAdamW(
        shares=[slowed.get(variable.path, 1.0) for variable in model.trainable_variables],
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        clipnorm=5.0,
    )
    # Decay pulls towards zero, which is right for new weights and wrong for pretrained ones.
    optimiser.exclude_from_weight_decay(var_names=[*slowed, "bias", "gamma", "beta"])
    model.compile(optimizer=optimiser, loss=group_cross_entropy(slices), jit_compile=False)
    model.optimizer.build(model.trainable_variables)


def _fix_batch_norms(stage: keras.Model) -> None:
    for layer in stage.layers:
        if layer.name.endswith("_bn"):
            layer.trainable = False


def start_penultimate(
    base: EncoderGraph, features: Array | None, *, config: TrainingConfig
) -> tuple[keras.Model, tuple[keras.Model, ...]]:
    """The penultimate layer to train, and itself once more where it starts from pretrained weights.

    A pretrained one of the size asked for is a better start than chance: few tracks never teach the new
    layer what the old one knew. A new one gets the pooled features at unit scale: those of a sample of
    patches, (n, pooled_dim), where the trunk has something to say already.
    """
    n_pooled = pooled_stages(base)[-1].output_shape[1]
    layer = graphs.new_penultimate(n_pooled, n_units=config.n_units, dropout=config.dropout)
    old = base.stages[-1]
    if config.warm_start and old.name.endswith("penultimate") and old.output_shape[1] == config.n_units:
        layer.set_weights(old.get_weights())
        return layer, (layer,)
    if features is not None:
        norm = layer.get_layer("pooled_bn")
        norm.set_weights([np.ones(n_pooled), np.zeros(n_pooled), features.mean(axis=0), features.var(axis=0)])
        norm.trainable = False
    return layer, ()


def group_cross_entropy(slices: Mapping[str, slice]) -> Callable[[Tensor, Tensor], Tensor]:
    """Loss of (n, n_labels) targets and logits: the cross-entropies of the groups' softmaxes, added up.

    A target row of zeros in a group's columns adds nothing: the track is masked out of that group.
    """

    def loss(targets: Tensor, logits: Tensor) -> Tensor:
        parts = [
            -ops.sum(targets[:, columns] * ops.log_softmax(logits[:, columns], axis=1), axis=1)
            for columns in slices.values()
        ]
        return sum(parts[1:], start=parts[0])

    return loss
