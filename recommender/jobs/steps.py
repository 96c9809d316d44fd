"""The steps of a job: each is done once, tried at most three times, and fails with a reason.

A claim is the right to work on a job: on all of it, or on steps that its worker shares
(recommender.jobs.sharing).
Steps carry its token, so a run that was overtaken can neither take a step nor report one.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, delete, func, select, update
from sqlalchemy.orm import Session

from recommender.catalogue.database import CHUNK_ROWS, database_now, insert_or_keep
from recommender.catalogue.tables.work import Job, JobItem
from recommender.errors import LeaseLost


@dataclass(frozen=True)
class Claim:
    """The right to work on a job until the lease runs out.

    ``sharing`` is None for the worker that holds the job; for one that helps it, it is what that worker says
    one must know. A helper holds nothing but the steps that it took, each with a lease of its own.
    """

    job_id: int
    token: str
    lease_s: float
    sharing: Mapping[str, Any] | None = None

    @property
    def is_helper(self) -> bool:
        """Whether another worker holds the job."""
        return self.sharing is not None


MAX_TRIES = 3
LOST_CODE = "worker_died"
LOST_ERROR = "the program died every time it worked on this"


class ItemState(enum.StrEnum):
    """Where a step stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Item:
    """A step that the caller is to do; ``tries`` counts this time too."""

    id: int
    key: str
    tries: int


@dataclass(frozen=True)
class FailedItem:
    """A step that was set aside, and why."""

    key: str
    code: str
    error: str


@dataclass(frozen=True)
class ItemCounts:
    """How many steps a job has, and how many are over."""

    n_done: int
    n_failed: int
    n_total: int

    @property
    def n_over(self) -> int:
        """Steps that need no more work, well or badly ended."""
        return self.n_done + self.n_failed


def add_items(session: Session, claim: Claim, keys: Iterable[str]) -> None:
    """Give a job these steps; one that was done is to do again, one that waits or was set aside stays so."""
    check_lease(session, claim)
    queued = {"state": ItemState.QUEUED, "tries": 0, "lease_expires_at": None}
    rows = [{"job_id": claim.job_id, "key": key, **queued} for key in keys]
    insert_or_keep(session, JobItem, rows)
    done = (JobItem.job_id == claim.job_id, JobItem.state == ItemState.DONE)
    for start in range(0, len(rows), CHUNK_ROWS):
        chunk = [row["key"] for row in rows[start : start + CHUNK_ROWS]]
        _execute(session, update(JobItem).where(*done, JobItem.key.in_(chunk)).values(queued))


def claim_items(session: Session, claim: Claim, n: int) -> list[Item]:
    """Up to n steps that wait, in the order they were added; now they are this run's to do."""
    if not claim.is_helper:
        check_lease(session, claim)
    elif not is_open(session, claim):
        return []
    waiting = (JobItem.job_id == claim.job_id) & (JobItem.state == ItemState.QUEUED)
    # Not as a subquery: PostgreSQL may evaluate one that locks several times, and give more than n.
    chosen = select(JobItem.id).where(waiting).order_by(JobItem.id).limit(n).with_for_update(skip_locked=True)
    taken = (
        update(JobItem)
        .where(JobItem.id.in_(session.scalars(chosen).all()))
        .values(
            state=ItemState.RUNNING,
            lease_token=claim.token,
            lease_expires_at=database_now() + claim.lease_s if claim.is_helper else None,
            tries=JobItem.tries + 1,
        )
        .returning(JobItem.id, JobItem.key, JobItem.tries)
    )
    return sorted((Item(*row) for row in session.execute(taken)), key=lambda item: item.id)


def item_done(session: Session, claim: Claim, item_id: int) -> None:
    """Record a step as done; belongs into the transaction that keeps its result."""
    _write(session, claim, item_id, {"state": ItemState.DONE, "error_code": None, "error": None})


def item_failed(session: Session, claim: Claim, item_id: int, *, code: str, error: str) -> None:
    """Set a step aside for good: trying again would not help."""
    _write(session, claim, item_id, {"state": ItemState.FAILED, "error_code": code, "error": error})


