"""A Spotify account against a local Spotify of the 2026 rules: logging in, reading, limits, writing."""

import json
import logging
import os
import stat
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from recommender.errors import (
    ForbiddenAddress,
    RateLimited,
    RecommenderError,
    SettingsError,
    SourceError,
    SourceUnavailable,
    UnreadableSource,
)
from recommender.records.rows import SourcePlaylist, SourceRow
from recommender.settings import Settings, load_settings
from recommender.sources.spotify.account import SpotifyAccount
from recommender.sources.spotify.errors import (
    SpotifyLoginFailed,
    SpotifyLoginNeeded,
    SpotifyNotSetUp,
    SpotifyRefused,
)
from recommender.sources.spotify.library import list_playlists, look_up_track, read_playlist, search_tracks
from recommender.sources.spotify.login import PENDING_S, SpotifyLogin, keep_pending, log_out, take_pending
from recommender.sources.spotify.progress import PageLog
from recommender.sources.spotify.rows import slim_track
from recommender.sources.spotify.session import PATIENCE_S
from recommender.sources.spotify.writing import write_new_playlist
from recommender.sources.web.politeness import Manners
from recommender.sources.web.reading import Web
from tests.fakes.fake_spotify import (
    CLIENT_ID,
    FakePlaylist,
    FakeSpotify,
    episode,
    local_file,
    spotify_id,
    track,
)
from tests.fakes.servers import (
    Asked,
    FakeServer,
    FakeTime,
    Reply,
    page,
    slow_drip,
    too_many,
    truncated,
    unavailable,
)

OWN, SHARED, FOREIGN, EDITORIAL = (spotify_id(number, "p") for number in range(901, 905))


@pytest.fixture
def spotify() -> Iterator[FakeSpotify]:
    fake = FakeSpotify()
    fake.playlists = {
        OWN: FakePlaylist("late night", [track(n) for n in range(120)]),
        SHARED: FakePlaylist("ours", [track(1)], owner="bob", collaborative=True),
        FOREIGN: FakePlaylist("bob's", [track(2)], owner="bob"),
        EDITORIAL: FakePlaylist("Top 50", [track(3)], owner="spotify"),
    }
    fake.liked = [track(n) for n in range(130)]
    fake.tracks = {spotify_id(n): track(n) for n in range(300)}
    with fake.running():
        yield fake


@dataclass
class User:
    """Somebody with a data folder, and time that only passes when it is waited for."""

    settings: Settings
    spotify: FakeSpotify
    time: FakeTime
    web: Web

    @property
    def login(self) -> SpotifyLogin:
        return SpotifyLogin(self.settings, self.web, place=self.spotify.place, clock=time.time)

    def log_in(self) -> None:
        pending, url = self.login.begin()
        self.login.finish(pending, follow(url)["code"])

    def account(self, **options: Any) -> SpotifyAccount:
        return SpotifyAccount(self.settings, self.web, place=self.spotify.place, **options)

    @property
    def token_file(self) -> Path:
        return self.settings.spotify_directory / "token.json"


def follow(url: str) -> dict[str, str]:
    """What Spotify sends the browser back with."""
    response = requests.get(url, allow_redirects=False, timeout=5)
    assert response.status_code == 302, response.text
    said = parse_qs(urlsplit(response.headers["Location"]).query)
    return {name: values[0] for name, values in said.items()}


@pytest.fixture
def user(tmp_path: Path, spotify: FakeSpotify) -> User:
    settings = load_settings({"data": tmp_path, "spotify_client_id": CLIENT_ID}, environ={})
    clock = FakeTime()
    manners = Manners(clock=clock.clock, sleep=clock.sleep)
    return User(settings, spotify, clock, Web(user_agent="test", manners=manners))


@pytest.fixture
def account(user: User) -> SpotifyAccount:
    user.log_in()
    return user.account()


