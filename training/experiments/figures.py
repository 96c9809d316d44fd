"""All folds of an experiment judged: answers of networks that had not learnt the track, as figures."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Standardisation
from recommender.records.promises import Promise
from training.experiments.fits import Fitter, FoldAnswer
from training.experiments.folds import Fold
from training.experiments.tracks import ExperimentTracks
from training.judging.baselines import judge_baselines_on
from training.judging.doubts import HeldOutAnswers, find_misplaced
from training.judging.figures import build_scorecard, counted_labels
from training.judging.outer_folds import FoldAnswers, Judged
from training.judging.strangers import Strangers
from training.metrics import wilson_interval
from training.recipes.recipe import Recipe

Array = NDArray[np.float32]
IdArray = NDArray[np.int64]
Progress = Callable[[int, int, str], None]

N_NEAREST = 3
# What belongs to a service in use and is no question of an experiment.
NOT_ASKED = (
    *("accuracy", "coverage", "mean_set_size", "singletons", "singleton_accuracy", "turned_away"),
    *("alpha", "alpha_none", "known_artists", "open_set_auroc", "strangers", "choices"),
)


@dataclass(frozen=True, eq=False)
class JudgedRecipe:
    """One recipe on all folds. ``answers`` stand in the order of ``folds``."""

    tracks: ExperimentTracks
    recipe: Recipe
    folds: tuple[Fold, ...]
    answers: tuple[FoldAnswer, ...]

    @property
    def asked(self) -> IdArray:
        """(n_asked,) int64: rows of the tracks that were asked for, fold by fold."""
        return np.concatenate([fold.test for fold in self.folds])

    @property
    def probability(self) -> Array:
        """(n_asked, n_labels) float32."""
        return np.concatenate([answer.probability for answer in self.answers])

    def judged(self) -> Judged:
        """The answers as the score card takes them."""
        probability, grouping = self.probability, self.tracks.grouping
        nearest, similarity = self.nearest() if self.has_embeddings else _no_nearest(probability.shape)
        answers = FoldAnswers.empty(probability.shape)
        told = {"probability": probability, "nearest_ids": nearest, "nearest_similarity": similarity}
        return Judged(
            **vars(answers) | told,
            folds=np.repeat(np.arange(len(self.folds)), [len(fold.test) for fold in self.folds]),
            grouping=grouping.rows(self.asked),
            strangers=Strangers((float("nan"),) * probability.shape[1]),
            choices=(),
        )

    @property
    def has_embeddings(self) -> bool:
        """Whether the embeddings were kept."""
        return all(len(answer.embeddings) for answer in self.answers)

    def nearest(self) -> tuple[IdArray, Array]:
        """Rows of each asked track's nearest training tracks in each label, and their cosine.

        Both are (n_asked, n_labels, N_NEAREST), most similar first; -1 and NaN where there are fewer.
        """
        found = [
            _nearest(answer.embeddings, fold, self.tracks.own, len(self.tracks.names))
            for fold, answer in zip(self.folds, self.answers, strict=True)
        ]
        return np.concatenate([rows for rows, _ in found]), np.concatenate([said for _, said in found])


def judge_recipe(
    recipe: Recipe,
    fitter: Fitter,
    folds: tuple[Fold, ...],
    directory: Path,
    *,
    maps: bool = True,
    progress: Callable[[str], Progress],
) -> JudgedRecipe:
    """Return the recipe's answers on every fold; what was done before is read from ``directory``."""
    answers = tuple(
        fitter.answer(
            recipe,
            fold,
            directory / f"fold-{number}",
            maps=maps,
            progress=progress(f"fold {number} of {len(folds)}"),
        )
        for number, fold in enumerate(folds, start=1)
    )
    return JudgedRecipe(fitter.tracks, recipe, folds, answers)


