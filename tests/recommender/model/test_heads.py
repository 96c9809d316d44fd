"""The linear head against scikit-learn and against its own definition; prototypes by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax as scipy_log_softmax
from sklearn.linear_model import LogisticRegression

from recommender.model.heads import (
    ABSENT_LOGIT,
    Head,
    fit_linear_head,
    fit_prototypes,
    log_softmax,
    unit_rows,
    with_prototype_rows,
    without_labels,
)
from tests.training.worlds import unit

N_LABELS, DIM = 3, 5


def draw_tracks(rng: np.random.Generator, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors that lean towards their label, and their targets, (n, dim) and (n, n_labels)."""
    label = np.arange(n) % N_LABELS
    embeddings = unit(rng.normal(size=(n, DIM)) + 1.2 * np.eye(N_LABELS, DIM)[label])
    return embeddings, (label[:, None] == np.arange(N_LABELS)).astype(np.float64)


def objective(
    weights: np.ndarray, bias: np.ndarray, embeddings: np.ndarray, targets: np.ndarray, l2: float
) -> float:
    """The definition in the docstring, track by track and label by label."""
    total = 0.0
    for row, x in enumerate(embeddings.astype(np.float64)):
        logits = [weights[label] @ x + bias[label] for label in range(len(bias))]
        norm = np.log(sum(np.exp(logit) for logit in logits))
        for label, logit in enumerate(logits):
            total -= targets[row, label] * (logit - norm)
    return total / targets.sum() + l2 / 2 * float((weights**2).sum())


def sklearn_logits(
    embeddings: np.ndarray, targets: np.ndarray, l2: float, asked: np.ndarray | None = None
) -> np.ndarray:
    """Every (track, label) with a target is a weighted example for scikit-learn."""
    rows, labels = np.nonzero(targets)
    model = LogisticRegression(C=1 / l2, tol=1e-9, max_iter=10_000)
    model.fit(embeddings[rows], labels, sample_weight=targets[rows, labels] / targets.sum())
    logits = model.decision_function(embeddings if asked is None else asked)
    return logits - logits.mean(axis=1, keepdims=True)


@pytest.mark.parametrize("l2", [0.003, 0.03, 0.3])
def test_linear_head_is_the_logistic_regression_of_scikit_learn(rng: np.random.Generator, l2: float) -> None:
    embeddings, targets = draw_tracks(rng)
    targets *= rng.uniform(0.1, 3, size=(len(targets), 1))  # tracks count differently
    head = fit_linear_head(embeddings, targets, l2=l2)
    expected = sklearn_logits(embeddings, targets, l2)
    np.testing.assert_allclose(head.logits(embeddings), expected, atol=5e-3)


def test_a_track_in_several_playlists_counts_for_each(rng: np.random.Generator) -> None:
    embeddings, targets = draw_tracks(rng)
    targets[:20, 1] = 0.7  # a third of the tracks is in two playlists
    head = fit_linear_head(embeddings, targets, l2=0.03)
    np.testing.assert_allclose(head.logits(embeddings), sklearn_logits(embeddings, targets, 0.03), atol=5e-3)


def test_no_direction_leads_down_from_the_fitted_head(rng: np.random.Generator) -> None:
    """Finite differences of the definition vanish at the optimum, in every coordinate."""
    embeddings, targets = draw_tracks(rng, n=30)
    head, step = fit_linear_head(embeddings, targets, l2=0.05), 1e-4
    fitted = np.concatenate([head.weights.ravel(), head.bias]).astype(np.float64)

    def at(flat: np.ndarray) -> float:
        return objective(flat[:-N_LABELS].reshape(N_LABELS, DIM), flat[-N_LABELS:], embeddings, targets, 0.05)

    for coordinate in range(len(fitted)):
        aside = np.zeros(len(fitted))
        aside[coordinate] = step
        assert (at(fitted + aside) - at(fitted - aside)) / (2 * step) == pytest.approx(0, abs=1e-4)
    for _ in range(20):
        assert at(fitted + rng.normal(scale=0.05, size=len(fitted))) > at(fitted)


def test_the_scale_of_targets_and_the_start_decide_nothing(rng: np.random.Generator) -> None:
    embeddings, targets = draw_tracks(rng)
    head = fit_linear_head(embeddings, targets, l2=0.03)
    far = Head(
        rng.normal(size=(N_LABELS, DIM)).astype(np.float32), rng.normal(size=N_LABELS).astype(np.float32)
    )
    for other in (
        fit_linear_head(embeddings, 17 * targets, l2=0.03),
        fit_linear_head(embeddings, targets, l2=0.03, start=far),
        fit_linear_head(embeddings, targets, l2=0.03, start=fit_linear_head(embeddings, targets, l2=0.3)),
    ):
        np.testing.assert_allclose(other.logits(embeddings), head.logits(embeddings), atol=5e-3)