class TestLogin:
    def test_a_log_in_proves_that_who_began_it_ends_it(self, user: User, spotify: FakeSpotify) -> None:
        pending, url = user.login.begin()
        answer = follow(url)
        assert answer["state"] == pending.state
        asked = parse_qs(urlsplit(url).query)
        assert pending.verifier not in url
        assert asked["code_challenge_method"] == ["S256"]
        assert asked["redirect_uri"] == ["http://127.0.0.1:8000/callback"]
        with pytest.raises(SpotifyLoginFailed, match="code_verifier was incorrect"):
            user.login.finish(replace(pending, verifier="x" * 64), answer["code"])
        with pytest.raises(SpotifyLoginFailed, match="Invalid authorization code"):  # it works once
            user.login.finish(pending, answer["code"])
        user.log_in()
        assert list_playlists(user.account())

    def test_only_the_owner_can_read_what_was_given(self, user: User) -> None:
        user.log_in()
        assert stat.S_IMODE(user.token_file.stat().st_mode) == 0o600
        assert stat.S_IMODE(user.token_file.parent.stat().st_mode) == 0o700
        assert [path.name for path in user.token_file.parent.iterdir() if path.suffix == ".json"] == [
            "token.json"
        ]

    def test_nothing_is_written_into_the_current_folder(
        self, user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        user.log_in()
        user.spotify.end_access()
        list_playlists(user.account())
        assert list((tmp_path / "here").iterdir()) == []

    def test_without_an_app_it_is_said_how_to_get_one(self, user: User) -> None:
        with pytest.raises(SpotifyNotSetUp, match=r"http://127\.0\.0\.1:8000/callback") as error:
            SpotifyLogin(replace(user.settings, spotify_client_id=None), user.web)
        assert isinstance(error.value, SettingsError)

    def test_another_apps_log_in_is_not_used(self, user: User) -> None:
        user.log_in()
        user.settings = replace(user.settings, spotify_client_id="f" * 32)
        with pytest.raises(SpotifyLoginNeeded, match="another app"):
            user.account()

    def test_an_access_token_that_is_over_is_renewed(
        self, account: SpotifyAccount, spotify: FakeSpotify
    ) -> None:
        spotify.end_access()  # the clock says that it is still good
        assert len(list_playlists(account)) == 4
        assert sum(asked.path == "/api/token" for asked in spotify.asked) == 2

    def test_it_is_renewed_before_it_ends(self, user: User, spotify: FakeSpotify) -> None:
        spotify.access_lasts_s = 30
        user.log_in()
        list_playlists(user.account())
        assert all(asked.headers["authorization"] != "Bearer secret-access-3" for asked in spotify.api_calls)

    @pytest.mark.parametrize("rotates", [True, False])
    def test_the_refresh_token_that_counts_is_kept(
        self, user: User, spotify: FakeSpotify, rotates: bool
    ) -> None:
        spotify.rotates_refresh_tokens = rotates
        user.log_in()
        since = user.login.current().logged_in_at
        for _ in range(3):
            spotify.end_access()
            list_playlists(user.account())
        assert user.login.current().refresh in spotify.granted
        assert user.login.current().logged_in_at == since  # renewing does not prolong the six months

    def test_what_another_process_renewed_is_used(self, account: SpotifyAccount, user: User) -> None:
        user.spotify.rotates_refresh_tokens = True
        user.spotify.end_access()
        stale = account.login.current()
        user.account().login.renew()
        assert account.login._renew(stale) == user.login.current()
        assert len(list_playlists(account)) == 4

    def test_many_at_once_renew_it_once(self, user: User, spotify: FakeSpotify) -> None:
        spotify.rotates_refresh_tokens = True
        user.log_in()
        accounts = [user.account() for _ in range(6)]
        spotify.end_access()
        with ThreadPoolExecutor(len(accounts)) as pool:
            found = list(pool.map(list_playlists, accounts))
        assert [len(playlists) for playlists in found] == [4] * len(accounts)
        assert sum(asked.path == "/api/token" for asked in spotify.asked) == 2
        assert user.login.current().refresh in spotify.granted

    def test_a_dead_log_in_is_thrown_away_with_a_sentence(
        self, account: SpotifyAccount, user: User, spotify: FakeSpotify
    ) -> None:
        spotify.revoke()
        with pytest.raises(SpotifyLoginNeeded, match=r"six months .* thrown away, so log in again"):
            list_playlists(account)
        assert not user.token_file.exists()
        n_asked = len(spotify.asked)
        with pytest.raises(SpotifyLoginNeeded, match="nobody is logged in"):
            user.account()
        assert len(spotify.asked) == n_asked

    def test_a_token_server_that_is_down_does_not_end_the_log_in(
        self, account: SpotifyAccount, user: User, spotify: FakeSpotify
    ) -> None:
        spotify.end_access()
        spotify.faults.extend([spotify.error(401, "The access token expired"), *[unavailable()] * 4])
        with pytest.raises(SourceUnavailable):
            list_playlists(account)
        assert user.token_file.exists()

    @pytest.mark.parametrize(
        "body", [b"{}", b"[]", b"null", b"<html>", b'{"access_token": 3, "expires_in": "x"}']
    )
    def test_an_answer_that_grants_nothing(
        self, account: SpotifyAccount, user: User, spotify: FakeSpotify, body: bytes
    ) -> None:
        before = user.token_file.read_text()
        spotify.end_access()
        spotify.faults.extend([spotify.error(401, "The access token expired"), Reply(body)])
        with pytest.raises(UnreadableSource, match="log-in"):
            list_playlists(account)
        assert user.token_file.read_text() == before

    def test_an_answer_without_a_scope_grants_what_was_asked_for(
        self, account: SpotifyAccount, user: User, spotify: FakeSpotify
    ) -> None:
        granted = json.dumps({"access_token": "short", "expires_in": 3600, "token_type": "Bearer"}).encode()
        spotify.faults.extend([spotify.error(401, "expired"), Reply(granted)])
        with suppress(SpotifyRefused):
            list_playlists(account)
        assert "playlist-read-private" in user.login.current().scope

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"access": 1}', "\0"])
    def test_a_damaged_file_is_no_log_in(self, user: User, content: str) -> None:
        user.log_in()
        user.token_file.write_text(content)
        with pytest.raises(SpotifyLoginNeeded, match="nobody is logged in"):
            user.account()

    def test_logging_out_leaves_nothing(self, user: User, spotify: FakeSpotify) -> None:
        user.log_in()
        spotify.calls_left = 2
        with pytest.raises(RateLimited):
            read_playlist(user.account(), "liked")
        keep_pending(user.settings, user.login.begin()[0])
        assert log_out(user.settings)
        assert {path.name for path in user.settings.spotify_directory.iterdir()} == {"token.lock"}
        assert not log_out(user.settings)

    def test_secrets_reach_no_log_and_no_message(
        self, user: User, spotify: FakeSpotify, caplog: pytest.LogCaptureFixture
    ) -> None:
        messages = []
        with caplog.at_level(logging.DEBUG):
            user.log_in()
            account = user.account()
            spotify.end_access()
            spotify.faults.extend([spotify.error(401, "expired"), page()])
            for fault in (None, spotify.error(403, "Forbidden"), truncated(b"{}" * 100)):
                spotify.faults.extend([fault] if fault else [])
                try:
                    list_playlists(account)
                except RecommenderError as error:
                    messages.append(f"{error} {error!r}")
            spotify.revoke()
            with pytest.raises(SpotifyLoginNeeded) as dead:
                list_playlists(account)
            messages += [str(dead.value), repr(user.login.begin()[0]), repr(user.settings)]
        assert len(messages) >= 5
        assert "secret-" not in caplog.text + "".join(messages)
        assert "verifier" not in "".join(messages)


