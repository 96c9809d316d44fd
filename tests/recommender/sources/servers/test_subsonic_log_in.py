"""How a Subsonic server is logged in to: what is sent, to whom, and what is remembered."""

import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from api.cli import main
from recommender.errors import ForbiddenAddress, SettingsError, SourceUnavailable
from recommender.settings import Settings, load_settings
from recommender.sources.servers.subsonic import download_subsonic, read_subsonic_starred
from recommender.sources.servers.subsonic_calls import check_log_in
from recommender.sources.servers.subsonic_log_in import (
    REMEMBERED_S,
    LogIn,
    LogInMemory,
    SubsonicServer,
    find_subsonic,
)
from recommender.sources.web.connections import Network
from recommender.sources.web.politeness import Manners
from recommender.sources.web.reading import Web
from tests.fakes.fake_subsonic import API_KEY, PASSWORD, SUPYSONIC, USER, FakeSubsonic, child
from tests.fakes.servers import FakeTime, moved

HEX = PASSWORD.encode().hex()
FLAC = b"fLaC" + bytes(200)


@pytest.fixture
def web() -> Web:
    fake_time = FakeTime()
    return Web("Whichlist/test", manners=Manners(clock=fake_time.clock, sleep=fake_time.sleep))


@pytest.fixture
def fake() -> Iterator[FakeSubsonic]:
    with FakeSubsonic().running() as fake:
        fake.tracks = {"1": child("1", "Title", "Artist")}
        fake.starred, fake.files = ["1"], {"1": FLAC}
        yield fake


def server_of(fake: FakeSubsonic, **more: Any) -> SubsonicServer:
    return SubsonicServer(fake.url, USER, PASSWORD, **more)


def ways_of(fake: FakeSubsonic) -> list[str]:
    """By what each call so far came."""
    names = {"apiKey": "api_key", "t": "token", "p": "password"}
    return [",".join(way for name, way in names.items() if name in asked.params) for asked in fake.asked]


def elsewhere(fake: FakeSubsonic) -> Web:
    """A network in which the server's name belongs to a public address, whatever is dialled."""
    dial = Network().dial
    network = Network(
        resolve=lambda _host, _port: ["203.0.114.7"],
        dial=lambda _address, _port, s: dial("127.0.0.1", fake.port, s),
    )
    return Web("test", network=network)


def test_a_token_where_it_is_taken_and_nothing_else(fake: FakeSubsonic, web: Web) -> None:
    server = server_of(fake)
    assert len(read_subsonic_starred(web, server).rows) == 1
    assert (ways_of(fake), server.memory.recall(server.who)) == (["token"], LogIn.TOKEN)


@pytest.mark.parametrize("code", [41, 42, 10])
def test_the_password_only_where_the_server_says_that_it_cannot_check_tokens(
    code: int, fake: FakeSubsonic, web: Web
) -> None:
    fake.log_ins["token"] = code
    server = server_of(fake)
    assert len(read_subsonic_starred(web, server).rows) == 1
    read_subsonic_starred(web, server)
    assert ways_of(fake) == ["token", "password", "password"]  # asked about once
    assert fake.asked[1].one("p") == f"enc:{HEX}"


@pytest.mark.parametrize("code", [40, 0, 20, 50, 60, 44])
def test_any_other_refusal_does_not_bring_the_password_out(code: int, fake: FakeSubsonic, web: Web) -> None:
    fake.log_ins["token"] = code or 99
    with pytest.raises(SourceUnavailable) as caught:
        read_subsonic_starred(web, server_of(fake))
    assert ways_of(fake) == ["token"]
    assert ("WHICHLIST_SUBSONIC_AUTH=password" in str(caught.value)) is (code == 40)


def test_a_missing_parameter_later_is_no_question_of_the_log_in(fake: FakeSubsonic, web: Web) -> None:
    server = server_of(fake)
    read_subsonic_starred(web, server)
    fake.faults.append(fake.fail(10, "A required parameter is missing."))
    with pytest.raises(SourceUnavailable, match="code 10"):
        read_subsonic_starred(web, server)
    assert ways_of(fake) == ["token", "token"]


def test_a_server_that_stops_checking_tokens_is_found_out_again(fake: FakeSubsonic, web: Web) -> None:
    server = server_of(fake)
    read_subsonic_starred(web, server)
    fake.log_ins["token"] = 41
    read_subsonic_starred(web, server)
    assert ways_of(fake) == ["token", "token", "password"]


def test_a_key_first_alone_and_then_the_others(fake: FakeSubsonic, web: Web) -> None:
    server = server_of(fake, api_key=API_KEY)
    fake.log_ins["api_key"] = 0
    read_subsonic_starred(web, server)
    assert ways_of(fake) == ["api_key"] and "u" not in fake.asked[0].params
    for code in (10, 40, 42):  # what servers answer that know no keys
        fake.log_ins["api_key"], fake.asked = code, []
        read_subsonic_starred(web, server_of(fake, api_key=API_KEY))
        assert ways_of(fake) == ["api_key", "token"]


