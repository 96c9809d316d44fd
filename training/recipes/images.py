"""Tracks as a recipe's network is shown them: patches, what a frozen trunk hears of them, or images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from recommender.records.tracks import Place
from recommender.settings import Settings
from training.learning.mel_cache import CachedPatches, MelCache
from training.recipes.recipe import Recipe

if TYPE_CHECKING:
    from training.encoder.graphs import EncoderGraph

Array = NDArray[np.float32]
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, eq=False)
class RecipeImages:
    """What goes into the network.

    Attributes
    ----------
    inputs : sequence of (n_images, ...) arrays
        One per track: log-mel patches, a front end's images, or the pooled features of a frozen trunk.
    patches : sequence of arrays
        The log-mel patches behind pooled features; else the inputs.
    base : EncoderGraph or None
        The trunk that a training starts from; None for a network from nothing.
    """

    inputs: Sequence[Array]
    patches: Sequence[Array]
    base: "EncoderGraph | None" = None

    @property
    def is_frozen(self) -> bool:
        """Whether the trunk has been passed already."""
        return self.inputs is not self.patches


def images_for(recipe: Recipe, files: Sequence[Path], settings: Settings, progress: Progress) -> RecipeImages:
    """Return the images of the files; what was heard once is read from the cache."""
    if recipe.network.kind != "encoder":
        from training.recipes.image_cache import CachedImages

        images = CachedImages(settings.cache_directory / "images", recipe.front_end.chosen, files)
        return _heard(RecipeImages(images, images), progress)
    patches = CachedPatches(MelCache(settings.cache_directory / "mel"), [Place(file) for file in files])
    if recipe.training.mode == "scratch":
        return _heard(RecipeImages(patches, patches), progress)
    from training.encoder.pretrained import pretrained_encoder
    from training.learning.trainer import pooled_features

    base = pretrained_encoder()
    if recipe.training.mode == "finetune":
        return _heard(RecipeImages(patches, patches, base), progress)
    return RecipeImages(pooled_features(base, patches, progress=progress), patches, base)


def _heard(images: RecipeImages, progress: Progress) -> RecipeImages:
    """Hear every track once now, so that no epoch waits for it."""
    for row in range(len(images.inputs)):
        images.inputs[row]
        progress(row + 1, len(images.inputs), "making the network's images")
    return images
