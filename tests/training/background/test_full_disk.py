"""A full disk, a kill or a loss that is no number: the champion serves on, and the job says why it failed."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recommender.catalogue.database import Database, migrate, open_database
from recommender.catalogue.models import current_bundle, list_bundles
from recommender.disk import is_disk_full
from recommender.jobs import ledger
from recommender.jobs.worker import run_job_here
from recommender.model.bundle import ABANDONED_AFTER_S, ASIDE_PREFIX
from recommender.model.in_service import ModelHolder
from recommender.model.scorecards import read_scorecard, write_scorecard
from recommender.records.jobs import JobInfo, JobKind, JobState
from recommender.settings import Settings, load_settings
from tests.databases import sqlite_only
from tests.training.background.full_disks import FILLER, fill, no_file_larger_than, small_disk
from tests.training.background.handling import Recorder, judge_nothing, make_tools
from tests.training.groups.test_refit import add_playlist, add_tracks
from training.background.handlers import Tools, build_handler
from training.groups import refit as refitting
from training.groups.refit import refit
from training.learning.config import TrainingDiverged
from training.learning.run_state import CHECKPOINT_FILE, RunState

REPOSITORY = Path(__file__).parents[3]
REFIT = {"reason": "a test"}


def fill_catalogue(database: Database, *, n_tracks: int = 12) -> None:
    for place in ("calm", "loud"):
        add_playlist(database, place, add_tracks(database, place, n_tracks))


def do(settings: Settings, database: Database, kind: JobKind, *, tools: Tools | None = None) -> JobInfo:
    with database.session() as session:
        job_id = ledger.enqueue(session, kind, REFIT if kind == JobKind.REFIT else {})
    tools = tools or make_tools(Recorder())
    return run_job_here(settings, job_id, build_handler(settings, tools=tools))


def real_refit() -> Tools:
    """Tools around the tiny encoder that really fit and publish."""
    recorder = Recorder()
    recorder.refit = refit  # type: ignore[method-assign]
    return make_tools(recorder)


def serving(database: Database) -> str:
    holder = ModelHolder(database, encoder_threads=1)
    return holder.current().bundle.bundle_id


def test_a_disk_that_fills_up_fails_the_fit_and_leaves_the_champion(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", n_bytes=4_000_000) as disk:
        settings = load_settings({"data": disk / "data", "lease_s": "1"}, environ={})
        settings.data.mkdir()
        migrate(settings)
        database = open_database(settings)
        fill_catalogue(database, n_tracks=400)
        first = do(settings, database, JobKind.REFIT, tools=real_refit())
        assert (first.state, first.error) == (JobState.SUCCEEDED, None)
        champion = serving(database)

        fill(disk, n_left=100_000)  # enough for rows of the ledger, and not for a bundle
        failed = do(settings, database, JobKind.REFIT, tools=real_refit())
        assert (failed.state, failed.error_code) == (JobState.FAILED, "disk_full")
        assert "what was in service stays: make room" in str(failed.error)
        assert serving(database) == champion
        assert [path.name for path in settings.bundles_directory.iterdir()] == [champion]

        with database.session() as session:
            job_id = ledger.enqueue(session, JobKind.REFIT, REFIT)
        fill(disk, n_left=0)  # not even the end of the job can be recorded
        with pytest.raises(Exception, match="disk is full") as caught:
            run_job_here(settings, job_id, build_handler(settings, tools=real_refit()))
        assert is_disk_full(caught.value)
        assert serving(database) == champion

        (disk / FILLER).unlink()
        again = run_job_here(settings, job_id, build_handler(settings, tools=real_refit()))
        assert (again.state, serving(database)) == (JobState.SUCCEEDED, again.result["bundle"])
        database.close()


@sqlite_only
@pytest.mark.parametrize("n_bytes", [0, 1_000, 4_000])
def test_a_bundle_that_cannot_be_written_is_not_there(
    database: Database, settings: Settings, n_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_catalogue(database)
    assert do(settings, database, JobKind.REFIT, tools=real_refit()).state == JobState.SUCCEEDED
    champion = serving(database)
    write_bundle = refitting.write_bundle

    def write_under_a_quota(*arguments: Any, **options: Any) -> Path:
        with no_file_larger_than(n_bytes):
            return write_bundle(*arguments, **options)

    monkeypatch.setattr(refitting, "write_bundle", write_under_a_quota)
    failed = do(settings, database, JobKind.REFIT, tools=real_refit())
    assert (failed.state, failed.error_code) == (JobState.FAILED, "disk_full")
    assert serving(database) == champion
    assert [path.name for path in settings.bundles_directory.iterdir()] == [champion]
    with database.read_session() as session:
        assert [bundle.id for bundle in list_bundles(session)] == [champion]


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    state = RunState("this run", weights=[np.ones(10)], best=[np.ones(10)], history=[{"loss": 1.0}])
    state.save(tmp_path)
    state.weights = [np.ones(10_000)]
    with no_file_larger_than(8_000), pytest.raises(OSError, match="File too large") as caught:
        state.save(tmp_path)
    assert is_disk_full(caught.value)
    assert len(RunState.load(tmp_path, "this run").weights[0]) == 10
    assert CHECKPOINT_FILE in {path.name for path in tmp_path.iterdir()}
    assert [path for path in tmp_path.iterdir() if path.name.startswith(f".{CHECKPOINT_FILE}")] == []


@sqlite_only
def test_a_score_card_that_cannot_be_written_leaves_the_one_before(
    database: Database, settings: Settings
) -> None:
    fill_catalogue(database)
    do(settings, database, JobKind.REFIT, tools=real_refit())
    champion = serving(database)
    write_scorecard(settings, champion, {"groups": []}, "<!doctype html>")

    def judge(_database: Database, settings: Settings, **_: object) -> dict[str, Any]:
        card = {"bundle": champion, "groups": ["x" * 5_000]}
        with no_file_larger_than(2_000):
            write_scorecard(settings, champion, card, "<!doctype html>")
        return card

    tools = make_tools(Recorder())
    failed = do(settings, database, JobKind.TRAIN, tools=Tools(**{**vars(tools), "judge": judge}))
    assert (failed.state, failed.error_code) == (JobState.FAILED, "disk_full")
    assert (serving(database), read_scorecard(settings, champion)) == (champion, {"groups": []})


@sqlite_only
def test_a_training_that_diverges_or_meets_a_full_disk_changes_nothing(
    database: Database, settings: Settings
) -> None:
    fill_catalogue(database)
    do(settings, database, JobKind.REFIT, tools=real_refit())
    champion = serving(database)

    def fail_with(error: Exception) -> Callable[..., dict[str, Any]]:
        def train(*_: object, **__: object) -> dict[str, Any]:
            raise error

        return train

    diverged = TrainingDiverged("in epoch 3 the loss became nan; the checkpoint of epoch 2 is kept")
    full = RuntimeError("UNKNOWN: events.out.tfevents; No space left on device")  # as TensorFlow says it
    for error, code, said in (
        (diverged, "training_diverged", "the checkpoint of epoch 2 is kept"),
        (full, "disk_full", "make room"),
    ):
        tools = Tools(**{**vars(make_tools(Recorder())), "train": fail_with(error), "judge": judge_nothing})
        job = do(settings, database, JobKind.TRAIN, tools=tools)
        assert (job.state, job.error_code) == (JobState.FAILED, code)
        assert said in str(job.error)
        assert serving(database) == champion


@sqlite_only
@pytest.mark.parametrize("point", ["_manifest", "add_bundle", "promote_bundle"])
def test_a_fit_killed_at_any_point_of_publishing_is_made_up_for(
    database: Database, settings: Settings, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_catalogue(database)
    assert do(settings, database, JobKind.REFIT, tools=real_refit()).state == JobState.SUCCEEDED
    champion = serving(database)
    with database.session() as session:
        job_id = ledger.enqueue(session, JobKind.REFIT, REFIT)
    command = [sys.executable, "-m", "tests.training.background.test_full_disk", point]
    command += [str(settings.data), settings.database_url, str(job_id)]
    killed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert serving(database) == champion
    job = run_job_here(settings, job_id, build_handler(settings, tools=real_refit()))
    assert (job.state, job.tries) == (JobState.SUCCEEDED, 2)
    assert serving(database) == job.result["bundle"] != champion

    left = list(settings.bundles_directory.glob(f"{ASIDE_PREFIX}*"))
    assert len(left) == (point == "_manifest")
    for path in left:  # what a killed writer left goes once it cannot be a living one's
        past = path.stat().st_mtime - ABANDONED_AFTER_S - 1
        os.utime(path, (past, past))
    assert do(settings, database, JobKind.REFIT, tools=real_refit()).state == JobState.SUCCEEDED
    assert list(settings.bundles_directory.glob(f"{ASIDE_PREFIX}*")) == []
    with database.read_session() as session:
        assert current_bundle(session) is not None


def main(point: str, data: str, database_url: str, job_id: str) -> None:
    """Do a job and be killed at a point of it."""
    from recommender.model import bundle

    def die(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(bundle if point.startswith("_") else refitting, point, die)
    settings = load_settings({"data": data, "database_url": database_url, "lease_s": "1"}, environ={})
    run_job_here(settings, int(job_id), build_handler(settings, tools=real_refit()))


if __name__ == "__main__":
    main(*sys.argv[1:])