def item_crashed(session: Session, claim: Claim, item_id: int, *, code: str, error: str) -> bool:
    """Give a step back after it broke what worked on it; False when that was its last try."""
    last = JobItem.tries >= MAX_TRIES
    state = case((last, ItemState.FAILED), else_=ItemState.QUEUED)
    until = case((last, JobItem.lease_expires_at), else_=None)
    values = {"state": state, "lease_expires_at": until, "error_code": code, "error": error}
    row = _write(session, claim, item_id, values)
    return bool(row.state == ItemState.QUEUED)


def give_items_back(session: Session, job_id: int, *, count_try: bool) -> None:
    """Put the steps of a run that is over back; those that helpers have stay theirs."""
    put_back(session, job_id, JobItem.lease_expires_at.is_(None), count_try=count_try)


def put_back(session: Session, job_id: int, which: ColumnElement[bool], *, count_try: bool) -> None:
    """Let others do steps that somebody had; with ``count_try``, those tried too often are failed."""
    running = (JobItem.job_id == job_id, JobItem.state == ItemState.RUNNING, which)
    if count_try:
        lost = {"state": ItemState.FAILED, "error_code": LOST_CODE, "error": LOST_ERROR, "lease_token": None}
        _execute(session, update(JobItem).where(*running, JobItem.tries >= MAX_TRIES).values(lost))
    tries = JobItem.tries if count_try else JobItem.tries - 1
    back = {"state": ItemState.QUEUED, "lease_token": None, "lease_expires_at": None, "tries": tries}
    _execute(session, update(JobItem).where(*running).values(back))


def item_counts(session: Session, job_id: int) -> ItemCounts:
    """How many steps of a job are over; once the job has succeeded, only the failed ones are kept."""
    per_state = select(JobItem.state, func.count()).where(JobItem.job_id == job_id).group_by(JobItem.state)
    n = dict(session.execute(per_state).tuples().all())
    return ItemCounts(
        n_done=n.get(ItemState.DONE, 0), n_failed=n.get(ItemState.FAILED, 0), n_total=sum(n.values())
    )


def n_failed_items(session: Session, job_id: int) -> int:
    """How many steps of a job were set aside."""
    failed = (JobItem.job_id == job_id, JobItem.state == ItemState.FAILED)
    return session.execute(select(func.count()).select_from(JobItem).where(*failed)).scalar_one()


def failed_items(session: Session, job_id: int, *, limit: int = 1000) -> list[FailedItem]:
    """The steps of a job that were set aside, in the order they were added."""
    failed = (JobItem.job_id == job_id, JobItem.state == ItemState.FAILED)
    columns = select(JobItem.key, JobItem.error_code, JobItem.error)
    rows = session.execute(columns.where(*failed).order_by(JobItem.id).limit(limit))
    return [FailedItem(key=key, code=code or "", error=error or "") for key, code, error in rows]


def purge_done_items(session: Session, job_id: int) -> None:
    """Drop the rows of steps that were done."""
    done = (JobItem.job_id == job_id, JobItem.state == ItemState.DONE)
    _execute(session, delete(JobItem).where(*done))


def is_shared() -> ColumnElement[bool]:
    """Whether a worker is at a job and shares its steps."""
    is_held = (Job.state == "running") & (Job.lease_expires_at > database_now())
    return is_held & Job.sharing.is_not(None) & Job.cancel_requested.is_(False)


def is_open(session: Session, claim: Claim) -> bool:
    """Whether a helper may take more steps of the job it helps."""
    sharing = session.scalar(select(Job.sharing).where(Job.id == claim.job_id, is_shared()))
    return sharing is not None and sharing == claim.sharing


def check_lease(session: Session, claim: Claim) -> None:
    """Refuse a run that was overtaken; the lock keeps it from being overtaken meanwhile."""
    mine = select(Job.id).where(Job.id == claim.job_id, Job.lease_token == claim.token)
    if session.scalar(mine.with_for_update()) is None:
        raise LeaseLost(f"job {claim.job_id} was taken over by another worker after its lease ran out")


def _write(session: Session, claim: Claim, item_id: int, values: dict[str, Any]) -> Any:
    mine = (JobItem.id == item_id, JobItem.lease_token == claim.token)
    statement = update(JobItem).where(*mine, JobItem.state == ItemState.RUNNING)
    row = _execute(session, statement.values(lease_token=None, **values).returning(JobItem.state)).first()
    if row is None:
        raise LeaseLost(f"step {item_id} of job {claim.job_id} is not this run's any more")
    return row


def _execute(session: Session, statement: Any) -> Any:
    return session.execute(statement, execution_options={"synchronize_session": False})
