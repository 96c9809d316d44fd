"""The loop that takes jobs from the ledger and does them, whatever becomes of the worker."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Collection
from uuid import uuid4

from recommender.catalogue.database import Database, is_unreachable, open_database
from recommender.errors import JobCancelled, LeaseLost, RecommenderError
from recommender.jobs import ledger, sharing
from recommender.jobs.queue import WakeUps, build_queue
from recommender.jobs.run import Handle, JobRun, WorkerStopping, do_job
from recommender.jobs.steps import Claim
from recommender.records.jobs import JobInfo, JobKind
from recommender.settings import Settings

LOOK_EVERY_S = 2.0
LONGEST_PAUSE_S = 16.0
LISTEN_S = 0.5
MINUTE_S = 60.0
QUICK_JOBS = frozenset(
    {JobKind.SCAN, JobKind.ADD_PLAYLIST, JobKind.IMPORT_PLAYLIST, JobKind.SYNC, JobKind.REFIT}
)
SLOW_JOBS = frozenset({JobKind.TRAIN})
FEED_JOBS = frozenset({JobKind.SCORE_FEED})
_LANES = (QUICK_JOBS, SLOW_JOBS, FEED_JOBS)

logger = logging.getLogger(__name__)


def run_worker(
    settings: Settings,
    handle: Handle,
    stop: threading.Event,
    *,
    without: Collection[JobKind] = (),
    each_minute: Callable[[Database], object] | None = None,
) -> None:
    """Do jobs until told to stop, none of the kinds ``without``.

    Quick jobs, slow ones and feeds have a lane each, so that adding a playlist never waits for them. A
    wake-up is answered at once; without one the ledger is looked at every two seconds. ``each_minute`` may
    queue what is due by the clock.
    """
    database = open_database(settings)
    taken = [kinds.difference(without) for kinds in _LANES]
    lanes = [_Lane(settings, database, handle, stop, kinds=kinds) for kinds in taken if kinds]
    for lane in lanes:
        lane.start()
    queue = build_queue(settings)
    next_minute = time.monotonic()
    try:
        while not stop.is_set():
            if each_minute is not None and time.monotonic() >= next_minute:
                next_minute = time.monotonic() + MINUTE_S
                _look_at_the_clock(database, each_minute)
            if _was_woken(queue, stop):
                for lane in lanes:
                    lane.look.set()
    finally:
        stop.set()
        for lane in lanes:
            lane.look.set()
            lane.join()
        queue.close()
        database.close()


def run_job_here(
    settings: Settings,
    job_id: int,
    handle: Handle,
    *,
    on_progress: Callable[[JobInfo], None] | None = None,
    follow_every_s: float = 0.2,
) -> JobInfo:
    """Do one job in this process, or follow the worker that does it already; the job when it has ended."""
    database = open_database(settings)
    never = threading.Event()
    try:
        while True:
            claim = _claim(database, settings, job_id=job_id)
            if claim is not None:
                run = JobRun(database, claim, stop=never, is_expendable=True, on_progress=on_progress)
                do_job(run, handle)
            with database.read_session() as session:
                info = ledger.get_job(session, job_id)
            if on_progress is not None:
                on_progress(info)
            if info.state.is_final:
                return info
            never.wait(follow_every_s)
    finally:
        database.close()


def _look_at_the_clock(database: Database, each_minute: Callable[[Database], object]) -> None:
    """What is due can wait for the next minute, whatever goes wrong; the lanes cannot."""
    try:
        each_minute(database)
    except Exception as error:
        logger.error("what is due could not be queued", exc_info=not is_unreachable(error))


class _Lane(threading.Thread):
    """Does one job of some kinds after another."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        handle: Handle,
        stop: threading.Event,
        *,
        kinds: Collection[JobKind],
    ) -> None:
        super().__init__(name=f"lane-{'-'.join(sorted(kinds))}", daemon=True)
        self._settings, self._database, self._do = settings, database, handle
        self._stop_event, self._kinds = stop, kinds
        self._not_helped: set[int] = set()
        self.look = threading.Event()

    def run(self) -> None:
        pause_s = LOOK_EVERY_S
        while not self._stop_event.is_set():
            self.look.clear()
            try:
                if self._do_one():
                    continue
                pause_s = LOOK_EVERY_S
            except Exception as error:
                # A server that is away for hours is no reason to fill the log.
                logger.error("the ledger could not be read; trying again", exc_info=not is_unreachable(error))
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            self.look.wait(pause_s)

    def _do_one(self) -> bool:
        claim = _claim(self._database, self._settings, kinds=self._kinds)
        if claim is None:
            return self._help()
        do_job(JobRun(self._database, claim, stop=self._stop_event), self._do)
        return True

    def _help(self) -> bool:
        """Do steps of a job that another worker holds and shares; whether there were any."""
        with self._database.read_session() as session:
            claim = sharing.find_help(session, kinds=self._kinds, but_not=self._not_helped)
        if claim is None:
            return False
        run = JobRun(self._database, claim, stop=self._stop_event)
        try:
            with run.lease_kept():
                self._do(self._database, run)
        except (JobCancelled, LeaseLost, WorkerStopping):
            pass
        except RecommenderError as error:
            self._not_helped.add(claim.job_id)
            logger.warning("this worker does not help with job %d: %s", claim.job_id, error.code)
            logger.debug("job %d: %s", claim.job_id, error)
        finally:
            with self._database.session() as session:
                sharing.give_steps_back(session, claim)
        return True


def _claim(
    database: Database,
    settings: Settings,
    *,
    job_id: int | None = None,
    kinds: Collection[JobKind] | None = None,
) -> Claim | None:
    worker_id = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:6]}"
    with database.session() as session:
        return ledger.claim(session, worker_id, settings.lease_s, job_id=job_id, kinds=kinds)


def _was_woken(queue: WakeUps, stop: threading.Event) -> bool:
    """Wait for a wake-up; a queue that cannot be read must not stop the lanes, which look by themselves."""
    try:
        return queue.wait(LISTEN_S)
    except Exception:
        logger.warning("the wake-up queue could not be read", exc_info=True)
        stop.wait(LOOK_EVERY_S)
        return False
