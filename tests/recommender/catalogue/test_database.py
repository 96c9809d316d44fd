"""Transactions: kept or undone as a whole, and never refused because somebody else writes."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from recommender.catalogue.database import Database, migrate, open_database, schema_state
from recommender.catalogue.playlists import create_playlist, list_playlists, set_members
from recommender.errors import DatabaseUnreachable
from recommender.settings import Settings, load_settings
from tests.databases import sqlite_only

N_WRITERS, N_WRITES = 4, 15


def names(database: Database) -> list[str]:
    with database.read_session() as session:
        return [playlist.name for playlist in list_playlists(session)]


def test_an_error_undoes_the_whole_transaction(database: Database) -> None:
    with pytest.raises(RuntimeError), database.session() as session:
        create_playlist(session, name="a")
        raise RuntimeError
    assert names(database) == []


def test_a_reader_sees_only_what_is_finished(database: Database) -> None:
    with database.session() as session:
        create_playlist(session, name="a")
        assert names(database) == []
    assert names(database) == ["a"]


def test_writers_at_once_wait_for_each_other(settings: Settings, database: Database) -> None:
    """Each reads first and writes later, which SQLite refuses to two at once unless it is told early."""
    start = threading.Barrier(N_WRITERS)

    def write(writer: int) -> None:
        own = open_database(settings)
        start.wait()
        for number in range(N_WRITES):
            with own.session() as session:
                list_playlists(session)
                time.sleep(0.001)
                create_playlist(session, name=f"{writer}-{number}")
        own.close()

    with ThreadPoolExecutor(N_WRITERS) as pool:
        list(pool.map(write, range(N_WRITERS)))
    assert len(names(database)) == N_WRITERS * N_WRITES


def test_foreign_keys_are_enforced(database: Database) -> None:
    with pytest.raises(IntegrityError), database.session() as session:
        playlist = create_playlist(session, name="a")
        set_members(session, playlist.id, [4711])


@sqlite_only
def test_sqlite_is_set_up_for_several_processes(database: Database) -> None:
    with database.engine.connect() as connection:
        values = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    assert values == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 30_000, "synchronous": 1}


@sqlite_only
def test_a_reader_is_not_kept_waiting_by_a_writer(database: Database) -> None:
    with database.session() as session:
        create_playlist(session, name="a")
        assert names(database) == []  # one that waited would wait for itself


def test_the_folder_of_a_new_sqlite_file_is_made(tmp_path: Path) -> None:
    settings = load_settings({"data": tmp_path / "deep" / "er"}, environ={})
    open_database(settings, check=False).close()
    assert (tmp_path / "deep" / "er").is_dir()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:hush@127.0.0.1:1/none", "postgresql+psycopg://me:***@127.0.0.1:1/none"),
        ("sqlite:////proc/no/whichlist.sqlite", "/proc/no' cannot be made"),
        ("sqlite:///{folder}/words.txt", "words.txt"),
    ],
)
def test_a_database_that_cannot_be_used_is_named_without_its_password(
    tmp_path: Path, url: str, shown: str
) -> None:
    (tmp_path / "words.txt").write_text("these are words and no database, " * 40)
    settings = load_settings({"database_url": url.format(folder=tmp_path)}, environ={})
    for use in (open_database, schema_state, migrate):
        with pytest.raises(DatabaseUnreachable) as caught:
            use(settings)
        assert shown in str(caught.value)
        assert "hush" not in str(caught.value)
