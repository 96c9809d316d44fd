"""Every figure against a case worked by hand and against a slow re-implementation or scikit-learn."""

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics as sklearn_metrics

from training.metrics import (
    auroc,
    balanced_accuracy,
    bootstrap_interval,
    chance_p_value,
    confusion_matrix,
    expected_calibration_error,
    macro_f1,
    paired_interval,
    precision_at_k,
    precisions,
    recalls,
    reliability,
    wilson_interval,
)

# Six tracks of three playlists; the third is never predicted.
TRUE = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = np.array([0, 0, 1, 1, 0, 1])
CONFUSION = np.array([[2, 1, 0], [1, 1, 0], [0, 1, 0]])

answers = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)


def test_the_case_worked_by_hand() -> None:
    np.testing.assert_array_equal(confusion_matrix(TRUE, PREDICTED, 3), CONFUSION)
    np.testing.assert_allclose(recalls(CONFUSION), [2 / 3, 1 / 2, 0])
    np.testing.assert_allclose(precisions(CONFUSION), [2 / 3, 1 / 3, np.nan])
    assert balanced_accuracy(TRUE, PREDICTED, 3) == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert macro_f1(CONFUSION) == pytest.approx((4 / 6 + 2 / 5 + 0) / 3)


def test_playlists_without_tracks_count_nowhere() -> None:
    """As when a playlist is left out of the balanced accuracy."""
    confusion = confusion_matrix(TRUE[:5], PREDICTED[:5], 3)
    assert np.isnan(recalls(confusion)[2])
    assert balanced_accuracy(TRUE[:5], PREDICTED[:5], 3) == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert macro_f1(confusion) == pytest.approx((4 / 6 + 2 / 4) / 2)


@given(answers)
@settings(max_examples=150, deadline=None)
def test_counts_and_ratios_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    true, predicted = np.array(pairs).T
    confusion = confusion_matrix(true, predicted, 4)
    np.testing.assert_array_equal(
        confusion, sklearn_metrics.confusion_matrix(true, predicted, labels=range(4))
    )
    there = sorted(set(true.tolist()))
    options = {"labels": there, "average": None, "zero_division": np.nan}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn remarks on playlists that were never predicted
        np.testing.assert_allclose(
            recalls(confusion)[there], sklearn_metrics.recall_score(true, predicted, **options)
        )
        np.testing.assert_allclose(
            precisions(confusion)[there], sklearn_metrics.precision_score(true, predicted, **options)
        )
        expected = sklearn_metrics.balanced_accuracy_score(true, predicted)
        f1 = sklearn_metrics.f1_score(true, predicted, labels=there, average="macro")
    assert balanced_accuracy(true, predicted, 4) == pytest.approx(expected)
    assert macro_f1(confusion) == pytest.approx(f1)


def test_precision_at_k_worked_by_hand() -> None:
    probabilities = np.array([[0.5, 0.3, 0.2], [0.1, 0.3, 0.6], [0.2, 0.5, 0.3]])
    membership = np.array([[1, 0, 0], [1, 0, 0], [1, 0, 1]], dtype=bool)
    assert [precision_at_k(probabilities, membership, k) for k in (1, 2, 3)] == [1 / 3, 2 / 3, 1]


@given(seed=st.integers(0, 1000), n_tracks=st.integers(1, 20), k=st.integers(1, 5))
@settings(max_examples=80, deadline=None)
def test_precision_at_k_is_what_slow_counting_gives(seed: int, n_tracks: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities = rng.integers(0, 4, (n_tracks, 4)) / 4  # many ties
    membership = rng.random((n_tracks, 4)) < 0.4
    membership[:, 0] |= ~membership.any(axis=1)
    n_found = 0
    for row in range(n_tracks):
        ranked = sorted(range(4), key=lambda label: (-probabilities[row, label], label))
        n_found += any(membership[row, label] for label in ranked[:k])
    assert precision_at_k(probabilities, membership, k) == pytest.approx(n_found / n_tracks)


def test_expected_calibration_error_worked_by_hand() -> None:
    confidence = np.array([0.9, 0.6, 0.8, 0.7])
    right = np.array([True, False, True, False])
    # Bins (0.6, 0.7) with none right and (0.8, 0.9) with both: 1/2 * 0.65 + 1/2 * 0.15.
    assert expected_calibration_error(confidence, right, n_bins=2) == pytest.approx(0.4)
    assert reliability(confidence, right, n_bins=2) == [
        (pytest.approx(0.65), 0.0, 2),
        (pytest.approx(0.85), 1.0, 2),
    ]
    assert expected_calibration_error(confidence, right, n_bins=1) == pytest.approx(0.25)
    # More bins than tracks: every track is a bin.
    apart = (0.1 + 0.6 + 0.2 + 0.7) / 4
    assert expected_calibration_error(confidence, right, n_bins=15) == pytest.approx(apart)
    # Unless told, bins hold 20 tracks or more, and these few are one.
    assert expected_calibration_error(confidence, right) == pytest.approx(0.25)


@given(seed=st.integers(0, 1000), n_tracks=st.integers(1, 60), n_bins=st.integers(1, 20))
@settings(max_examples=80, deadline=None)
def test_expected_calibration_error_is_what_slow_counting_gives(
    seed: int, n_tracks: int, n_bins: int
) -> None:
    rng = np.random.default_rng(seed)
    confidence, right = rng.random(n_tracks), rng.random(n_tracks) < 0.5
    ranked = sorted(zip(confidence.tolist(), right.tolist(), strict=True))
    size, longer = divmod(n_tracks, n_bins)  # equal mass: sizes differ by one at most, the longer ones first
    total, first = 0.0, 0
    for number in range(n_bins):
        part = ranked[first : first + size + (number < longer)]
        first += len(part)
        if part:
            mean = sum(c for c, _ in part) / len(part)
            share = sum(r for _, r in part) / len(part)
            total += abs(share - mean) * len(part) / n_tracks
    assert first == n_tracks
    assert expected_calibration_error(confidence, right, n_bins=n_bins) == pytest.approx(total)


def test_perfect_probabilities_have_almost_no_calibration_error() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.3, 1, 30_000)
    right = rng.random(30_000) < confidence
    assert expected_calibration_error(confidence, right) < 0.012
    assert expected_calibration_error(np.minimum(confidence + 0.1, 1), right) > 0.08


