"""The service's own trainer as an experiment's network: in each of its modes, judged by its own heads."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from training.encoder.graphs import EncoderGraph, small_trunk
from training.learning.config import TrainingConfig
from training.learning.loop import Progress, TrainingReport
from training.learning.trainer import fit_encoder
from training.recipes.images import RecipeImages
from training.recipes.trainer import in_parts

Array = NDArray[np.float32]
GROUP = "default"


@dataclass(frozen=True, eq=False)
class EncoderNetwork:
    """Layers from the inputs to the penultimate one, and the heads above it; no heads before training."""

    layers: keras.Model
    heads: keras.Model | None = None

    def logits(self, images: Array) -> Array:
        """(n_patches, n_labels) of one track's patches, or of what a frozen trunk hears of them."""
        if self.heads is None:
            raise ValueError("this network has not been trained")
        return in_parts(self.heads, self.embed(images))

    def embed(self, images: Array) -> Array:
        """(n_patches, dim)."""
        return in_parts(self.layers, images)


def fit_encoder_network(
    config: TrainingConfig,
    images: RecipeImages,
    membership: NDArray[np.bool_],
    *,
    artists: Sequence[Hashable],
    choose_validation: Callable[..., Any],
    directory: Path,
    progress: Progress,
    before: Callable[[EncoderNetwork], None],
) -> tuple[EncoderNetwork, TrainingReport]:
    """Train as ``whichlist train`` does, in the mode that ``config`` names."""
    before(_untrained(config, images))
    trained = fit_encoder(
        images.patches,
        {GROUP: membership.astype(np.float32)},
        artists=artists,
        config=config,
        base=images.base,
        features=images.inputs if images.is_frozen else None,
        directory=directory,
        progress=progress,
        choose_validation=choose_validation,
    )
    graph = EncoderGraph(trained.graph.stages[-1:]) if images.is_frozen else trained.graph
    return EncoderNetwork(_compiled(_layers(graph)), _compiled(trained.heads)), trained.report


def _untrained(config: TrainingConfig, images: RecipeImages) -> EncoderNetwork:
    """The network as the training finds it: the pretrained encoder, or a small one that knows nothing."""
    if images.base is None:
        keras.utils.set_random_seed(config.seed)
        base = EncoderGraph((small_trunk(images.patches[0].shape[1:]),))
    else:
        base = images.base
    graph = EncoderGraph(base.stages[-1:]) if images.is_frozen else base
    return EncoderNetwork(_compiled(_layers(graph)))


def _layers(graph: EncoderGraph) -> keras.Model:
    """The chain of the graph's stages, in inference mode."""
    return graph.trunk_model()


def _compiled(model: keras.Model) -> keras.Model:
    model.compile(jit_compile=False)
    return model
