"""The right to work on a job: on all of it, or on steps of it that its worker shares."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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