@given(
    known=st.lists(st.integers(0, 6), min_size=1, max_size=20),
    unknown=st.lists(st.integers(0, 6), min_size=1, max_size=20),
)
@settings(max_examples=100, deadline=None)
def test_auroc_is_the_chance_that_a_known_track_scores_higher(known: list[int], unknown: list[int]) -> None:
    pairs = [(a > b) + (a == b) / 2 for a in known for b in unknown]
    found = auroc(np.array(known, dtype=float), np.array(unknown, dtype=float))
    assert found == pytest.approx(sum(pairs) / len(pairs))
    truth = [1] * len(known) + [0] * len(unknown)
    assert found == pytest.approx(sklearn_metrics.roc_auc_score(truth, known + unknown))


def test_auroc_worked_by_hand() -> None:
    assert auroc(np.array([3.0, 1.0]), np.array([2.0, 1.0])) == (1 + 1 + 0 + 0.5) / 4
    assert np.isnan(auroc(np.array([]), np.array([1.0])))
    assert np.isnan(auroc(np.array([1.0]), np.array([])))


@pytest.mark.parametrize(("n_right", "n"), [(0, 5), (5, 5), (1, 3), (37, 60)])
def test_the_interval_of_a_share_is_that_of_scipy(n_right: int, n: int) -> None:
    expected = binomtest(n_right, n).proportion_ci(0.95, method="wilson")
    assert wilson_interval(n_right, n) == pytest.approx((expected.low, expected.high), abs=1e-3)


