"""Waits on this machine for the one request with which Spotify's page ends a log-in."""

import secrets
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from recommender.sources.spotify.errors import SpotifyLoginFailed

HOST = "127.0.0.1"
PATH = "/callback"
_IDLE_S = 5.0
# What is said back is always the same, whatever was asked: nothing of the request gets into a page.
_DONE = (
    b"<!doctype html><title>Whichlist</title><p>That was it: you can close this and go back to the terminal."
)
_NOT_THIS = b"<!doctype html><title>Whichlist</title><p>This is not the log-in that is waited for."


class CallbackListener:
    """Listens from its making on, so that the page can be opened afterwards; close it when done."""

    def __init__(self, port: int) -> None:
        self._answer: dict[str, str] | None = None
        self._state = ""
        handler = type("Handler", (_Handler,), {"listener": self})
        try:
            self._server = HTTPServer((HOST, port), handler)
        except OSError as error:
            raise SpotifyLoginFailed(
                f"nothing can listen on port {port} ({error.strerror}); if that is `whichlist serve`, open"
                f" http://{HOST}:{port}/spotify/login instead, else name another port with --port"
            ) from None
        self.port = int(self._server.server_address[1])

    def wait(self, state: str, *, seconds: float) -> dict[str, str]:
        """What Spotify's page sent with this state: ``code``, or ``error``.

        Raises
        ------
        SpotifyLoginFailed
            Nothing came in time.
        """
        self._state, ends_at = state, time.monotonic() + seconds
        while self._answer is None:
            left_s = ends_at - time.monotonic()
            if left_s <= 0:
                raise SpotifyLoginFailed(f"nobody came back from Spotify's page within {seconds:.0f} s")
            self._server.timeout = left_s
            self._server.handle_request()
        return self._answer

    def close(self) -> None:
        """Free the port."""
        self._server.server_close()

    def take(self, target: str) -> bool:
        """Take a request's target if it is the one; one with another state changes nothing."""
        path, given = read_answer(target)
        is_ours = secrets.compare_digest(given.get("state", "").encode(), self._state.encode())
        if path != PATH or not is_ours or not {"code", "error"} & given.keys():
            return False
        self._answer = given
        return True


def read_answer(target: str) -> tuple[str, dict[str, str]]:
    """(path, what it says) of an address that Spotify's page led to."""
    try:
        parts = urlsplit(target.strip())
    except ValueError:
        return "", {}
    return parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}


class _Handler(BaseHTTPRequestHandler):
    listener: CallbackListener
    timeout = _IDLE_S

    def do_GET(self) -> None:
        found = self.listener.take(self.path)
        body = _DONE if found else _NOT_THIS
        self.send_response(200 if found else 404)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Content-Security-Policy", "default-src 'none'"),
            ("Referrer-Policy", "no-referrer"),
            ("Connection", "close"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing: the target holds the code."""
