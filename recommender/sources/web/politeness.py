"""Manners towards other servers: not too often, and not at all while they are broken."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from recommender.errors import SourceUnavailable

Clock = Callable[[], float]
Sleep = Callable[[float], None]


@dataclass
class TokenBucket:
    """Lets through ``rate_per_s`` calls in the long run and ``burst`` at once."""

    rate_per_s: float
    burst: float
    clock: Clock = time.monotonic
    _tokens: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        self._tokens, self._at = self.burst, self.clock()

    def reserve(self) -> float:
        """Take one token, and return the seconds to wait before it may be used."""
        now = self.clock()
        self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate_per_s) - 1.0
        self._at = now
        return max(0.0, -self._tokens / self.rate_per_s)


@dataclass
class CircuitBreaker:
    """Opens after ``n_failures`` in a row; every ``pause_s`` one call may try again, until one succeeds."""

    n_failures: int = 5
    pause_s: float = 60.0
    clock: Clock = time.monotonic
    _failed: int = 0
    _opened_at: float | None = None

    def check(self, place: str) -> None:
        """Let a call through.

        Raises
        ------
        SourceUnavailable
            The server failed too often, and its pause is not over.
        """
        if self._opened_at is None:
            return
        left_s = self._opened_at + self.pause_s - self.clock()
        if left_s > 0:
            raise SourceUnavailable(
                f"{place} failed {self._failed} times in a row and is left alone for another {left_s:.0f} s"
            )
        self._opened_at = self.clock()  # one call tries; the others wait for what becomes of it

    def succeeded(self) -> None:
        """Count an answer."""
        self._failed, self._opened_at = 0, None

    def failed(self) -> None:
        """Count a call without a usable answer."""
        self._failed += 1
        if self._failed >= self.n_failures:
            self._opened_at = self.clock()


class Manners:
    """The bucket and the breaker of every server, for all threads of a process."""

    def __init__(self, *, clock: Clock = time.monotonic, sleep: Sleep = time.sleep) -> None:
        self.clock = clock
        self.sleep = sleep
        self._lock = threading.Lock()
        self._buckets: dict[str, TokenBucket] = {}
        self._breakers: dict[str, CircuitBreaker] = {}

    def wait_turn(self, server: str, *, rate_per_s: float, burst: float | None = None) -> None:
        """Return when the server may be called; the first call's rate counts, and how many come at once.

        Raises
        ------
        SourceUnavailable
            Its breaker is open.
        """
        with self._lock:
            self._breaker(server).check(server)
            bucket = self._buckets.get(server)
            if bucket is None:
                burst = max(1.0, 2 * rate_per_s) if burst is None else burst
                bucket = TokenBucket(rate_per_s, burst=burst, clock=self.clock)
                self._buckets[server] = bucket
            wait_s = bucket.reserve()
        if wait_s > 0:
            self.sleep(wait_s)

    def record(self, server: str, *, answered: bool) -> None:
        """Tell the server's breaker how a call ended."""
        with self._lock:
            breaker = self._breaker(server)
            breaker.succeeded() if answered else breaker.failed()

    def _breaker(self, server: str) -> CircuitBreaker:
        return self._breakers.setdefault(server, CircuitBreaker(clock=self.clock))
