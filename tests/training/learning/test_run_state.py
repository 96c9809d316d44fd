"""The checkpoint of a training run."""

import numpy as np
import pytest

from training.learning import run_state
from training.learning.run_state import RunState, run_signature


def finished_epochs() -> RunState:
    rng = np.random.default_rng(0)
    lists = {name: [rng.normal(size=(3, 2)).astype(np.float32), np.array(7)] for name in run_state.LISTS}
    history = [{"loss": 2.0, "cross_entropy": 1.5}, {"loss": 1.0, "cross_entropy": 1.25}]
    return RunState("this run", best_epoch=1, history=history, seconds=3.5, **lists)


def test_a_run_is_read_as_it_was_saved(tmp_path):
    saved = finished_epochs()
    saved.save(tmp_path)

    found = RunState.load(tmp_path, "this run")

    assert (found.epoch, found.best_epoch, found.seconds, found.history) == (2, 1, 3.5, saved.history)
    for name in run_state.LISTS:
        for array, expected in zip(getattr(found, name), getattr(saved, name), strict=True):
            np.testing.assert_array_equal(array, expected)


def test_the_history_is_a_table(tmp_path):
    finished_epochs().save(tmp_path)

    lines = (tmp_path / run_state.HISTORY_FILE).read_text().splitlines()

    assert lines == ["epoch,loss,cross_entropy", "0,2,1.5", "1,1,1.25"]


def test_another_run_does_not_go_on_from_it(tmp_path):
    finished_epochs().save(tmp_path)

    assert RunState.load(tmp_path, "another run").history == []


@pytest.mark.parametrize("content", [b"", b"half of an arch"])
def test_a_damaged_checkpoint_is_a_new_beginning(tmp_path, content):
    (tmp_path / run_state.CHECKPOINT_FILE).write_bytes(content)

    assert RunState.load(tmp_path, "this run").epoch == 0


def test_a_full_disk_leaves_the_previous_checkpoint(tmp_path, monkeypatch):
    finished_epochs().save(tmp_path)

    def full_disk(file, **arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_state.np, "savez", full_disk)
    with pytest.raises(OSError, match="No space left"):
        finished_epochs().save(tmp_path)

    assert RunState.load(tmp_path, "this run").epoch == 2


def test_the_signature_tells_runs_apart():
    rows = np.arange(3)

    same = run_signature("config", arrays=[rows])
    assert same == run_signature("config", arrays=[np.arange(3)])
    assert same != run_signature("other", arrays=[rows])
    assert same != run_signature("config", arrays=[rows + 1])