class TestPendingLogin:
    def test_only_the_browser_that_began_it_ends_it_and_once(self, user: User) -> None:
        pending, _ = user.login.begin(browser="mine")
        keep_pending(user.settings, pending)
        now = pending.begun_at
        for state, browser, at in (
            ("guessed", "mine", now),
            (pending.state, "other", now),
            (pending.state, "mine", now + PENDING_S + 1),
        ):
            with pytest.raises(SpotifyLoginFailed):
                take_pending(user.settings, state, browser=browser, now=at)
        assert take_pending(user.settings, pending.state, browser="mine", now=now + 5) == pending
        with pytest.raises(SpotifyLoginFailed):
            take_pending(user.settings, pending.state, browser="mine", now=now + 6)

    def test_they_do_not_pile_up(self, user: User) -> None:
        for _ in range(60):
            keep_pending(user.settings, user.login.begin()[0])
        kept = list(user.settings.spotify_directory.glob("login-*.json"))
        assert len(kept) == 50
        assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}


class TestReading:
    def test_the_list_says_what_can_be_read(self, account: SpotifyAccount) -> None:
        found = {p.id: (p.name, p.owner, p.n_tracks, p.is_readable) for p in list_playlists(account)}
        assert found == {
            OWN: ("late night", "Ada", 120, True),
            SHARED: ("ours", "Bob", 1, True),
            FOREIGN: ("bob's", "Bob", 1, False),
            EDITORIAL: ("Top 50", "Spotify", 1, False),
        }

    def test_a_list_of_several_pages_with_holes(self, account: SpotifyAccount, spotify: FakeSpotify) -> None:
        for number in range(70):
            spotify.playlists[spotify_id(number, "q")] = FakePlaylist(f"list {number}")
        assert len(list_playlists(account)) == 74
        holed = {"items": [None, {"id": OWN, "name": "late night"}], "next": None, "total": 2}
        spotify.faults.extend([Reply(b'{"id": "ada"}'), Reply(json.dumps(holed).encode())])
        assert [(p.name, p.is_readable, p.n_tracks) for p in list_playlists(account)] == [
            ("late night", False, None)
        ]

    @pytest.mark.parametrize(
        "name",
        [
            *("late night", "Late Night", OWN, f"spotify:playlist:{OWN}", f"playlist:{OWN}"),
            f"https://open.spotify.com/playlist/{OWN}?si=abc",
            f"https://open.spotify.com/intl-de/playlist/{OWN}",
            f"spotify:user:ada:playlist:{OWN}",
        ],
    )
    def test_every_way_to_name_a_playlist(self, account: SpotifyAccount, name: str) -> None:
        read = read_playlist(account, name)
        assert (read.name, read.source, len(read.rows)) == ("late night", "spotify", 120)
        assert [row.title for row in read.rows] == [f"Piece {n}" for n in range(120)]

    def test_a_row_has_all_that_names_a_track(self, account: SpotifyAccount, spotify: FakeSpotify) -> None:
        two = [{"name": "Bad Bunny"}, {"name": "J Balvin"}, {}]
        spotify.playlists[OWN].items = [track(7, "La Canción", artists=two)]
        assert read_playlist(account, OWN).rows == (
            SourceRow(
                title="La Canción",
                artist="Bad Bunny, J Balvin",
                album="Album",
                duration_s=200.0,
                identities=(("spotify", f"spotify:track:{spotify_id(7)}"), ("isrc", "USUM70000007")),
                released="2017-05-26",
            ),
        )

    @pytest.mark.parametrize("is_legacy", [False, True])
    def test_what_is_no_track_is_left_out_with_a_reason(
        self, account: SpotifyAccount, spotify: FakeSpotify, is_legacy: bool
    ) -> None:
        spotify.is_legacy = is_legacy
        spotify.playlists[OWN].items = [
            None,
            track(1),
            episode("Talk"),
            local_file("", ""),
            local_file("My tape", "Me"),
            track(2, type="audiobook"),
        ]
        read = read_playlist(account, "late night")
        assert [(s.position, s.code, s.text) for s in read.skipped] == [
            (0, "withdrawn", ""),
            (2, "episode", "Talk"),
            (3, "local_file", ""),
            (5, "not_music", "Piece 2"),
        ]
        mine = read.rows[1]
        assert (mine.title, mine.artist, mine.duration_s, mine.identities) == ("My tape", "Me", 123.0, ())

    def test_damaged_rows_break_nothing(self, account: SpotifyAccount) -> None:
        rows: list[Any] = [
            *(1, "x", [], {}, {"item": 3}, {"item": {"artists": 3, "album": [], "external_ids": None}}),
            {"item": {"name": "A", "artists": [None, {"name": 4}], "duration_ms": "long", "type": None}},
        ]
        account_page = {"items": rows, "total": len(rows), "next": None}
        read = self.read_answer(account, account_page)
        assert [row.title for row in read.rows] == ["A"]
        assert [skipped.code for skipped in read.skipped] == ["withdrawn"] * 5 + ["no_name"]

    def read_answer(self, account: SpotifyAccount, answer: Any) -> SourcePlaylist:
        account.api.current_user_saved_tracks = lambda **_: answer
        return read_playlist(account, "liked")

    def test_liked_is_liked(self, account: SpotifyAccount, spotify: FakeSpotify) -> None:
        read = read_playlist(account, "Liked")
        assert (read.name, len(read.rows)) == ("liked", 130)
        assert [asked.one("limit") for asked in spotify.api_calls] == ["50"] * 3

    def test_an_empty_playlist_is_empty(self, account: SpotifyAccount, spotify: FakeSpotify) -> None:
        spotify.playlists[OWN].items = []
        assert read_playlist(account, OWN).rows == ()

    @pytest.mark.parametrize("name", ["bob's", FOREIGN, f"spotify:playlist:{FOREIGN}"])
    def test_another_users_playlist_says_why_not(self, account: SpotifyAccount, name: str) -> None:
        with pytest.raises(SpotifyRefused, match=r"403: Forbidden.*owns or shares.*Premium") as error:
            read_playlist(account, name)
        assert error.value.status == 403

    def test_a_playlist_that_spotify_made(self, account: SpotifyAccount) -> None:
        for name in ("Top 50", f"playlist:{EDITORIAL}"):
            with pytest.raises(SpotifyRefused, match=r"404.*Spotify's own making"):
                read_playlist(account, name)

    def test_some_apps_find_the_items_inside_the_playlist(
        self, account: SpotifyAccount, spotify: FakeSpotify
    ) -> None:
        spotify.items_address_refused = True
        assert len(read_playlist(account, OWN).rows) == 120

    def test_a_name_that_is_not_there_lists_those_that_are(self, account: SpotifyAccount) -> None:
        with pytest.raises(SourceUnavailable, match="it has: late night, ours"):
            read_playlist(account, "gone")

    def test_two_of_one_name_want_an_id(self, account: SpotifyAccount, spotify: FakeSpotify) -> None:
        spotify.playlists[spotify_id(9, "p")] = FakePlaylist("late night")
        with pytest.raises(SourceUnavailable, match="2 playlists called 'late night'"):
            read_playlist(account, "late night")

    @pytest.mark.parametrize("kind", ["track", "album", "artist"])
    def test_what_is_no_playlist(self, account: SpotifyAccount, spotify: FakeSpotify, kind: str) -> None:
        n_asked = len(spotify.asked)
        with pytest.raises(UnreadableSource, match="is no playlist"):
            read_playlist(account, f"{kind}:{spotify_id(1)}")
        assert len(spotify.asked) == n_asked

    def test_no_log_in_follows_a_link_to_another_host(
        self, account: SpotifyAccount, spotify: FakeSpotify
    ) -> None:
        with FakeServer().running() as elsewhere:
            spotify.next_origin = elsewhere.url
            with pytest.raises(ForbiddenAddress, match=f"127.0.0.1:{elsewhere.port}, which is not Spotify"):
                read_playlist(account, OWN)
            spotify.next_origin = spotify.url.replace("http://", "http://evil.example@")
            with pytest.raises(ForbiddenAddress):
                read_playlist(account, OWN)
            assert elsewhere.asked == []

    def test_no_log_in_follows_a_redirect(self, account: SpotifyAccount, spotify: FakeSpotify) -> None:
        with FakeServer().running() as elsewhere:
            spotify.faults.append(Reply(status=302, headers={"Location": f"{elsewhere.url}/v1/me"}))
            with pytest.raises(SpotifyRefused):
                list_playlists(account)
            assert elsewhere.asked == []

    def test_a_list_without_an_end(self, account: SpotifyAccount) -> None:
        following = f"{account.api.prefix}me/tracks?offset=0"
        with pytest.raises(UnreadableSource, match="empty pages"):
            self.read_answer(account, {"items": [], "total": 1, "next": following})


