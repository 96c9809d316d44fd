"""The loop that does jobs: woken at once, never dependent on being woken, honest about failures."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from recommender.catalogue.database import Database
from recommender.errors import NoAudio
from recommender.jobs import ledger
from recommender.jobs.queue import WakeUps, build_queue, wake
from recommender.jobs.run import Handle, JobRun, WorkerStopping
from recommender.jobs.worker import SLOW_JOBS, run_job_here, run_worker
from recommender.records.jobs import JobInfo, JobKind, JobState
from recommender.settings import Settings
from tests.databases import postgresql_only
from tests.waiting import wait_for

PATIENCE_S = 30.0

StartWorker = Callable[[Handle], threading.Event]


@pytest.fixture
def start_worker(settings: Settings) -> Iterator[StartWorker]:
    """Start a worker in a thread; the event that comes back stops it, and so does the test's end."""
    started: list[tuple[threading.Thread, threading.Event]] = []

    def start(handle: Handle) -> threading.Event:
        stop = threading.Event()
        thread = threading.Thread(target=run_worker, args=(settings, handle, stop), daemon=True)
        thread.start()
        started.append((thread, stop))
        return stop

    yield start
    for _, stop in started:
        stop.set()
    for thread, _ in started:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def enqueue(database: Database, kind: JobKind = JobKind.SCAN, **payload: object) -> int:
    with database.session() as session:
        return ledger.enqueue(session, kind, payload)


def get(database: Database, job_id: int) -> JobInfo:
    with database.read_session() as session:
        return ledger.get_job(session, job_id)


def wait_until_over(database: Database, job_id: int) -> JobInfo:
    wait_for(lambda: get(database, job_id).state.is_final, what=f"the end of job {job_id}")
    return get(database, job_id)


def say_hello(_database: Database, run: JobRun) -> dict[str, Any]:
    return {"hello": run.job.payload["name"]}


def test_a_wake_up_is_answered_at_once(
    settings: Settings, database: Database, start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recommender.jobs.worker.LOOK_EVERY_S", 10 * PATIENCE_S)
    first = enqueue(database, name="first")
    start_worker(say_hello)
    wait_until_over(database, first)
    time.sleep(0.3)
    second = enqueue(database, name="second")
    wake(settings)
    assert wait_until_over(database, second).result == {"hello": "second"}


def test_a_lost_wake_up_loses_no_work(database: Database, start_worker: StartWorker) -> None:
    start_worker(say_hello)
    for name in ("first", "second"):
        assert wait_until_over(database, enqueue(database, name=name)).result == {"hello": name}


def test_neither_a_broken_queue_nor_a_broken_database_stops_the_worker_for_good(
    database: Database,
    start_worker: StartWorker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    failures = iter(range(2))
    claim = ledger.claim

    def claim_at_last(*args: Any, **options: Any) -> Any:
        if next(failures, None) is not None:
            raise OperationalError("SELECT", {}, Exception("the server is starting up"))
        return claim(*args, **options)

    def wait_in_vain(_queue: WakeUps, _timeout_s: float) -> bool:
        raise OSError("no such queue")

    monkeypatch.setattr(ledger, "claim", claim_at_last)
    monkeypatch.setattr(WakeUps, "wait", wait_in_vain)
    start_worker(say_hello)
    assert wait_until_over(database, enqueue(database, name="x")).result == {"hello": "x"}
    assert "the ledger could not be read" in caplog.text
    assert "the wake-up queue could not be read" in caplog.text


def test_work_queued_while_nobody_worked_is_done(
    settings: Settings, database: Database, start_worker: StartWorker
) -> None:
    ids = [enqueue(database, name=str(number)) for number in range(3)]
    wake(settings)
    start_worker(say_hello)
    assert [wait_until_over(database, job_id).result["hello"] for job_id in ids] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (NoAudio("the folder 'x' holds no audio files"), "no_audio", "the folder 'x' holds no audio files"),
        (ValueError("odd \udcff\0"), "internal_error", "ValueError: odd ??"),
    ],
    ids=["ours", "odd"],
)
def test_a_failure_is_recorded_with_a_code_and_a_sentence(
    database: Database, settings: Settings, error: Exception, code: str, sentence: str
) -> None:
    def fail(_database: Database, _run: JobRun) -> dict[str, Any]:
        raise error

    job = run_job_here(settings, enqueue(database), fail)
    assert (job.state, job.error_code, job.error) == (JobState.FAILED, code, sentence)


