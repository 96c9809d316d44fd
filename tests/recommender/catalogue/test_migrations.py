"""Migrations: forwards, backwards, from any folder, and refused clearly when they are missing."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text

from recommender.catalogue.database import migrate, open_database, schema_state
from recommender.catalogue.playlists import create_playlist, list_playlists
from recommender.catalogue.tables.every import METADATA
from recommender.errors import SchemaOutdated
from recommender.records.models import SchemaState
from recommender.settings import Settings, load_settings

REVISIONS = Path(__file__).parents[3] / "migrations" / "versions"
HEAD = max(path.stem.partition("_")[0] for path in REVISIONS.glob("0*.py"))


@pytest.fixture
def empty_settings(empty_database_url: str, tmp_path: Path) -> Settings:
    """Settings of a database without tables."""
    return load_settings({"data": tmp_path, "database_url": empty_database_url}, environ={})


def test_migrated_tables_are_those_the_program_expects(
    empty_settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert migrate(empty_settings) == SchemaState(revision=HEAD, head=HEAD)
    engine = create_engine(empty_settings.database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_an_empty_database_is_refused_with_the_command_to_run(empty_settings: Settings) -> None:
    assert schema_state(empty_settings) == SchemaState(revision=None, head=HEAD)
    with pytest.raises(SchemaOutdated, match=r"has no tables yet.*`whichlist migrate`"):
        open_database(empty_settings)


def test_one_revision_behind_is_refused_and_migrating_keeps_the_rows(settings: Settings) -> None:
    database = open_database(settings)
    with database.session() as session:
        create_playlist(session, name="hip hop")
    database.close()
    assert migrate(settings, revision="0001").revision == "0001"
    with pytest.raises(
        SchemaOutdated, match=rf"revision 0001, this program needs {HEAD}: run `whichlist migrate`"
    ):
        open_database(settings)
    assert migrate(settings).is_current
    database = open_database(settings)
    with database.read_session() as session:
        assert [playlist.name for playlist in list_playlists(session)] == ["hip hop"]
    database.close()


def test_migrating_twice_changes_nothing(settings: Settings) -> None:
    assert migrate(settings) == migrate(settings) == SchemaState(revision=HEAD, head=HEAD)


def test_going_all_the_way_back_leaves_no_table(settings: Settings) -> None:
    migrate(settings, revision="base")
    engine = create_engine(settings.database_url)
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    engine.dispose()


def test_a_newer_database_is_refused_without_advice_to_migrate(settings: Settings) -> None:
    engine = create_engine(settings.database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(SchemaOutdated, match=r"9999.*newer version") as caught:
        open_database(settings)
    assert "whichlist migrate" not in str(caught.value)
