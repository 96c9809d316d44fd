"""Playlists of the user's own servers, asked for over HTTP and by command."""

from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from api.cli import main
from recommender.catalogue.database import Database
from recommender.jobs.ledger import get_job
from recommender.records.jobs import JobKind, JobState
from recommender.settings import Settings
from tests.api.conftest import Filled
from tests.api.problems import assert_problem
from tests.databases import sqlite_only


@pytest.mark.parametrize("source", ["subsonic:late night", "jellyfin:favourites", "https://a.example/feed"])
def test_a_source_becomes_a_playlist_by_a_job(source: str, client: FlaskClient, filled: Filled) -> None:
    response = client.post("/playlists", json={"name": "new", "source": source})
    job = response.get_json()["job"]
    assert (response.status_code, response.location) == (202, f"/jobs/{job['id']}")
    with filled.database.read_session() as session:
        queued = get_job(session, job["id"])
    assert (queued.kind, queued.state) == (JobKind.IMPORT_PLAYLIST, JobState.QUEUED)
    assert queued.payload == {"name": "new", "reference": source, "group": "default"}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"source": "the attic"}, "invalid_request"),
        ({"source": "file:///etc/passwd"}, "invalid_request"),
        ({"source": "subsonic:"}, "invalid_request"),
        ({"source": "subsonic:a", "folder": "low"}, "invalid_request"),
        ({"source": ""}, "invalid_request"),
        ({}, "invalid_request"),
    ],
)
@sqlite_only
def test_what_names_no_source_is_refused(
    asked: dict[str, Any], code: str, client: FlaskClient, filled: Filled
) -> None:
    assert_problem(client.post("/playlists", json={"name": "new"} | asked), 422, code)


@sqlite_only
def test_the_command_says_what_is_not_configured(settings: Settings, database: Database) -> None:
    environment = {"WHICHLIST_DATABASE_URL": settings.database_url}
    call = ["--data", str(settings.data), "add-playlist", "night"]
    done = CliRunner().invoke(main, [*call, "subsonic:late night"], env=environment)
    assert done.exit_code == 1 and "WHICHLIST_SUBSONIC_URL" in done.stderr
    done = CliRunner().invoke(main, [*call, str(settings.data / "missing")], env=environment)
    assert done.exit_code == 2 and "does not exist" in done.stderr
