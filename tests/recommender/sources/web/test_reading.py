"""Reading from other servers: what is refused, what is waited for, and what never reaches a message."""

import contextlib
import gzip
import logging
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from email.utils import formatdate
from math import inf
from pathlib import Path
from time import sleep, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.errors import ForbiddenAddress, RateLimited, SourceError, SourceUnavailable, UnreadableSource
from recommender.settings import load_settings
from recommender.sources.web.addresses import check_addresses, name_place, split_url
from recommender.sources.web.answers import looks_like_text, read_retry_after
from recommender.sources.web.connections import Network
from recommender.sources.web.politeness import CircuitBreaker, Manners, TokenBucket
from recommender.sources.web.reading import Call, Validators, Web, download, get_bytes, get_json, open_web
from tests.fakes import servers
from tests.fakes.servers import AnsweringServer, FakeTime, Reply

PUBLIC = "93.184.216.34"
AUDIO = b"ID3" + bytes(range(256)) * 40
GUARDED = Call(guarded=True)


@pytest.fixture
def server() -> Iterator[AnsweringServer]:
    with AnsweringServer().running() as running:
        yield running


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def web(fake_time: FakeTime) -> Web:
    """Talks to private addresses, in a time of its own."""
    manners = Manners(clock=fake_time.clock, sleep=fake_time.sleep)
    return Web("Whichlist/test", allow_private=True, manners=manners)


class Elsewhere:
    """Names with addresses of the test's choice; whatever is dialled is the fake server, and noted."""

    def __init__(self, port: int, names: dict[str, list[list[str]]]) -> None:
        self.port = port
        self.names = names
        self.looked_up: list[str] = []
        self.dialled: list[str] = []

    def resolve(self, host: str, port: int) -> list[str]:
        self.looked_up.append(host)
        answers = self.names.get(host, [[host]])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def dial(self, address: str, port: int, timeout_s: float | None) -> socket.socket:
        self.dialled.append(address)
        return socket.create_connection(("127.0.0.1", self.port), timeout_s)

    def web(self, fake_time: FakeTime) -> Web:
        manners = Manners(clock=fake_time.clock, sleep=fake_time.sleep)
        return Web("Whichlist/test", manners=manners, network=Network(self.resolve, self.dial))


def json_reply(body: bytes = b'{"ok": true}') -> Reply:
    return Reply(body)


class TestAddresses:
    @pytest.mark.parametrize(
        "address",
        [
            *("127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1"),
            *("::1", "fc00::1", "fd12::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1"),
            "2002:7f00:1::",
        ],
    )
    def test_what_is_private_needs_the_operators_word(self, address: str) -> None:
        with pytest.raises(ForbiddenAddress, match="WHICHLIST_ALLOW_PRIVATE_ADDRESSES"):
            check_addresses([PUBLIC, address], place="radio.example")
        check_addresses([PUBLIC, address], place="radio.example", allow_private=True)

    @pytest.mark.parametrize(
        "address",
        [
            *("169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"),
            *("fd20:ce::254", "fe80::1", "fe80::1%eth0", "0.0.0.0", "::", "224.0.0.1", "ff02::1"),
            *("240.0.0.1", "255.255.255.255", "198.18.0.1", "203.0.113.9", "2001:db8::1", "3fff::1"),
            *("fec0::1", "::127.0.0.1", "2001:0:7f00:1::", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"),
        ],
    )
    def test_what_is_never_visited(self, address: str) -> None:
        for allow_private in (False, True):
            with pytest.raises(ForbiddenAddress) as caught:
                check_addresses([PUBLIC, address], place="radio.example", allow_private=allow_private)
            assert "WHICHLIST" not in str(caught.value)

    @pytest.mark.parametrize(
        "address", [PUBLIC, "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
    )
    def test_what_is_public_is_not(self, address: str) -> None:
        check_addresses([address], place="radio.example")

    @given(st.ip_addresses(v=4))
    def test_an_address_carried_in_another_is_judged_alike(self, address: object) -> None:
        def allowed(text: str) -> bool:
            try:
                check_addresses([text], place="x")
            except ForbiddenAddress:
                return False
            return True

        assert allowed(str(address)) == allowed(f"::ffff:{address}") == allowed(f"64:ff9b::{address}")

    @pytest.mark.parametrize(
        "url",
        [
            "ftp://a.example/x",
            "file:///etc/passwd",
            "javascript:x",
            "http://",
            "//a.example",
            "",
            "http://[::1",
            "http://a:99999/",
        ],
    )
    def test_other_kinds_of_url_are_refused(self, url: str) -> None:
        with pytest.raises(ForbiddenAddress):
            split_url(url)

    @given(st.text(max_size=40), st.text(st.characters(codec="ascii", exclude_characters="/?#@"), min_size=1))
    def test_a_place_never_shows_what_may_be_secret(self, start: str, secret: str) -> None:
        assert "SECRET" not in name_place(f"http://user:SECRET@{secret}/SECRET?t=SECRET#SECRET")
        name_place(start)


class TestGuard:
    def test_a_private_host_is_not_even_dialled(self, server: AnsweringServer, fake_time: FakeTime) -> None:
        far = Elsewhere(server.port, {"inside.example": [["192.168.0.7"]]})
        with pytest.raises(ForbiddenAddress):
            get_bytes(far.web(fake_time), "http://inside.example/feed", call=GUARDED)
        assert far.dialled == [] and server.asked == []

    @pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "localhost", "[::1]", "127.1"])
    def test_no_spelling_of_this_machine_helps(self, host: str, fake_time: FakeTime) -> None:
        manners = Manners(clock=fake_time.clock, sleep=fake_time.sleep)
        with pytest.raises(ForbiddenAddress):
            get_bytes(Web("test", manners=manners), f"http://{host}:9/x", call=GUARDED)

    def test_one_private_address_among_public_ones_is_enough(
        self, server: AnsweringServer, fake_time: FakeTime
    ) -> None:
        far = Elsewhere(server.port, {"both.example": [[PUBLIC, "10.0.0.1"]]})
        with pytest.raises(ForbiddenAddress):
            get_bytes(far.web(fake_time), "http://both.example/", call=GUARDED)

    def test_the_address_that_was_checked_is_the_one_that_is_dialled(
        self, server: AnsweringServer, fake_time: FakeTime
    ) -> None:
        """A name server that answers differently the second time: there is no second time."""
        server.routes["/feed"] = lambda _: json_reply()
        far = Elsewhere(server.port, {"rebind.example": [[PUBLIC], ["127.0.0.1"]]})
        web = far.web(fake_time)
        assert get_json(web, "http://rebind.example/feed", call=GUARDED) == {"ok": True}
        assert (far.looked_up, far.dialled) == (["rebind.example"], [PUBLIC])
        assert server.asked[0].headers["host"] == "rebind.example"
        with pytest.raises(ForbiddenAddress):
            get_json(web, "http://rebind.example/feed", call=GUARDED)
        assert far.dialled == [PUBLIC]

    @pytest.mark.parametrize(
        "target",
        [
            "http://127.0.0.1/admin",
            "http://169.254.169.254/latest/meta-data/",
            "http://[::ffff:10.0.0.1]/",
            "//192.168.0.1/x",
            "file:///etc/passwd",
            "gopher://a.example/",
            "http://rebind.example/again",
        ],
    )
    def test_a_redirect_leads_nowhere_else(
        self, target: str, server: AnsweringServer, fake_time: FakeTime, tmp_path: Path
    ) -> None:
        far = Elsewhere(server.port, {"a.example": [[PUBLIC]], "rebind.example": [["127.0.0.1"]]})
        server.routes["/track"] = lambda _: servers.moved(target)
        with pytest.raises(ForbiddenAddress):
            download(far.web(fake_time), "http://a.example/track", tmp_path / "track")
        assert far.dialled == [PUBLIC] and len(server.asked) == 1

    def test_a_redirect_to_another_public_host_is_followed(
        self, server: AnsweringServer, fake_time: FakeTime, tmp_path: Path
    ) -> None:
        far = Elsewhere(server.port, {"a.example": [[PUBLIC]], "b.example": [["8.8.8.8"]]})
        server.routes["/track"] = lambda _: servers.moved("http://b.example/real?sig=1")
        server.routes["/real"] = lambda _: Reply(AUDIO, content_type="audio/mpeg")
        got = download(far.web(fake_time), "http://a.example/track", tmp_path / "track")
        assert far.dialled == [PUBLIC, "8.8.8.8"]
        assert got.n_bytes == len(AUDIO) and (tmp_path / "track").read_bytes() == AUDIO

    def test_a_loop_of_redirects_ends(self, server: AnsweringServer, web: Web) -> None:
        server.routes["/loop"] = lambda _: servers.moved("/loop")
        with pytest.raises(SourceUnavailable, match="more than 5 times"):
            get_bytes(web, f"{server.url}/loop", call=GUARDED)
        assert len(server.asked) == 6

    def test_a_configured_server_may_not_send_its_callers_elsewhere(
        self, server: AnsweringServer, web: Web
    ) -> None:
        server.routes["/rest"] = lambda _: servers.moved(f"http://localhost:{server.port}/rest?t=SECRET")
        with pytest.raises(ForbiddenAddress, match="elsewhere") as caught:
            get_json(web, f"{server.url}/rest", call=Call(headers={"Authorization": "SECRET"}))
        assert "SECRET" not in str(caught.value) and len(server.asked) == 1

    def test_certificates_go_by_name_though_addresses_are_dialled(
        self, tmp_path: Path, fake_time: FakeTime
    ) -> None:
        seen: list[str | None] = []
        port, stop = serve_tls(tmp_path, seen)
        far = Elsewhere(port, {"radio.example": [[PUBLIC]]})
        with pytest.raises(SourceUnavailable, match="SSLError"):  # nobody vouches for this certificate
            get_bytes(far.web(fake_time), "https://radio.example/", call=GUARDED)
        stop.close()
        assert (seen, far.dialled) == (["radio.example"], [PUBLIC])

    def test_proxies_of_the_environment_are_not_asked(
        self, server: AnsweringServer, web: Web, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A proxy would look names up by itself, unchecked."""
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        server.routes["/x"] = lambda _: json_reply()
        assert get_json(web, f"{server.url}/x") == {"ok": True}


class TestPatience:
    @pytest.mark.parametrize("fault", [servers.too_many("3"), servers.unavailable("3")])
    def test_waits_as_long_as_it_is_asked_to(
        self, fault: Reply, server: AnsweringServer, web: Web, fake_time: FakeTime
    ) -> None:
        server.routes["/x"] = lambda _: json_reply()
        server.faults.append(fault)
        assert get_json(web, f"{server.url}/x") == {"ok": True}
        assert fake_time.slept == [3.0]

    @pytest.mark.parametrize("fault", [servers.too_many(), servers.unavailable(), servers.unavailable("0")])
    def test_waits_longer_each_time_when_nothing_was_said(
        self, fault: Reply, server: AnsweringServer, web: Web, fake_time: FakeTime
    ) -> None:
        server.routes["/x"] = lambda _: json_reply()
        server.faults.extend([fault] * 3)
        assert get_json(web, f"{server.url}/x") == {"ok": True}
        assert fake_time.slept == [1.0, 2.0, 4.0]

    def test_a_wait_beyond_the_cap_is_handed_to_the_caller(
        self, server: AnsweringServer, web: Web, fake_time: FakeTime
    ) -> None:
        server.faults.append(servers.too_many("1808"))
        with pytest.raises(RateLimited) as caught:
            get_json(web, f"{server.url}/x")
        assert caught.value.retry_after_s == 1808 and fake_time.slept == []

    def test_gives_up_on_a_server_that_stays_busy(self, server: AnsweringServer, web: Web) -> None:
        server.faults.extend([servers.too_many()] * 9)
        with pytest.raises(RateLimited) as caught:
            get_json(web, f"{server.url}/x")
        assert caught.value.retry_after_s is None and len(server.asked) == 4

    def test_a_call_that_changes_something_is_made_once_unless_it_was_not_heard(
        self, server: AnsweringServer, web: Web
    ) -> None:
        server.routes["/x"] = lambda _: json_reply()
        server.faults.extend([servers.too_many(), Reply(b"", 500)])
        with pytest.raises(SourceUnavailable):
            get_json(web, f"{server.url}/x", call=Call(repeatable=False))
        assert len(server.asked) == 2

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
    def test_a_refusal_is_not_asked_again(self, status: int, server: AnsweringServer, web: Web) -> None:
        server.faults.append(Reply(b"no", status))
        with pytest.raises(SourceUnavailable, match=str(status)):
            get_json(web, f"{server.url}/x")
        assert len(server.asked) == 1

    def test_retry_after_may_be_a_date(self) -> None:
        tomorrow, yesterday = (formatdate(time() + by_s, usegmt=True) for by_s in (86_400, -86_400))
        assert read_retry_after(tomorrow) == pytest.approx(86_400, abs=3600)
        assert read_retry_after(yesterday) == 0.0
        assert [read_retry_after(v) for v in (None, "", "soon", "nan", "inf", "-3")] == [None] * 5 + [0.0]


class TestAnswers:
    def test_an_error_sent_as_a_success_is_one(self, server: AnsweringServer, web: Web) -> None:
        server.faults.append(Reply(b'{"error": {"code": 4, "message": "Quota limit exceeded"}}'))
        with pytest.raises(SourceUnavailable, match="Quota limit exceeded"):
            get_json(web, f"{server.url}/x")

    def test_a_page_is_no_json(self, server: AnsweringServer, web: Web) -> None:
        server.faults.append(servers.page())
        with pytest.raises(UnreadableSource, match="sent a page"):
            get_json(web, f"{server.url}/x")

    def test_a_body_that_ends_early_is_asked_for_again(self, server: AnsweringServer, web: Web) -> None:
        server.routes["/x"] = lambda _: json_reply()
        server.faults.extend([servers.truncated(b'{"a": 1}'), Reply(b'{"a": 1}', chunked=True)])
        assert get_json(web, f"{server.url}/x") == {"ok": True}

    def test_half_a_json_without_a_length_is_noticed(self, server: AnsweringServer, web: Web) -> None:
        server.faults.append(servers.cut_short(b'{"a": [1, 2, 3]}'))
        with pytest.raises(UnreadableSource, match="not all of it"):
            get_json(web, f"{server.url}/x")

    def test_a_compressed_bomb_is_capped_by_what_it_becomes(self, server: AnsweringServer, web: Web) -> None:
        bomb = gzip.compress(b"0" * 3_000_000)
        assert len(bomb) < 10_000
        server.faults.append(Reply(bomb, headers={"Content-Encoding": "gzip"}))
        with pytest.raises(UnreadableSource, match="more than 1 MB"):
            get_json(web, f"{server.url}/x", call=Call(max_bytes=1_000_000))

    def test_a_slow_drip_ends_with_the_deadline(self, server: AnsweringServer, web: Web) -> None:
        server.faults.append(servers.slow_drip())
        with pytest.raises(SourceUnavailable, match=r"longer than 0\.2 s"):
            get_bytes(web, f"{server.url}/x", call=Call(deadline_s=0.2))
        assert len(server.asked) == 1

    def test_a_server_that_says_nothing_ends_with_the_deadline_too(self, web: Web) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/x"
            with pytest.raises(SourceUnavailable, match=r"longer than 0\.2 s"):
                get_bytes(web, url, call=Call(deadline_s=0.2))

    def test_slow_headers_end_with_the_deadline_too(self, web: Web) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def drip() -> None:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.sendall(b"HTTP/1.1 200 OK\r\n")
                    for _ in range(1_000):
                        connection.sendall(b"x")
                        sleep(0.01)

            threading.Thread(target=drip, daemon=True).start()
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
            with pytest.raises(SourceUnavailable, match=r"longer than 0\.2 s"):
                get_bytes(web, url, call=Call(deadline_s=0.2))

    def test_a_name_server_that_does_not_answer_ends_with_the_deadline(self, fake_time: FakeTime) -> None:
        may_answer, answered = threading.Event(), []

        def resolve(_host: str, _port: int) -> list[str]:
            may_answer.wait(20)
            answered.append(PUBLIC)
            return answered

        manners = Manners(clock=fake_time.clock, sleep=fake_time.sleep)
        web = Web("test", manners=manners, network=Network(resolve))
        with pytest.raises(SourceUnavailable, match=r"longer than 0\.2 s"):
            get_bytes(web, "http://slow-name.example/", call=Call(guarded=True, deadline_s=0.2))
        assert answered == []
        may_answer.set()

    def test_thousands_of_brackets(self, server: AnsweringServer, web: Web) -> None:
        server.faults.append(Reply(b"[" * 200_000))
        with pytest.raises(UnreadableSource):
            get_json(web, f"{server.url}/x")

    def test_many_addresses_share_one_deadline(self, fake_time: FakeTime) -> None:
        """A name with a hundred addresses that never answer holds nobody up a hundred times."""
        waits: list[float] = []

        def dial(_address: str, _port: int, timeout_s: float | None) -> socket.socket:
            waits.append(timeout_s or inf)
            sleep(min(timeout_s or inf, 0.05))
            raise TimeoutError

        addresses = [f"93.184.216.{n}" for n in range(1, 101)]
        manners = Manners(clock=fake_time.clock, sleep=fake_time.sleep)
        web = Web("test", manners=manners, network=Network(lambda *_: addresses, dial))
        with pytest.raises(SourceUnavailable, match=r"longer than 0\.2 s"):
            get_bytes(web, "http://many.example/", call=Call(guarded=True, deadline_s=0.2))
        assert len(waits) < 20 and max(waits) <= 0.2

    def test_nobody_there(self, web: Web, fake_time: FakeTime) -> None:
        with socket.create_server(("127.0.0.1", 0)) as gone:
            url = f"http://127.0.0.1:{gone.getsockname()[1]}/x"
        with pytest.raises(SourceUnavailable, match="cannot be read"):
            get_bytes(web, url)
        assert fake_time.slept == [1.0, 2.0, 4.0]

    def test_a_name_that_nobody_knows(self, fake_time: FakeTime) -> None:
        manners = Manners(clock=fake_time.clock, sleep=fake_time.sleep)
        with pytest.raises(SourceUnavailable, match="not known here"):
            get_bytes(Web("test", manners=manners), "http://no-such-host.invalid/x")

    def test_what_has_not_changed_is_not_sent_again(self, server: AnsweringServer, web: Web) -> None:
        def route(asked: servers.Asked) -> Reply:
            if asked.headers.get("if-none-match") == '"v1"' and "if-modified-since" in asked.headers:
                return Reply(status=304, headers={"ETag": '"v1"'})
            return Reply(b"[1]", headers={"ETag": '"v1"', "Last-Modified": "Fri, 20 Nov 2026 10:00:00 GMT"})

        server.routes["/x"] = route
        first = get_bytes(web, f"{server.url}/x")
        assert first.body == b"[1]"
        assert first.validators == Validators('"v1"', "Fri, 20 Nov 2026 10:00:00 GMT")
        again = get_bytes(web, f"{server.url}/x", validators=first.validators)
        assert again.body is None and again.validators.etag == '"v1"'


class TestDownload:
    def test_comes_whole_into_its_place(self, server: AnsweringServer, web: Web, tmp_path: Path) -> None:
        server.routes["/a.mp3"] = lambda _: Reply(AUDIO, content_type="audio/mpeg")
        to = tmp_path / "a.mp3"
        to.write_bytes(b"what was there before")
        got = download(web, f"{server.url}/a.mp3", to)
        assert (got.n_bytes, got.content_type, to.read_bytes()) == (len(AUDIO), "audio/mpeg", AUDIO)

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            (servers.page(), UnreadableSource),
            (Reply(servers.PAGE, content_type="audio/mpeg"), UnreadableSource),
            (Reply(b'{"error": "gone"}', content_type="audio/mpeg"), UnreadableSource),
            (Reply(b"<?xml version='1.0'?><e/>", content_type="text/xml"), UnreadableSource),
            (Reply(b"", content_type="audio/mpeg"), UnreadableSource),
            (Reply(b"x" * 3_000, content_type="audio/mpeg"), UnreadableSource),
            (Reply(b"x" * 3_000, declares=-1, content_type="audio/mpeg"), UnreadableSource),
            (servers.slow_drip(), SourceUnavailable),
            (Reply(b"gone", 404), SourceUnavailable),
        ],
    )
    def test_what_is_no_audio_leaves_nothing_behind(
        self, fault: Reply, error: type[SourceError], server: AnsweringServer, web: Web, tmp_path: Path
    ) -> None:
        server.faults.append(fault)
        with pytest.raises(error):
            download(
                web,
                f"{server.url}/a",
                tmp_path / "a",
                call=Call(guarded=True, max_bytes=2_000, deadline_s=0.2),
            )
        assert list(tmp_path.iterdir()) == []

    def test_half_a_file_is_asked_for_again(self, server: AnsweringServer, web: Web, tmp_path: Path) -> None:
        server.routes["/a"] = lambda _: Reply(AUDIO, content_type="audio/mpeg")
        server.faults.append(servers.truncated(AUDIO))
        assert download(web, f"{server.url}/a", tmp_path / "a").n_bytes == len(AUDIO)

    def test_a_disk_that_cannot_take_it_is_not_the_servers_fault(
        self, server: AnsweringServer, web: Web, tmp_path: Path
    ) -> None:
        server.routes["/a"] = lambda _: Reply(AUDIO, content_type="audio/mpeg")
        with pytest.raises(FileNotFoundError):
            download(web, f"{server.url}/a", tmp_path / "missing" / "a")

    @given(st.binary(max_size=40))
    def test_audio_never_looks_like_text(self, rest: bytes) -> None:
        starts = (
            b"ID3",
            b"\xff\xfb",
            b"OggS",
            b"fLaC",
            b"RIFF",
            b"FORM",
            b"caff",
            b"\x00\x00\x00\x20ftyp",
            b"0&\xb2u",
        )
        assert [looks_like_text(start + rest) for start in starts] == [""] * len(starts)


class TestManners:
    def test_the_bucket_holds_the_rate(self) -> None:
        fake_time = FakeTime()
        manners = Manners(clock=fake_time.clock, sleep=fake_time.sleep)
        for _ in range(24):
            manners.wait_turn("a.example", rate_per_s=2.0)
        assert fake_time.now - 1000.0 == pytest.approx((24 - 4) / 2.0)

    def test_servers_do_not_wait_for_each_other(self) -> None:
        fake_time = FakeTime()
        manners = Manners(clock=fake_time.clock, sleep=fake_time.sleep)
        for number in range(50):
            manners.wait_turn(f"{number}.example", rate_per_s=1.0)
        assert fake_time.slept == []

    @given(st.lists(st.floats(0.0, 5.0), max_size=40))
    def test_no_pattern_of_calls_beats_the_bucket(self, pauses: list[float]) -> None:
        fake_time = FakeTime()
        bucket = TokenBucket(rate_per_s=2.0, burst=3.0, clock=fake_time.clock)
        starts = []
        for pause_s in pauses:
            fake_time.now += pause_s
            fake_time.now += bucket.reserve()
            starts.append(fake_time.now)
        for first, start in enumerate(starts):
            for later, end in enumerate(starts[first:], first):
                assert later - first + 1 <= 3.0 + 2.0 * (end - start) + 1e-6

    def test_a_broken_server_is_left_alone_and_tried_again(
        self, server: AnsweringServer, web: Web, fake_time: FakeTime
    ) -> None:
        server.routes["/x"] = lambda _: json_reply()
        server.faults.extend([Reply(b"", 500)] * 6)
        for _ in range(2):
            with pytest.raises(SourceUnavailable):
                get_json(web, f"{server.url}/x")
        assert len(server.asked) == 5
        with pytest.raises(SourceUnavailable, match="left alone"):
            get_json(web, f"{server.url}/x")
        assert len(server.asked) == 5
        fake_time.now += 61
        with pytest.raises(SourceUnavailable, match="left alone"):  # one try, which fails
            get_json(web, f"{server.url}/x")
        assert len(server.asked) == 6
        fake_time.now += 61
        assert get_json(web, f"{server.url}/x") == {"ok": True}
        assert get_json(web, f"{server.url}/x") == {"ok": True}

    def test_while_one_tries_the_others_wait(self) -> None:
        fake_time = FakeTime()
        breaker = CircuitBreaker(n_failures=1, pause_s=10.0, clock=fake_time.clock)
        breaker.failed()
        fake_time.now += 11
        breaker.check("a.example")
        with pytest.raises(SourceUnavailable):
            breaker.check("a.example")

    def test_refusals_do_not_open_the_breaker(self, server: AnsweringServer, web: Web) -> None:
        for _ in range(9):
            with pytest.raises(SourceUnavailable, match="404"):
                get_json(web, f"{server.url}/nothing")


class TestSecrets:
    @pytest.mark.parametrize(
        "faults",
        [
            [servers.too_many("999")],
            [Reply(b"", 500)] * 9,
            [Reply(b"", 401)],
            [servers.page()],
            [servers.truncated(b"{}" * 50)] * 9,
            [servers.moved("http://elsewhere.example/?t=SECRET")],
            [servers.moved("ftp://SECRET")],
            [servers.slow_drip()],
        ],
    )
    def test_no_error_and_no_log_shows_one(
        self,
        faults: list[Reply],
        server: AnsweringServer,
        fake_time: FakeTime,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        web = open_web(load_settings({"allow_private_addresses": "on"}, environ={}))
        manners = Manners(clock=fake_time.clock, sleep=fake_time.sleep)
        web = Web(web.user_agent, allow_private=True, manners=manners)
        server.faults.extend(faults)
        call = Call(params=(("t", "SECRET"),), headers={"Authorization": "SECRET"}, deadline_s=0.3)
        with pytest.raises(SourceError) as caught:
            get_json(web, f"{server.url}/x", call=call)
        logging.getLogger("test").error("failed", exc_info=caught.value)
        assert "failed" in caplog.text and "SECRET" not in caplog.text
        assert "SECRET" not in str(caught.value) + repr(call)
        assert server.asked[0].one("t") == "SECRET"

    def test_a_server_setting_with_a_password_in_it_is_refused_without_showing_it(self) -> None:
        with pytest.raises(Exception, match="SUBSONIC_URL") as caught:
            load_settings({"subsonic_url": "http://me:SECRET@music.home"}, environ={})
        assert "SECRET" not in str(caught.value)
        shown = load_settings({"subsonic_password": "SECRET", "jellyfin_token": "SECRET"}, environ={})
        assert "SECRET" not in repr(shown)

    def test_we_say_who_we_are(self, server: AnsweringServer) -> None:
        settings = load_settings({"contact": "me@example.org", "allow_private_addresses": "on"}, environ={})
        server.routes["/x"] = lambda _: json_reply()
        get_json(open_web(settings), f"{server.url}/x")
        said = server.asked[0].headers["user-agent"]
        assert said.startswith("Whichlist/") and "me@example.org" in said


def serve_tls(folder: Path, seen: list[str | None]) -> tuple[int, socket.socket]:
    """A server with a certificate of its own making, which notes the names that it is called by."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=radio.example",
        "-days",
        "2",
    ]
    try:
        subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs openssl to make a certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.sni_callback = lambda _, name, __: seen.append(name)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
                context.wrap_socket(connection, server_side=True).close()
            except ssl.SSLError:
                continue
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1], listener
