"""What a score card says beyond its figures: where the errors lie, why, and what would help."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.answering.library_map import fill_square, flatten_by_pca
from training.folds import same_recordings
from training.judging.cautions import (
    caution_albums,
    caution_artists,
    caution_copies,
    caution_formats,
    caution_sizes,
)
from training.judging.doubts import Doubt, find_doubtful, find_misplaced
from training.judging.figures import build_scorecard, caution_unknown_artists, counted_labels
from training.judging.judged_group import JudgedGroup
from training.judging.learning_curve import LearningCurve, draw_learning_curve
from training.judging.maps import MIN_UMAP_TRACKS, flatten_by_umap
from training.judging.siblings import find_siblings
from training.metrics import DIGITS, reliability, rounded, wilson_interval

Progress = Callable[[int, int, str], None]
Described = dict[str, Any]

MAX_LISTED = 100


def complete_scorecard(group: JudgedGroup, *, with_maps: bool, progress: Progress | None = None) -> Described:
    """Return a group's score card: its figures, and what they come from.

    Parameters
    ----------
    with_maps : bool
        UMAP takes some ten seconds to start.
    """
    card = build_scorecard(group.labels, group.tracks, group.context, group.judged, promise=group.promise)
    cautions = _caution_playlists(group)
    playlists = zip(card["playlists"], _describe_coverage(group), strict=True)
    return (
        card
        | _describe_findings(group, progress=progress)
        | {
            "n_folds": int(group.judged.folds.max()) + 1,
            "playlists": [
                figures
                | coverage
                | {"warnings": [sentence for about, sentence in cautions if about == label]}
                for label, (figures, coverage) in enumerate(playlists)
            ],
            "warnings": list(
                dict.fromkeys([*card["warnings"], *_caution_all(group), *(said for _, said in cautions)])
            ),
            "tracks": [
                {"file": source.file, "title": source.title} | described
                for source, described in zip(group.sources, card["tracks"], strict=True)
            ],
            "maps": _describe_maps(group, progress=progress) if with_maps else {},
        }
    )


def _describe_findings(group: JudgedGroup, *, progress: Progress | None) -> Described:
    answers, judged, tracks = group.answers, group.judged, group.tracks
    right = answers.predicted == answers.own
    counted = counted_labels(judged)
    curve = draw_learning_curve(
        group.labels,
        tracks,
        group.context,
        judged,
        counted=counted,
        hearing=group.hearing,
        progress=progress,
    )
    doubtful, misplaced = find_doubtful(answers, alpha=group.promise.alpha), find_misplaced(answers)
    return {
        "n_tracks": len(tracks),
        "n_artists": len(np.unique(tracks.artist_numbers)),
        "chance": rounded(1 / len(group.names)),
        "reliability": [
            {"confidence": rounded(confidence), "right": rounded(share), "n_tracks": n}
            for confidence, share, n in reliability(judged.probability.max(axis=1), right)
        ],
        "siblings": _describe_siblings(group),
        "learning_curve": _describe_curve(curve),
        "n_doubtful": len(doubtful),
        "doubtful": [_describe_doubt(group, doubt) for doubt in doubtful[:MAX_LISTED]],
        "n_misclassified": len(misplaced),
        "misclassified": [_describe_doubt(group, doubt) for doubt in misplaced[:MAX_LISTED]],
    }


def _caution_all(group: JudgedGroup) -> list[str]:
    """Return warnings about the playlists together."""
    names, membership = group.names, group.tracks.membership
    same = same_recordings(group.embeddings(), group.tracks.durations_s)
    titles = [source.title for source in group.sources]
    return [*caution_sizes(names, membership), *caution_copies(names, membership, same, titles)]


def _caution_playlists(group: JudgedGroup) -> list[tuple[int, str]]:
    """Return (label, sentence): warnings about one playlist each."""
    names, tracks = group.names, group.tracks
    formats = [source.format for source in group.sources]
    return [
        *caution_unknown_artists(group.labels, group.judged),
        *caution_artists(names, tracks.membership, tracks.artists),
        *caution_albums(names, tracks.membership, tracks.albums, group.judged.folds),
        *caution_formats(names, tracks.membership, formats),
    ]


def _describe_coverage(group: JudgedGroup) -> list[Described]:
    """Return per playlist how often it was named for its own tracks, strangers apart; 95 % interval."""
    found = []
    kept = (
        ~np.isnan(group.judged.p_value) & (group.judged.stranger_p_value > group.promise.alpha_none)[:, None]
    )
    for label, column in enumerate((group.tracks.membership & kept).T):
        n_named, n_tracks = int(group.judged.fits[column, label].sum()), int(column.sum())
        low, high = wilson_interval(n_named, n_tracks)
        share = n_named / n_tracks if n_tracks else float("nan")
        found.append({"coverage": rounded(share), "coverage_ci": [rounded(low), rounded(high)]})
    return found


def _describe_siblings(group: JudgedGroup) -> list[Described]:
    rng = np.random.default_rng(group.context.seed)
    pairs = find_siblings(group.tracks.membership, group.judged.probability, group.judged.grouping.keys, rng)
    return [
        {
            "playlists": [group.names[label] for label in pair.labels],
            "told_apart": rounded(pair.told_apart),
            "told_apart_ci": [rounded(pair.low), rounded(pair.high)],
            "n_confused": pair.n_confused,
            "n_shared": pair.n_shared,
            "advice": pair.advice,
        }
        for pair in pairs
    ]


def _describe_curve(curve: LearningCurve | None) -> Described | None:
    if curve is None:
        return None
    return {
        "points": [
            {
                name: [rounded(part) for part in value] if isinstance(value, tuple) else rounded(value)
                for name, value in asdict(point).items()
            }
            for point in curve.points
        ],
        "gain_of_last_doubling": rounded(curve.gain),
        "gain_ci": [rounded(curve.gain_low), rounded(curve.gain_high)],
        "still_rises": curve.still_rises,
        "n_more_tracks": curve.n_more_tracks if curve.still_rises else None,
        "advice": curve.advice,
    }


def _describe_doubt(group: JudgedGroup, doubt: Doubt) -> Described:
    return _describe_track(group, doubt.row) | {
        "label": group.names[doubt.own],
        "predicted": group.names[doubt.other],
        "p_value": rounded(doubt.p_value),
        "own_probability": rounded(doubt.own_probability),
        "predicted_probability": rounded(doubt.other_probability),
        "nearest": [
            _describe_track(group, row)
            | {
                "playlists": [group.names[label] for label in np.flatnonzero(group.tracks.membership[row])],
                "similarity": rounded(similarity),
            }
            for row, similarity in doubt.nearest
        ],
    }


def _describe_track(group: JudgedGroup, row: int) -> Described:
    source = group.sources[row]
    known = {} if source.track_id is None else {"id": source.track_id}
    return known | {"file": source.file, "title": source.title, "artist": group.tracks.artists[row]}


def _describe_maps(group: JudgedGroup, *, progress: Progress | None) -> Described:
    embeddings = group.embeddings()
    plane, variance = flatten_by_pca(embeddings)
    maps = {"pca": {"points": _points(plane), "variance": rounded(variance)}}
    if len(embeddings) >= MIN_UMAP_TRACKS:
        if progress:
            progress(0, 1, "drawing the map of the tracks")
        maps["umap"] = {"points": _points(flatten_by_umap(embeddings, seed=group.context.seed))}
    return maps


def _points(plane: NDArray[np.float32]) -> list[list[float]]:
    """Return the plane with its longer side between -1 and 1."""
    return [[round(float(x), DIGITS), round(float(y), DIGITS)] for x, y in fill_square(plane)]
