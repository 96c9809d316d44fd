"""What the log says of requests that failed and of jobs, and what it never says."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from api.log import JsonLines, TextLines
from recommender.catalogue.database import Database
from recommender.errors import UnreadableFolder
from recommender.jobs import ledger
from recommender.jobs.run import JobRun
from recommender.jobs.worker import run_job_here
from recommender.records.jobs import JobKind, JobState
from recommender.settings import Settings
from tests.api.conftest import Filled
from tests.api.problems import assert_problem
from tests.databases import sqlite_only


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO):
        yield caplog


def as_json(record: logging.LogRecord) -> dict[str, object]:
    line = JsonLines(says_all=False).format(record)
    assert "\n" not in line
    parsed: dict[str, object] = json.loads(line)
    return parsed


@sqlite_only
def test_a_request_that_failed_is_one_line_with_the_id_that_the_caller_sees(
    client: FlaskClient, filled: Filled, lines: pytest.LogCaptureFixture
) -> None:
    answer = client.get("/tracks/999999?token=very-secret")
    body = assert_problem(answer, 404, "track_not_found")
    assert answer.headers["X-Request-ID"] == body["request_id"]
    (record,) = [one for one in lines.records if one.name == "whichlist.requests"]
    line = as_json(record)
    assert line["request_id"] == body["request_id"]
    assert {name: line[name] for name in ("level", "method", "route", "status", "code")} == {
        "level": "info",
        "method": "GET",
        "route": "/tracks/<int:track_id>",
        "status": 404,
        "code": "track_not_found",
    }
    assert "very-secret" not in str(line)


@sqlite_only
def test_a_request_that_went_well_is_no_line_and_has_an_id(
    client: FlaskClient, filled: Filled, lines: pytest.LogCaptureFixture
) -> None:
    ids = {client.get("/tracks").headers["X-Request-ID"] for _ in range(3)}
    assert len(ids) == 3
    assert [one for one in lines.records if one.name == "whichlist.requests"] == []


@sqlite_only
@pytest.mark.parametrize(
    ("given", "is_taken"), [("7f3a-from.proxy_1", True), ("x" * 65, False), ("a b", False), ('"}{', False)]
)
def test_a_proxy_s_id_is_kept_when_it_is_a_plain_one(client: FlaskClient, given: str, is_taken: bool) -> None:
    kept = client.get("/tracks/0", headers={"X-Request-ID": given}).get_json()["request_id"]
    assert (kept == given) == is_taken


@sqlite_only
def test_what_names_a_file_is_said_at_debug_only(
    app: APIFlask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, lines: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError("/".join(("/music", "priv" + "ate", "di" + "ary.mp3")) + " is odd")  # not in the source

    monkeypatch.setattr("api.routes.tracks.list_tracks", broken)
    client.get("/recommend?track=/music/private/diary.mp3")
    body = assert_problem(client.get("/tracks"), 500, "internal_error")
    written = [TextLines(says_all=False).format(one) for one in lines.records]
    written += [JsonLines(says_all=False).format(one) for one in lines.records]
    assert not [line for line in written if "diary" in line or "private" in line]
    (failed,) = [one for one in lines.records if one.exc_info]
    assert body["request_id"] in failed.getMessage()
    assert "OSError" in JsonLines(says_all=False).format(failed)
    assert "list_tracks" in JsonLines(says_all=False).format(failed)
    assert "diary" in TextLines(says_all=True).format(failed)


@sqlite_only
def test_each_job_is_a_line(database: Database, settings: Settings, lines: pytest.LogCaptureFixture) -> None:
    def good(_database: Database, _run: JobRun) -> dict[str, object]:
        return {}

    def bad(_database: Database, _run: JobRun) -> dict[str, object]:
        raise UnreadableFolder("/music/private cannot be read")

    for handle, state in ((good, JobState.SUCCEEDED), (bad, JobState.FAILED)):
        with database.session() as session:
            job_id = ledger.enqueue(session, JobKind.REFIT, {})
        assert run_job_here(settings, job_id, handle).state is state
    told = [as_json(one) for one in lines.records if hasattr(one, "event")]
    assert [(line["kind"], line["ended"], line["code"], line["level"]) for line in told] == [
        ("refit", "succeeded", "", "info"),
        ("refit", "failed", UnreadableFolder.code, "warning"),
    ]
    assert all("private" not in str(line) for line in told)


@sqlite_only
def test_a_process_writes_what_the_settings_ask_for(settings: Settings) -> None:
    """Every line of its standard error is an object."""
    code = (
        "import logging; from api.log import log_to_stderr; from recommender.settings import load_settings;"
        "log_to_stderr(load_settings()); logging.getLogger('recommender.x').warning('said %d', 1);"
        "logging.getLogger('recommender.x').debug('unsaid')"
    )
    environment = os.environ | {"WHICHLIST_LOG": "json", "WHICHLIST_DATA": str(settings.data)}
    for level, expected in (("info", ["said 1"]), ("debug", ["said 1", "unsaid"])):
        environment["WHICHLIST_LOG_LEVEL"] = level
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert [json.loads(line)["message"] for line in done.stderr.splitlines()] == expected
