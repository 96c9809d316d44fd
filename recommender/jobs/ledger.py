"""The job ledger: what has to be done, who does it, how far it is and how it ended.

A worker that claims a job gets a token; it may write to the job only while it holds that token. When
its lease runs out another worker may claim the job, and whatever the first one still tries to record is
refused (LeaseLost): so nothing is recorded twice. The steps of a job are in recommender.jobs.steps, the
loop that works in recommender.jobs.worker.
"""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, case, or_, select, update
from sqlalchemy.orm import Session

from recommender.catalogue.database import database_now
from recommender.catalogue.tables.work import Job
from recommender.errors import LeaseLost, NoSuchJob
from recommender.jobs.steps import Claim, give_items_back, n_failed_items, purge_done_items
from recommender.records.jobs import JobInfo, JobKind, JobState

MAX_TRIES = 3


def enqueue(session: Session, kind: JobKind, payload: Mapping[str, Any]) -> int:
    """Id of a queued job; one that waits with the same payload already is not queued twice.

    Belongs into the caller's transaction: the job appears with what it is about, or not at all.
    """
    waiting = select(Job).where(Job.kind == kind, Job.state == JobState.QUEUED).order_by(Job.id)
    # Locked: a job that a worker takes now would begin without what the caller has not committed yet.
    for job in session.scalars(waiting.with_for_update().execution_options(populate_existing=True)):
        if job.payload == dict(payload):
            return job.id
    job = Job(kind=kind, state=JobState.QUEUED, payload=dict(payload), created_at=_now(session))
    session.add(job)
    session.flush()
    return job.id


def get_job(session: Session, job_id: int) -> JobInfo:
    """One job.

    Raises
    ------
    NoSuchJob
        The ledger holds no job with this id.
    """
    return _info(session, _get(session, job_id))


def list_jobs(
    session: Session, *, limit: int = 50, before_id: int | None = None, state: JobState | None = None
) -> list[JobInfo]:
    """Jobs, newest first; those in one state, or older than one id, when asked."""
    newest = select(Job).order_by(Job.id.desc()).limit(limit)
    if before_id is not None:
        newest = newest.where(Job.id < before_id)
    if state is not None:
        newest = newest.where(Job.state == state)
    return [_info(session, job) for job in session.scalars(newest)]


def cancel(session: Session, job_id: int) -> JobInfo:
    """Stop a job: at once when it waits, soon when it runs; one that has ended stays as it is."""
    job = _get(session, job_id, lock=True)
    if job.state == JobState.QUEUED:
        _finish(job, JobState.CANCELLED, now=_now(session))
    elif job.state == JobState.RUNNING:
        job.cancel_requested = True
    session.flush()
    return _info(session, job)


def claim(
    session: Session,
    worker_id: str,
    lease_s: float,
    *,
    job_id: int | None = None,
    kinds: Collection[JobKind] | None = None,
) -> Claim | None:
    """The right to work on the oldest job that waits or was abandoned; None when there is none.

    An abandoned job that made no progress in ``MAX_TRIES`` runs is failed instead: whatever kills its
    worker would do so for ever.
    """
    while (job := _next_job(session, job_id=job_id, kinds=kinds)) is not None:
        now = _now(session)
        was_running = job.state == JobState.RUNNING
        if job.cancel_requested:
            _finish(job, JobState.CANCELLED, now=now)
        elif was_running and job.n_done <= job.claimed_n_done and job.tries >= MAX_TRIES:
            _finish(job, JobState.FAILED, now=now)
            job.error_code = "worker_died"
            job.error = f"the worker died {job.tries} times in this job without getting further"
        else:
            return _take(session, job, worker_id, lease_s, now=now)
        session.flush()
    return None


def heartbeat(session: Session, claim: Claim) -> bool:
    """Renew the lease; whether somebody asked for the job to stop."""
    return _write(session, claim, {"lease_expires_at": database_now() + claim.lease_s})


def progress(session: Session, claim: Claim, *, n_done: int, n_total: int, message: str = "") -> bool:
    """Record how far the job is and renew the lease; whether somebody asked for the job to stop."""
    values = {
        "n_done": n_done,
        "n_total": n_total,
        "message": message,
        "progress_at": database_now(),
        "lease_expires_at": database_now() + claim.lease_s,
        # A run that starts again from the beginning must not count backwards.
        "claimed_n_done": case((Job.claimed_n_done > n_done, n_done), else_=Job.claimed_n_done),
    }
    return _write(session, claim, values)


def succeed(session: Session, claim: Claim, result: Mapping[str, Any]) -> None:
    """Record the result; the steps that were done need no rows any more."""
    _end(session, claim, JobState.SUCCEEDED, result=dict(result))
    purge_done_items(session, claim.job_id)


def fail(session: Session, claim: Claim, *, code: str, message: str) -> None:
    """Record why the job could not be done: a stable code and a sentence."""
    _end(session, claim, JobState.FAILED, error_code=code, error=message)


