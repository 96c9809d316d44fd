"""A training that meets a full disk says so, and goes on from its checkpoint once there is room."""

import contextlib
from dataclasses import replace
from pathlib import Path

import pytest

from recommender.disk import is_disk_full
from tests.training.background.full_disks import no_file_larger_than
from tests.training.learning.test_trainer import QUICK, tones
from training.learning.run_state import CHECKPOINT_FILE
from training.learning.trainer import fit_encoder


def test_a_training_on_a_full_disk_goes_on_once_there_is_room(tmp_path: Path) -> None:
    patches, membership, artists = tones(n_artists=6)
    config = replace(QUICK, n_epochs=3)
    epochs: list[int] = []

    with contextlib.ExitStack() as quota:

        def fill_after_one(n_done: int, _n_total: int, _message: str) -> None:
            epochs.append(n_done)
            if n_done == 1:
                quota.enter_context(no_file_larger_than(100_000))

        with pytest.raises(OSError, match="File too large") as caught:
            fit_encoder(
                patches,
                {"g": membership},
                artists=artists,
                config=config,
                directory=tmp_path,
                progress=fill_after_one,
            )
    assert is_disk_full(caught.value)
    assert [path.name for path in tmp_path.iterdir() if CHECKPOINT_FILE in path.name] == [CHECKPOINT_FILE]

    trained = fit_encoder(
        patches,
        {"g": membership},
        artists=artists,
        config=config,
        directory=tmp_path,
        progress=lambda n_done, _n_total, _message: epochs.append(n_done),
    )
    assert epochs == [1, 2, 3]  # the first is not done again
    assert len(trained.report.history) == 3
