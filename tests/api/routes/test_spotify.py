"""Spotify over HTTP and by command: a whole log-in with its redirects, links, imports, lists sent back."""

import json
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import click
import pytest
import requests
from apiflask import APIFlask
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from api.app import create_app
from api.cli import main
from api.routes.spotify import COOKIE
from api.services import find_services
from recommender.catalogue.feedback import give_feedback
from recommender.catalogue.identities import track_identities
from recommender.catalogue.imported_rows import match_report
from recommender.catalogue.playlists import find_playlist, group_members, playlist_tracks
from recommender.catalogue.tracks import find_track
from recommender.jobs.ledger import get_job
from recommender.records.playlists import FeedbackVerdict
from recommender.settings import Settings
from recommender.sources.spotify.login import SpotifyLogin
from recommender.sources.web.politeness import Manners
from recommender.sources.web.reading import open_web
from tests.api.conftest import Filled, Sounds
from tests.api.openapi_check import CheckedClient
from tests.api.problems import assert_problem
from tests.api.routes.test_feeds import scored  # noqa: F401 (a fixture)
from tests.databases import sqlite_only
from tests.fakes.fake_spotify import CLIENT_ID, FakePlaylist, FakeSpotify, episode, spotify_id, track
from tests.fakes.servers import too_many

pytestmark = sqlite_only
HERE = "http://127.0.0.1:8000"
NIGHT, FOREIGN = spotify_id(1, "p"), spotify_id(2, "p")
N_THERE = 4  # tracks of the library that Spotify has as well
HTML = {"Accept": "text/html"}


@pytest.fixture
def spotify(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSpotify]:
    fake = FakeSpotify()
    own = [track(n, f"Piece {n}", f"Artist 0{n}", duration_ms=4_000) for n in range(N_THERE)]
    other = track(77, "Nowhere", "Nobody")
    live = track(78, "Piece 4 (Live)", "Artist 04", duration_ms=4_000)
    fake.tracks = {each["id"]: each for each in (*own, other, live)}
    fake.playlists = {
        NIGHT: FakePlaylist("late night", [*own, other, None, episode("Talk")]),
        FOREIGN: FakePlaylist("bob's", [other], owner="bob"),
    }
    fake.liked = [own[1], own[2]]
    with fake.running():
        monkeypatch.setattr("recommender.sources.spotify.login.SPOTIFY", fake.place)
        monkeypatch.setattr(Manners, "wait_turn", lambda *_, **__: None)
        yield fake


MakeApp = Callable[..., APIFlask]


@pytest.fixture
def make_app(make_settings: Callable[..., Settings], sounds: Sounds, filled: Filled) -> Iterator[MakeApp]:
    """The application on the filled library, with a Spotify app and settings of the test's choice."""
    apps = []

    def make(**chosen: object) -> APIFlask:
        options = {"library_roots": [sounds.library], "spotify_client_id": CLIENT_ID} | chosen
        app = create_app(make_settings(**options))
        app.test_client_class = CheckedClient
        apps.append(app)
        return app

    yield make
    for app in apps:
        find_services(app).database.close()


@pytest.fixture
def client(make_app: MakeApp, spotify: FakeSpotify) -> FlaskClient:
    return make_app().test_client()


@dataclass
class Shell:
    """Runs commands on the filled library's data folder."""

    settings: Settings
    env: dict[str, str]

    def run(self, *arguments: str, expect: int = 0, **env: str) -> Result:
        done = CliRunner(env=self.env | env).invoke(main, ["--data", str(self.settings.data), *arguments])
        assert done.exit_code == expect, (done.output, done.exception)
        return done


@pytest.fixture
def shell(filled: Filled, spotify: FakeSpotify) -> Shell:
    env = {
        "WHICHLIST_DATABASE_URL": filled.settings.database_url,
        "WHICHLIST_SPOTIFY_CLIENT_ID": CLIENT_ID,
        "WHICHLIST_EMBEDDING_PROCESSES": "1",
    }
    return Shell(filled.settings, env)


