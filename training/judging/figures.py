"""The figures of a judged group of playlists, as plain values."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.records.promises import Promise
from training.groups.fit import GroupLabels
from training.groups.fitting import FitContext
from training.groups.labels import LabelledTracks
from training.judging.baselines import judge_baselines
from training.judging.named_figures import describe_known, describe_named, describe_strangers
from training.judging.outer_folds import Judged
from training.metrics import (
    bootstrap_interval,
    chance_p_value,
    confusion_matrix,
    macro_f1,
    precision_at_k,
    precisions,
    recalls,
    rounded,
)

IdArray = NDArray[np.int64]

# Answers that are as good by chance more often than this are no better than chance.
CHANCE_P_VALUE = 0.01


def build_scorecard(
    labels: GroupLabels,
    tracks: LabelledTracks,
    context: FitContext,
    judged: Judged,
    *,
    promise: Promise,
    baselines: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Return the figures of one judged group.

    A track in several playlists counts for the one of them that was ranked first. Playlists without two
    known artists cannot be judged artist-conditionally; they are listed, and left out of the balanced
    accuracy as long as two others remain.

    Parameters
    ----------
    baselines : mapping of str to float, optional
        Those of the same tracks, where the folds alone do not say what was learnt from.
    """
    n_labels = len(labels.playlist_names)
    predicted = judged.probability.argmax(axis=1)
    own = np.where(tracks.membership, judged.probability, -1).argmax(axis=1)
    confusion = confusion_matrix(own, predicted, n_labels)
    counted = counted_labels(judged)
    rows = counted[own]
    answers = (own[rows], predicted[rows], judged.grouping.keys[rows], n_labels)
    low, high = bootstrap_interval(*answers, np.random.default_rng(context.seed))
    # A track that is in every playlist is placed rightly whatever is said of it, so it proves nothing.
    telling = ~tracks.membership[rows][:, counted].all(axis=1)
    own_told, predicted_told, keys = (column[telling] for column in answers[:3])
    p_value, is_chance = compare_with_chance(own_told, predicted_told, keys, n_labels, seed=context.seed)
    baselines = baselines or judge_baselines(tracks.raw, context.views, own, judged.folds, counted=counted)
    return {
        "balanced_accuracy": rounded(float(np.nanmean(recalls(confusion)[counted]))),
        "balanced_accuracy_ci": [rounded(low), rounded(high)],
        "beats_chance": low > baselines["random"] and not is_chance,
        "chance_p_value": rounded(p_value),
        "balanced_accuracy_all_labels": rounded(float(np.nanmean(recalls(confusion)))),
        "macro_f1": rounded(macro_f1(confusion)),
        **_describe_answers(tracks, judged, promise),
        "labels": list(labels.playlist_names),
        "playlists": _describe_playlists(labels, tracks, judged, confusion),
        "confusion": confusion.tolist(),
        "baselines": {name: rounded(value) for name, value in baselines.items()},
        "warnings": _warnings(labels, judged, low=low, chance=baselines["random"], is_chance=is_chance),
        "choices": [choice.described() for choice in judged.choices],
        "tracks": _describe_tracks(labels, tracks, judged, own),
    }


def counted_labels(judged: Judged) -> NDArray[np.bool_]:
    """(n_labels,) bool: the labels whose recalls make up the balanced accuracy."""
    honest = np.array([by == "artist" for by in judged.grouping.judged_by])
    return honest if honest.sum() > 1 else np.ones(len(honest), dtype=bool)


def _describe_answers(tracks: LabelledTracks, judged: Judged, promise: Promise) -> dict[str, Any]:
    """Return the figures of ranking, probabilities, named playlists and strangers."""
    probability, membership = judged.probability, tracks.membership
    strangers = describe_strangers(judged.strangers, promise)
    return {
        **{f"precision_at_{k}": rounded(precision_at_k(probability, membership, k)) for k in (1, 2, 3)},
        **{
            name: value
            for name, value in describe_named(judged, membership, promise).items()
            if name != "n_tracks"
        },
        "alpha": promise.alpha,
        "alpha_none": promise.alpha_none,
        "known_artists": describe_known(judged, membership, promise),
        "open_set_auroc": strangers and strangers["auroc"],
        "strangers": strangers,
    }


def _describe_playlists(
    labels: GroupLabels, tracks: LabelledTracks, judged: Judged, confusion: NDArray[np.int64]
) -> list[dict[str, Any]]:
    recall, precision = recalls(confusion), precisions(confusion)
    artists = tracks.artist_numbers
    return [
        {
            "name": name,
            "n_tracks": int(tracks.membership[:, label].sum()),
            "n_artists": len(np.unique(artists[tracks.membership[:, label]])),
            "judged_by": judged.grouping.judged_by[label],
            "recall": rounded(recall[label]),
            "precision": rounded(precision[label]),
            "open_set_auroc": rounded(judged.strangers.aurocs[label]),
        }
        for label, name in enumerate(labels.playlist_names)
    ]


def _describe_tracks(
    labels: GroupLabels, tracks: LabelledTracks, judged: Judged, own: NDArray[np.int64]
) -> list[dict[str, Any]]:
    names = labels.playlist_names
    return [
        {
            "label": names[own[row]],
            "artist": tracks.artists[row],
            "fold": int(judged.folds[row]),
            "probabilities": dict(zip(names, map(rounded, judged.probability[row]), strict=True)),
            "p_values": dict(zip(names, map(rounded, judged.p_value[row]), strict=True)),
            "stranger_p_value": rounded(judged.stranger_p_value[row]),
            "fits": [name for name, fits in zip(names, judged.fits[row], strict=True) if fits],
        }
        for row in range(len(tracks))
    ]


def caution_unknown_artists(labels: GroupLabels, judged: Judged) -> list[tuple[int, str]]:
    """Return (label, sentence) for playlists that could not be judged artist-conditionally."""
    return [
        (
            label,
            f"playlist {name!r} has no two known artists: it is judged by {by}, which flatters it,"
            " and it is left out of the balanced accuracy where two others remain",
        )
        for label, (name, by) in enumerate(zip(labels.playlist_names, judged.grouping.judged_by, strict=True))
        if by != "artist"
    ]


def compare_with_chance(
    own: IdArray, predicted: IdArray, keys: IdArray, n_labels: int, *, seed: int
) -> tuple[float, bool]:
    """Return how often the answers would be as good by chance, and whether that is too often.

    Without any answer to go by, always.
    Of a few artists even answers without a mistake are as good by chance now and then; that is not held
    against them.
    """
    if not len(own):
        return 1.0, True
    p_value, without_mistake = (
        chance_p_value(own, answers, keys, n_labels, np.random.default_rng(seed))
        for answers in (predicted, own)
    )
    return p_value, p_value > max(CHANCE_P_VALUE, without_mistake)


def _warnings(
    labels: GroupLabels, judged: Judged, *, low: float, chance: float, is_chance: bool
) -> list[str]:
    found = []
    if low <= chance or is_chance:
        found.append(
            f"no better than chance: guessing gives {chance:.2f}, the interval of the balanced accuracy"
            f" begins at {low:.2f}, and the same answers dealt out at random are often as good"
        )
    return found + [sentence for _, sentence in caution_unknown_artists(labels, judged)]