def test_a_wrong_key_is_said_and_not_covered_up(fake: FakeSubsonic, web: Web) -> None:
    fake.log_ins["api_key"] = 0
    with pytest.raises(SourceUnavailable, match="Invalid API key") as caught:
        read_subsonic_starred(web, server_of(fake, api_key="guessed-key"))
    assert ways_of(fake) == ["api_key"] and "guessed-key" not in str(caught.value)


@pytest.mark.parametrize("log_in", list(LogIn))
def test_one_way_can_be_forced(log_in: LogIn, fake: FakeSubsonic, web: Web) -> None:
    fake.log_ins = dict.fromkeys(fake.log_ins, 0)
    read_subsonic_starred(web, server_of(fake, api_key=API_KEY, log_in=log_in))
    assert ways_of(fake) == [log_in.value]
    fake.log_ins[log_in.value] = 42
    with pytest.raises(SourceUnavailable, match="code 42"):
        read_subsonic_starred(web, server_of(fake, api_key=API_KEY, log_in=log_in))
    assert ways_of(fake) == [log_in.value] * 2


def test_a_file_is_asked_for_in_the_way_that_works(fake: FakeSubsonic, web: Web, tmp_path: Path) -> None:
    fake.log_ins["token"] = 41
    download_subsonic(web, server_of(fake), "1", tmp_path / "1.flac")
    assert (tmp_path / "1.flac").read_bytes() == FLAC
    assert ways_of(fake) == ["token", "password", "password"]


class TestWhoMaySeeIt:
    @pytest.mark.parametrize("log_in", [LogIn.PASSWORD, LogIn.API_KEY])
    def test_a_secret_does_not_cross_the_internet_unencrypted(
        self, log_in: LogIn, fake: FakeSubsonic
    ) -> None:
        fake.log_ins = dict.fromkeys(fake.log_ins, 0)
        server = SubsonicServer("http://music.example", USER, PASSWORD, API_KEY, log_in)
        with pytest.raises(ForbiddenAddress, match="WHICHLIST_SUBSONIC_PLAIN_HTTP=on") as caught:
            read_subsonic_starred(elsewhere(fake), server)
        assert fake.asked == []
        for secret in (PASSWORD, HEX, API_KEY):
            assert secret not in str(caught.value)
        assert read_subsonic_starred(elsewhere(fake), replace(server, plain_http=True)).rows

    def test_a_file_does_not_take_it_there_either(self, fake: FakeSubsonic, tmp_path: Path) -> None:
        server = SubsonicServer("http://music.example", USER, PASSWORD, log_in=LogIn.PASSWORD)
        with pytest.raises(ForbiddenAddress):
            download_subsonic(elsewhere(fake), server, "1", tmp_path / "1.flac")
        assert fake.asked == []

    def test_a_token_may_and_the_server_there_does_not_get_more(self, fake: FakeSubsonic) -> None:
        server = SubsonicServer("http://music.example", USER, PASSWORD)
        assert read_subsonic_starred(elsewhere(fake), server).rows
        fake.log_ins["token"] = 41
        with pytest.raises(ForbiddenAddress):
            read_subsonic_starred(elsewhere(fake), server)
        assert ways_of(fake) == ["token", "token"]

    def test_another_host_does_not_get_it(self, fake: FakeSubsonic, web: Web) -> None:
        with FakeSubsonic().running() as other:
            fake.log_ins["token"] = 41
            fake.faults.extend([fake.fail(41, "no tokens"), moved(f"http://localhost:{other.port}/rest/x")])
            with pytest.raises(ForbiddenAddress):
                read_subsonic_starred(web, server_of(fake))
            assert other.asked == []

    def test_no_message_holds_it(self, fake: FakeSubsonic, web: Web) -> None:
        said = f"no entry for {PASSWORD} (enc:{HEX}), {API_KEY}"
        fake.faults.append(fake.fail(99, said))
        with pytest.raises(SourceUnavailable) as caught:
            read_subsonic_starred(web, server_of(fake, api_key=API_KEY))
        for secret in (PASSWORD, HEX, API_KEY):
            assert secret not in str(caught.value)


