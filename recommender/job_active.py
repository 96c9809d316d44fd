"""Which jobs of a kind are not over."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from recommender.jobs import JobKind, JobState
from recommender.tables import Job


def active_jobs(session: Session, kind: JobKind) -> list[tuple[int, dict[str, Any]]]:
    """(id, payload) of the jobs of a kind that wait or run, the oldest first."""
    not_over = (JobState.QUEUED, JobState.RUNNING)
    rows = select(Job.id, Job.payload).where(Job.kind == kind, Job.state.in_(not_over)).order_by(Job.id)
    return [(job_id, payload) for job_id, payload in session.execute(rows)]