def test_a_training_does_not_keep_a_playlist_waiting(database: Database, start_worker: StartWorker) -> None:
    training, finish = threading.Event(), threading.Event()

    def handle(_database: Database, run: JobRun) -> dict[str, Any]:
        if run.job.kind is JobKind.TRAIN:
            training.set()
            assert finish.wait(PATIENCE_S)
        return {}

    slow = enqueue(database, JobKind.TRAIN)
    start_worker(handle)
    assert training.wait(PATIENCE_S)
    quick = enqueue(database, JobKind.ADD_PLAYLIST, name="x")
    assert wait_until_over(database, quick).state is JobState.SUCCEEDED
    assert get(database, slow).state is JobState.RUNNING
    finish.set()
    assert wait_until_over(database, slow).state is JobState.SUCCEEDED


def test_trainings_can_be_left_to_another_worker(settings: Settings, database: Database) -> None:
    training, scan = enqueue(database, JobKind.TRAIN), enqueue(database, name="scan")
    stop = threading.Event()

    def handle(database: Database, run: JobRun) -> dict[str, Any]:
        stop.set()
        return say_hello(database, run)

    run_worker(settings, handle, stop, without=SLOW_JOBS)
    assert get(database, scan).state is JobState.SUCCEEDED
    assert get(database, training).state is JobState.QUEUED


