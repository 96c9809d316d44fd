"""Feeds whose worker is killed, overtaken, doubled, starved of disk or told another time: each item once."""

import resource
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from recommender.catalogue.database import Database
from recommender.feeds.batch import ask_for_scores
from recommender.jobs.ledger import get_job
from recommender.jobs.worker import run_job_here
from recommender.records.feeds import FeedInfo
from recommender.records.jobs import JobInfo, JobState
from recommender.settings import Settings
from tests.databases import sqlite_only
from tests.folders import Listen, listen_and_log, listened
from tests.training.background.feeding import (
    add_feed,
    answers_of,
    items_of,
    make_feed_tools,
    score,
    serve_model,
    write_releases,
)
from tests.waiting import wait_for
from training.background.handlers import Tools, build_handler

N_TRACKS = 12
LEASE_S = 1.0
PATIENCE_S = 60.0
TWO_HOURS_S = 7200.0

StartWorker = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start_worker(settings: Settings) -> Iterator[StartWorker]:
    """Start a worker process that takes a while over each file; those still alive are killed at the end."""
    workers = []

    def start(*, largest_file: int | None = None) -> "subprocess.Popen[bytes]":
        def limit() -> None:
            if largest_file is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

        command = [sys.executable, "-m", "tests.training.background.feeding"]
        where = [str(settings.data), settings.database_url, str(LEASE_S)]
        repository = Path(__file__).parents[3]
        workers.append(subprocess.Popen([*command, *where], cwd=repository, preexec_fn=limit))  # noqa: PLW1509
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()
        worker.wait()


@pytest.fixture
def feed(tmp_path: Path, database: Database, settings: Settings) -> FeedInfo:
    """A feed of some files, and a model to score them with."""
    serve_model(database, settings)
    return add_feed(database, write_releases(tmp_path / "new", n_tracks=N_TRACKS))


def ask(database: Database, feed: FeedInfo) -> int:
    with database.session() as session:
        return ask_for_scores(session, feed.id)[0]


def get(database: Database, job_id: int) -> JobInfo:
    with database.read_session() as session:
        return get_job(session, job_id)


def kill(worker: "subprocess.Popen[bytes]") -> None:
    worker.send_signal(signal.SIGKILL)
    worker.wait()


def assert_each_scored_once(database: Database, feed: FeedInfo, job: JobInfo, folder: Path) -> None:
    """``answers_of`` refuses a recording that is in the results twice."""
    assert (job.state, job.error, job.n_failed) == (JobState.SUCCEEDED, None, 0)
    assert set(answers_of(database, feed.id)) == {f"{number:02}.flac" for number in range(N_TRACKS)}
    assert Counter(item.state.value for item in items_of(database, feed.id)) == {"scored": N_TRACKS}
    assert (job.n_done, job.n_total) == (N_TRACKS, N_TRACKS)
    # Only what was in flight may have been listened to a second time.
    assert max(Counter(listened(folder)).values()) <= 2


def test_when_a_worker_is_killed_another_goes_on(
    tmp_path: Path, database: Database, feed: FeedInfo, start_worker: StartWorker
) -> None:
    job_id = ask(database, feed)
    first = start_worker()
    wait_for(lambda: get(database, job_id).n_done >= 3)
    second = start_worker()
    kill(first)
    n_done = get(database, job_id).n_done
    assert 3 <= n_done < N_TRACKS
    n_scored = len(answers_of(database, feed.id))
    assert n_scored == n_done
    wait_for(lambda: get(database, job_id).state.is_final)
    assert second.poll() is None
    assert_each_scored_once(database, feed, get(database, job_id), tmp_path)


@sqlite_only
def test_when_all_workers_are_killed_the_next_goes_on(
    tmp_path: Path, database: Database, feed: FeedInfo, start_worker: StartWorker
) -> None:
    job_id = ask(database, feed)
    workers = [start_worker(), start_worker()]
    wait_for(lambda: get(database, job_id).n_done >= 3)
    for worker in workers:
        kill(worker)
    assert get(database, job_id).n_done < N_TRACKS
    start_worker()
    wait_for(lambda: get(database, job_id).state.is_final)
    assert get(database, job_id).tries <= 3
    assert_each_scored_once(database, feed, get(database, job_id), tmp_path)