def test_a_track_without_weight_changes_nothing(rng: np.random.Generator) -> None:
    embeddings, targets = draw_tracks(rng)
    masked = targets.copy()
    masked[40:] = 0
    all_rows, some_rows = (
        fit_linear_head(embeddings, masked, l2=0.03),
        fit_linear_head(embeddings[:40], targets[:40], l2=0.03),
    )
    np.testing.assert_allclose(all_rows.logits(embeddings), some_rows.logits(embeddings), atol=5e-3)


def test_a_strong_penalty_makes_rows_differences_of_class_means(rng: np.random.Generator) -> None:
    embeddings, targets = draw_tracks(rng)
    weights = fit_linear_head(embeddings, targets, l2=100.0).weights
    means = targets.T @ embeddings / targets.sum(axis=0)[:, None]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        ours, theirs = weights[one] - weights[other], means[one] - means[other]
        assert ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs) > 0.999


def test_logits_are_centred_and_the_same_alone_and_in_a_batch(rng: np.random.Generator) -> None:
    embeddings, targets = draw_tracks(rng)
    head = fit_linear_head(embeddings, targets, l2=0.03)
    logits = head.logits(embeddings)
    assert (logits.shape, logits.dtype) == ((60, N_LABELS), np.float32)
    np.testing.assert_allclose(logits.mean(axis=1), 0, atol=1e-6)
    alone = np.concatenate([head.logits(embeddings[row : row + 1]) for row in range(60)])
    np.testing.assert_allclose(alone, logits, atol=1e-5)


def test_arguments_are_only_read(rng: np.random.Generator) -> None:
    embeddings, targets = draw_tracks(rng)
    start = fit_linear_head(embeddings, targets, l2=0.3)
    prototypes = fit_prototypes(embeddings, targets)
    arrays = (embeddings, targets, start.weights, start.bias, prototypes)
    before = [array.copy() for array in arrays]
    fit_linear_head(embeddings, targets, l2=0.03, start=start)
    fitted = np.array([True, True, True, False])
    more = np.concatenate([prototypes, prototypes[:1]])
    head = with_prototype_rows(start, more, fitted=fitted, logit_per_cosine=3.0)
    without_labels(head, ~fitted)
    unit_rows(prototypes)
    log_softmax(start.logits(embeddings))
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_prototypes_are_renormalised_weighted_means() -> None:
    embeddings = np.array([[1, 0], [0, 1], [0.6, 0.8]], dtype=np.float32)
    weights = np.array([[1, 0, 0], [1, 1, 0], [0, 3, 0]], dtype=np.float64)
    prototypes = fit_prototypes(embeddings, weights)
    second = np.array([1.8, 3.4]) / np.hypot(1.8, 3.4)
    np.testing.assert_allclose(prototypes[:2], [[np.sqrt(0.5), np.sqrt(0.5)], second], atol=1e-6)
    np.testing.assert_array_equal(prototypes[2], [0, 0])  # a label without tracks


def test_a_prototype_row_gives_a_logit_for_being_near_and_leaves_the_others_alone() -> None:
    head = Head(np.array([[3, 0, 0], [0, 1, 0]], np.float32), np.array([0.5, -0.5], np.float32))
    prototypes = np.eye(3, dtype=np.float32)[[0, 2, 1]]
    fitted = np.array([True, False, True])
    whole = with_prototype_rows(head, prototypes, fitted=fitted, logit_per_cosine=4.0)
    np.testing.assert_array_equal(whole.weights[fitted], head.weights)
    np.testing.assert_array_equal(whole.bias[fitted], head.bias)
    track = np.array([0.8, 0, 0.6])  # at a cosine of 0.6 to the prototype
    assert whole.weights[1] @ track + whole.bias[1] == pytest.approx(0.6 * 4)


def test_an_absent_label_is_improbable_for_every_track(rng: np.random.Generator) -> None:
    embeddings, targets = draw_tracks(rng)
    head = without_labels(fit_linear_head(embeddings, targets, l2=0.03), np.array([False, True, False]))
    assert np.exp(log_softmax(head.logits(embeddings)))[:, 1].max() < 1e-6
    assert head.bias[1] == ABSENT_LOGIT
    # The logits of the others are as if it had never been there.
    both = head.logits(embeddings)[:, [0, 2]]
    alone = Head(head.weights[[0, 2]], head.bias[[0, 2]]).logits(embeddings)
    np.testing.assert_allclose(both, alone, atol=1e-6)


@given(st.lists(st.lists(st.floats(-1e3, 1e3, width=32), min_size=3, max_size=3), min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_log_softmax_is_that_of_scipy(logits: list[list[float]]) -> None:
    values = np.array(logits, dtype=np.float32)
    expected = scipy_log_softmax(values.astype(float), axis=1)
    np.testing.assert_allclose(log_softmax(values), expected, atol=1e-9)


def test_unit_rows_leaves_zero_rows_alone() -> None:
    rows = unit_rows(np.array([[3, 4], [0, 0], [1e-15, 0]], dtype=np.float32))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0, 0], [1, 0]], atol=1e-6)