def test_a_long_job_keeps_its_lease(database: Database, make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(lease_s=1.2)

    def work_long(database: Database, run: JobRun) -> dict[str, Any]:
        for _ in range(5):
            time.sleep(0.4)
            with database.session() as session:
                assert ledger.claim(session, "thief", 60.0) is None
            run.check()
        return {"stolen": False}

    assert run_job_here(settings, enqueue(database), work_long).result == {"stolen": False}


def test_following_a_job_that_another_worker_does(
    settings: Settings, database: Database, start_worker: StartWorker
) -> None:
    began, go_on = threading.Event(), threading.Event()

    def handle(_database: Database, run: JobRun) -> dict[str, Any]:
        run.progress(1, 2, "half")
        began.set()
        assert go_on.wait(PATIENCE_S)
        return {"by": "worker"}

    def never(_database: Database, _run: JobRun) -> dict[str, Any]:
        raise AssertionError("the worker has this job")

    seen: list[tuple[int, int, str]] = []

    def watch(job: JobInfo) -> None:
        seen.append((job.n_done, job.n_total, job.message))
        go_on.set()

    job_id = enqueue(database)
    start_worker(handle)
    assert began.wait(PATIENCE_S)
    job = run_job_here(settings, job_id, never, on_progress=watch, follow_every_s=0.05)
    assert job.result == {"by": "worker"}
    assert seen[0] == (1, 2, "half")


def test_progress_is_shown_where_the_job_is_done(settings: Settings, database: Database) -> None:
    def handle(_database: Database, run: JobRun) -> dict[str, Any]:
        assert run.is_expendable
        for n_done in range(3):
            run.progress(n_done, 2, f"step {n_done}")
        return {}

    seen: list[tuple[int, str]] = []
    run_job_here(
        settings, enqueue(database), handle, on_progress=lambda job: seen.append((job.n_done, job.message))
    )
    assert seen == [(0, "step 0"), (1, "step 1"), (2, "step 2"), (2, "step 2")]


def test_ctrl_c_gives_the_job_back(settings: Settings, database: Database) -> None:
    def interrupt(_database: Database, _run: JobRun) -> dict[str, Any]:
        raise KeyboardInterrupt

    job_id = enqueue(database, name="again")
    with pytest.raises(KeyboardInterrupt):
        run_job_here(settings, job_id, interrupt)
    assert get(database, job_id).state is JobState.QUEUED
    assert run_job_here(settings, job_id, say_hello).result == {"hello": "again"}


def test_cancelling_reaches_a_handler_that_only_checks(settings: Settings, database: Database) -> None:
    def check_for_ever(database: Database, run: JobRun) -> dict[str, Any]:
        with database.session() as session:
            ledger.cancel(session, run.job.id)
        while True:
            time.sleep(0.02)
            run.check()

    job = run_job_here(settings, enqueue(database), check_for_ever)
    assert (job.state, job.error) == (JobState.CANCELLED, None)


def test_stopping_lets_the_next_worker_go_on(database: Database, start_worker: StartWorker) -> None:
    working = threading.Event()

    def work_until_stopped(_database: Database, run: JobRun) -> dict[str, Any]:
        working.set()
        while True:
            time.sleep(0.01)
            run.check()

    job_id = enqueue(database, name="x")
    stop = start_worker(work_until_stopped)
    assert working.wait(PATIENCE_S)
    stop.set()
    wait_for(lambda: get(database, job_id).state is JobState.QUEUED)
    start_worker(say_hello)
    assert wait_until_over(database, job_id).result == {"hello": "x"}


def test_stopping_is_no_error_of_ours() -> None:
    assert not hasattr(WorkerStopping(), "code")


@pytest.fixture
def queue_settings(make_settings: Callable[..., Settings], database_url: str) -> Settings:
    """Settings of both kinds of queue: a SQLite file beside the data, and PostgreSQL."""
    return make_settings() if database_url.startswith("sqlite") else make_settings(queue_url=database_url)


def test_a_wake_up_travels_between_processes_of_one_queue(queue_settings: Settings) -> None:
    with closing(build_queue(queue_settings)) as sleeping, closing(build_queue(queue_settings)) as calling:
        assert sleeping.wait(0.05) is False
        threading.Timer(0.2, calling.wake).start()
        assert sleeping.wait(PATIENCE_S) is True
        assert sleeping.wait(0.05) is False


def test_many_calls_leave_one_message(queue_settings: Settings) -> None:
    with closing(build_queue(queue_settings)) as queue:
        for _ in range(5):
            queue.wake()
        assert queue.wait(1.0) is True
        assert queue.wait(0.05) is False


def test_a_queue_out_of_reach_is_no_error(
    make_settings: Callable[..., Settings], caplog: pytest.LogCaptureFixture
) -> None:
    wake(make_settings(queue_url="sqlite:////no/such/folder/queue.sqlite"))
    assert "the worker will find the job by itself" in caplog.text


@postgresql_only
def test_workers_that_start_together_make_one_queue(settings: Settings, database_url: str) -> None:
    """PostgreSQL's CREATE TABLE IF NOT EXISTS fails when two do it at the same moment."""
    shared = replace(settings, queue_url=database_url)
    together, opened = threading.Barrier(4), []

    def start() -> None:
        together.wait()
        with closing(build_queue(shared)) as queue:
            opened.append(queue)

    threads = [threading.Thread(target=start) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 4


def test_what_is_due_by_the_clock_is_queued_whatever_goes_wrong(
    settings: Settings, database: Database
) -> None:
    looked: list[int] = []

    def each_minute(found: Database) -> None:
        looked.append(enqueue(found))
        raise OSError("no clock")

    stop = threading.Event()
    thread = threading.Thread(
        target=run_worker,
        args=(settings, lambda _database, _run: {}, stop),
        kwargs={"each_minute": each_minute},
        daemon=True,
    )
    thread.start()
    try:
        wait_for(lambda: bool(looked), what="a look at the clock")
        assert wait_until_over(database, looked[0]).state is JobState.SUCCEEDED
    finally:
        stop.set()
        thread.join(PATIENCE_S)
    assert len(looked) == 1  # the next one is due in a minute