def test_a_run_whose_lease_ran_out_while_it_lived_records_nothing_more(
    database: Database, make_settings: Callable[..., Settings], feed: FeedInfo
) -> None:
    """The first run is suspended in the middle (a closed laptop), a second takes over, the first wakes up."""
    settings = make_settings(lease_s=0.5)
    job_id = ask(database, feed)
    suspended, wake_up = threading.Event(), threading.Event()
    late = make_feed_tools()

    def match_until_suspended(*arguments: object) -> object:
        raise AssertionError("files need no names")

    def read_and_sleep(*arguments: object) -> object:
        reading = late.read_source(*arguments)  # type: ignore[arg-type]
        suspended.set()
        wake_up.wait(PATIENCE_S)
        return reading

    sleepy = make_feed_tools(read_source=read_and_sleep, match=match_until_suspended)
    outcome: list[JobInfo] = []

    def work_without_heartbeat() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("recommender.jobs.run.LONGEST_HEARTBEAT_S", PATIENCE_S)
            patch.setattr("recommender.jobs.run.HEARTBEATS_PER_LEASE", 1 / PATIENCE_S)
            handle = build_handler(settings, tools=Tools(feed=sleepy))
            outcome.append(run_job_here(settings, job_id, handle))

    thread = threading.Thread(target=work_without_heartbeat)
    thread.start()
    assert suspended.wait(PATIENCE_S)
    handle = build_handler(settings, tools=Tools(feed=make_feed_tools()))
    job = run_job_here(settings, job_id, handle)
    assert (job.state, job.n_done) == (JobState.SUCCEEDED, N_TRACKS)
    before, items = answers_of(database, feed.id), items_of(database, feed.id)
    wake_up.set()
    thread.join()
    assert outcome[0].result == job.result
    assert (answers_of(database, feed.id), items_of(database, feed.id)) == (before, items)


def test_of_two_runs_at_once_one_works_and_the_other_joins(
    tmp_path: Path, database: Database, settings: Settings, feed: FeedInfo
) -> None:
    jobs: list[JobInfo] = []
    threads = [
        threading.Thread(target=lambda: jobs.append(score(settings, database, feed.id))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert jobs[0].id == jobs[1].id
    assert jobs[0].state is jobs[1].state is JobState.SUCCEEDED
    assert max(Counter(listened(tmp_path)).values()) == 1
    assert len(answers_of(database, feed.id)) == N_TRACKS


@sqlite_only
def test_a_full_disk_loses_nothing_that_was_written(
    tmp_path: Path, database: Database, settings: Settings, feed: FeedInfo, start_worker: StartWorker
) -> None:
    """No file of the worker may grow beyond a limit, which the database's soon does."""
    size = max(path.stat().st_size for path in tmp_path.glob("*.sqlite*"))
    job_id = ask(database, feed)
    starved = start_worker(largest_file=size + 150_000)
    wait_for(lambda: len(listened(tmp_path)) >= 3)
    time.sleep(2 * LEASE_S)
    n_before = len(answers_of(database, feed.id))
    assert n_before < N_TRACKS
    kill(starved)
    if get(database, job_id).state.is_final:
        assert get(database, job_id).state is JobState.FAILED
        assert "full" in str(get(database, job_id).error) or "I/O" in str(get(database, job_id).error)
        job_id = ask(database, feed)
    start_worker()
    wait_for(lambda: get(database, job_id).state.is_final)
    assert get(database, job_id).state is JobState.SUCCEEDED
    assert set(answers_of(database, feed.id)) == {f"{number:02}.flac" for number in range(N_TRACKS)}


@pytest.mark.parametrize("jump_s", [TWO_HOURS_S, -TWO_HOURS_S])
@sqlite_only
def test_a_clock_that_jumps_neither_doubles_nor_stops_a_feed(
    database: Database, settings: Settings, feed: FeedInfo, start_worker: StartWorker, jump_s: float
) -> None:
    """Forwards the lease is over at once, though its worker lives; backwards it lasts, though it died."""
    job_id = ask(database, feed)
    first = start_worker()
    wait_for(lambda: get(database, job_id).n_done >= 3)
    if jump_s < 0:
        kill(first)
    move_clock(settings, job_id, jump_s)
    start_worker()
    wait_for(lambda: get(database, job_id).state.is_final)
    assert_each_scored_once(database, feed, get(database, job_id), Path(feed.reference).parent)


def move_clock(settings: Settings, job_id: int, jump_s: float) -> None:
    """To a clock that jumps forwards, everything that was noted lies further back."""
    engine = create_engine(settings.database_url)
    columns = ("lease_expires_at", "claimed_at", "progress_at")
    moved = ", ".join(f"{column} = {column} - :jump_s" for column in columns)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE job SET {moved} WHERE id = :id"), {"jump_s": jump_s, "id": job_id})
    engine.dispose()


@sqlite_only
def test_listening_here_is_never_done_for_a_feed(
    tmp_path: Path, database: Database, settings: Settings
) -> None:
    """A file that kills its decoder must not take the program with it, however few files there are."""
    serve_model(database, settings)
    one = add_feed(database, write_releases(tmp_path / "one", n_tracks=1))
    here: list[Path] = []

    def listen_here(directory: Path) -> Listen:
        here.append(directory)
        return listen_and_log(directory)

    assert score(settings, database, one.id, tools=make_feed_tools(listen_here=listen_here)).n_failed == 0
    assert here == []