class TestLimits:
    def test_a_short_wait_is_waited(self, account: SpotifyAccount, user: User, spotify: FakeSpotify) -> None:
        spotify.faults.append(too_many("7"))
        assert len(list_playlists(account)) == 4
        assert 7.0 in user.time.slept

    @pytest.mark.parametrize(
        ("waits_s", "said"), [(7200, "2.0 hours"), (90, "for 90 s"), (1808, "30 minutes")]
    )
    def test_a_long_wait_is_an_error_that_says_how_long(
        self, account: SpotifyAccount, user: User, waits_s: int, said: str
    ) -> None:
        user.spotify.faults.append(too_many(str(waits_s)))
        with pytest.raises(RateLimited, match=said) as error:
            list_playlists(account)
        assert (error.value.retry_after_s, error.value.quota) == (waits_s, False)
        assert max(user.time.slept, default=0) <= PATIENCE_S

    @pytest.mark.parametrize("retry_after", [None, "soon", "nan", "-5", "0"])
    def test_a_wait_that_is_not_named_is_tried_a_few_times(
        self, account: SpotifyAccount, user: User, spotify: FakeSpotify, retry_after: str | None
    ) -> None:
        spotify.faults.extend([too_many(retry_after)] * 10)
        with pytest.raises(RateLimited):
            list_playlists(account)
        assert len(spotify.api_calls) == 4
        assert sum(user.time.slept) < 20

    def test_a_used_up_quota_stops_at_once(
        self, account: SpotifyAccount, user: User, spotify: FakeSpotify
    ) -> None:
        spotify.faults.append(spotify.quota_exceeded("5"))
        with pytest.raises(RateLimited, match="quota of your app") as error:
            list_playlists(account)
        assert (error.value.retry_after_s, error.value.quota) == (5.0, True)
        assert (len(spotify.api_calls), user.time.slept) == (1, [])

    def test_reading_goes_on_where_the_quota_ended(
        self, account: SpotifyAccount, spotify: FakeSpotify
    ) -> None:
        spotify.calls_left = 2
        with pytest.raises(
            RateLimited, match="the 100 of 130 rows of 'liked' that were read are kept"
        ) as error:
            read_playlist(account, "liked")
        assert error.value.quota
        with pytest.raises(RateLimited, match="100 of 130"):
            read_playlist(account, "liked")
        spotify.calls_left, n_before = 1, len(spotify.api_calls)
        read = read_playlist(account, "liked")
        assert [row.title for row in read.rows] == [f"Piece {n}" for n in range(130)]
        assert [asked.one("offset") for asked in spotify.api_calls[n_before:]] == ["99"]
        assert not list(account.directory.glob("reading-*"))

    def test_progress_survives_the_process_and_a_torn_line(
        self, account: SpotifyAccount, user: User, spotify: FakeSpotify
    ) -> None:
        spotify.calls_left = 2
        with pytest.raises(RateLimited):
            read_playlist(account, "liked")
        (kept,) = account.directory.glob("reading-*")
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        text = kept.read_text()
        kept.write_text(text[: len(text) - 40])
        spotify.calls_left, n_before = None, len(spotify.api_calls)
        read = read_playlist(user.account(), "liked")
        assert [row.title for row in read.rows] == [f"Piece {n}" for n in range(130)]
        assert [asked.one("offset") for asked in spotify.api_calls[n_before:]] == ["49", "99"]

    def test_two_who_read_the_same_list_do_not_keep_it_twice(self, tmp_path: Path) -> None:
        slim = [slim_track(track(n)) for n in range(3)]
        one, other = PageLog(tmp_path, "x"), PageLog(tmp_path, "x")
        for log in (one, other):
            log.add(slim[:2], 3)
        other.add(slim[2:], 3)
        kept = PageLog(tmp_path, "x")
        assert (kept.entries, kept.total) == (slim, 3)
        assert PageLog(tmp_path, "y").entries == []

    @pytest.mark.parametrize("change", ["added", "removed", "replaced"])
    def test_a_list_that_changed_meanwhile_is_read_afresh(
        self, account: SpotifyAccount, spotify: FakeSpotify, change: str
    ) -> None:
        spotify.calls_left = 2
        with pytest.raises(RateLimited):
            read_playlist(account, "liked")
        changes: dict[str, Callable[[], Any]] = {
            "added": lambda: spotify.liked.insert(0, track(500)),
            "removed": lambda: spotify.liked.pop(0),
            "replaced": lambda: spotify.liked.append(spotify.liked.pop(0)),
        }
        changes[change]()
        spotify.calls_left = None
        read = read_playlist(account, "liked")
        assert [row.title for row in read.rows] == [item["name"] for item in spotify.liked]

    def test_what_is_kept_for_too_long_is_not_used(
        self, account: SpotifyAccount, spotify: FakeSpotify
    ) -> None:
        spotify.calls_left = 2
        with pytest.raises(RateLimited):
            read_playlist(account, "liked")
        (kept,) = account.directory.glob("reading-*")
        os.utime(kept, (time.time() - 100_000,) * 2)
        spotify.calls_left, n_before = None, len(spotify.api_calls)
        assert len(read_playlist(account, "liked").rows) == 130
        assert len(spotify.api_calls) - n_before == 3

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_a_broken_moment_passes(self, account: SpotifyAccount, spotify: FakeSpotify, status: int) -> None:
        spotify.faults.extend([Reply(b"oops", status)] * 3)
        assert len(list_playlists(account)) == 4

    def test_a_broken_spotify_is_said_to_be_broken(
        self, account: SpotifyAccount, spotify: FakeSpotify
    ) -> None:
        spotify.faults.extend([unavailable()] * 4)
        with pytest.raises(SourceUnavailable, match=r"error of its own \(503\)"):
            list_playlists(account)

    @pytest.mark.parametrize(
        "fault",
        [
            *(page(), Reply(b""), Reply(b"[1]"), Reply(b"null"), Reply(b"3"), Reply(b'{"id": 1}', 200)),
            *(Reply(b'{"error": "busy"}', 400), Reply(b"[]", 404), Reply(b"\xff\xfe", 418), slow_drip()),
            *(Reply(b"[" * 20_000), Reply(b'{"error": {"message": null}}', 403)),
        ],
    )
    def test_no_answer_is_a_mistake_of_ours(
        self,
        account: SpotifyAccount,
        spotify: FakeSpotify,
        fault: Reply,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("recommender.sources.spotify.session._DEADLINE_S", 0.3)
        spotify.faults.append(fault)
        with suppress(RecommenderError):
            list_playlists(account)

    def test_a_playlist_of_endless_size_is_cut(
        self, account: SpotifyAccount, spotify: FakeSpotify, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("recommender.sources.spotify.session._MAX_BYTES", 1000)
        with pytest.raises(UnreadableSource, match="sends more than"):
            read_playlist(account, OWN)

    def test_the_owner_of_the_app_needs_premium(self, account: SpotifyAccount, spotify: FakeSpotify) -> None:
        spotify.owner_has_premium = False
        with pytest.raises(SpotifyRefused, match="Active premium subscription required"):
            list_playlists(account)

    def test_a_log_in_that_may_not_write_has_to_be_made_again(
        self, account: SpotifyAccount, spotify: FakeSpotify
    ) -> None:
        for grant in spotify.granted.values():
            grant.scope = "user-library-read playlist-read-private"
        with pytest.raises(SpotifyLoginNeeded, match="log in again"):
            write_new_playlist(account, "x", [])


class TestTracks:
    def test_a_link_says_which_track_it_is(self, account: SpotifyAccount, spotify: FakeSpotify) -> None:
        assert look_up_track(account, spotify_id(5)).title == "Piece 5"
        with pytest.raises(SpotifyRefused, match="Resource not found"):
            look_up_track(account, spotify_id(999))

    def test_a_name_of_another_form_is_sent_nowhere(
        self, account: SpotifyAccount, spotify: FakeSpotify
    ) -> None:
        n_asked = len(spotify.asked)
        with pytest.raises(UnreadableSource):
            look_up_track(account, "../me")
        assert len(spotify.asked) == n_asked

    def test_search_keeps_to_ten(self, account: SpotifyAccount, spotify: FakeSpotify) -> None:
        assert [row.title for row in search_tracks(account, "isrc:USUM70000042")] == ["Piece 42"]
        assert len(search_tracks(account, 'track:"Piece"')) == 10
        spotify.faults.append(Reply(b"{}"))
        assert search_tracks(account, "x") == []


URIS = [f"spotify:track:{spotify_id(n)}" for n in range(230)]


class TestWriting:
    def test_a_new_playlist_is_private_and_in_order(
        self, account: SpotifyAccount, spotify: FakeSpotify
    ) -> None:
        made = spotify.playlists[write_new_playlist(account, "for me" * 40, URIS)]
        assert (made.public, len(made.name)) == (False, 100)
        assert [item and item["uri"] for item in made.items] == URIS
        assert list(account.directory.glob("sending-*")) == []

    def test_what_is_there_is_never_changed(self, account: SpotifyAccount, spotify: FakeSpotify) -> None:
        first = write_new_playlist(account, "late night", URIS[:1])
        assert write_new_playlist(account, "late night", URIS[:1]) != first
        assert len(spotify.playlists[OWN].items) == 120

    def test_it_goes_on_after_the_quota(self, account: SpotifyAccount, spotify: FakeSpotify) -> None:
        spotify.calls_left = 2
        with pytest.raises(RateLimited):
            write_new_playlist(account, "x", URIS)
        spotify.calls_left, n_before = None, len(spotify.playlists)
        made = spotify.playlists[write_new_playlist(account, "x", URIS)]
        assert [item and item["uri"] for item in made.items] == URIS
        assert len(spotify.playlists) == n_before

    @pytest.mark.parametrize("fault", [Reply(b"", 502), Reply(b"", 500), truncated(b"{}" * 50)])
    def test_what_may_have_been_heard_is_not_said_twice(
        self, account: SpotifyAccount, spotify: FakeSpotify, fault: Reply
    ) -> None:
        """The first batch arrives, and the answer to it does not."""
        add = spotify._add

        def add_and_fail(asked: Asked, key: str) -> Reply:
            spotify._add = add  # type: ignore[method-assign]
            add(asked, key)
            return fault

        spotify._add = add_and_fail  # type: ignore[method-assign]
        with pytest.raises(SourceUnavailable):
            write_new_playlist(account, "x", URIS)
        made = spotify.playlists[write_new_playlist(account, "x", URIS)]
        assert [item and item["uri"] for item in made.items] == URIS

    def test_a_playlist_that_was_deleted_meanwhile_is_made_anew(
        self, account: SpotifyAccount, spotify: FakeSpotify
    ) -> None:
        spotify.calls_left = 2
        with pytest.raises(RateLimited):
            write_new_playlist(account, "x", URIS)
        spotify.calls_left = None
        spotify.playlists.popitem()
        assert len(spotify.playlists[write_new_playlist(account, "x", URIS)].items) == 230

    def test_more_than_fits_is_refused(self, account: SpotifyAccount, spotify: FakeSpotify) -> None:
        with pytest.raises(SourceError, match="at most 10,000"):
            write_new_playlist(account, "x", ["spotify:track:x"] * 10_001)
        assert len(spotify.playlists) == 4