def go_to_spotify(client: FlaskClient, **options: Any) -> str:
    """Begin a log-in as a browser does; the address to which Spotify's page leads."""
    response = client.get("/spotify/login", base_url=HERE, **options)
    assert response.status_code == 302, response.text
    there = requests.get(response.headers["Location"], allow_redirects=False, timeout=5)
    back = there.headers["Location"]
    assert back.startswith(f"{HERE}/callback?")
    return back.removeprefix(HERE)


def log_in(client: FlaskClient) -> None:
    assert client.get(go_to_spotify(client), base_url=HERE).status_code == 200


class TestBrowser:
    def test_a_whole_log_in_with_its_redirects(self, make_app: MakeApp, spotify: FakeSpotify) -> None:
        """A real server on a real port, from localhost to the page that says that it is done."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        app = make_app(port=port)
        server = make_server("127.0.0.1", port, app, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            browser = requests.Session()
            answer = browser.get(f"http://localhost:{port}/spotify/login", timeout=10)
            way = [urlsplit(step.url) for step in (*answer.history, answer)]
            assert [(step.hostname, step.port, step.path) for step in way] == [
                ("localhost", port, "/spotify/login"),
                ("127.0.0.1", port, "/spotify/login"),
                ("127.0.0.1", spotify.port, "/authorize"),
                ("127.0.0.1", port, "/callback"),
            ]
            assert (answer.status_code, "You are logged in to Spotify" in answer.text) == (200, True)
            assert not browser.cookies
            state = browser.get(f"http://127.0.0.1:{port}/spotify", timeout=10).json()
            assert (state["is_logged_in"], state["redirect_uri"]) == (
                True,
                f"http://127.0.0.1:{port}/callback",
            )
        finally:
            server.shutdown()
            server.server_close()

    def test_the_browser_gets_no_secret(self, client: FlaskClient, filled: Filled) -> None:
        response = client.get("/spotify/login", base_url=HERE)
        asked = parse_qs(urlsplit(response.headers["Location"]).query)
        cookie = response.headers["Set-Cookie"]
        assert all(part in cookie for part in (COOKIE, "HttpOnly", "SameSite=Lax", "Path=/callback"))
        (kept,) = filled.settings.spotify_directory.glob("login-*.json")
        verifier = json.loads(kept.read_text())["verifier"]
        assert verifier not in response.headers["Location"] + cookie
        assert asked["state"][0] not in cookie
        assert asked["code_challenge_method"] == ["S256"]
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        done = client.get(go_to_spotify(client), base_url=HERE)
        assert "secret-" not in str(done.headers) + done.text

    def test_another_browser_cannot_end_it(self, client: FlaskClient) -> None:
        back = go_to_spotify(client)
        stranger = client.application.test_client()
        for _ in range(2):
            refused = stranger.get(back, base_url=HERE)
            assert (refused.status_code, "was not begun in this browser" in refused.text) == (400, True)
        assert not client.get("/spotify").get_json()["is_logged_in"]
        assert client.get(back, base_url=HERE).status_code == 200
        assert client.get(back, base_url=HERE).status_code == 400  # and nobody twice

    @pytest.mark.parametrize(
        "query", ["", "?code=x", "?state=&code=x", "?state=%00&code=%ff", "?error=<script>"]
    )
    def test_what_leads_nowhere(self, client: FlaskClient, query: str) -> None:
        go_to_spotify(client)
        answer = client.get(f"/callback{query}", base_url=HERE)
        assert answer.status_code == 400
        assert "<script>" not in answer.text

    def test_a_user_who_says_no(self, client: FlaskClient, spotify: FakeSpotify) -> None:
        spotify.user_says = "no"
        answer = client.get(go_to_spotify(client), base_url=HERE)
        assert (answer.status_code, "refused on Spotify" in answer.text) == (400, True)

    def test_markup_in_an_error_stays_text(self, client: FlaskClient) -> None:
        back = go_to_spotify(client)
        state = parse_qs(urlsplit(back).query)["state"][0]
        answer = client.get(
            "/callback", query_string={"state": state, "error": "<img src=x onerror=y>"}, base_url=HERE
        )
        assert (answer.status_code, "<img src=x" in answer.text, "&lt;img" in answer.text) == (
            400,
            False,
            True,
        )

    def test_with_a_token_only_its_holder_begins_and_spotifys_page_leads_back(
        self, make_app: MakeApp, spotify: FakeSpotify
    ) -> None:
        client = make_app(api_token="long secret").test_client()
        assert_problem(client.get("/spotify/login", base_url=HERE), 401, "unauthorised")
        led = client.get("/spotify/login", base_url=HERE, headers=HTML)
        assert led.headers["Location"] == "/app/login?next=/spotify/login"
        back = go_to_spotify(client, headers={"Authorization": "Bearer long secret"})
        assert client.get(back, base_url=HERE).status_code == 200  # without the token: the cookie is Strict
        assert_problem(client.get("/spotify"), 401, "unauthorised")

    def test_without_an_app_it_says_what_to_set(self, make_app: MakeApp) -> None:
        client = make_app(spotify_client_id=None).test_client()
        body = assert_problem(client.get("/spotify/login"), 409, "spotify_not_set_up")
        assert "WHICHLIST_SPOTIFY_CLIENT_ID" in body["detail"]
        assert client.get("/spotify").get_json()["is_set_up"] is False

    def test_the_account(self, client: FlaskClient, spotify: FakeSpotify) -> None:
        assert_problem(client.get("/spotify/playlists"), 409, "spotify_login_needed")
        log_in(client)
        state = client.get("/spotify").get_json()
        assert (state["is_logged_in"], state["trains"]) == (True, False)
        assert state["logged_in_at"] < state["ends_at"]
        listed = client.get("/spotify/playlists").get_json()["playlists"]
        assert [(p["name"], p["is_readable"], p["source"]) for p in listed] == [
            ("late night", True, f"spotify:playlist:{NIGHT}"),
            ("bob's", False, f"spotify:playlist:{FOREIGN}"),
        ]
        spotify.faults.append(too_many("900"))
        assert "15 minutes" in assert_problem(client.get("/spotify/playlists"), 502, "rate_limited")["detail"]
        spotify.revoke()
        assert_problem(client.get("/spotify/playlists"), 409, "spotify_login_needed")
        assert not client.get("/spotify").get_json()["is_logged_in"]

    def test_logging_out(self, client: FlaskClient) -> None:
        log_in(client)
        assert client.delete("/spotify").status_code == 204
        assert client.get("/spotify").get_json()["is_logged_in"] is False

    @pytest.mark.parametrize(
        ("asked", "group"),
        [
            ({"source": "spotify:liked"}, "taste"),
            ({"source": "spotify:liked", "group": "default"}, "default"),
            ({"source": f"spotify:playlist:{NIGHT}"}, "default"),
        ],
    )
    def test_liked_songs_are_a_matter_of_taste(
        self, client: FlaskClient, filled: Filled, asked: dict[str, str], group: str
    ) -> None:
        job_id = client.post("/playlists", json={"name": "x"} | asked).get_json()["job"]["id"]
        with filled.database.read_session() as session:
            job = get_job(session, job_id)
        assert job.payload == {"name": "x", "reference": asked["source"], "group": group}


class TestLinks:
    def test_a_link_finds_the_file(self, client: FlaskClient, filled: Filled, spotify: FakeSpotify) -> None:
        log_in(client)
        for reference in (
            f"spotify:track:{spotify_id(2)}",
            f"https://open.spotify.com/intl-de/track/{spotify_id(2)}?si=abc",
        ):
            answer = client.get("/recommend", query_string={"track": reference}).get_json()
            assert (answer["track"]["id"], answer["playlists"][0]["name"]) == (filled.track_ids[2], "low")
        with filled.database.read_session() as session:  # nothing of it is kept
            assert track_identities(session, filled.track_ids) == {}

    @pytest.mark.parametrize(
        ("number", "said"),
        [
            (77, ["'Nowhere' by Nobody, 3:20", "nothing in the library has these names"]),
            (78, ["'Piece 4 (Live)' by Artist 04, 0:04", "the nearest is track 5", "another version"]),
        ],
    )
    def test_a_track_that_no_file_is(
        self, client: FlaskClient, spotify: FakeSpotify, number: int, said: list[str]
    ) -> None:
        log_in(client)
        answer = client.get("/recommend", query_string={"track": f"spotify:track:{spotify_id(number)}"})
        detail = assert_problem(answer, 404, "no_local_audio")["detail"]
        assert all(part in detail for part in [*said, "https://open.spotify.com/track/"])

    def test_nobody_logged_in(self, client: FlaskClient, spotify: FakeSpotify) -> None:
        answer = client.get("/recommend", query_string={"track": f"spotify:track:{spotify_id(2)}"})
        assert "nobody is logged in" in assert_problem(answer, 404, "track_not_found")["detail"]
        assert spotify.asked == []

    @pytest.mark.parametrize("reference", ["spotify:track:x", f"spotify:track:{spotify_id(999)}"])
    def test_no_such_track(self, client: FlaskClient, reference: str) -> None:
        log_in(client)
        assert_problem(client.get("/recommend", query_string={"track": reference}), 404, "track_not_found")

    def test_a_busy_spotify_is_not_waited_for(self, client: FlaskClient, spotify: FakeSpotify) -> None:
        log_in(client)
        spotify.faults.append(too_many("20"))
        answer = client.get("/recommend", query_string={"track": f"spotify:track:{spotify_id(2)}"})
        assert_problem(answer, 502, "rate_limited")

    def test_a_known_id_asks_nobody(self, client: FlaskClient, filled: Filled, spotify: FakeSpotify) -> None:
        from recommender.catalogue.identities import remember_spotify_ids

        with filled.database.session() as session:
            remember_spotify_ids(session, [(filled.track_ids[7], spotify_id(2))])
        answer = client.get("/recommend", query_string={"track": f"spotify:track:{spotify_id(2)}"})
        assert (answer.get_json()["track"]["id"], spotify.asked) == (filled.track_ids[7], [])


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> list[requests.Response]:
    """Opens what the command opens, and follows the redirects."""
    answers: list[requests.Response] = []

    def open_page(url: str) -> bool:
        threading.Thread(target=lambda: answers.append(requests.get(url, timeout=10)), daemon=True).start()
        return True

    monkeypatch.setattr("webbrowser.open", open_page)
    return answers


def log_in_here(settings: Settings) -> None:
    login = SpotifyLogin(settings, open_web(settings))
    pending, url = login.begin()
    there = requests.get(url, allow_redirects=False, timeout=5)
    login.finish(pending, parse_qs(urlsplit(there.headers["Location"]).query)["code"][0])


@pytest.fixture
def logged_in(shell: Shell, make_settings: Callable[..., Settings]) -> Shell:
    log_in_here(make_settings(spotify_client_id=CLIENT_ID))
    return shell


class TestCommands:
    def test_a_whole_log_in(self, shell: Shell, browser: list[requests.Response]) -> None:
        done = shell.run("spotify", "login", "--port", "0")
        assert "You are logged in to Spotify, until 20" in done.stdout
        assert "secret-" not in done.output
        shell.run("spotify", "playlists")

    def test_stray_requests_do_not_end_the_waiting(
        self, shell: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers = []

        def open_page(url: str) -> bool:
            back = parse_qs(urlsplit(url).query)["redirect_uri"][0]
            root = back.removesuffix("/callback")

            def browse() -> None:
                for stray in (f"{root}/favicon.ico", f"{back}?state=guess&code=x", f"{back}?code=x", root):
                    answers.append(requests.get(stray, timeout=10))
                with socket.create_connection(("127.0.0.1", urlsplit(root).port or 0)) as silent:
                    silent.sendall(b"\x16\x03\x01\r\n\r\n")
                answers.append(requests.get(url, timeout=10))

            threading.Thread(target=browse, daemon=True).start()
            return True

        monkeypatch.setattr("webbrowser.open", open_page)
        shell.run("spotify", "login", "--port", "0")
        assert [answer.status_code for answer in answers[:4]] == [404] * 4
        assert all("guess" not in answer.text for answer in answers)

    def test_a_user_who_says_no(
        self, shell: Shell, browser: list[requests.Response], spotify: FakeSpotify
    ) -> None:
        spotify.user_says = "no"
        done = shell.run("spotify", "login", "--port", "0", expect=1)
        assert "refused on Spotify's page" in done.stderr

    def test_a_port_that_is_taken(self, shell: Shell, browser: list[requests.Response]) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            done = shell.run("spotify", "login", "--port", port, expect=1)
        assert f"http://127.0.0.1:{port}/spotify/login" in done.stderr

    @pytest.mark.parametrize("tamper", ["", "&state=x", "code=y"])
    def test_without_a_browser_here(self, shell: Shell, monkeypatch: pytest.MonkeyPatch, tamper: str) -> None:
        begun: list[str] = []
        begin = SpotifyLogin.begin

        def remember(self: SpotifyLogin, *arguments: Any, **options: Any) -> Any:
            pending, url = begin(self, *arguments, **options)
            begun.append(url)
            return pending, url

        def paste(*_: Any, **__: Any) -> str:
            back = requests.get(begun[0], allow_redirects=False, timeout=5).headers["Location"]
            return back.replace("state=", "was=") + tamper if tamper else f"  {back}\n"

        monkeypatch.setattr(SpotifyLogin, "begin", remember)
        monkeypatch.setattr(click, "prompt", paste)
        done = shell.run("spotify", "login", "--paste", expect=1 if tamper else 0)
        assert ("You are logged in" in done.stdout) is not bool(tamper)

    def test_no_app(self, shell: Shell) -> None:
        done = shell.run("spotify", "login", expect=2, WHICHLIST_SPOTIFY_CLIENT_ID="")
        assert "developer.spotify.com/dashboard" in done.stderr

    def test_the_playlists(self, logged_in: Shell) -> None:
        lines = logged_in.run("spotify", "playlists").stdout.splitlines()
        assert lines[1].split()[:5] == ["late", "night", "7", "Ada", "yes"]
        assert "no: neither yours nor shared" in lines[2]
        rows = logged_in.run("spotify", "playlists", "--json").stdout.splitlines()
        assert json.loads(rows[0])["id"] == NIGHT

    def test_a_playlist_becomes_one_here_and_teaches_nothing(self, logged_in: Shell, filled: Filled) -> None:
        done = logged_in.run("add-playlist", "night", "spotify:late night")
        assert "7 rows: 4 matched (4 by names)" in done.stdout
        assert "1 unmatched\n  row 5: Nobody - Nowhere" in done.stdout
        assert (
            "2 skipped\n  row 6: withdrawn" in done.stdout and "row 7: Talk (it is an episode" in done.stdout
        )
        for part in ("III.14", "IV.2.1", "WHICHLIST_SPOTIFY_TRAINING=allow"):
            assert part in done.stdout
        with filled.database.read_session() as session:
            night = find_playlist(session, "night")
            assert (night.source, playlist_tracks(session, night.id)) == (
                "spotify",
                list(filled.track_ids[:4]),
            )
            assert {m.playlist_id for m in group_members(session, night.group_id)} == set(filled.playlist_ids)
            # A link now finds the file without Spotify.
            assert find_track(session, f"spotify:track:{spotify_id(3)}").id == filled.track_ids[3]
            codes = [row.code for row in match_report(session, night.id).rows]
        assert codes == ["", "", "", "", "", "withdrawn", "episode"]

    def test_who_may_can_train_on_it(self, logged_in: Shell, filled: Filled) -> None:
        done = logged_in.run(
            "add-playlist", "night", "spotify:late night", WHICHLIST_SPOTIFY_TRAINING="allow"
        )
        assert "III.14" not in done.output
        with filled.database.read_session() as session:
            night = find_playlist(session, "night")
            may = group_members(session, night.group_id, allow_spotify=True)
            assert night.id in {m.playlist_id for m in may}
            assert night.id not in {m.playlist_id for m in group_members(session, night.group_id)}

    def test_liked_songs_join_what_was_liked_here(self, logged_in: Shell, filled: Filled) -> None:
        with filled.database.session() as session:
            give_feedback(session, filled.track_ids[9], FeedbackVerdict.LIKED)
        logged_in.run("add-playlist", "liked", "spotify:liked")
        with filled.database.read_session() as session:
            liked = find_playlist(session, "liked", group="taste")
            members = playlist_tracks(session, liked.id)
        assert sorted(members) == sorted(filled.track_ids[n] for n in (1, 2, 9))

    def test_a_quota_that_ends_meanwhile(
        self, logged_in: Shell, filled: Filled, spotify: FakeSpotify
    ) -> None:
        spotify.liked = [track(n, f"Piece {n}", f"Artist 0{n}", duration_ms=4_000) for n in range(120)]
        spotify.calls_left = 2
        done = logged_in.run("add-playlist", "liked", "spotify:liked", expect=1)
        assert "the 100 of 120 rows of 'liked' that were read are kept" in done.stderr
        spotify.calls_left = 1
        assert "120 rows: 6 matched" in logged_in.run("add-playlist", "liked", "spotify:liked").stdout

    @pytest.mark.parametrize(
        ("source", "said"),
        [
            ("spotify:bob's", "owns or shares"),
            ("spotify:gone", "has no playlist called 'gone'"),
            (f"https://open.spotify.com/playlist/{FOREIGN}", "owns or shares"),
            (f"https://open.spotify.com/album/{FOREIGN}", "is no playlist"),
        ],
    )
    def test_what_cannot_be_added(self, logged_in: Shell, source: str, said: str) -> None:
        assert said in logged_in.run("add-playlist", "x", source, expect=1).stderr

    def test_an_empty_one_makes_no_playlist(
        self, logged_in: Shell, filled: Filled, spotify: FakeSpotify
    ) -> None:
        spotify.playlists[NIGHT].items = [None]
        done = logged_in.run("add-playlist", "x", "spotify:late night", expect=1)
        assert "is empty: all 1 rows name no track" in done.stderr

    def test_nobody_logged_in(self, shell: Shell) -> None:
        done = shell.run("add-playlist", "x", "spotify:late night", expect=1)
        assert "whichlist spotify login" in done.stderr

    def test_no_feed_is_read_there(self, shell: Shell, spotify: FakeSpotify) -> None:
        assert "III.13" in shell.run("score-feed", "spotify:late night", expect=1).stderr
        assert spotify.asked == []

    def test_logging_out_names_what_came_from_there(self, logged_in: Shell, filled: Filled) -> None:
        logged_in.run("add-playlist", "my night", "spotify:late night")
        done = logged_in.run("spotify", "logout")
        assert "You are logged out." in done.stdout
        assert "whichlist remove-playlist 'my night' --group default" in done.stdout
        assert sorted(path.name for path in filled.settings.spotify_directory.iterdir()) == ["token.lock"]
        assert "Nobody was logged in." in logged_in.run("spotify", "logout").stdout


class TestSending:
    def test_a_playlist_becomes_a_private_one(
        self, logged_in: Shell, filled: Filled, spotify: FakeSpotify
    ) -> None:
        arguments = ("send-playlist", "low", "--to", "spotify", "--as", "low, heard")
        sent = json.loads(logged_in.run(*arguments, "--json", expect=4).stdout)
        made = spotify.playlists[sent["playlist"]]
        assert (made.name, made.public, sent["n_sent"]) == ("low, heard", False, N_THERE)
        assert [item and item["id"] for item in made.items] == [spotify_id(n) for n in range(N_THERE)]
        assert [row["title"] for row in sent["missing"]] == ["Piece 4", "Piece 5"]  # a live one is another
        assert sent["url"] == f"https://open.spotify.com/playlist/{sent['playlist']}"
        n_asked = len(spotify.api_calls)
        again = logged_in.run(*arguments, expect=4)
        assert "4 tracks are now in 'low, heard' on https://open.spotify.com/playlist/" in again.stdout
        searched = [a.one("q") for a in spotify.api_calls[n_asked:] if a.path.endswith("/search")]
        assert len(searched) == 2  # what was found is not looked for again

    def test_by_isrc_before_names(self, logged_in: Shell, filled: Filled, spotify: FakeSpotify) -> None:
        from recommender.catalogue.tracks import update_track
        from recommender.records.tracks import TrackFacts

        with filled.database.session() as session:
            for n, track_id in enumerate(filled.track_ids[:6]):
                facts = TrackFacts(f"Piece {n}", f"Artist 0{n}", identities=(("isrc", f"USUM7{n:07d}"),))
                update_track(session, track_id, facts)
        logged_in.run("send-playlist", "low", "--to", "spotify", expect=4)
        queries = [asked.one("q") for asked in spotify.api_calls if asked.path.endswith("/search")]
        assert queries[:N_THERE] == [f"isrc:USUM7{n:07d}" for n in range(N_THERE)]

    def test_what_a_feed_has_for_a_playlist(
        self, logged_in: Shell, filled: Filled, spotify: FakeSpotify
    ) -> None:
        sent = logged_in.run("send-playlist", "low", "--to", "spotify", "--feed", "999", expect=1)
        assert "no feed has the id 999" in sent.stderr
        feed = str(filled.sounds.library / "high")
        assert (
            "was never scored"
            in logged_in.run("send-playlist", "low", "--to", "spotify", "--feed", feed, expect=1).stderr
        )

    def test_a_feeds_list_is_sent_with_the_most_probable_first(
        self,
        logged_in: Shell,
        filled: Filled,
        scored: int,  # noqa: F811 (a fixture)
        client: FlaskClient,
        spotify: FakeSpotify,
    ) -> None:
        listed = client.get(f"/feeds/{scored}/results", query_string={"playlist": "low"}).get_json()
        titles = [(t["artist"], t["title"]) for t in listed["playlists"][0]["tracks"]]
        assert len(titles) > 1
        for n, (artist, title) in enumerate(titles):
            there = track(200 + n, title, artist, duration_ms=4_000)
            spotify.tracks[there["id"]] = there
        arguments = ("send-playlist", "low", "--to", "spotify", "--json", "--feed")
        for feed in (str(scored), str(filled.sounds.library)):
            sent = json.loads(logged_in.run(*arguments, feed).stdout)
            made = [item or {} for item in spotify.playlists[sent["playlist"]].items]
            assert [(item["artists"][0]["name"], item["name"]) for item in made] == titles

    def test_nothing_is_there(self, logged_in: Shell, spotify: FakeSpotify) -> None:
        n_before = len(spotify.playlists)
        done = logged_in.run("send-playlist", "high", "--to", "spotify", expect=1)
        assert "none of the 6 tracks was surely found" in done.stderr
        assert len(spotify.playlists) == n_before

    def test_a_quota_that_ends_while_looking(self, logged_in: Shell, spotify: FakeSpotify) -> None:
        spotify.calls_left = 3
        done = logged_in.run("send-playlist", "low", "--to", "spotify", expect=1)
        assert "3 of 6 tracks were looked for, and what was found is kept" in done.stderr
        spotify.calls_left, n_before = None, len(spotify.api_calls)
        logged_in.run("send-playlist", "low", "--to", "spotify", expect=4)
        searched = [a for a in spotify.api_calls[n_before:] if a.path.endswith("/search")]
        assert len(searched) == 3
