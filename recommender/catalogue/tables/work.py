"""The tables of background jobs and of the models that they make."""

from typing import Any

from sqlalchemy import (
    JSON,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from recommender.catalogue.tables.base import Base, owned_by

CHAMPION = "champion"


class Bundle(Base):
    """A trained bundle on disk; at most one is the champion."""

    __tablename__ = "bundle"
    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    directory: Mapped[bytes] = mapped_column(LargeBinary)
    fingerprint: Mapped[str]
    summary: Mapped[dict[str, Any]]
    created_at: Mapped[float]
    promoted_at: Mapped[float | None]
    __table_args__ = (
        Index(
            "uq_bundle_champion",
            "state",
            unique=True,
            sqlite_where=text("state = 'champion'"),
            postgresql_where=text("state = 'champion'"),
        ),
    )


class Job(Base):
    """Background work; whoever holds ``lease_token`` may write to it, ``sharing`` is told to its helpers."""

    __tablename__ = "job"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    state: Mapped[str]
    payload: Mapped[dict[str, Any]]
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)
    message: Mapped[str] = mapped_column(default="")
    n_done: Mapped[int] = mapped_column(default=0)
    n_total: Mapped[int] = mapped_column(default=0)
    error_code: Mapped[str | None]
    error: Mapped[str | None]
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    tries: Mapped[int] = mapped_column(default=0)
    lease_owner: Mapped[str | None]
    lease_token: Mapped[str | None]
    lease_expires_at: Mapped[float | None]
    sharing: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    claimed_n_done: Mapped[int] = mapped_column(default=0)
    claimed_at: Mapped[float | None]
    progress_at: Mapped[float | None]
    created_at: Mapped[float]
    finished_at: Mapped[float | None]
    __table_args__ = (Index(None, "state", "id"),)


class JobItem(Base):
    """One step of a job, done once: ``key`` names it within the job. A helper's has a lease of its own."""

    __tablename__ = "job_item"
    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(owned_by(Job.id))
    key: Mapped[str]
    state: Mapped[str]
    tries: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[str | None]
    lease_expires_at: Mapped[float | None]
    error_code: Mapped[str | None]
    error: Mapped[str | None]
    __table_args__ = (UniqueConstraint("job_id", "key"), Index(None, "job_id", "state", "id"))
