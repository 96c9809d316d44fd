"""Connections that go where they were checked to go, and that end when their time is up."""

import contextlib
import queue
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from recommender.sources.web.addresses import Resolve, check_addresses, require_private, resolve_host

_GRACE_S = 0.05  # so that the deadline itself is over first, and is what is said
OpenSocket = Callable[[str, int, float | None], socket.socket]


def _dial(address: str, port: int, timeout_s: float | None) -> socket.socket:
    return socket.create_connection((address, port), timeout_s)


@dataclass(frozen=True)
class Network:
    """How names become addresses, and addresses sockets; tests bring their own."""

    resolve: Resolve = resolve_host
    dial: OpenSocket = _dial


class Deadline:
    """Cuts the connections that it watches once its seconds are over, whatever they are waiting for.

    A time-out of the socket alone does not help against a server that sends a byte now and then.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.expired = False
        self._ends_at = time.monotonic() + seconds
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            for watched in self._sockets:
                watched.close()
            self._sockets.clear()

    @property
    def left_s(self) -> float:
        """Seconds until then, never quite 0."""
        return max(self._ends_at - time.monotonic(), 0.001)

    def watch(self, connection: socket.socket) -> None:
        """Also cut this connection; a copy is kept, because TLS takes the original's descriptor away."""
        with self._lock:
            self._sockets.append(connection.dup())
        if self.expired:
            self._cut()

    def _cut(self) -> None:
        self.expired = True
        with self._lock:
            for watched in self._sockets:
                with contextlib.suppress(OSError):  # it ended by itself
                    watched.shutdown(socket.SHUT_RDWR)


def open_checked(
    host: str,
    port: int,
    timeout_s: float | None,
    *,
    network: Network,
    deadline: Deadline,
    guarded: bool,
    allow_private: bool,
    stay_private: bool = False,
) -> socket.socket:
    """A socket to a host, at an address that was looked up once and checked.

    The name is not looked up again for the connection: a name server that answers otherwise the
    second time gains nothing. Host header and certificate still go by the name.

    Raises
    ------
    ForbiddenAddress
        ``guarded``, and the host has an address that may not be visited; or ``stay_private``, and it has
        one outside of private networks.
    """
    addresses = _resolve_in_time(network, host, port, deadline)
    if guarded:
        check_addresses(addresses, place=host, allow_private=allow_private)
    if stay_private:
        require_private(addresses, place=host)
    failure: OSError | None = None
    for address in addresses:
        if deadline.expired:
            break
        try:
            connection = network.dial(address, port, min(timeout_s or deadline.left_s, deadline.left_s))
        except OSError as error:
            failure = error
        else:
            deadline.watch(connection)
            return connection
    raise failure or OSError("the host has no address")


def _resolve_in_time(network: Network, host: str, port: int, deadline: Deadline) -> list[str]:
    """The host's addresses; the system's resolver knows no deadline, so it is left behind at ours."""
    found: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def resolve() -> None:
        try:
            found.put(network.resolve(host, port))
        except Exception as error:  # raised again below, where somebody waits for it
            found.put(error)

    threading.Thread(target=resolve, daemon=True).start()
    try:
        answer = found.get(timeout=deadline.left_s + _GRACE_S)
    except queue.Empty:
        raise TimeoutError("the name was not resolved in time") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


class CheckedAdapter(HTTPAdapter):
    """Makes ``requests`` open its sockets with ours, for TLS and for http, and never through a proxy."""

    def __init__(self, open_for_tls: OpenSocket, open_plain: OpenSocket | None = None) -> None:
        self._open_for_tls, self._open_plain = open_for_tls, open_plain or open_for_tls
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools with our connections in them."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(_PlainPool, open_socket=self._open_plain),
            "https": partial(_TlsPool, open_socket=self._open_for_tls),
        }


class _PlainConnection(HTTPConnection):
    def __init__(self, *args: Any, open_socket: OpenSocket, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._open_socket = open_socket

    def _new_conn(self) -> socket.socket:
        return self._open_socket(self._dns_host, self.port, self.timeout)


class _TlsConnection(HTTPSConnection):
    def __init__(self, *args: Any, open_socket: OpenSocket, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._open_socket = open_socket

    def _new_conn(self) -> socket.socket:
        return self._open_socket(self._dns_host, self.port, self.timeout)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection
