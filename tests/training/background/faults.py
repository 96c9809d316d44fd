"""What can go wrong in the middle of a batch, each done for real; it must come out as if it had not."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from recommender.catalogue.database import MIGRATIONS, Database, migrate
from recommender.catalogue.models import current_bundle
from recommender.records.feeds import FeedInfo
from recommender.records.jobs import JobInfo
from recommender.settings import Settings
from tests.recommender.model.tiny_bundles import make_world, publish_world
from tests.training.background.feeding import answers_of, items_of
from tests.training.background.fleets import (
    PATIENCE_S,
    REPOSITORY,
    Fleet,
    Watch,
    ask,
    assert_each_scored_once,
    kill,
    kill_postgresql,
    move_clock,
    restart_postgresql,
)
from tests.training.background.full_disks import no_file_larger_than
from tests.waiting import wait_for

TWO_HOURS_S = 7200.0
POISON = "poison.flac"


@dataclass
class World:
    """A model in service, a feed that nobody has begun with, and workers to be started."""

    settings: Settings
    database: Database
    feed: FeedInfo
    fleet: Fleet
    n_tracks: int
    server: Any = None

    def begin(self, *, n_workers: int = 2, **options: Any) -> Watch:
        """Ask for the scores, start workers, and wait until they are at it."""
        watch = Watch(self.database, self.feed, ask(self.database, self.feed))
        for _number in range(n_workers):
            self.fleet.start(**options)
        watch.until_done(self.n_tracks // 10)
        return watch

    def end(self, watch: Watch, *, n_failed: int = 0) -> JobInfo:
        """Wait until the batch is over; every track must have been scored once."""
        job = watch.until_over()
        assert_each_scored_once(watch, n_tracks=self.n_tracks, n_failed=n_failed, job=job)
        return job


def kill_a_worker(world: World) -> Watch:
    """The one that holds the job."""
    watch = world.begin()
    holder = world.fleet.holder(world.database, watch.job_id)
    assert holder is not None
    kill(holder)
    world.end(watch)
    return watch


def kill_all_workers(world: World) -> Watch:
    """And start others."""
    watch = world.begin()
    world.fleet.close()
    watch.look()
    assert watch.n_done < world.n_tracks
    world.fleet.start()
    world.end(watch)
    return watch


def kill_the_web_process(world: World) -> Watch:
    """It was asked over HTTP, dies in the middle, and tells the truth again once it is back."""
    server, url = serve(world)
    answer = call(f"{url}/feeds/{world.feed.id}/score", method="POST")
    watch = Watch(world.database, world.feed, answer["job"]["id"])
    for _number in range(2):
        world.fleet.start()
    watch.until_done(world.n_tracks // 10)
    kill(server)
    world.end(watch)
    server, url = serve(world)
    assert call(f"{url}/jobs/{watch.job_id}")["n_done"] == world.n_tracks
    results = call(f"{url}/feeds/{world.feed.id}/results?min_probability=0")
    assert results["n_scored"] == world.n_tracks
    kill(server)
    return watch


def kill_postgresql_itself(world: World) -> Watch:
    """Every process of it; HTTP says so meanwhile, and the workers wait until it is back."""
    watch = world.begin()
    server, url = serve(world)
    kill_postgresql(world.server)
    try:
        for _number in range(3):
            with pytest.raises(HTTPError) as refused:
                call(f"{url}/jobs/{watch.job_id}")
            assert (refused.value.code, json.load(refused.value)["code"]) == (503, "database_unreachable")
        time.sleep(1.0)
    finally:
        restart_postgresql(world.server)
    assert call(f"{url}/jobs/{watch.job_id}")["id"] == watch.job_id
    kill(server)
    assert [worker.poll() for worker in world.fleet.workers] == [None, None], world.fleet.log()
    world.end(watch)
    return watch


def let_a_lease_run_out(world: World) -> Watch:
    """A worker stands still for longer than its lease, as on a closed laptop, and then goes on."""
    watch = world.begin()
    holder = world.fleet.holder(world.database, watch.job_id)
    assert holder is not None
    _stop(holder, world.database)
    watch.until(lambda: world.fleet.holder(world.database, watch.job_id) is not holder)
    holder.send_signal(signal.SIGCONT)
    world.end(watch)
    return watch


def put_the_clock_forwards(world: World) -> Watch:
    """Every lease is over at once, though all workers live."""
    watch = world.begin()
    move_clock(world.database, TWO_HOURS_S)
    world.end(watch)
    return watch


def put_the_clock_back(world: World) -> Watch:
    """No lease ends any more, and the worker that held the job is dead."""
    watch = world.begin()
    holder = world.fleet.holder(world.database, watch.job_id)
    assert holder is not None
    kill(holder)
    move_clock(world.database, -TWO_HOURS_S)
    world.end(watch)
    return watch


def fill_the_disk_with_results(world: World) -> Watch:
    """No file of the worker may grow further, which the database's soon does; then there is room again."""
    size = max(path.stat().st_size for path in world.settings.data.parent.glob("*.sqlite*"))
    watch = Watch(world.database, world.feed, ask(world.database, world.feed))
    starved = world.fleet.start(largest_file=size + 150_000)
    watch.until(lambda: watch.look() == "failed" or "full" in world.fleet.log() or "I/O" in world.fleet.log())
    kill(starved)
    if watch.look() == "failed":  # it says why, and may be asked for again
        watch = Watch(world.database, world.feed, ask(world.database, world.feed))
        world.fleet.start()
        watch.until_over()
        assert watch.lies == [], watch.lies
        return check_results(world, watch)
    world.fleet.start()
    world.end(watch)
    return watch


def check_results(world: World, watch: Watch) -> Watch:
    """A second job did what the first one had not; together they did everything once."""
    assert len(answers_of(world.database, world.feed.id)) == world.n_tracks
    assert {item.state.value for item in items_of(world.database, world.feed.id)} == {"scored"}
    assert watch.most_tries <= 3
    return watch


def fill_the_disk_with_a_bundle(world: World) -> Watch:
    """A fit meets a full disk while a batch runs: what is in service stays, and the batch does not notice."""
    watch = world.begin()
    with world.database.read_session() as session:
        before = current_bundle(session)
    assert before is not None
    with no_file_larger_than(2_000), pytest.raises(OSError, match="large"):
        publish_world(make_world(), world.settings.bundles_directory)
    with world.database.read_session() as session:
        assert current_bundle(session) == before
    assert [path.name for path in world.settings.bundles_directory.iterdir()] == [before.id]
    world.end(watch)
    return watch


def score_twice_at_once(world: World) -> Watch:
    """Two people ask for the same feed at the same moment, by the command."""
    programs = [world.fleet.start(score=world.feed.id) for _number in range(2)]
    wait_for(lambda: _only_job(world) is not None, what="the job")
    job_id = _only_job(world)
    assert job_id is not None
    watch = Watch(world.database, world.feed, job_id)
    world.end(watch)
    assert [program.wait(PATIENCE_S) for program in programs] == [0, 0]
    assert _only_job(world) == job_id
    return watch


def poison_a_file(world: World) -> Watch:
    """It kills every decoder; it is set aside after its tries, and the batch goes on."""
    folder = Path(world.feed.reference)
    poison = folder / POISON
    poison.write_bytes((folder / "00.flac").read_bytes() + b"poison")
    an_hour_ago = time.time() - 3600
    os.utime(poison, (an_hour_ago, an_hour_ago))
    try:
        watch = world.begin()
        job = world.end(watch, n_failed=1)
        assert job.n_failed == 1
    finally:
        poison.unlink()
    return watch


def use_an_older_schema(world: World) -> Watch:
    """Workers refuse it with the command that helps; after it, they do their work."""
    watch = Watch(world.database, world.feed, ask(world.database, world.feed))
    *_, before, head = sorted(path.name[:4] for path in MIGRATIONS.glob("versions/[0-9]*.py"))
    migrate(world.settings, revision=before)
    assert world.fleet.start().wait(PATIENCE_S) != 0
    assert f"revision {before}, this program needs {head}: run `whichlist migrate`" in world.fleet.log()
    migrate(world.settings)
    world.database.close()
    world.fleet.start()
    world.end(watch)
    return watch


FAULTS: tuple[Callable[[World], Watch], ...] = (
    kill_a_worker,
    kill_all_workers,
    kill_the_web_process,
    kill_postgresql_itself,
    let_a_lease_run_out,
    put_the_clock_forwards,
    put_the_clock_back,
    fill_the_disk_with_results,
    fill_the_disk_with_a_bundle,
    score_twice_at_once,
    poison_a_file,
    use_an_older_schema,
)
ON_POSTGRESQL_ONLY = {kill_postgresql_itself}
ON_SQLITE_ONLY = {fill_the_disk_with_results}


def serve(world: World) -> tuple["subprocess.Popen[bytes]", str]:
    """A web process, and where it answers."""
    log = world.settings.data.parent / "web.log"
    log.unlink(missing_ok=True)
    environment = os.environ | {
        "WHICHLIST_DATA": str(world.settings.data),
        "WHICHLIST_DATABASE_URL": world.settings.database_url,
    }
    command = [
        sys.executable,
        "-X",
        "faulthandler",
        "-m",
        "api.cli",
        "serve",
        "--without-worker",
        "--port",
        "0",
    ]
    with log.open("w") as file:
        server = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stderr=file)
    world.fleet.others.append(server)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for line in log.read_text().splitlines():
            if "listens on " in line:
                return server, line.rpartition(" ")[2]
        time.sleep(0.05)
    server.send_signal(signal.SIGABRT)  # what each thread was doing goes into the log
    server.wait()
    raise AssertionError(log.read_text())


def call(url: str, *, method: str = "GET") -> Any:
    """What the web process answers."""
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=30) as answer:
        return json.load(answer)


def _stop(worker: "subprocess.Popen[bytes]", database: Database) -> None:
    """Let a worker stand still between two writes: in the middle of one it would hold all of SQLite up."""
    while True:
        worker.send_signal(signal.SIGSTOP)
        if database.engine.dialect.name != "sqlite":
            return
        with closing(sqlite3.connect(str(database.engine.url.database), timeout=1.0)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                worker.send_signal(signal.SIGCONT)
                time.sleep(0.1)
            else:
                connection.rollback()
                return


def _only_job(world: World) -> int | None:
    with world.database.engine.execution_options(read_only=True).connect() as connection:
        ids = [row[0] for row in connection.exec_driver_sql("SELECT id FROM job")]
    assert len(ids) <= 1
    return ids[0] if ids else None
