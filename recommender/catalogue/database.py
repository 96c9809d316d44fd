"""The connection to the database: engine, sessions, and whether its tables are current."""

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Double, Engine, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

from recommender.catalogue.tables.base import Base
from recommender.errors import DatabaseUnreachable, SchemaOutdated
from recommender.records.models import SchemaState
from recommender.settings import Settings

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
BUSY_TIMEOUT_S = 30.0
CHUNK_ROWS = 1000
# PostgreSQL's words for: connection lost, shut down, crashed, starting, too many connections.
_GONE_STATES = ("08", "57P", "53300")


@dataclass(frozen=True)
class Database:
    """An engine and its two kinds of session; safe to share between threads, never between processes."""

    engine: Engine

    def session(self) -> AbstractContextManager[Session]:
        """A transaction that may write: committed at the end, rolled back on an error.

        On SQLite it takes the write lock at once, so that reading first and writing later can never
        fail with "database is locked". Keep it short.
        """
        return self._transaction(self.engine)

    def read_session(self) -> AbstractContextManager[Session]:
        """A snapshot to read from; it never waits for a writer."""
        return self._transaction(self._reading_engine)

    @cached_property
    def _reading_engine(self) -> Engine:
        return self.engine.execution_options(read_only=True)

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Session]:
        # Not a sessionmaker: making one for each transaction cost a request half a millisecond.
        with Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def open_database(settings: Settings, *, check: bool = True) -> Database:
    """The database of the settings.

    Raises
    ------
    SchemaOutdated
        When its tables are not those of this program; ``check=False`` opens it all the same.
    DatabaseUnreachable
        When it does not answer.
    """
    if check:
        refuse_outdated(schema_state(settings))
    return Database(_create_engine(settings.database_url))


def is_unreachable(error: BaseException | None) -> bool:
    """Return whether an error, or what it came from, says that the database's server is away."""
    while error is not None:
        if isinstance(error, DBAPIError):
            state = getattr(error.orig, "sqlstate", "")
            # None: there is no connection that could have said more.
            is_gone = state is None or (bool(state) and state.startswith(_GONE_STATES))
            return error.connection_invalidated or (is_gone and isinstance(error, OperationalError))
        error = error.__cause__ or error.__context__
    return False


def refuse_outdated(state: SchemaState) -> None:
    """Say what to run when the tables are not current."""
    if state.is_current:
        return
    if state.revision is not None and state.revision not in _revisions():
        raise SchemaOutdated(
            f"the database is at revision {state.revision}, which this program (revision {state.head})"
            " does not know: it was written by a newer version; install that version"
        )
    found = f"is at revision {state.revision}" if state.revision else "has no tables yet"
    raise SchemaOutdated(f"the database {found}, this program needs {state.head}: run `whichlist migrate`")


def schema_state(settings: Settings) -> SchemaState:
    """The database's revision and the program's."""
    with _engine_for_a_moment(settings) as engine:
        return _schema_state(engine)


def migrate(settings: Settings, *, revision: str = "head") -> SchemaState:
    """Bring the tables to a revision, keeping what they hold; runs from any working directory."""
    from alembic import command

    with _engine_for_a_moment(settings) as engine:
        with engine.begin() as connection:
            config = _alembic_config()
            config.attributes["connection"] = connection
            newest_first = (*_revisions(), "base")
            newer = newest_first[: newest_first.index(revision)] if revision != "head" else ()
            step = command.downgrade if _current_revision(connection) in newer else command.upgrade
            step(config, revision)
        return _schema_state(engine)


class database_now(FunctionElement[float]):  # noqa: N801 (reads as the SQL function it is)
    """Seconds since 1970 by the database's clock, the one clock that all its workers share."""

    inherit_cache = True
    type = Double()


@compiles(database_now, "sqlite")
def _now_sqlite(_element: object, _compiler: object, **_options: object) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(database_now, "postgresql")
def _now_postgresql(_element: object, _compiler: object, **_options: object) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"


def insert_or_keep(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows; one that exists already stays as it is."""
    for start in range(0, len(rows), CHUNK_ROWS):
        session.execute(_insert(session)(table).on_conflict_do_nothing(), rows[start : start + CHUNK_ROWS])


def insert_or_update(session: Session, table: type[Base], row: dict[str, Any], key: Sequence[str]) -> None:
    """Insert a row, or give the one with the same key these values."""
    values = {name: value for name, value in row.items() if name not in key}
    statement = _insert(session)(table).values(row)
    session.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))


def insert_or_replace(
    session: Session, table: type[Base], rows: Sequence[dict[str, Any]], key: Sequence[str]
) -> None:
    """Insert rows of the same columns; those with the same key get the new values."""
    if not rows:
        return
    statement = _insert(session)(table)
    values = {name: statement.excluded[name] for name in rows[0] if name not in key}
    statement = statement.on_conflict_do_update(index_elements=list(key), set_=values)
    for start in range(0, len(rows), CHUNK_ROWS):
        session.execute(statement, rows[start : start + CHUNK_ROWS])


def is_sqlite(settings: Settings) -> bool:
    """Whether the catalogue is a file of this machine, which nobody else brings up to date."""
    return make_url(settings.database_url).get_backend_name() == "sqlite"


def _insert(session: Session) -> Any:
    """Insert construct that knows ON CONFLICT, for the session's database."""
    return {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[session.get_bind().dialect.name]


@contextmanager
def _engine_for_a_moment(settings: Settings) -> Iterator[Engine]:
    engine = _create_engine(settings.database_url)
    try:
        yield engine
    except DatabaseError as error:
        shown = engine.url.render_as_string(hide_password=True)
        raise DatabaseUnreachable(f"the database {shown} cannot be used: {error.orig}") from error
    finally:
        engine.dispose()


def _create_engine(database_url: str) -> Engine:
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    if url.database and url.database != ":memory:":
        _make_folder(Path(url.database).parent)
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnreachable(
            f"the folder {os.fspath(folder)!r} cannot be made: {error.strerror}"
        ) from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver would begin transactions by itself, and too late: _begin_sqlite does it.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    read_only = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _alembic_config() -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", os.fspath(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@cache
def _revisions() -> tuple[str, ...]:
    """Every revision this program knows, newest first."""
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(_alembic_config())
    return tuple(revision.revision for revision in script.walk_revisions())


def _schema_state(engine: Engine) -> SchemaState:
    with engine.execution_options(read_only=True).connect() as connection:
        return SchemaState(revision=_current_revision(connection), head=_revisions()[0])


def _current_revision(connection: Connection) -> str | None:
    from alembic.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()
