"""The job ledger: claimed once, taken over when abandoned, never recorded twice."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from recommender.catalogue.database import Database
from recommender.catalogue.tables.work import Job
from recommender.errors import LeaseLost, NoSuchJob
from recommender.jobs import ledger
from recommender.jobs.steps import (
    Claim,
    FailedItem,
    ItemCounts,
    add_items,
    claim_items,
    failed_items,
    item_counts,
    item_crashed,
    item_done,
    item_failed,
)
from recommender.records.jobs import JobInfo, JobKind, JobState

LONG_S = 60.0


def enqueue(database: Database, kind: JobKind = JobKind.SCAN, **payload: object) -> int:
    with database.session() as session:
        return ledger.enqueue(session, kind, payload)


def claim(database: Database, worker: str = "a", *, lease_s: float = LONG_S) -> Claim | None:
    with database.session() as session:
        return ledger.claim(session, worker, lease_s)


def must_claim(database: Database, worker: str = "a", *, lease_s: float = LONG_S) -> Claim:
    claimed = claim(database, worker, lease_s=lease_s)
    assert claimed is not None
    return claimed


def expire(database: Database) -> None:
    """Let the leases of all jobs run out, as if their workers had died long ago."""
    with database.session() as session:
        session.execute(update(Job).where(Job.state == JobState.RUNNING).values(lease_expires_at=0.0))


def get(database: Database, job_id: int) -> JobInfo:
    with database.read_session() as session:
        return ledger.get_job(session, job_id)


def write(
    database: Database, step: Callable[..., object], held: Claim, *args: object, **values: object
) -> object:
    with database.session() as session:
        return step(session, held, *args, **values)


def test_a_job_goes_from_queued_to_succeeded_with_its_result(database: Database) -> None:
    job_id = enqueue(database, JobKind.ADD_PLAYLIST, name="hip hop", folder="/m/bad\udcffname")
    queued = get(database, job_id)
    assert (queued.state, queued.kind) == (JobState.QUEUED, JobKind.ADD_PLAYLIST)
    assert queued.payload == {"name": "hip hop", "folder": "/m/bad\udcffname"}
    held = must_claim(database)
    assert get(database, job_id).state is JobState.RUNNING
    write(database, ledger.succeed, held, {"bundle": "2026-11-20-1"})
    done = get(database, job_id)
    assert (done.state, done.result, done.error) == (JobState.SUCCEEDED, {"bundle": "2026-11-20-1"}, None)
    assert done.started_at is not None
    assert done.finished_at is not None
    assert done.created_at <= done.started_at <= done.finished_at


def test_enqueueing_belongs_to_the_callers_transaction(database: Database) -> None:
    with pytest.raises(RuntimeError), database.session() as session:
        ledger.enqueue(session, JobKind.SCAN, {})
        raise RuntimeError
    assert claim(database) is None


def test_the_same_work_is_queued_once_but_may_follow_a_run_that_began(database: Database) -> None:
    first = enqueue(database, folder="/m")
    assert enqueue(database, folder="/m") == first
    assert enqueue(database, folder="/n") != first
    must_claim(database)
    assert enqueue(database, folder="/m") > first


def test_the_oldest_job_comes_first_and_each_only_once(database: Database) -> None:
    wanted = [enqueue(database, number=number) for number in range(3)]
    assert [must_claim(database).job_id for _ in wanted] == wanted
    assert claim(database) is None


def test_many_workers_at_once_never_get_the_same_job(database: Database) -> None:
    wanted = [enqueue(database, number=number) for number in range(24)]
    start = threading.Barrier(4)

    def work(worker: str) -> list[int]:
        start.wait()
        mine = []
        while (held := claim(database, worker)) is not None:
            mine.append(held.job_id)
        return mine

    with ThreadPoolExecutor(4) as pool:
        taken = [job_id for mine in pool.map(work, "abcd") for job_id in mine]
    assert sorted(taken) == wanted


def test_kinds_can_be_chosen(database: Database) -> None:
    enqueue(database, JobKind.TRAIN)
    refit = enqueue(database, JobKind.REFIT)
    with database.session() as session:
        held = ledger.claim(session, "a", LONG_S, kinds={JobKind.REFIT})
        assert held is not None
        assert held.job_id == refit
        assert ledger.claim(session, "a", LONG_S, kinds={JobKind.REFIT}) is None


def test_an_expired_lease_is_taken_over_and_the_first_worker_cannot_record(database: Database) -> None:
    job_id = enqueue(database)
    first = must_claim(database, "a")
    assert claim(database, "b") is None
    expire(database)
    second = must_claim(database, "b")
    for late in (
        lambda: write(database, ledger.succeed, first, {"by": "a"}),
        lambda: write(database, ledger.fail, first, code="x", message="y"),
        lambda: write(database, ledger.progress, first, n_done=1, n_total=1),
        lambda: write(database, ledger.heartbeat, first),
        lambda: write(database, add_items, first, ["k"]),
        lambda: write(database, claim_items, first, 1),
    ):
        with pytest.raises(LeaseLost, match=f"job {job_id}"):
            late()
    write(database, ledger.succeed, second, {"by": "b"})
    assert get(database, job_id).result == {"by": "b"}


def test_a_heartbeat_keeps_the_lease(database: Database) -> None:
    enqueue(database)
    held = must_claim(database, lease_s=1.2)
    for _ in range(3):
        time.sleep(0.5)
        assert write(database, ledger.heartbeat, held) is False
        assert claim(database, "b") is None


def test_a_job_that_kills_its_worker_without_progress_is_given_up(database: Database) -> None:
    job_id = enqueue(database)
    for tries in range(1, ledger.MAX_TRIES + 1):
        must_claim(database)
        assert get(database, job_id).tries == tries
        expire(database)
    assert claim(database) is None
    job = get(database, job_id)
    assert (job.state, job.error_code) == (JobState.FAILED, "worker_died")
    assert job.error == "the worker died 3 times in this job without getting further"


def test_a_job_that_gets_further_each_time_may_be_interrupted_for_ever(database: Database) -> None:
    job_id = enqueue(database)
    for n_done in range(1, 3 * ledger.MAX_TRIES):
        held = must_claim(database)
        write(database, ledger.progress, held, n_done=n_done, n_total=100)
        expire(database)
    assert get(database, job_id).tries == 1


def test_releasing_gives_the_job_back_without_counting_a_try(database: Database) -> None:
    job_id = enqueue(database)
    held = must_claim(database)
    write(database, add_items, held, ["a"])
    write(database, claim_items, held, 1)
    write(database, ledger.release, held)
    assert (get(database, job_id).state, get(database, job_id).tries) == (JobState.QUEUED, 0)
    again = must_claim(database, "b")
    assert [(step.key, step.tries) for step in write(database, claim_items, again, 1)] == [("a", 1)]


def test_progress_shows_counts_rate_and_remaining_time(database: Database) -> None:
    job_id = enqueue(database)
    held = must_claim(database)
    assert (get(database, job_id).rate_per_s, get(database, job_id).eta_s) == (None, None)
    time.sleep(0.2)
    write(database, ledger.progress, held, n_done=10, n_total=40, message="listening")
    job = get(database, job_id)
    assert (job.n_done, job.n_total, job.message) == (10, 40, "listening")
    assert job.rate_per_s is not None
    assert 10 / 20.0 < job.rate_per_s < 10 / 0.2
    assert job.eta_s == pytest.approx(30 / job.rate_per_s)


def test_the_rate_is_that_of_the_current_run(database: Database) -> None:
    job_id = enqueue(database)
    write(database, ledger.progress, must_claim(database), n_done=1000, n_total=2000)
    expire(database)
    held = must_claim(database)
    time.sleep(0.1)
    write(database, ledger.progress, held, n_done=1001, n_total=2000)
    assert (get(database, job_id).rate_per_s or 0) < 1 / 0.1
    # A run that has to start again does not count backwards.
    write(database, ledger.progress, held, n_done=3, n_total=2000)
    assert get(database, job_id).rate_per_s == 0


def test_cancelling_a_waiting_job_ends_it(database: Database) -> None:
    job_id = enqueue(database)
    with database.session() as session:
        assert ledger.cancel(session, job_id).state is JobState.CANCELLED
    assert claim(database) is None


def test_cancelling_a_running_job_asks_its_worker(database: Database) -> None:
    job_id = enqueue(database)
    held = must_claim(database)
    with database.session() as session:
        asked = ledger.cancel(session, job_id)
    assert (asked.state, asked.cancel_requested) == (JobState.RUNNING, True)
    assert write(database, ledger.heartbeat, held) is True
    write(database, ledger.acknowledge_cancel, held)
    assert get(database, job_id).state is JobState.CANCELLED
    with database.session() as session:
        assert ledger.cancel(session, job_id).state is JobState.CANCELLED


def test_a_cancelled_job_whose_worker_died_is_not_begun_again(database: Database) -> None:
    job_id = enqueue(database)
    must_claim(database)
    with database.session() as session:
        ledger.cancel(session, job_id)
    expire(database)
    assert claim(database) is None
    assert get(database, job_id).state is JobState.CANCELLED


def test_jobs_are_listed_newest_first(database: Database) -> None:
    ids = [enqueue(database, number=number) for number in range(4)]
    must_claim(database)
    with database.read_session() as session:
        assert [job.id for job in ledger.list_jobs(session)] == ids[::-1]
        assert [job.id for job in ledger.list_jobs(session, limit=2, before_id=ids[3])] == [ids[2], ids[1]]
        assert [job.id for job in ledger.list_jobs(session, state=JobState.RUNNING)] == [ids[0]]
        with pytest.raises(NoSuchJob, match="no job 99"):
            ledger.get_job(session, 99)


def test_steps_are_added_once_and_done_once(database: Database) -> None:
    job_id = enqueue(database)
    held = must_claim(database)
    write(database, add_items, held, ["a", "b"])
    write(database, add_items, held, ["b", "c"])
    first = write(database, claim_items, held, 2)
    assert [step.key for step in first] == ["a", "b"]
    assert [step.key for step in write(database, claim_items, held, 9)] == ["c"]
    write(database, item_done, held, first[0].id)
    with pytest.raises(LeaseLost):
        write(database, item_done, held, first[0].id)
    write(database, add_items, held, ["a"])
    [repeated] = write(database, claim_items, held, 9)
    assert (repeated.key, repeated.tries) == ("a", 1)
    write(database, item_done, held, repeated.id)
    write(database, item_failed, held, first[1].id, code="silent_audio", error="nothing but silence\0")
    with database.read_session() as session:
        assert item_counts(session, job_id) == ItemCounts(n_done=1, n_failed=1, n_total=3)
        assert failed_items(session, job_id) == [FailedItem("b", "silent_audio", "nothing but silence?")]
    assert get(database, job_id).n_failed == 1
    write(database, ledger.succeed, held, {})
    with database.read_session() as session:
        assert [step.key for step in failed_items(session, job_id)] == ["b"]
        assert item_counts(session, job_id).n_done == 0


def test_steps_in_flight_are_given_back_when_the_job_is_taken_over(database: Database) -> None:
    enqueue(database)
    first = must_claim(database)
    write(database, add_items, first, ["done", "lost", "waiting"])
    done, lost = write(database, claim_items, first, 2)
    write(database, item_done, first, done.id)
    expire(database)
    second = must_claim(database, "b")
    again = write(database, claim_items, second, 9)
    assert [(step.key, step.tries) for step in again] == [("lost", 2), ("waiting", 1)]
    with pytest.raises(LeaseLost):
        write(database, item_done, first, lost.id)
    write(database, item_done, second, lost.id)


def test_a_step_that_crashes_is_set_aside_after_three_tries(database: Database) -> None:
    job_id = enqueue(database)
    held = must_claim(database)
    write(database, add_items, held, ["poison"])
    outcomes = []
    for _ in range(3):
        [step] = write(database, claim_items, held, 1)
        outcomes.append(write(database, item_crashed, held, step.id, code="decoder_crashed", error="it died"))
    assert outcomes == [True, True, False]
    assert write(database, claim_items, held, 1) == []
    with database.read_session() as session:
        assert failed_items(session, job_id) == [FailedItem("poison", "decoder_crashed", "it died")]


def test_a_step_that_kills_its_worker_is_set_aside_after_three_tries(database: Database) -> None:
    job_id = enqueue(database)
    for round_ in range(3):
        held = must_claim(database)
        write(database, add_items, held, ["poison", f"good {round_}"])
        poison = write(database, claim_items, held, 1)[0]
        assert (poison.key, poison.tries) == ("poison", round_ + 1)
        good = write(database, claim_items, held, 1)[0]
        write(database, item_done, held, good.id)
        write(database, ledger.progress, held, n_done=round_ + 1, n_total=4)
        expire(database)
    held = must_claim(database)
    write(database, add_items, held, ["poison"])
    assert write(database, claim_items, held, 9) == []
    with database.read_session() as session:
        [failed] = failed_items(session, job_id)
    assert (failed.key, failed.code) == ("poison", "worker_died")
