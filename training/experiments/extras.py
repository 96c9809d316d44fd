"""What some experiments show beside the figures: accuracy against the number of tracks, and the leak."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.experiments.fits import Fitter, FoldAnswer, fit_network
from training.experiments.folds import Fold, draw_rows
from training.learning.run_state import run_signature
from training.learning.validation import hold_out_artists
from training.metrics import balanced_accuracy, bootstrap_interval, wilson_interval
from training.recipes.image_cache import PickedImages
from training.recipes.images import RecipeImages
from training.recipes.recipe import FrontEndChoices, NetworkChoices, Recipe
from training.recipes.trainer import vote

IdArray = NDArray[np.int64]
Progress = Callable[[int, int, str], None]
Step = Callable[[str], Progress]


def draw_curve(
    recipe: Recipe, fitter: Fitter, folds: Sequence[Fold], directory: Path, *, step: Step
) -> list[dict[str, Any]]:
    """Return for each mode the points of its curve; all learn from the same tracks and are asked the same.

    A point is the balanced accuracy over all draws' answers, with its 95 % interval over artists.
    """
    curves = []
    for mode in recipe.curve.modes:
        chosen = in_mode(recipe, mode)
        points = [
            _draw_point(chosen, fitter, folds, directory / mode, count=count, step=step)
            for count in usable_counts(recipe, fitter, folds)
        ]
        curves.append({"mode": mode, "points": points})
    return curves


def usable_counts(recipe: Recipe, fitter: Fitter, folds: Sequence[Fold]) -> list[int]:
    """Return the counts for which every label has that many tracks to learn from in each fold drawn."""
    own, n_labels = fitter.tracks.own, len(fitter.tracks.names)
    least = min(
        int(np.bincount(own[folds[draw % len(folds)].train], minlength=n_labels).min())
        for draw in range(recipe.curve.n_draws)
    )
    return [count for count in recipe.curve.counts if count <= least]


def in_mode(recipe: Recipe, mode: str) -> Recipe:
    """Return the recipe with the service's trainer in one of its modes, or its heads alone."""
    if mode == "heads":
        return replace(recipe, network=NetworkChoices("heads"), front_end=FrontEndChoices())
    training = replace(recipe.training, mode=mode)  # type: ignore[arg-type]
    return replace(recipe, network=NetworkChoices("encoder"), front_end=FrontEndChoices(), training=training)


def _draw_point(
    recipe: Recipe, fitter: Fitter, folds: Sequence[Fold], directory: Path, *, count: int, step: Step
) -> dict[str, Any]:
    tracks, seed = fitter.tracks, recipe.training.seed
    own, asked, predicted, each = tracks.own, [], [], []
    for draw in range(recipe.curve.n_draws):
        fold = folds[draw % len(folds)]
        # The same chance for every count, so that more tracks contain the fewer.
        drawn = draw_rows(own, fold.train, count, np.random.default_rng([seed, draw, 1]))
        said = fitter.answer(
            recipe,
            Fold(drawn, fold.test, np.zeros(0, dtype=np.int64)),
            directory / f"from-{count}-draw-{draw + 1}",
            maps=False,
            progress=step(f"{directory.name} from {count} of each, draw {draw + 1}"),
        )
        asked.append(fold.test)
        predicted.append(said.probability.argmax(axis=1))
        each.append(balanced_accuracy(own[fold.test], predicted[-1], len(tracks.names)))
    rows, answers = np.concatenate(asked), np.concatenate(predicted)
    low, high = bootstrap_interval(
        own[rows], answers, tracks.grouping.keys[rows], len(tracks.names), np.random.default_rng(seed)
    )
    found = balanced_accuracy(own[rows], answers, len(tracks.names))
    return {
        "n_tracks": count,
        "balanced_accuracy": round(found, 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "draws": [round(value, 4) for value in each],
    }


def show_leak(recipe: Recipe, fitter: Fitter, fold: Fold, directory: Path, *, step: Step) -> dict[str, Any]:
    """Return the share of pieces named rightly: pieces of the fold's tracks, and pieces dealt out at random.

    The network, its training and the numbers of pieces to learn from, to stop by and to be asked for are the
    same. What differs is that at random pieces of one track are on both sides.
    """
    seconds = recipe.judging.leak_piece_s
    in_pieces = replace(recipe, front_end=recipe.front_end.in_pieces(seconds))
    images = fitter.images(in_pieces, step("cutting into pieces"))
    picked = [
        (row, slice(piece, piece + 1))
        for row in range(len(images.inputs))
        for piece in range(len(images.inputs[row]))
    ]
    pieces = PickedImages(images.inputs, picked)
    track_of = np.array([row for row, _ in picked])
    parts = [
        np.flatnonzero(np.isin(track_of, rows))
        for rows in (fold.train, fold.test[:0] if fold.validation is None else fold.validation, fold.test)
    ]
    everything = np.random.default_rng(recipe.training.seed).permutation(np.concatenate(parts))
    ends = np.cumsum([len(part) for part in parts])
    at_random = [np.sort(part) for part in np.split(everything, ends[:-1])]
    keys = fitter.tracks.grouping.keys[track_of]
    found = {}
    for name, (train, validation, test), artists in (
        ("honest", parts, keys),
        ("leaky", at_random, np.arange(len(keys))),
    ):
        split = Fold(train, test, validation if len(validation) else None)
        found[name] = _ask_pieces(
            in_pieces,
            RecipeImages(pieces, pieces),
            fitter.tracks.own[track_of],
            split,
            artists,
            directory=directory / name,
            progress=step(f"pieces of {seconds:g} s, {name}"),
        )
    return {"piece_s": seconds, **found}


def _ask_pieces(
    recipe: Recipe,
    images: RecipeImages,
    own: IdArray,
    fold: Fold,
    artists: IdArray,
    *,
    directory: Path,
    progress: Progress,
) -> dict[str, Any]:
    signature = run_signature(recipe, arrays=[fold.train, fold.test, own, artists])
    said = FoldAnswer.load(directory, signature)
    if said is None:
        membership = np.zeros((len(own), int(own.max()) + 1), dtype=bool)
        membership[fold.known, own[fold.known]] = True
        network, training = fit_network(
            recipe,
            images,
            membership,
            artists=artists.tolist(),
            choose_validation=fold.choose_validation() or hold_out_artists,
            directory=directory,
            progress=progress,
        )
        answers = [vote(network.logits(images.inputs[row]), how="mean") for row in fold.test.tolist()]
        said = FoldAnswer(np.stack(answers), training=training)
        said.save(directory, signature)
    right = int((said.probability.argmax(axis=1) == own[fold.test]).sum())
    low, high = wilson_interval(right, len(fold.test))
    return {
        "accuracy": round(right / len(fold.test), 4),
        "ci": [round(low, 4), round(high, 4)],
        "n_pieces": len(fold.test),
    }
