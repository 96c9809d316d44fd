"""Huey carries wake-ups between processes, nothing else: a lost one costs two seconds, never a job."""

import contextlib
import logging
import time

from huey import Huey, PostgresHuey, SqliteHuey

from recommender.settings import Settings

NAME = "whichlist"
LOOK_EVERY_S = 0.1
N_TRIES = 5
UNSENT = "no wake-up was sent; the worker will find the job by itself"

logger = logging.getLogger(__name__)


class WakeUps:
    """The queue that tells a sleeping worker to look at the ledger."""

    def __init__(self, huey: Huey) -> None:
        self._huey = huey
        self._send = huey.task(name="wake_up")(_look_at_the_ledger)

    def wake(self) -> None:
        """Tell a worker to look, after the job's transaction was committed.

        A queue that cannot be reached is only logged: workers look by themselves as well.
        """
        try:
            # One message is enough: whoever takes it looks at the ledger afterwards.
            if not self._huey.pending_count():
                self._send()
        except Exception:
            logger.warning("%s", UNSENT, exc_info=True)

    def wait(self, timeout_s: float) -> bool:
        """Sleep until somebody calls :meth:`wake`, or until the time is up; whether there was a call."""
        deadline = time.monotonic() + timeout_s
        while True:
            if self._huey.dequeue() is not None:
                return True
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return False
            # PostgreSQL's dequeue has listened already, SQLite's has only looked.
            time.sleep(min(left_s, LOOK_EVERY_S))

    def close(self) -> None:
        """Give the connection back."""
        self._huey.storage.close()


def build_queue(settings: Settings) -> WakeUps:
    """The queue of the settings: SQLite in the data folder, or PostgreSQL for many machines."""
    if settings.queue_url.startswith("postgresql"):
        dsn = settings.queue_url.replace("+psycopg", "", 1)
        return _open_postgresql(dsn)
    settings.data.mkdir(parents=True, exist_ok=True)
    path = settings.queue_url.removeprefix("sqlite:///")
    return WakeUps(SqliteHuey(NAME, filename=path, results=False))


def _open_postgresql(dsn: str) -> WakeUps:
    """The queue in a PostgreSQL; workers that start together may each try to make its tables."""
    for _number in range(N_TRIES):
        try:
            return WakeUps(PostgresHuey(NAME, dsn=dsn, read_timeout=LOOK_EVERY_S, results=False))
        except Exception as error:
            logger.info("the queue cannot be opened yet: %s", error)
            time.sleep(LOOK_EVERY_S)
    return WakeUps(PostgresHuey(NAME, dsn=dsn, read_timeout=LOOK_EVERY_S, results=False))


def wake(settings: Settings) -> None:
    """Send one wake-up and give the connection back; for callers that queue a job now and then."""
    try:
        with contextlib.closing(build_queue(settings)) as queue:
            queue.wake()
    except Exception:
        logger.warning("%s", UNSENT, exc_info=True)


def _look_at_the_ledger() -> None:
    """What a wake-up asks for; the worker that takes the message does it."""
