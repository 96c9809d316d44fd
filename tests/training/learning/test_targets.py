"""Memberships as targets, and the judgement of logits, against cases worked by hand."""

import numpy as np
import pytest

from training.learning.config import TrainingConfig, TrainingError
from training.learning.targets import GroupTargets, judge_tracks, softmax

PLAIN = TrainingConfig(label_smoothing=0.0, class_weights=False)


def two_groups() -> GroupTargets:
    return GroupTargets.of(
        {
            "mood": np.array([[1, 0], [0, 1], [1, 1], [0, 0]]),
            "liked": np.array([[0, 0], [1, 0], [0, 1], [1, 0]]),
        }
    )


def test_a_track_in_two_playlists_belongs_half_to_each():
    targets = two_groups()

    np.testing.assert_array_equal(
        targets.shares, [[1, 0, 0, 0], [0, 1, 1, 0], [0.5, 0.5, 0, 1], [0, 0, 1, 0]]
    )
    assert targets.slices == {"mood": slice(0, 2), "liked": slice(2, 4)}
    np.testing.assert_array_equal(targets.labelled, [True, True, True, True])


def test_without_smoothing_and_weights_the_targets_are_the_shares():
    targets = two_groups()

    np.testing.assert_array_equal(targets.training_targets(PLAIN, np.arange(4)), targets.shares)


def test_smoothing_leaves_masked_rows_alone():
    config = TrainingConfig(label_smoothing=0.2, class_weights=False)

    smooth = two_groups().training_targets(config, np.arange(4))

    np.testing.assert_allclose(smooth[0], [0.9, 0.1, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(smooth[3], [0, 0, 0.9, 0.1], rtol=1e-6)


def test_class_weights_make_every_playlist_count_alike():
    membership = np.array([[1, 0]] * 6 + [[0, 1]] * 2)
    config = TrainingConfig(label_smoothing=0.0, class_weights=True)

    weighted = GroupTargets.of({"g": membership}).training_targets(config, np.arange(8))

    np.testing.assert_allclose(weighted.sum(axis=0), [4, 4], rtol=1e-6)


def test_a_playlist_of_three_beside_500_is_not_blown_up_without_bound():
    membership = np.array([[1, 0]] * 500 + [[0, 1]] * 3)
    config = TrainingConfig(label_smoothing=0.0)

    weighted = GroupTargets.of({"g": membership}).training_targets(config, np.arange(503))

    assert 10 < weighted[-1].sum() / weighted[0].sum() < 25
    assert weighted.sum() == pytest.approx(503, rel=1e-5)


def test_weights_are_those_of_the_chosen_tracks():
    membership = np.array([[1, 0]] * 6 + [[0, 1]] * 2)
    config = TrainingConfig(label_smoothing=0.0)

    weighted = GroupTargets.of({"g": membership}).training_targets(config, np.array([0, 1, 6, 7]))

    np.testing.assert_allclose(weighted.max(axis=1), 1.0, rtol=1e-6)


@pytest.mark.parametrize(
    ("memberships", "complaint"),
    [
        ({}, "no playlist group"),
        ({"g": np.ones(3)}, r"'g' must be \(n_tracks, n_labels\)"),
        ({"g": np.array([[np.nan, 1]])}, "finite"),
        ({"g": np.array([[-1, 1]])}, "not negative"),
        ({"g": np.ones((2, 2)), "h": np.ones((3, 2))}, r"\[2, 3\]"),
    ],
)
def test_impossible_memberships_are_refused(memberships, complaint):
    with pytest.raises(TrainingError, match=complaint):
        GroupTargets.of(memberships)


def test_judgement_of_a_case_worked_by_hand():
    # Track 0: probabilities of its two patches 0.9 and 0.7, mean 0.8. Track 1: wrong with 0.25.
    logits = [np.log([[0.9, 0.1], [0.7, 0.3]]), np.log([[0.75, 0.25]])]
    shares = np.array([[1, 0], [0, 1]], dtype=np.float32)

    figures = judge_tracks(logits, shares, {"g": slice(0, 2)})

    assert figures["cross_entropy"] == pytest.approx(-(np.log(0.8) + np.log(0.25)) / 2)
    assert figures["accuracy"] == 0.5
    assert (figures["recall/g/0"], figures["recall/g/1"]) == (1.0, 0.0)


def test_unlabelled_tracks_and_groups_are_not_judged():
    logits = [np.zeros((1, 4)), np.log([[0.6, 0.4, 0.5, 0.5]])]
    shares = np.array([[0, 0, 0, 0], [1, 0, 0, 0]], dtype=np.float32)

    figures = judge_tracks(logits, shares, {"mood": slice(0, 2), "liked": slice(2, 4)})

    assert figures == pytest.approx({"cross_entropy": -np.log(0.6), "accuracy": 1.0, "recall/mood/0": 1.0})
    assert judge_tracks([], shares[:0], {"mood": slice(0, 2)}) == {}


def test_softmax_of_large_logits():
    np.testing.assert_allclose(softmax(np.array([1000.0, 1000.0, -1000.0])), [0.5, 0.5, 0.0])
