"""The figures of named playlists: how often the right one is there, how few they are, who is turned away."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.model.familiarity import Familiarity
from recommender.records.promises import Promise
from training.judging.outer_folds import FoldAnswers, Judged
from training.judging.strangers import Strangers
from training.metrics import balanced_accuracy, expected_calibration_error, rounded

BoolArray = NDArray[np.bool_]
Figures = dict[str, Any]


def describe_named(answers: FoldAnswers, membership: BoolArray, promise: Promise) -> Figures:
    """Return the figures of tracks that belong into a playlist, all (n_tracks, ...).

    ``coverage``, ``mean_set_size``, ``singletons`` (share of answers that name one playlist) and
    ``singleton_accuracy`` (how often that is right) are those of tracks that are not called strangers;
    ``turned_away`` is the share of those that are, ``accuracy`` that of which the first is right.
    """
    # A track held out with all of its playlist cannot be answered rightly: it breaks no promise.
    there = np.any(membership & ~np.isnan(answers.p_value), axis=1)
    fits, membership = answers.fits[there], membership[there]
    probability, p_value = answers.probability[there], answers.stranger_p_value[there]
    is_turned_away = np.asarray(p_value <= promise.alpha_none)
    right = np.any(fits & membership, axis=1)
    fits, right = fits[~is_turned_away], right[~is_turned_away]
    names_one = fits.sum(axis=1) == 1
    first = np.take_along_axis(membership, probability.argmax(axis=1)[:, None], axis=1)[:, 0]
    return {
        "n_tracks": len(membership),
        "accuracy": _share(first),
        "coverage": _share(right),
        "mean_set_size": rounded(fits.sum(axis=1).mean()) if len(fits) else None,
        "singletons": _share(names_one),
        "singleton_accuracy": _share(right[names_one]),
        "turned_away": _share(is_turned_away),
        "ece": rounded(expected_calibration_error(probability.max(axis=1), first)) if len(first) else None,
    }


def describe_known(judged: Judged, membership: BoolArray, promise: Promise) -> Figures | None:
    """Return the same of tracks whose artist has others among the known ones; None where there are none."""
    if judged.to_known is None:
        return None
    rows = np.flatnonzero(judged.to_known.familiarity == Familiarity.KNOWN)
    answers, membership = judged.to_known.rows(rows), membership[rows]
    own = np.where(membership, answers.probability, -1).argmax(axis=1)
    balanced = balanced_accuracy(own, answers.probability.argmax(axis=1), membership.shape[1])
    return describe_named(answers, membership, promise) | {"balanced_accuracy": rounded(balanced)}


def describe_strangers(strangers: Strangers, promise: Promise) -> Figures | None:
    """Return the curve of strangers caught against members turned away, and the point that is in service."""
    point = strangers.point(promise)
    if point is None:
        return None
    aurocs = [value for value in strangers.aurocs if not np.isnan(value)]
    return {
        "alpha_none": promise.alpha_none,
        "members_turned_away": rounded(point.members_turned_away),
        "strangers_caught": rounded(point.strangers_caught),
        "auroc": {"mean": rounded(float(np.mean(aurocs))), "worst": rounded(min(aurocs))} if aurocs else None,
        "curve": [
            {
                "alpha_none": found.alpha_none,
                "members_turned_away": rounded(found.members_turned_away),
                "strangers_caught": rounded(found.strangers_caught),
            }
            for found in strangers.curve
        ],
    }


def _share(which: BoolArray) -> float | None:
    return rounded(which.mean()) if len(which) else None
