"""One command, one report: an experiment run from its data to the folder that shows it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from recommender.errors import RecommenderError
from recommender.settings import Settings
from training.datasets.playlist_folders import ManifestError, name_in
from training.encoder.available import checkpoint_folder
from training.experiments.extras import draw_curve, show_leak, usable_counts
from training.experiments.figures import describe_judged, describe_misclassified, judge_recipe
from training.experiments.fits import Fitter
from training.experiments.folds import Fold, has_published_split, make_folds, shared_keys
from training.experiments.maps import draw_planes
from training.experiments.report_folder import open_folder, write_report
from training.experiments.tracks import ExperimentTracks, find_tracks
from training.learning.config import TrainingError
from training.recipes.recipe import Recipe

Progress = Callable[[int, int, str], None]
Card = dict[str, Any]

HUNDREDTHS = 100


class ExperimentFailed(RecommenderError):
    """A manifest or a training stopped the experiment; the message is theirs."""

    code = "experiment_failed"


@dataclass
class Steps:
    """The fits of an experiment as one bar: each takes an equal part of it."""

    progress: Progress
    n_steps: int
    n_begun: int = 0

    def step(self, name: str) -> Progress:
        """Return the progress of the next fit."""
        done = self.n_begun
        self.n_begun += 1

        def tell(n_done: int, n_total: int, message: str) -> None:
            inner = HUNDREDTHS * min(n_done, n_total) // max(n_total, 1)
            self.progress(HUNDREDTHS * done + inner, HUNDREDTHS * self.n_steps, f"{name}: {message}")

        tell(0, 1, "begun")
        return tell


def run_experiment(
    recipe: Recipe,
    data: Path,
    out: Path,
    *,
    settings: Settings,
    manifest: Path | None = None,
    resume: bool = False,
    progress: Progress = lambda *_: None,
) -> Card:
    """Run a recipe on a data folder, write its report to ``out`` and return what metrics.json holds.

    A run that was killed goes on with ``resume``: fits that were done are read, the one that was at work goes
    on from its last epoch.

    Raises
    ------
    RecommenderError
        The data cannot be used, ``out`` exists or holds another run, or a training failed.
    """
    started = time.perf_counter()
    recipe, cautions = _possible(recipe, settings)
    try:
        open_folder(out, recipe, resume=resume, only_look=True)
        tracks = find_tracks(
            data,
            recipe.data,
            manifest=manifest,
            settings=settings,
            seed=recipe.training.seed,
            progress=progress,
        )
        card, pictures = _judge(recipe, tracks, out, settings, progress, resume=resume)
    except (ManifestError, TrainingError) as error:
        raise ExperimentFailed(str(error)) from error
    card["warnings"] = [*cautions, *card["warnings"]]
    card["seconds"] = round(time.perf_counter() - started, 1)
    write_report(out, recipe, card, pictures)
    return card


def _judge(
    recipe: Recipe,
    tracks: ExperimentTracks,
    out: Path,
    settings: Settings,
    progress: Progress,
    *,
    resume: bool,
) -> tuple[Card, dict[str, Any]]:
    folds, fitter = make_folds(tracks, recipe), Fitter(tracks, settings)
    open_folder(out, recipe, resume=resume)
    runs, variants = out / "runs", recipe.variants()
    n_curve = len(recipe.curve.modes) * len(usable_counts(recipe, fitter, folds)) * recipe.curve.n_draws
    n_leak = 3 if recipe.judging.leak_piece_s else 0
    steps = Steps(progress, len(folds) * (1 + len(variants)) + n_curve + n_leak)
    judged = judge_recipe(recipe, fitter, folds, runs / "main", progress=steps.step)
    card = describe_judged(judged)
    card |= _describe_run(recipe, tracks, folds, [answer.training for answer in judged.answers])
    card["n_folds"] = len(folds)
    card["compared"] = []
    for number, (variant, choice) in enumerate(zip(variants, recipe.judging.compare, strict=True), start=1):
        rival = judge_recipe(
            variant,
            fitter,
            folds,
            runs / f"compared-{number}",
            maps=False,
            progress=lambda name, choice=choice: steps.step(f"{choice}, {name}"),  # type: ignore[misc]
        )
        card["compared"].append(_brief(choice, describe_judged(rival)) | _seconds(rival.answers))
    card["curve"] = draw_curve(recipe, fitter, folds, runs / "curve", step=steps.step) if n_curve else []
    card["leak"] = show_leak(recipe, fitter, folds[0], runs / "leak", step=steps.step) if n_leak else None
    card["misclassified"] = describe_misclassified(judged)
    return card, draw_planes(judged, progress=progress)


def _describe_run(
    recipe: Recipe, tracks: ExperimentTracks, folds: Sequence[Fold], trainings: list[Card]
) -> Card:
    """Return what the report says of the data and of how was learnt."""
    published, shared = has_published_split(tracks, recipe), shared_keys(tracks, folds)
    return {
        "recipe": recipe.name,
        "title": recipe.title,
        "about": recipe.about,
        "to_beat": [asdict(target) for target in recipe.to_beat],
        "data": tracks.folder.resolve().name,
        "layout": tracks.layout,
        "notes": [*tracks.notes, *shared],
        "split": "the training and test parts of the data set" if published else "folds that share no artist",
        "artists_apart": not shared and all(by == "artist" for by in tracks.grouping.judged_by),
        "network": recipe.network.kind,
        "mode": recipe.training.mode,
        "encoder": tracks.encoder,
        "seed": recipe.training.seed,
        "trainings": [training for training in trainings if training],
        "training_seconds": round(sum(training.get("seconds", 0.0) for training in trainings), 1),
        "skipped": [
            {"file": name_in(tracks.folder, file.path), "code": file.code, "reason": file.reason}
            for file in tracks.skipped
        ],
    }


def _brief(choice: str, card: Card) -> Card:
    names = (
        "accuracy",
        "balanced_accuracy",
        "balanced_accuracy_ci",
        "precision_at_2",
        "precision_at_3",
        "confusion",
    )
    return {"choice": choice} | {name: card[name] for name in names}


def _seconds(answers: Any) -> Card:
    return {"training_seconds": round(sum(answer.training.get("seconds", 0.0) for answer in answers), 1)}


def _possible(recipe: Recipe, settings: Settings) -> tuple[Recipe, list[str]]:
    """Return the recipe as it can be run here, and what was changed for that."""
    if settings.pretrained != "off" and checkpoint_folder() is not None:
        return recipe, []
    cautions = []
    why = "the pretrained network is not installed or switched off"
    if recipe.network.kind == "encoder" and recipe.training.mode != "scratch":
        cautions.append(
            f"{why}: a small network was trained from nothing instead of {recipe.training.mode!r}"
        )
        recipe = replace(recipe, training=replace(recipe.training, mode="scratch"))
    modes = tuple(mode for mode in recipe.curve.modes if mode not in ("frozen", "finetune"))
    if recipe.curve.counts and modes != recipe.curve.modes:
        cautions.append(f"{why}: the curve shows {', '.join(modes) or 'nothing'} only")
        recipe = replace(recipe, curve=replace(recipe.curve, modes=modes))
    variants = zip(recipe.judging.compare, recipe.variants(), strict=True)
    kept = tuple(
        choice
        for choice, variant in variants
        if variant.network.kind != "encoder" or variant.training.mode == "scratch"
    )
    if kept != recipe.judging.compare:
        cautions.append(f"{why}: comparisons that need it were left out")
        recipe = replace(recipe, judging=replace(recipe.judging, compare=kept))
    return recipe, cautions
