"""From tracks to batches: what is drawn, in which order, and that targets follow their patches."""

import numpy as np
import pytest

from training.learning.config import TrainingConfig
from training.learning.pipelines import draw_patches, feature_batches, mixing_weights, patch_batches

# Level 0, no masks, no mixture: what comes out is what went in.
PLAIN = TrainingConfig(mixup=0.0, spec_augment=False, level_db=0, tilt_db=0, low_pass_share=0, batch_size=4)


def tracks() -> list[np.ndarray]:
    """Track t's patch p is filled with 1 + t + p / 10."""
    return [
        np.stack([np.full((6, 5), 1 + t + p / 10, np.float32) for p in range(n)])
        for t, n in enumerate((3, 1, 4, 2))
    ]


def collect(dataset) -> tuple[np.ndarray, np.ndarray]:
    pairs = [(x.numpy(), y.numpy()) for x, y in dataset]
    return np.concatenate([x for x, _ in pairs]), np.concatenate([y for _, y in pairs])


def test_no_patch_is_drawn_twice_and_no_track_more_than_asked():
    drawn = draw_patches(tracks(), np.array([0, 1, 2]), per_track=2, rng=np.random.default_rng(0))

    assert len({tuple(pair) for pair in drawn}) == len(drawn) == 5
    assert sorted(np.bincount(drawn[:, 0]).tolist()) == [1, 2, 2]
    assert all(patch < len(tracks()[track]) for track, patch in drawn)


def test_targets_follow_their_patches():
    targets = np.eye(4, dtype=np.float32)
    drawn = draw_patches(tracks(), np.arange(4), per_track=9, rng=np.random.default_rng(0))

    inputs, found = collect(
        patch_batches(tracks(), targets, drawn, config=PLAIN, rng=np.random.default_rng(0))
    )

    values = inputs[:, 0, 0]
    np.testing.assert_allclose(values, 1 + drawn[:, 0] + drawn[:, 1] / 10, rtol=1e-5)
    np.testing.assert_array_equal(found, targets[values.astype(int) - 1])


@pytest.mark.parametrize("config", [TrainingConfig(batch_size=4), PLAIN])
def test_the_same_generator_gives_the_same_batches(config):
    targets = np.eye(4, dtype=np.float32)
    drawn = draw_patches(tracks(), np.arange(4), per_track=9, rng=np.random.default_rng(0))

    first, second = (
        collect(patch_batches(tracks(), targets, drawn, config=config, rng=np.random.default_rng(7)))
        for _ in range(2)
    )

    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


def test_features_are_shuffled_with_their_targets():
    features = np.arange(10, dtype=np.float32)[:, None] * np.ones((1, 3), np.float32)
    targets = np.eye(10, dtype=np.float32)

    inputs, found = collect(feature_batches(features, targets, config=PLAIN, rng=np.random.default_rng(0)))

    np.testing.assert_array_equal(found, targets[inputs[:, 0].astype(int)])
    assert inputs[:, 0].tolist() != sorted(inputs[:, 0])


def test_a_row_keeps_at_least_half_of_itself_in_a_mixture():
    weights = mixing_weights(1000, config=TrainingConfig(mixup=0.4), rng=np.random.default_rng(0))

    assert 0.5 <= weights.min() < 0.6
    assert weights.max() <= 1.0
