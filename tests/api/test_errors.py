"""Errors of every route alike: problems, tokens, other sites, sizes; and the table of codes."""

import ast
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

import recommender.errors
import recommender.jobs.worker
from api.app import create_app
from api.auth import is_loopback
from api.codes import Problem, all_problems
from api.pages.static_version import static_url_path
from api.services import find_services
from embeddings import errors as embedding_errors
from recommender.errors import SchemaOutdated
from recommender.settings import Settings
from tests.api.conftest import Filled
from tests.api.problems import assert_problem
from tests.databases import sqlite_only

# Raised only where no HTTP caller can be waiting for them.
INTERNAL = {
    "recommender_error",
    "bad_setting",
    "embedding_not_found",
    "lease_lost",
    "cancelled",
    "fingerprint_mismatch",
    "champion_changed",
    "cannot_help",
    "unreadable_picture",
    "index_error",
    "index_mismatch",
    "corrupt_index",
}


def test_every_error_that_a_caller_can_meet_has_a_problem() -> None:
    def family(error: type[Exception]) -> Iterator[type[Exception]]:
        yield error
        for child in error.__subclasses__():
            yield from family(child)

    bases = (recommender.errors.RecommenderError, embedding_errors.EmbeddingError)
    raised_here = [
        error for base in bases for error in family(base) if not error.__module__.startswith("training")
    ]
    codes = {error.code for error in raised_here}  # type: ignore[attr-defined]
    assert codes - {problem.code for problem in all_problems().values()} - INTERNAL == set()


def test_codes_are_named_once_and_say_what_to_do() -> None:
    codes = [problem.code for problem in all_problems().values()]
    assert len(codes) == len(set(codes))
    for problem in all_problems().values():
        assert problem.title and problem.action.endswith("."), problem.code
        assert 400 <= problem.status < 600


# Words that say what another audience does: routes and headers, commands and settings, clicks and pages.
ROUTES = re.compile(r"\b(GET|POST|PUT|DELETE) /|\bheader\b|`errors`|`checks`|`detail`|\broute\b|--\w")
COMMANDS = re.compile(r"`whichlist|WHICHLIST_|`make|--\w|\bapt\b|\bpip\b")
CLICKS = re.compile(
    r"\b[Cc]lick|\bdrop (it|the file) here|\bpage above|under (Playlists|Jobs|Models|New releases)"
)


@pytest.mark.parametrize("problem", all_problems().values(), ids=lambda problem: problem.code)
def test_each_audience_is_told_what_it_can_do_itself(problem: Problem) -> None:
    assert not ROUTES.search(problem.at_page), problem.at_page
    assert not COMMANDS.search(problem.at_page), problem.at_page
    assert not re.search(r"\b(GET|POST|PUT|DELETE) /|\bheader\b|`detail`|`errors`", problem.at_terminal)
    assert not CLICKS.search(problem.at_terminal), problem.at_terminal
    assert not re.search(r"`whichlist", problem.action), problem.action
    assert not CLICKS.search(problem.action), problem.action
    assert all(text.endswith((".", "chromaprint.")) for text in (problem.at_page, problem.at_terminal))


SENTENCES = re.compile(r"\b(GET|POST|PUT|DELETE) /|\[Errno")


def test_no_error_of_the_program_speaks_of_routes_or_numbers() -> None:
    """Their details are read by everybody: they say what is wrong, and leave the rest to the table."""
    root = Path(recommender.errors.__file__).parents[1]
    for package in ("embeddings", "recommender", "training"):
        for path in (root / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Raise) and node.exc is not None:
                    said = " ".join(
                        part.value
                        for part in ast.walk(node.exc)
                        if isinstance(part, ast.Constant) and isinstance(part.value, str)
                    )
                    assert not SENTENCES.search(said), f"{path}:{node.lineno}: {said}"


def test_no_such_address(client: FlaskClient) -> None:
    assert_problem(client.get("/nothing/here"), 404, "not_found")


def test_methods_that_an_address_does_not_take(client: FlaskClient) -> None:
    response = client.delete("/recommend")
    assert_problem(response, 405, "method_not_allowed")
    assert set(response.headers["Allow"].split(", ")) >= {"GET", "POST"}


