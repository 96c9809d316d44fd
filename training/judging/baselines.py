"""What a report must beat: answers that need no network, on the same folds."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from recommender.model.heads import unit_rows
from training.metrics import confusion_matrix, recalls

IdArray = NDArray[np.int64]

# The first columns of the timbre view are the mean MFCCs, a rotation of the mean log-mel spectrum.
N_MFCC = 20


def judge_baselines(
    raw: NDArray[np.float32],
    views: Mapping[str, slice],
    true: IdArray,
    folds: IdArray,
    *,
    counted: NDArray[np.bool_],
) -> dict[str, float]:
    """Return name -> balanced accuracy on the given folds.

    ``popularity`` always names the largest playlist, ``mean_mel_cosine`` the one whose mean spectrum points
    the most alike, ``mfcc_logistic`` is logistic regression on statistics of MFCCs (z-scored on the training
    tracks), the usual classifier without a network.

    Parameters
    ----------
    raw : (n_tracks, dim) float32
    true : (n_tracks,) int64, the label of each track
    folds : (n_tracks,) int64
    counted : (n_labels,) bool
        Whose recalls make up the balanced accuracy.
    """
    parts = [(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in np.unique(folds)]
    return judge_baselines_on(raw, views, true, parts, counted=counted)


def judge_baselines_on(
    raw: NDArray[np.float32],
    views: Mapping[str, slice],
    true: IdArray,
    parts: Sequence[tuple[IdArray, IdArray]],
    *,
    counted: NDArray[np.bool_],
) -> dict[str, float]:
    """Return the same for folds that are not the rest of each other: rows learnt from, and rows asked for."""
    timbre = raw[:, views["timbre"]]
    asked = np.concatenate([test for _, test in parts])
    scores = {}
    for name, baseline in _BASELINES.items():
        found = [baseline(timbre[train], true[train], timbre[test]) for train, test in parts]
        confusion = confusion_matrix(true[asked], np.concatenate(found), len(counted))
        scores[name] = float(np.nanmean(recalls(confusion)[counted]))
    return {"random": 1 / len(counted)} | scores


def _popularity(_known: NDArray[np.float32], true: IdArray, asked: NDArray[np.float32]) -> IdArray:
    return np.full(len(asked), np.bincount(true).argmax())


def _mean_mel_cosine(known: NDArray[np.float32], true: IdArray, asked: NDArray[np.float32]) -> IdArray:
    labels = np.unique(true)
    known, asked = known[:, :N_MFCC], asked[:, :N_MFCC]
    prototypes = np.stack([unit_rows(known[true == label]).mean(axis=0) for label in labels])
    answer: IdArray = labels[(unit_rows(asked) @ unit_rows(prototypes).T).argmax(axis=1)]
    return answer


def _mfcc_logistic(known: NDArray[np.float32], true: IdArray, asked: NDArray[np.float32]) -> IdArray:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if len(np.unique(true)) < 2:
        return np.full(len(asked), true[0])
    model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=2000))
    answer: IdArray = model.fit(known, true).predict(asked)
    return answer


_BASELINES = {
    "popularity": _popularity,
    "mean_mel_cosine": _mean_mel_cosine,
    "mfcc_logistic": _mfcc_logistic,
}
