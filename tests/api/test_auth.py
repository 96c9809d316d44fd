"""A browser trades the token for a cookie, and uses the pages with it."""

import time
from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient

from api.app import create_app
from api.auth import COOKIE, SESSION_S, is_session, make_session
from api.services import find_services
from recommender.settings import Settings
from tests.api.openapi_check import CheckedClient
from tests.api.problems import assert_problem

TOKEN = "a long secret"
HTML = {"Accept": "text/html"}


@pytest.fixture
def guarded(make_settings: Callable[..., Settings]) -> Iterator[FlaskClient]:
    app = create_app(make_settings(api_token=TOKEN))
    app.test_client_class = CheckedClient
    yield app.test_client()
    find_services(app).database.close()


def test_a_browser_is_led_to_the_log_in_and_back(guarded: FlaskClient) -> None:
    response = guarded.get("/app/playlists?x=1", headers=HTML)
    assert response.status_code == 302
    assert response.headers["Location"] == "/app/login?next=/app/playlists?x%3D1"
    assert 'data-next="/app/playlists?x=1"' in guarded.get(response.headers["Location"]).text
    assert guarded.post("/session", json={"token": TOKEN}).status_code == 204
    assert guarded.get("/app/playlists", headers=HTML).status_code == 200
    assert guarded.get("/playlists").status_code == 200
    assert guarded.delete("/session").status_code == 204
    assert_problem(guarded.get("/playlists"), 401, "unauthorised")


def test_a_program_gets_a_problem_and_no_page(guarded: FlaskClient) -> None:
    assert_problem(guarded.get("/playlists", headers=HTML), 401, "unauthorised")
    assert_problem(guarded.get("/tracks/1/audio"), 401, "unauthorised")


def test_a_wrong_token_sets_no_cookie(guarded: FlaskClient) -> None:
    response = guarded.post("/session", json={"token": "guess"})
    assert_problem(response, 401, "unauthorised")
    assert "Set-Cookie" not in response.headers


def test_the_cookie_tells_nothing_and_leaves_only_for_us(guarded: FlaskClient) -> None:
    cookie = guarded.post("/session", json={"token": TOKEN}).headers["Set-Cookie"]
    assert TOKEN not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "evil"])
def test_nobody_is_led_elsewhere(guarded: FlaskClient, elsewhere: str) -> None:
    page = guarded.get("/app/login", query_string={"next": elsewhere}).text
    assert 'data-next="/"' in page


def test_a_session_ends_and_cannot_be_made_up() -> None:
    now = time.time()
    session = make_session(TOKEN, now=now)
    assert is_session(session, TOKEN, now=now)
    assert not is_session(session, TOKEN, now=now + SESSION_S + 1)
    assert not is_session(session, "another token", now=now)
    until, _, signature = session.partition(".")
    assert not is_session(f"{int(until) + 1}.{signature}", TOKEN, now=now)
    for made_up in ("", ".", f"{until}.", "x.y", f"{until}.{'0' * 64}"):
        assert not is_session(made_up, TOKEN, now=now)


def test_without_a_token_there_is_nothing_to_log_in_to(make_settings: Callable[..., Settings]) -> None:
    app = create_app(make_settings())
    client = app.test_client()
    assert_problem(client.post("/session", json={"token": "x"}), 401, "unauthorised")
    assert COOKIE not in client.get("/").headers.get("Set-Cookie", "")
    find_services(app).database.close()
