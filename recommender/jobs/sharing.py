"""One job, many workers: the one that holds it shares its steps, the others take some and give back results.

A shared step is leased like a job: its helper renews the lease, and when that runs out the holder takes the
step back, whatever the helper still tries to record is refused. So a step is done once, wherever.
"""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import uuid4

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from recommender.catalogue.database import database_now
from recommender.catalogue.tables.work import Job, JobItem
from recommender.jobs.steps import Claim, ItemState, check_lease, is_shared, put_back

_RUNNING = "running"
_OPTIONS: Mapping[str, Any] = {"synchronize_session": False}
_OVER = (ItemState.DONE, ItemState.FAILED)


def share_steps(session: Session, claim: Claim, knowing: Mapping[str, Any]) -> None:
    """Let other workers take steps of the job; ``knowing`` is told to them."""
    check_lease(session, claim)
    sharing = dict(knowing) | {"lease_s": claim.lease_s}
    session.execute(
        update(Job).where(Job.id == claim.job_id).values(sharing=sharing), execution_options=_OPTIONS
    )


def find_help(session: Session, *, kinds: Collection[str], but_not: Collection[int] = ()) -> Claim | None:
    """The right to take steps of the oldest job that has some to share, None when there is none."""
    waiting = select(JobItem.id).where(JobItem.job_id == Job.id, JobItem.state == ItemState.QUEUED)
    wanted = select(Job).where(is_shared(), Job.kind.in_(list(kinds)), waiting.exists())
    job = session.scalar(wanted.where(Job.id.not_in(list(but_not))).order_by(Job.id).limit(1))
    if job is None or job.sharing is None:
        return None
    return Claim(job.id, uuid4().hex, float(job.sharing["lease_s"]), job.sharing)


def keep_steps(session: Session, claim: Claim) -> bool:
    """Renew the lease of a helper's steps; whether it must stop: the job is over or cancelled."""
    expires_at = database_now() + claim.lease_s
    mine = (JobItem.job_id == claim.job_id, JobItem.lease_token == claim.token)
    held = update(JobItem).where(*mine, JobItem.state == ItemState.RUNNING)
    session.execute(held.values(lease_expires_at=expires_at), execution_options=_OPTIONS)
    running = (Job.id == claim.job_id, Job.state == _RUNNING, Job.cancel_requested.is_(False))
    return session.scalar(select(Job.id).where(*running)) is None


def give_steps_back(session: Session, claim: Claim) -> None:
    """A helper stops: what it has not finished is for others, and was not a try."""
    put_back(session, claim.job_id, JobItem.lease_token == claim.token, count_try=False)


def take_lost_steps(session: Session, claim: Claim) -> bool:
    """Take back what helpers hold whose lease ran out; whether helpers hold other steps still."""
    expires_at = JobItem.lease_expires_at
    # A lease that ends later than any can was given before the clock was put back.
    is_lost = or_(expires_at < database_now(), expires_at > database_now() + claim.lease_s + 1)
    check_lease(session, claim)
    put_back(session, claim.job_id, is_lost, count_try=True)
    helped = (JobItem.job_id == claim.job_id, JobItem.state == ItemState.RUNNING, expires_at.is_not(None))
    return session.scalar(select(JobItem.id).where(*helped).limit(1)) is not None


def take_reports(session: Session, claim: Claim) -> list[str]:
    """Keys of the steps that helpers have brought to an end since this was asked last."""
    ended = (JobItem.job_id == claim.job_id, JobItem.state.in_(_OVER), JobItem.lease_expires_at.is_not(None))
    taken = update(JobItem).where(*ended).values(lease_expires_at=None).returning(JobItem.key)
    return list(session.scalars(taken, execution_options=_OPTIONS))