def describe_judged(judged: JudgedRecipe) -> dict[str, Any]:
    """Return the score card's figures of a judged recipe, and the share that was right."""
    tracks, recipe = judged.tracks, judged.recipe
    found = judged.judged()
    context = replace(tracks.context, seed=recipe.training.seed)
    baselines = judge_baselines_on(
        tracks.tracks.raw,
        context.views,
        tracks.own,
        [(fold.train, fold.test) for fold in judged.folds],
        counted=counted_labels(found),
    )
    asked = tracks.tracks.rows(judged.asked)
    card = build_scorecard(tracks.labels, asked, context, found, promise=Promise(), baselines=baselines)
    for name in NOT_ASKED:
        del card[name]
    right = int((judged.probability.argmax(axis=1) == tracks.own[judged.asked]).sum())
    low, high = wilson_interval(right, len(judged.asked))
    card["accuracy"], card["accuracy_ci"] = (
        round(right / len(judged.asked), 4),
        [round(low, 4), round(high, 4)],
    )
    card["n_tracks"], card["n_artists"] = len(tracks.tracks), len(np.unique(tracks.tracks.artist_numbers))
    card["n_asked"], card["chance"] = len(judged.asked), round(1 / len(tracks.names), 4)
    for row, described in zip(judged.asked.tolist(), card["tracks"], strict=True):
        described |= {"file": tracks.relative(row), "title": tracks.titles[row]}
    return card


def describe_misclassified(judged: JudgedRecipe) -> list[dict[str, Any]]:
    """Return the tracks placed wrongly, the surest mistakes first, each with its nearest training tracks."""
    tracks, found = judged.tracks, judged.judged()
    answers = HeldOutAnswers(
        membership=tracks.tracks.membership[judged.asked],
        probability=found.probability,
        p_value=found.p_value,
        nearest=found.nearest_ids,
        similarity=found.nearest_similarity,
    )

    def name(row: int) -> dict[str, Any]:
        return {
            "file": tracks.relative(row),
            "artist": tracks.tracks.artists[row],
            "title": tracks.titles[row],
        }

    return [
        name(int(judged.asked[doubt.row]))
        | {
            "label": tracks.names[doubt.own],
            "predicted": tracks.names[doubt.other],
            "own_probability": round(doubt.own_probability, 4),
            "predicted_probability": round(doubt.other_probability, 4),
            "nearest": [
                name(row) | {"playlists": [tracks.names[tracks.own[row]]], "similarity": round(similarity, 4)}
                for row, similarity in doubt.nearest
            ],
        }
        for doubt in find_misplaced(answers)
    ]


def standardise(embeddings: Array, rows: IdArray) -> Array:
    """Return z-scores as the service takes them, by the statistics of some rows: (n_tracks, dim) float32."""
    whole = {"all": slice(0, embeddings.shape[1])}
    return Standardisation.fit(embeddings[rows], whole, {"all": 1.0}).standardise(embeddings)


def _nearest(embeddings: Array, fold: Fold, own: IdArray, n_labels: int) -> tuple[IdArray, Array]:
    scaled = standardise(embeddings, fold.train)
    unit = scaled / np.maximum(np.linalg.norm(scaled, axis=1, keepdims=True), 1e-9)
    cosine = unit[fold.test] @ unit[fold.train].T
    rows, similarity = _no_nearest((len(fold.test), n_labels))
    for label in range(n_labels):
        members = np.flatnonzero(own[fold.train] == label)
        first = members[np.argsort(-cosine[:, members], axis=1, kind="stable")[:, :N_NEAREST]]
        n = first.shape[1]
        rows[:, label, :n] = fold.train[first]
        similarity[:, label, :n] = np.take_along_axis(cosine, first, axis=1)
    return rows, similarity


def _no_nearest(shape: tuple[int, ...]) -> tuple[IdArray, Array]:
    rows = np.full((*shape, N_NEAREST), -1, dtype=np.int64)
    return rows, np.full(rows.shape, np.nan, dtype=np.float32)
