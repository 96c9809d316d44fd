"""One run of a job: what its handler sees of it, and how its end is recorded and logged."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from recommender.catalogue.database import Database, is_unreachable
from recommender.disk import DiskFull, is_disk_full
from recommender.errors import JobCancelled, LeaseLost, TryDied
from recommender.jobs import ledger, sharing
from recommender.jobs.steps import Claim
from recommender.records.jobs import JobInfo

LONGEST_HEARTBEAT_S = 2.0
HEARTBEATS_PER_LEASE = 3

_QUIET = frozenset({"succeeded", "was cancelled", "was put back, the worker stops"})

logger = logging.getLogger(__name__)


class WorkerStopping(Exception):
    """The worker was told to stop; its job goes back to the ledger."""


class JobRun:
    """One run of a job, as its handler sees it; or of a helper, which only does steps of it.

    ``is_expendable`` says that this process serves nothing but this job: should it die, only time is lost.
    """

    def __init__(
        self,
        database: Database,
        claim: Claim,
        *,
        stop: threading.Event,
        is_expendable: bool = False,
        on_progress: Callable[[JobInfo], None] | None = None,
    ) -> None:
        self.database = database
        self.claim = claim
        self.is_expendable = is_expendable
        with database.read_session() as session:
            self.job = ledger.get_job(session, claim.job_id)
        self._stop = stop
        self._on_progress = on_progress
        self._cancelled = threading.Event()
        self._lost = threading.Event()

    def check(self) -> None:
        """Between two steps: raises when the job was cancelled or taken over, or the worker must stop."""
        if self._lost.is_set():
            raise LeaseLost(f"job {self.job.id} was taken over by another worker after its lease ran out")
        if self._cancelled.is_set():
            raise JobCancelled(f"job {self.job.id} was cancelled")
        if self._stop.is_set():
            raise WorkerStopping

    def progress(self, n_done: int, n_total: int, message: str = "") -> None:
        """Record how far the job is, then :meth:`check`."""
        with self.database.session() as session:
            if ledger.progress(session, self.claim, n_done=n_done, n_total=n_total, message=message):
                self._cancelled.set()
        if self._on_progress is not None:
            with self.database.read_session() as session:
                self._on_progress(ledger.get_job(session, self.claim.job_id))
        self.check()

    @contextmanager
    def lease_kept(self) -> Iterator[None]:
        """Renew the lease in the background, and notice when somebody cancels."""
        finished = threading.Event()
        thread = threading.Thread(target=self._renew, args=(finished,), name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            finished.set()
            thread.join()

    def _renew(self, finished: threading.Event) -> None:
        renew = sharing.keep_steps if self.claim.is_helper else ledger.heartbeat
        while not finished.wait(min(self.claim.lease_s / HEARTBEATS_PER_LEASE, LONGEST_HEARTBEAT_S)):
            try:
                with self.database.session() as session:
                    if renew(session, self.claim):
                        self._cancelled.set()
            except LeaseLost:
                self._lost.set()
                return
            except Exception:
                logger.warning("the lease of job %d was not renewed", self.claim.job_id, exc_info=True)


Handle = Callable[[Database, JobRun], dict[str, Any]]


def do_job(run: JobRun, handle: Handle) -> None:
    """Let the handler do the job; record and log how it ended, unless another worker has taken it over."""
    started = monotonic()
    code = ""
    try:
        how, code = _do(run, handle)
    except LeaseLost:
        how = "was taken over by another worker; nothing recorded"
    event = {
        "job": run.job.id,
        "kind": run.job.kind.value,
        "ended": how,
        "code": code,
        "seconds": round(monotonic() - started, 1),
    }
    logger.log(
        logging.INFO if how in _QUIET else logging.WARNING,
        "job %d (%s) %s after %.1f s",
        *(run.job.id, run.job.kind.value, f"{how}: {code}" if code else how, event["seconds"]),
        extra={"event": event},
    )


def _do(run: JobRun, handle: Handle) -> tuple[str, str]:
    """(how it ended, the code of the error that ended it)."""
    try:
        with run.lease_kept():
            result = handle(run.database, run)
    except LeaseLost:
        raise
    except JobCancelled:
        _record(run, ledger.acknowledge_cancel)
        return "was cancelled", ""
    except WorkerStopping:
        _record(run, ledger.release)
        return "was put back, the worker stops", ""
    except TryDied as error:
        _record(run, ledger.end_try, message=str(error))
        return "died in this try", error.code
    except Exception as error:
        return _fail(run, error)
    except BaseException:  # Ctrl-C: the next run goes on where this one stopped
        _record(run, ledger.release)
        raise
    _record(run, ledger.succeed, result=result)
    return "succeeded", ""


def _fail(run: JobRun, error: Exception) -> tuple[str, str]:
    if is_unreachable(error):
        _record(run, ledger.release)
        return "was put back, the database went away", ""
    error = DiskFull() if is_disk_full(error) else error
    code = getattr(error, "code", None)
    if isinstance(code, str):  # a sentence for whoever asked, which may name their files
        sentence = str(error)
        logger.debug("job %d: %s", run.job.id, sentence)
    else:  # only our own mistakes need their traceback
        code, sentence = "internal_error", f"{type(error).__name__}: {error}"
        logger.error("job %d met an error that was not foreseen", run.job.id, exc_info=error)
    _record(run, ledger.fail, code=code, message=sentence)
    return "failed", code


def _record(run: JobRun, outcome: Callable[..., None], **values: Any) -> None:
    with run.database.session() as session:
        outcome(session, run.claim, **values)
