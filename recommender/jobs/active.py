"""Which jobs are not over."""

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from recommender.catalogue.tables.work import Job
from recommender.records.jobs import JobKind, JobState


class ActiveJob(NamedTuple):
    """What a job that is not over is about."""

    id: int
    payload: dict[str, Any]


def first_active_job(session: Session, kinds: Collection[JobKind]) -> ActiveJob | None:
    """The oldest job of some kinds that waits or runs."""
    not_over = (JobState.QUEUED, JobState.RUNNING)
    mine = select(Job.id, Job.payload).where(Job.kind.in_(list(kinds)), Job.state.in_(not_over))
    found = session.execute(mine.order_by(Job.id).limit(1)).first()
    return None if found is None else ActiveJob(*found)


def active_jobs(session: Session, kind: JobKind) -> list[ActiveJob]:
    """The jobs of a kind that wait or run, the oldest first."""
    not_over = (JobState.QUEUED, JobState.RUNNING)
    rows = select(Job.id, Job.payload).where(Job.kind == kind, Job.state.in_(not_over)).order_by(Job.id)
    return [ActiveJob(*row) for row in session.execute(rows)]
