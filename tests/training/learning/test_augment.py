"""Random changes of log-mels that leave a track what it is."""

import numpy as np
import pytest
import tensorflow as tf

from training.learning.augment import blank, change_power, mix, power_db
from training.learning.config import TrainingConfig

SEED = tf.constant([1, 2])


def patches(n: int = 4) -> np.ndarray:
    return np.random.default_rng(0).uniform(0.5, 5, (n, 40, 24)).astype(np.float32)


def test_ten_decibels_more_are_ten_times_the_power():
    power = np.random.default_rng(0).uniform(0, 10, (2, 5, 3))

    louder = change_power(np.log10(1 + 1e4 * power).astype(np.float32), np.full((2, 1, 3), 10, np.float32))

    np.testing.assert_allclose(louder, np.log10(1 + 1e5 * power), atol=1e-5)


def test_silence_stays_silence_at_any_level():
    silence = np.zeros((1, 5, 3), np.float32)

    np.testing.assert_array_equal(change_power(silence, np.full((1, 1, 3), 20, np.float32)), silence)


def test_level_tilt_and_low_pass_stay_in_their_ranges():
    config = TrainingConfig(level_db=6.0, tilt_db=3.0, low_pass_share=0.0)

    change = power_db(patches(500), config=config, seed=SEED).numpy()[:, 0]

    middle = change.mean(axis=1)
    assert middle.min() < -5 < 5 < middle.max()
    assert np.abs(middle).max() <= 6.0
    assert np.abs(change - middle[:, None]).max() <= 3.0 + 1e-5


def test_a_low_pass_takes_only_upper_bands_of_its_share_of_patches():
    config = TrainingConfig(level_db=0.0, tilt_db=0.0, low_pass_share=0.3)

    change = power_db(patches(1000), config=config, seed=SEED).numpy()[:, 0]

    hit = (change < 0).any(axis=1)
    assert 0.2 < hit.mean() < 0.4
    assert (change[:, :12] == 0).all()
    # Once cut, a band and all above it are cut.
    assert (np.diff(change, axis=1) <= 0).all()


@pytest.mark.parametrize("axis", [1, 2])
def test_one_stretch_of_each_patch_is_blanked(axis):
    before = patches(200)

    after = blank(before, axis=axis, max_share=0.25, seed=SEED).numpy()

    gone = (after == 0).all(axis=3 - axis)
    assert ((after == before) | (after == 0)).all()
    assert gone.sum(axis=1).max() <= 0.25 * before.shape[axis] + 1
    assert (np.abs(np.diff(np.pad(gone.astype(int), ((0, 0), (1, 1))), axis=1)).sum(axis=1) <= 2).all()
    assert gone.any(axis=1).mean() > 0.3


def test_mixing_takes_inputs_and_targets_from_the_same_tracks():
    targets = np.eye(6, dtype=np.float32)
    inputs = targets * 10

    mixed_inputs, mixed_targets = mix(inputs, targets, np.full(6, 0.7, np.float32), seed=SEED)

    np.testing.assert_allclose(mixed_inputs, 10 * mixed_targets, rtol=1e-5)
    np.testing.assert_allclose(np.diag(mixed_targets) >= 0.7 - 1e-6, True)
    np.testing.assert_allclose(np.sum(mixed_targets, axis=1), 1.0, rtol=1e-6)
    assert not np.allclose(mixed_targets, targets)


def test_the_same_seed_changes_alike():
    config = TrainingConfig()

    np.testing.assert_array_equal(
        power_db(patches(), config=config, seed=SEED), power_db(patches(), config=config, seed=SEED)
    )
