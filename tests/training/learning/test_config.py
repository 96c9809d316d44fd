"""Every choice is checked at the door, with the value received."""

import pytest

from training.learning.config import TrainingConfig, TrainingError


@pytest.mark.parametrize(
    ("choice", "complaint"),
    [
        ({"mode": "magic"}, "mode must be one of frozen, finetune, scratch, got 'magic'"),
        ({"n_units": 1}, "n_units must lie between 2 and 4096, got 1"),
        ({"n_epochs": 0}, "n_epochs must lie between"),
        ({"learning_rate": float("nan")}, "learning_rate must lie between 1e-08 and 1, got nan"),
        ({"dropout": 1.0}, "dropout must lie between 0 and 0.95"),
        ({"mixup": -0.1}, "mixup must lie between"),
        ({"validation_share": 0.9}, "validation_share must lie between"),
        ({"batch_size": 7.5}, "batch_size must be a whole number, got 7.5"),
        ({"seed": True}, "seed must be a whole number"),
    ],
)
def test_impossible_choices_are_refused(choice, complaint):
    with pytest.raises(TrainingError, match=complaint):
        TrainingConfig(**choice)


@pytest.mark.parametrize("mode", ["frozen", "finetune", "scratch"])
def test_the_defaults_are_possible_in_every_mode(mode):
    assert TrainingConfig(mode=mode).mode == mode
