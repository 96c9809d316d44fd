"""One fold of an experiment: fit what the recipe names on some tracks, and ask it for others."""

import json
import zipfile
from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from recommender.settings import Settings
from training.experiments.folds import Fold
from training.experiments.tracks import ExperimentTracks
from training.groups.fit import fit_group
from training.learning.run_state import CHECKPOINT_FILE, run_signature
from training.learning.validation import hold_out_artists
from training.recipes.images import RecipeImages, images_for
from training.recipes.recipe import Recipe
from training.recipes.trainer import fit_recipe_network, vote

Array = NDArray[np.float32]
IdArray = NDArray[np.int64]
Progress = Callable[[int, int, str], None]
ChooseValidation = Callable[..., tuple[NDArray[np.bool_], str]]

ANSWER_FILE = "answer.npz"
NOTHING = np.zeros((0, 0), np.float32)


class Network(Protocol):
    """A network that has learnt: what it says of a track's images, and what its penultimate layer holds."""

    def logits(self, images: Array) -> Array:
        """(n_images, n_labels)."""

    def embed(self, images: Array) -> Array:
        """(n_images, dim)."""


@dataclass(frozen=True, eq=False)
class FoldAnswer:
    """What one fit says.

    Attributes
    ----------
    probability : (n_test, n_labels) float32
    embeddings, before : (n_tracks, dim) float32
        Of all tracks, after and before training; empty where nobody asked.
    training : dict
        How the training went, empty where there was none.
    """

    probability: Array
    embeddings: Array = field(default_factory=lambda: NOTHING)
    before: Array = field(default_factory=lambda: NOTHING)
    training: dict[str, Any] = field(default_factory=dict)

    def save(self, directory: Path, signature: str) -> None:
        """Keep the answer; the checkpoint that led to it is of no further use."""
        directory.mkdir(parents=True, exist_ok=True)
        facts = json.dumps({"signature": signature, "training": self.training}).encode()
        aside = directory / f".{ANSWER_FILE}"
        with aside.open("wb") as file:
            np.savez(
                file,
                facts=np.frombuffer(facts, dtype=np.uint8),
                probability=self.probability,
                embeddings=self.embeddings,
                before=self.before,
            )
        aside.replace(directory / ANSWER_FILE)
        (directory / CHECKPOINT_FILE).unlink(missing_ok=True)

    @classmethod
    def load(cls, directory: Path, signature: str) -> "FoldAnswer | None":
        """The answer of this very fit, None where there is none."""
        try:
            with np.load(directory / ANSWER_FILE, allow_pickle=False) as stored:
                facts = json.loads(stored["facts"].tobytes())
                arrays = {name: stored[name] for name in ("probability", "embeddings", "before")}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        return cls(**arrays, training=facts["training"]) if facts["signature"] == signature else None


