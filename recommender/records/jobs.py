"""Background jobs as plain values; times are seconds since 1970, UTC."""

import enum
from dataclasses import dataclass
from typing import Any


class JobKind(enum.StrEnum):
    """What a job does; training.background.handlers has one function for each."""

    SCAN = "scan"
    ADD_PLAYLIST = "add_playlist"
    IMPORT_PLAYLIST = "import_playlist"
    SYNC = "sync"
    REFIT = "refit"
    TRAIN = "train"
    SCORE_FEED = "score_feed"


class JobState(enum.StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True)
class JobInfo:
    """A job as its owner may see it; times are seconds since 1970, UTC.

    ``rate_per_s`` and ``eta_s`` are those of the current run, None when nothing was counted yet.
    """

    id: int
    kind: JobKind
    state: JobState
    payload: dict[str, Any]
    result: dict[str, Any]
    message: str
    n_done: int
    n_total: int
    n_failed: int
    rate_per_s: float | None
    eta_s: float | None
    error_code: str | None
    error: str | None
    cancel_requested: bool
    tries: int
    created_at: float
    started_at: float | None
    finished_at: float | None