@pytest.mark.parametrize("is_upload", [True, False])
def test_what_is_too_large(make_settings: Callable[..., Settings], is_upload: bool) -> None:
    app = create_app(make_settings(max_upload_mb=1))
    client = app.test_client()
    if is_upload:
        response = client.post("/recommend", data={"file": (io.BytesIO(bytes(1_100_000)), "x.wav")})
    else:
        response = client.post("/playlists", json={"name": "x" * 1_100_000, "folder": "x"})
    assert_problem(response, 413, "upload_too_large")
    find_services(app).database.close()


def test_an_unforeseen_error_tells_the_log_and_not_the_caller(
    app: APIFlask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret is 42")

    monkeypatch.setattr("api.routes.tracks.list_tracks", broken)
    response = client.get("/tracks")
    assert_problem(response, 500, "internal_error")
    assert "secret" not in response.get_data(as_text=True)
    assert "the secret is 42" in caplog.text


def test_a_database_that_was_not_migrated_is_refused_at_once(
    empty_database_url: str, make_settings: Callable[..., Settings]
) -> None:
    with pytest.raises(SchemaOutdated, match="whichlist migrate"):
        create_app(make_settings(database_url=empty_database_url))


TOKEN = "correct horse"


@pytest.fixture
def guarded(make_settings: Callable[..., Settings]) -> Iterator[FlaskClient]:
    app = create_app(make_settings(api_token=TOKEN))
    yield app.test_client()
    find_services(app).database.close()


@sqlite_only
@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer correct", f"Bearer {TOKEN} "],
)
def test_a_wrong_token_is_refused(guarded: FlaskClient, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    for path in ("/tracks", "/", "/docs", "/openapi.json", "/metrics", "/nothing"):
        response = guarded.get(path, headers=headers)
        if header == f"Bearer {TOKEN} ":  # a space at the end is not part of it
            assert response.status_code in (200, 404)
            continue
        assert_problem(response, 401, "unauthorised")
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


@sqlite_only
def test_the_right_token_is_let_in_and_health_needs_none(guarded: FlaskClient) -> None:
    for scheme in ("Bearer", "bearer"):
        assert guarded.get("/tracks", headers={"Authorization": f"{scheme} {TOKEN}"}).status_code == 200
    for path in ("/healthz", "/readyz", "/app/login", f"{static_url_path()}/js/login.js"):
        assert guarded.get(path).status_code == 200
    spec = guarded.get("/openapi.json", headers={"Authorization": f"Bearer {TOKEN}"}).get_json()
    assert spec["security"] == [{"bearer": []}]
    assert spec["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


@sqlite_only
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_changes_from_pages_of_other_sites_are_refused(
    client: FlaskClient, filled: Filled, headers: dict[str, str]
) -> None:
    for call in (
        lambda: client.post(f"/models/{filled.bundle_ids[1]}/promote", headers=headers),
        lambda: client.delete(f"/tracks/{filled.track_ids[0]}", headers=headers),
    ):
        assert_problem(call(), 403, "forbidden")
    assert client.get("/tracks", headers=headers).status_code == 200


@sqlite_only
@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}],
)
def test_changes_from_our_own_pages_and_from_programs_are_taken(
    client: FlaskClient, filled: Filled, headers: dict[str, str]
) -> None:
    assert client.delete(f"/tracks/{filled.track_ids[0]}", headers=headers).status_code == 202


@sqlite_only
def test_a_foreign_name_for_this_machine_is_refused(client: FlaskClient) -> None:
    """A page elsewhere may let its own name lead to 127.0.0.1; its visitors must not read answers."""
    assert_problem(client.get("/tracks", headers={"Host": "evil.example:8000"}), 400, "bad_request")
    for host in ("localhost:8000", "127.0.0.1:8000", "127.0.0.1"):
        assert client.get("/tracks", headers={"Host": host}).status_code == 200


def test_which_hosts_are_loopback() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost")] == [True] * 3
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "192.168.1.2", "example.org")] == [False] * 4