@dataclass(frozen=True, eq=False)
class Fitter:
    """Fits folds of one experiment, and remembers the images that its recipes share."""

    tracks: ExperimentTracks
    settings: Settings
    _images: dict[Any, RecipeImages] = field(default_factory=dict)

    def answer(
        self, recipe: Recipe, fold: Fold, directory: Path, *, maps: bool = True, progress: Progress
    ) -> FoldAnswer:
        """Return what a fit on the fold's training tracks says of its test tracks.

        A killed fit goes on from its last epoch; one that was done before is read.

        Parameters
        ----------
        maps : bool
            Also keep the embeddings of all tracks, after and before training.
        """
        signature = self._signature(recipe, fold, maps=maps)
        found = FoldAnswer.load(directory, signature)
        if found is None:
            ask = self._ask_heads if recipe.network.kind == "heads" else self._ask_network
            found = ask(recipe, fold, directory, maps, progress)
            found.save(directory, signature)
        return found

    def images(self, recipe: Recipe, progress: Progress) -> RecipeImages:
        """Return the tracks as the recipe's network is shown them."""
        key = recipe.training.mode if recipe.network.kind == "encoder" else recipe.front_end
        if key not in self._images:
            self._images[key] = images_for(recipe, self.tracks.files, self.settings, progress)
        return self._images[key]

    def _ask_heads(
        self, recipe: Recipe, fold: Fold, _directory: Path, maps: bool, _progress: Progress
    ) -> FoldAnswer:
        """The service as it answers at once: heads and neighbours on the base encoder as it is."""
        tracks, grouping = self.tracks.tracks, self.tracks.grouping
        train = fold.known
        context = replace(self.tracks.context, seed=recipe.training.seed)
        restricted = grouping.rows(train)
        model = fit_group(self.tracks.labels, tracks.rows(train), context, restricted).model
        asked = tracks.rows(fold.test)
        scores = model.score(asked.raw, artists=asked.artists, n_nearest=0)
        probability = scores.probability.astype(np.float32)
        if not maps:
            return FoldAnswer(probability)
        return FoldAnswer(probability, model.standardisation.apply(tracks.raw), tracks.raw)

    def _ask_network(
        self, recipe: Recipe, fold: Fold, directory: Path, maps: bool, progress: Progress
    ) -> FoldAnswer:
        images = self.images(recipe, progress)
        membership = np.zeros_like(self.tracks.tracks.membership)
        membership[fold.known] = self.tracks.tracks.membership[fold.known]
        before: list[Array] = []

        def look(network: Network) -> None:
            if maps:
                before.append(_mean_embeddings(network, images.inputs))

        network, training = fit_network(
            recipe,
            images,
            membership,
            artists=self.tracks.grouping.keys.tolist(),
            choose_validation=fold.choose_validation() or hold_out_artists,
            directory=directory,
            progress=progress,
            before=look,
        )
        said = [
            vote(network.logits(images.inputs[row]), how=recipe.judging.vote) for row in fold.test.tolist()
        ]
        after = _mean_embeddings(network, images.inputs) if maps else NOTHING
        return FoldAnswer(np.stack(said), after, before[0] if before else NOTHING, training)

    def _signature(self, recipe: Recipe, fold: Fold, *, maps: bool) -> str:
        validation = fold.test[:0] if fold.validation is None else fold.validation
        arrays = [fold.train, fold.test, validation, self.tracks.tracks.membership, self.tracks.tracks.raw]
        parts = (recipe.front_end, recipe.network, recipe.training, recipe.judging.vote, maps)
        return run_signature(*parts, arrays=arrays)


def fit_network(
    recipe: Recipe,
    images: RecipeImages,
    membership: NDArray[np.bool_],
    *,
    artists: Sequence[Hashable],
    choose_validation: ChooseValidation,
    directory: Path,
    progress: Progress,
    before: Callable[[Network], None] = lambda network: None,
) -> tuple[Network, dict[str, Any]]:
    """Return the recipe's network, trained on the tracks with a label, and how the training went."""
    if recipe.network.kind == "encoder":
        from training.recipes.encoder import fit_encoder_network

        network, report = fit_encoder_network(
            recipe.training,
            images,
            membership,
            artists=artists,
            choose_validation=choose_validation,
            directory=directory,
            progress=progress,
            before=before,
        )
        return network, asdict(report)
    from training.recipes.networks import recipe_network

    shape, n_labels = images.inputs[0].shape[1:], membership.shape[1]
    size = {"n_units": recipe.training.n_units, "dropout": recipe.training.dropout}
    options = size | {"width": recipe.network.width, "depth": recipe.network.depth}
    learnt, report = fit_recipe_network(
        lambda: recipe_network(recipe.network.kind, shape, n_labels, options),
        images.inputs,
        membership,
        artists=artists,
        config=recipe.training,
        choose_validation=choose_validation,
        is_mel=recipe.front_end.name == "mel" and not recipe.front_end.mel.channels,
        directory=directory,
        progress=progress,
        before=before,
    )
    return learnt, asdict(report)


def _mean_embeddings(network: Network, inputs: Sequence[Array]) -> Array:
    """(n_tracks, dim): the mean over each track's images."""
    return np.stack([network.embed(inputs[row]).mean(axis=0) for row in range(len(inputs))])
