"""A whole database as one SQLite file, whatever it is kept in, and back again."""

import dataclasses
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, Text, func, insert, select, update

from recommender.catalogue.database import CHUNK_ROWS, Database, migrate, open_database
from recommender.catalogue.tables.base import Base
from recommender.catalogue.tables.every import METADATA
from recommender.catalogue.tables.library import AudioFile, LibraryRoot
from recommender.catalogue.tables.playlists import Playlist
from recommender.catalogue.tables.work import Bundle
from recommender.errors import RecommenderError
from recommender.settings import Settings

# Columns that hold paths, each with the column that shows it to people.
_PATHS: tuple[tuple[type[Base], str, str | None], ...] = (
    (AudioFile, "path", "path_text"),
    (LibraryRoot, "path", "path_text"),
    (Playlist, "folder", None),
    (Bundle, "directory", None),
)


class NotEmpty(RecommenderError):
    """What would be restored over something is not restored."""

    code = "not_empty"


def snapshot(settings: Settings, path: Path) -> None:
    """Write everything that the database holds at one moment to a SQLite file, while others use it."""
    with closing(open_database(settings)) as database:
        if database.engine.dialect.name == "sqlite":
            with (
                closing(sqlite3.connect(path)) as target,
                closing(database.engine.raw_connection()) as source,
            ):
                source.driver_connection.backup(target)  # type: ignore[union-attr]
                # One file, without the log beside it.
                target.execute("PRAGMA journal_mode=DELETE")
            return
        with closing(_sqlite(settings, path)) as target_database:
            reading = database.engine.execution_options(isolation_level="REPEATABLE READ")
            with reading.begin() as source_rows, target_database.engine.begin() as target_rows:
                _copy(source_rows, target_rows)
        with closing(sqlite3.connect(path)) as target:
            target.execute("PRAGMA journal_mode=DELETE")


def load_snapshot(settings: Settings, path: Path) -> None:
    """Fill an empty database from a file of :func:`snapshot`; an older revision is brought up to date.

    Raises
    ------
    NotEmpty
        The database holds something.
    """
    migrate(_at(settings, path))
    migrate(settings)
    with closing(open_database(settings)) as database, closing(_sqlite(settings, path)) as source:
        refuse_filled(database)
        with source.read_session() as session, database.engine.begin() as target:
            _copy(session.connection(), target)
            _go_on_counting(target)


def refuse_filled(database: Database) -> None:
    """Raise NotEmpty unless no table holds a row."""
    with database.read_session() as session:
        for table in METADATA.sorted_tables:
            if session.execute(select(func.count()).select_from(table)).scalar_one():
                raise NotEmpty(
                    f"the database holds rows already (in the table {table.name}); restore into an empty one"
                )


def move_paths(database: Database, old: Path, new: Path) -> None:
    """Make every stored path below ``old`` one below ``new``, as after the data folder has moved."""
    if old == new:
        return
    prefix, end = os.fsencode(old) + b"/", os.fsencode(old) + b"0"
    with database.session() as session:
        for table, column, shown in _PATHS:
            place = getattr(table, column)
            rows = session.execute(
                select(table.__table__.c.id, place).where(place > prefix, place < end)
            ).all()
            for key, path in rows:
                moved = os.fsencode(new) + path[len(prefix) - 1 :]
                values = {column: moved} | (
                    {shown: os.fsencode(moved).decode("utf-8", "replace")} if shown else {}
                )
                session.execute(update(table).where(table.__table__.c.id == key).values(values))


def _copy(source: Connection, target: Connection) -> None:
    for table in METADATA.sorted_tables:
        rows = source.execution_options(yield_per=CHUNK_ROWS).execute(select(table))
        for chunk in rows.mappings().partitions(CHUNK_ROWS):
            target.execute(insert(table), [dict(row) for row in chunk])


def _go_on_counting(target: Connection) -> None:
    """Let the next row get a new id: PostgreSQL counts apart from what is in the table."""
    if target.dialect.name != "postgresql":
        return
    for table in METADATA.sorted_tables:
        column = table.c.get("id")
        if column is None or not column.primary_key or isinstance(column.type, Text):
            continue
        last = target.execute(select(func.max(column))).scalar_one()
        sequence = target.execute(select(func.pg_get_serial_sequence(table.name, "id"))).scalar_one()
        if last is not None and sequence is not None:
            target.execute(select(func.setval(sequence, last)))


def _sqlite(settings: Settings, path: Path) -> Database:
    """A SQLite file with today's tables."""
    migrate(_at(settings, path))
    return open_database(_at(settings, path))


def _at(settings: Settings, path: Path) -> Settings:
    return dataclasses.replace(settings, database_url=f"sqlite:///{path}")