def acknowledge_cancel(session: Session, claim: Claim) -> None:
    """Record that the worker has stopped because it was asked to."""
    _end(session, claim, JobState.CANCELLED)


def release(session: Session, claim: Claim) -> None:
    """Give the job back unfinished, as a worker does that is told to stop; it does not count as a try."""
    no_lease = {"lease_owner": None, "lease_token": None, "lease_expires_at": None}
    _write(session, claim, {"state": JobState.QUEUED, "tries": Job.tries - 1, **no_lease})
    give_items_back(session, claim.job_id, count_try=False)


def end_try(session: Session, claim: Claim, *, message: str) -> None:
    """Give the job back after what did its work died; after ``MAX_TRIES`` it has failed."""
    if _get(session, claim.job_id).tries >= MAX_TRIES:
        fail(session, claim, code="worker_died", message=f"{message}, {MAX_TRIES} times")
        return
    no_lease = {"lease_owner": None, "lease_token": None, "lease_expires_at": None}
    _write(session, claim, {"state": JobState.QUEUED, **no_lease})
    give_items_back(session, claim.job_id, count_try=True)


def _next_job(session: Session, *, job_id: int | None, kinds: Collection[JobKind] | None) -> Job | None:
    """The oldest job nobody works on, locked against other claimers."""
    wanted = select(Job).where(_is_free()).order_by(Job.id).limit(1)
    if job_id is not None:
        wanted = wanted.where(Job.id == job_id)
    if kinds is not None:
        wanted = wanted.where(Job.kind.in_(list(kinds)))
    locked = wanted.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    return session.scalar(locked)


def _is_free() -> ColumnElement[bool]:
    # A job that was claimed in the future was claimed before the clock was put back.
    is_over = or_(Job.lease_expires_at < database_now(), Job.claimed_at > database_now() + 1)
    expired = (Job.state == JobState.RUNNING) & is_over
    return or_(Job.state == JobState.QUEUED, expired)


def _take(session: Session, job: Job, worker_id: str, lease_s: float, *, now: float) -> Claim:
    made_progress = job.n_done > job.claimed_n_done
    job.tries = 1 if made_progress else job.tries + 1
    job.state = JobState.RUNNING
    job.lease_owner, job.lease_token = worker_id, uuid4().hex
    job.lease_expires_at = now + lease_s
    job.claimed_at, job.claimed_n_done, job.progress_at = now, job.n_done, None
    job.sharing = None
    session.flush()
    give_items_back(session, job.id, count_try=True)
    return Claim(job_id=job.id, token=job.lease_token, lease_s=lease_s)


def _end(session: Session, claim: Claim, state: JobState, **values: Any) -> None:
    no_lease = {"lease_owner": None, "lease_token": None, "lease_expires_at": None}
    _write(session, claim, {"state": state, "finished_at": database_now(), **no_lease, **values})


def _finish(job: Job, state: JobState, *, now: float) -> None:
    """End a job that nobody holds."""
    job.state, job.finished_at = state, now
    job.lease_owner = job.lease_token = job.lease_expires_at = None


def _write(session: Session, claim: Claim, values: Mapping[str, Any]) -> bool:
    """Change the job, if the claim still stands; whether somebody asked for the job to stop."""
    mine = (Job.id == claim.job_id, Job.lease_token == claim.token)
    cancel_requested: bool | None = session.scalar(
        update(Job).where(*mine).values(dict(values)).returning(Job.cancel_requested),
        execution_options={"synchronize_session": False},
    )
    if cancel_requested is None:
        raise LeaseLost(f"job {claim.job_id} was taken over by another worker after its lease ran out")
    return cancel_requested


def _get(session: Session, job_id: int, *, lock: bool = False) -> Job:
    job = session.get(Job, job_id, populate_existing=True, with_for_update=True if lock else None)
    if job is None:
        raise NoSuchJob(f"there is no job {job_id}")
    return job


def _now(session: Session) -> float:
    return session.execute(select(database_now())).scalar_one()


def _info(session: Session, job: Job) -> JobInfo:
    rate = _rate_per_s(job)
    return JobInfo(
        id=job.id,
        kind=JobKind(job.kind),
        state=JobState(job.state),
        payload=job.payload,
        result=job.result,
        message=job.message,
        n_done=job.n_done,
        n_total=job.n_total,
        n_failed=n_failed_items(session, job.id),
        rate_per_s=rate,
        eta_s=(job.n_total - job.n_done) / rate if rate else None,
        error_code=job.error_code,
        error=job.error,
        cancel_requested=job.cancel_requested,
        tries=job.tries,
        created_at=job.created_at,
        started_at=job.claimed_at,
        finished_at=job.finished_at,
    )


def _rate_per_s(job: Job) -> float | None:
    """Steps per second since the current run began."""
    if job.progress_at is None or job.claimed_at is None or job.progress_at <= job.claimed_at:
        return None
    return (job.n_done - job.claimed_n_done) / (job.progress_at - job.claimed_at)