def draw_answers(
    rng: np.random.Generator, *, n_artists: int, n_each: int, right: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All tracks of an artist are right or wrong together: (true, predicted, artists)."""
    artists = np.repeat(np.arange(n_artists), n_each)
    true = artists % 2
    wrong = (rng.random(n_artists) >= right)[artists]
    return true, np.where(wrong, 1 - true, true), artists


def slow_bootstrap(
    true: np.ndarray, predicted: np.ndarray, artists: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw artists, gather their tracks, judge them: the definition."""
    rows_of = [np.flatnonzero(artists == artist) for artist in np.unique(artists)]
    values = []
    for _ in range(600):
        rows = np.concatenate([rows_of[drawn] for drawn in rng.integers(0, len(rows_of), len(rows_of))])
        values.append(balanced_accuracy(true[rows], predicted[rows], 2))
    return np.quantile(values, [0.025, 0.975])


def test_the_bootstrap_interval_is_what_drawing_artists_gives() -> None:
    rng = np.random.default_rng(0)
    true, predicted, artists = draw_answers(rng, n_artists=30, n_each=4, right=0.8)
    interval = bootstrap_interval(true, predicted, artists, 2, np.random.default_rng(1))
    expected = slow_bootstrap(true, predicted, artists, np.random.default_rng(2))
    np.testing.assert_allclose(interval, expected, atol=0.025)
    assert bootstrap_interval(true, predicted, artists, 2, np.random.default_rng(1)) == interval
    assert bootstrap_interval(true, predicted, artists, 2, np.random.default_rng(3)) != interval
    # Artists drawn, not tracks: four tracks that stand or fall together are one piece of evidence.
    by_track = bootstrap_interval(true, predicted, np.arange(120), 2, np.random.default_rng(1))
    assert interval[1] - interval[0] > 1.5 * (by_track[1] - by_track[0])


def test_a_paired_interval_forgets_what_is_hard_for_both() -> None:
    """Half the artists are hard for both; one of the two answers better for a fifth of the others."""
    true, artists = np.tile([0, 1], 60), np.repeat(np.arange(60), 2)
    worse = np.where(artists % 2, true, 1 - true)
    better = np.where(artists % 10 == 0, true, worse)
    rng = np.random.default_rng
    low, high = paired_interval(true, (better, worse), artists, 2, rng(0))
    assert 0 < low < 0.1 < high < 0.2
    alone = bootstrap_interval(true, better, artists, 2, rng(0))
    assert high - low < 0.8 * (alone[1] - alone[0])
    mirrored = paired_interval(true, (worse, better), artists, 2, rng(0))
    np.testing.assert_allclose(mirrored, (-high, -low), atol=1e-12)
    assert paired_interval(true, (better, better), artists, 2, rng(0)) == (0, 0)


def test_the_bootstrap_interval_holds_the_truth_as_often_as_it_says() -> None:
    rng, n_inside = np.random.default_rng(4), 0
    for _ in range(150):
        true, predicted, artists = draw_answers(rng, n_artists=60, n_each=2, right=0.7)
        low, high = bootstrap_interval(true, predicted, artists, 2, rng)
        n_inside += low <= 0.7 <= high
    assert 0.88 < n_inside / 150 <= 1


def test_the_chance_of_answers_as_good_is_what_trying_all_permutations_gives() -> None:
    """Six artists of one to three tracks: 720 orders in which their answers can be dealt out."""
    artists = np.repeat(np.arange(6), [1, 2, 3, 1, 2, 3])
    true = np.repeat([0, 0, 0, 1, 1, 1], [1, 2, 3, 1, 2, 3])
    predicted = true.copy()
    predicted[[0, 9]] = [1, 0]
    n_as_good = 0
    for order in itertools.permutations(range(6)):
        dealt = np.concatenate([predicted[artists == artist] for artist in order])
        n_as_good += balanced_accuracy(true, dealt, 2) >= balanced_accuracy(true, predicted, 2) - 1e-9
    found = chance_p_value(true, predicted, artists, 2, np.random.default_rng(0))
    assert found == pytest.approx(n_as_good / 720, abs=0.04)


def test_random_answers_are_called_better_than_chance_as_rarely_as_stated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("training.metrics.N_BOOTSTRAP", 200)
    rng, n_called = np.random.default_rng(0), 0
    for _ in range(200):
        true, predicted, artists = draw_answers(rng, n_artists=24, n_each=2, right=0.5)
        n_called += chance_p_value(true, predicted, artists, 2, rng) <= 0.05
    assert n_called / 200 <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 200)


def test_good_answers_are_hardly_ever_chance() -> None:
    rng = np.random.default_rng(0)
    true, predicted, artists = draw_answers(rng, n_artists=40, n_each=3, right=0.85)
    assert chance_p_value(true, predicted, artists, 2, rng) < 0.005
    assert chance_p_value(true, 1 - predicted, artists, 2, rng) > 0.99
    assert chance_p_value(true, np.zeros_like(true), artists, 2, rng) == 1


@pytest.mark.filterwarnings("error")
def test_an_interval_of_few_artists_warns_of_nothing() -> None:
    low, high = bootstrap_interval(TRUE, PREDICTED, np.arange(6), 4, np.random.default_rng(0))
    assert 0 <= low < high <= 1
    assert bootstrap_interval(TRUE[:1], TRUE[:1], TRUE[:1], 3, np.random.default_rng(0)) == (1, 1)


def test_an_interval_of_thousands_of_artists() -> None:
    rng = np.random.default_rng(0)
    true = rng.integers(0, 20, 10_000)
    assert bootstrap_interval(true, true, rng.integers(0, 5000, 10_000), 20, rng) == (1, 1)


def test_arguments_are_only_read() -> None:
    rng = np.random.default_rng(0)
    probabilities, membership = rng.random((9, 3)), np.eye(3, dtype=bool)[np.arange(9) % 3]
    known, unknown = rng.random(5), rng.random(4)
    arrays = (TRUE, PREDICTED, CONFUSION, probabilities, membership, known, unknown)
    before = [array.copy() for array in arrays]
    bootstrap_interval(TRUE, PREDICTED, TRUE, 3, rng)
    chance_p_value(TRUE, PREDICTED, TRUE, 3, rng)
    balanced_accuracy(TRUE, PREDICTED, 3)
    precisions(CONFUSION), macro_f1(CONFUSION)
    precision_at_k(probabilities, membership, 2)
    expected_calibration_error(probabilities[:, 0], membership[:, 0])
    auroc(known, unknown)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)