class TestMemory:
    def test_every_process_knows_what_one_found_out(
        self, fake: FakeSubsonic, web: Web, tmp_path: Path
    ) -> None:
        fake.log_ins["token"] = 41
        settings = settings_of(fake, tmp_path)
        read_subsonic_starred(web, find_subsonic(settings))
        read_subsonic_starred(web, find_subsonic(settings))
        assert ways_of(fake) == ["token", "password", "password"]
        (kept,) = settings.data.glob("subsonic*")
        assert PASSWORD not in kept.read_text() and HEX not in kept.read_text()

    def test_it_is_about_one_user_of_one_server(self, tmp_path: Path) -> None:
        memory = LogInMemory(tmp_path / "log-in.json")
        memory.keep("ada at http://a", LogIn.PASSWORD)
        assert LogInMemory(tmp_path / "log-in.json").recall("ada at http://a") is LogIn.PASSWORD
        assert LogInMemory(tmp_path / "log-in.json").recall("ada at http://b") is None

    def test_after_a_week_a_token_gets_another_chance(
        self, fake: FakeSubsonic, web: Web, tmp_path: Path
    ) -> None:
        now = FakeTime()
        server = server_of(fake, memory=LogInMemory(tmp_path / "log-in.json", clock=now.clock))
        fake.log_ins["token"] = 41
        read_subsonic_starred(web, server)
        fake.log_ins["token"] = 0
        now.sleep(REMEMBERED_S - 1)
        read_subsonic_starred(web, server)
        now.sleep(1)
        read_subsonic_starred(web, server)
        assert ways_of(fake) == ["token", "password", "password", "token"]

    @pytest.mark.parametrize("kept", [b"", b"{", b"[]", b'{"who": "x"}', b'{"log_in": "guess", "at": 0}'])
    def test_a_damaged_file_is_none(self, kept: bytes, tmp_path: Path) -> None:
        (tmp_path / "log-in.json").write_bytes(kept)
        assert LogInMemory(tmp_path / "log-in.json").recall("ada") is None

    def test_where_nothing_can_be_written_it_works_all_the_same(
        self, fake: FakeSubsonic, web: Web, tmp_path: Path
    ) -> None:
        (tmp_path / "taken").write_bytes(b"")
        memory = LogInMemory(tmp_path / "taken" / "log-in.json")
        assert check_log_in(web, server_of(fake, memory=memory)) is LogIn.TOKEN


def settings_of(fake: FakeSubsonic, tmp_path: Path, **more: Any) -> Settings:
    named = {"subsonic_url": fake.url, "subsonic_user": USER, "subsonic_password": PASSWORD}
    return load_settings({"data": tmp_path / "data", **named, **more}, environ={})


class TestSettings:
    def test_a_key_alone_is_enough(self, fake: FakeSubsonic, web: Web, tmp_path: Path) -> None:
        fake.log_ins["api_key"] = 0
        bare = {"data": tmp_path, "subsonic_url": fake.url, "subsonic_api_key": API_KEY}
        assert check_log_in(web, find_subsonic(load_settings(bare, environ={}))) is LogIn.API_KEY

    @pytest.mark.parametrize(("auth", "needed"), [("api_key", "API_KEY"), ("token", "PASSWORD")])
    def test_a_way_that_lacks_its_secret_is_refused(
        self, auth: str, needed: str, fake: FakeSubsonic, tmp_path: Path
    ) -> None:
        names = {"subsonic_api_key": API_KEY} if auth == "token" else {"subsonic_password": PASSWORD}
        bare = {"data": tmp_path, "subsonic_url": fake.url, "subsonic_user": USER, "subsonic_auth": auth}
        with pytest.raises(SettingsError, match=f"WHICHLIST_SUBSONIC_{needed}"):
            find_subsonic(load_settings(bare | names, environ={}))

    def test_nothing_that_is_secret_is_shown(self, fake: FakeSubsonic, tmp_path: Path) -> None:
        settings = settings_of(fake, tmp_path, subsonic_api_key=API_KEY)
        assert API_KEY not in repr(settings) + repr(find_subsonic(settings))


@pytest.mark.parametrize("make", ["navidrome", "supysonic", "wrong", "gone"])
def test_the_doctor_says_how_it_is_let_in(make: str, tmp_path: Path) -> None:
    with FakeSubsonic(SUPYSONIC if make == "supysonic" else FakeSubsonic().make).running() as fake:
        said = {"password": "guess" if make == "wrong" else PASSWORD, "user": USER}
        url = "http://127.0.0.1:9" if make == "gone" else fake.url
        environment = {
            f"WHICHLIST_SUBSONIC_{name.upper()}": value for name, value in (said | {"url": url}).items()
        }
        done = CliRunner().invoke(main, ["--data", str(tmp_path), "doctor", "--json"], env=environment)
    checks = {check["name"]: check for check in map(json.loads, done.stdout.splitlines())}
    found = checks["subsonic"]
    expected = {
        "navidrome": (True, "logged in by a token (the password is not sent)"),
        "supysonic": (True, "logged in by the password itself"),
        "wrong": (False, "Wrong username or password"),
        "gone": (False, "127.0.0.1:9 cannot be read"),
    }
    assert found["ok"] is expected[make][0] and expected[make][1] in found["found"]
    assert PASSWORD not in done.stdout and HEX not in done.stdout
    kept = list(tmp_path.glob("subsonic*"))
    assert all(stat.S_ISREG(path.stat().st_mode) for path in kept) and len(kept) == expected[make][0]
