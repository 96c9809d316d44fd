"""The answers that need no network, by hand and in worlds where they must be right or at a loss."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from training.folds import artist_folds
from training.judging.baselines import N_MFCC, judge_baselines

VIEWS = {"trunk": slice(0, 2), "timbre": slice(2, 2 + N_MFCC + 4)}
DIM = 2 + N_MFCC + 4


def draw(rng: np.random.Generator, label: np.ndarray, *, columns: slice, distance: float) -> np.ndarray:
    """Noise in every column, and in some of them a place for each playlist."""
    raw = rng.normal(size=(len(label), DIM))
    width = raw[:, columns].shape[1]
    raw[:, columns] += distance * np.eye(label.max() + 1, width)[label]
    return raw.astype(np.float32)


def judge(raw: np.ndarray, label: np.ndarray, folds: np.ndarray) -> dict[str, float]:
    return judge_baselines(raw, VIEWS, label, folds, counted=np.ones(label.max() + 1, dtype=bool))


def test_popularity_names_the_largest_playlist_of_the_training_part() -> None:
    label = np.array([0, 0, 0, 1, 1, 1, 1])
    folds = np.array([0, 0, 1, 0, 0, 0, 1])
    raw = np.random.default_rng(0).normal(size=(7, DIM)).astype(np.float32)
    # Fold 0 is answered from one track of each playlist (the first wins), fold 1 from two against three.
    # So playlist 0 is right in fold 0 (two of its three), playlist 1 in fold 1 (one of its four).
    assert judge(raw, label, folds)["popularity"] == pytest.approx((2 / 3 + 1 / 4) / 2)
    assert judge(raw, label, folds)["random"] == 1 / 2


def test_timbre_statistics_find_playlists_of_different_timbre(rng: np.random.Generator) -> None:
    label = np.arange(60) % 3
    raw = draw(rng, label, columns=slice(2, 5), distance=6)
    scores = judge(raw, label, np.arange(60) // 12)
    assert scores["mean_mel_cosine"] > 0.95
    assert scores["mfcc_logistic"] > 0.95
    assert scores["popularity"] < 0.5


def test_nothing_but_the_timbre_view_is_looked_at(rng: np.random.Generator) -> None:
    label = np.arange(60) % 2
    raw = draw(rng, label, columns=slice(0, 2), distance=50)
    scores = judge(raw, label, np.arange(60) // 12)
    assert scores["mean_mel_cosine"] < 0.75
    assert scores["mfcc_logistic"] < 0.75


def test_the_mean_spectrum_is_the_first_columns_of_timbre(rng: np.random.Generator) -> None:
    label = np.arange(60) % 2
    raw = draw(rng, label, columns=slice(2 + N_MFCC, DIM), distance=50)
    scores = judge(raw, label, np.arange(60) // 12)
    assert scores["mean_mel_cosine"] < 0.75
    assert scores["mfcc_logistic"] > 0.95  # which uses deviations and deltas too


def test_mean_mel_cosine_is_what_slow_comparison_gives(rng: np.random.Generator) -> None:
    label, folds = rng.integers(0, 3, 40), np.arange(40) % 4
    raw = draw(rng, label, columns=slice(2, 5), distance=1.5)
    right: dict[int, list[bool]] = {0: [], 1: [], 2: []}
    for row in range(40):
        cosines = []
        for playlist in range(3):
            train = raw[(folds != folds[row]) & (label == playlist), 2 : 2 + N_MFCC].astype(float)
            mean = (train / np.linalg.norm(train, axis=1, keepdims=True)).mean(axis=0)
            asked = raw[row, 2 : 2 + N_MFCC].astype(float)
            cosines.append(mean @ asked / np.linalg.norm(mean) / np.linalg.norm(asked))
        right[label[row]].append(int(np.argmax(cosines)) == label[row])
    expected = np.mean([np.mean(answers) for answers in right.values()])
    assert judge(raw, label, folds)["mean_mel_cosine"] == pytest.approx(expected)


def test_mfcc_logistic_is_scikit_learn_on_z_scores_of_the_training_part(rng: np.random.Generator) -> None:
    label, folds = np.repeat([0, 1, 2], [60, 9, 9]), np.arange(78) % 3
    raw = draw(rng, label, columns=slice(2, 5), distance=1.5) * 100
    predicted = np.zeros(78, dtype=int)
    for fold in range(3):
        train, test = folds != fold, folds == fold
        known = raw[train, 2:].astype(float)
        mean, deviation = known.mean(axis=0), known.std(axis=0)
        model = LogisticRegression(class_weight="balanced", max_iter=5000)
        model.fit((known - mean) / deviation, label[train])
        predicted[test] = model.predict((raw[test, 2:] - mean) / deviation)
    expected = np.mean([(predicted[label == playlist] == playlist).mean() for playlist in range(3)])
    assert judge(raw, label, folds)["mfcc_logistic"] == pytest.approx(expected, abs=0.03)


def test_only_the_playlists_that_count_are_averaged(rng: np.random.Generator) -> None:
    label = np.repeat([0, 1, 2], [20, 5, 5])
    folds = np.arange(30) % 5
    raw = draw(rng, label, columns=slice(2, 5), distance=0)
    counted = np.array([True, True, False])
    scores = judge_baselines(raw, VIEWS, label, folds, counted=counted)
    assert scores["popularity"] == 0.5  # right for playlist 0, never for playlist 1, the third left out
    assert judge(raw, label, folds)["popularity"] == pytest.approx(1 / 3)


@pytest.mark.filterwarnings("error")
def test_a_playlist_of_one_track_and_a_fold_of_one_playlist_do_no_harm(rng: np.random.Generator) -> None:
    label = np.array([0, 0, 0, 0, 1])
    raw = draw(rng, label, columns=slice(2, 5), distance=9)
    membership = label[:, None] == np.arange(2)
    folds = artist_folds(membership, np.arange(5), n_folds=5, seed=0)
    scores = judge(raw, label, folds)
    assert scores["popularity"] == scores["mfcc_logistic"] == 0.5  # the single track is never known


def test_arguments_are_only_read(rng: np.random.Generator) -> None:
    label, folds = np.arange(20) % 2, np.arange(20) // 4
    raw = draw(rng, label, columns=slice(2, 5), distance=2)
    before = raw.copy()
    judge(raw, label, folds)
    np.testing.assert_array_equal(raw, before)
