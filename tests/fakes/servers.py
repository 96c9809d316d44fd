"""A real HTTP server in a thread that answers as told, and misbehaves as told."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    path: str
    params: Mapping[str, list[str]]
    headers: Mapping[str, str]
    method: str = "GET"
    body: bytes = b""

    def one(self, name: str, default: str = "") -> str:
        return self.params.get(name, [default])[0]


@dataclass(frozen=True)
class Reply:
    """What goes back. ``declares`` is a Content-Length not the body's, ``drip_s`` a wait at each byte."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    declares: int | None = None
    chunked: bool = False
    drip_s: float = 0.0


PAGE = b"<!DOCTYPE html><html><body>Please log in to the hotel's network.</body></html>"


def too_many(retry_after: str | None = None) -> Reply:
    return Reply(b"{}", 429, {} if retry_after is None else {"Retry-After": retry_after})


def unavailable(retry_after: str | None = None) -> Reply:
    return Reply(b"busy", 503, {} if retry_after is None else {"Retry-After": retry_after})


def page() -> Reply:
    return Reply(PAGE, content_type="text/html; charset=utf-8")


def truncated(body: bytes) -> Reply:
    return Reply(body[: len(body) // 2], declares=len(body))


def cut_short(body: bytes) -> Reply:
    """Half a body, without a length that would give it away."""
    return Reply(body[: len(body) // 2], declares=-1)


def slow_drip() -> Reply:
    return Reply(b"x" * 10_000, drip_s=0.02, content_type="audio/mpeg")


def moved(to: str) -> Reply:
    return Reply(status=302, headers={"Location": to})


class FakeServer:
    """Serves :meth:`answer`, after whatever stands in ``faults``; every request is kept in ``asked``."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.faults: deque[Reply] = deque()
        self.stopping = threading.Event()
        handler = type("Handler", (_Handler,), {"fake": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def answer(self, asked: Asked) -> Reply:
        return Reply(b"", 404)

    @contextmanager
    def running(self) -> Iterator[Any]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.stopping.set()
            self._server.shutdown()
            self._server.server_close()

    def reply_to(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        return self.faults.popleft() if self.faults else self.answer(asked)


class AnsweringServer(FakeServer):
    """Answers with the functions of ``routes``, by path."""

    def __init__(self) -> None:
        super().__init__()
        self.routes: dict[str, Callable[[Asked], Reply]] = {}

    def answer(self, asked: Asked) -> Reply:
        route = self.routes.get(asked.path)
        return route(asked) if route else super().answer(asked)


class _Handler(BaseHTTPRequestHandler):
    fake: FakeServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        reply = self.fake.reply_to(Asked(parts.path, parse_qs(parts.query), headers, self.command, body))
        self.close_connection = True
        try:
            self._send(reply)
        except OSError:  # the caller had enough
            return

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 (the base class calls them so)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Connection", "close")
        length = len(reply.body) if reply.declares is None else reply.declares
        if reply.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif length >= 0 and reply.status != 304:
            self.send_header("Content-Length", str(length))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if reply.chunked:  # the last chunk, which would say that this was all, never comes
            self.wfile.write(f"{len(reply.body):x}\r\n".encode() + reply.body + b"\r\n")
        elif reply.drip_s:
            self._drip(reply)
        else:
            self.wfile.write(reply.body)

    def _drip(self, reply: Reply) -> None:
        for byte in reply.body:
            if self.fake.stopping.is_set():
                return
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(reply.drip_s)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass
class FakeTime:
    """A clock that only moves when somebody sleeps, and remembers for how long."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
