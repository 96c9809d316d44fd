"""How a Subsonic server lets a user in, and which of the ways it took the last time.

The protocol has three: a key (OpenSubsonic), a token, which is a salted digest of the password, and the
password itself. Servers that keep passwords hashed or ask a directory for them cannot check a token, and
say so with one of the codes below; only then does the password travel.
"""

import contextlib
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from recommender.disk import replacing
from recommender.errors import SettingsError
from recommender.settings import Settings

MISSING_PARAMETER, WRONG_PASSWORD, NO_TOKENS, NO_SUCH_WAY, CONFLICTING_WAYS = 10, 40, 41, 42, 43
REMEMBERED_S = 7 * 86_400.0  # then a token is tried once more: a server may have learnt to check it


class LogIn(StrEnum):
    """A way to log in, in the order in which they are tried."""

    API_KEY = "api_key"
    TOKEN = "token"
    PASSWORD = "password"

    @property
    def described(self) -> str:
        """What travels, for people."""
        return {
            LogIn.API_KEY: "an API key",
            LogIn.TOKEN: "a token (the password is not sent)",
            LogIn.PASSWORD: "the password itself",
        }[self]


# The answers to a first call that say: not in this way. An old server does not know keys, and sees no user.
_OTHER_WAY = {
    LogIn.API_KEY: frozenset((MISSING_PARAMETER, WRONG_PASSWORD, NO_TOKENS, NO_SUCH_WAY)),
    LogIn.TOKEN: frozenset((MISSING_PARAMETER, NO_TOKENS, NO_SUCH_WAY)),
    LogIn.PASSWORD: frozenset[int](),
}
# The same of a way that worked before: a method may miss something else than the log-in.
_NO_LONGER = frozenset((NO_TOKENS, NO_SUCH_WAY, CONFLICTING_WAYS))


class LogInMemory:
    """The way that a server took last, in a file if there is one, so that every process knows it."""

    def __init__(self, path: Path | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock = path, clock
        self._known: dict[str, tuple[LogIn, float]] = {}

    def recall(self, who: str) -> LogIn | None:
        """The way that worked for a user of a server not long ago, or None."""
        log_in, at = self._known.get(who) or self._read(who) or (None, 0.0)
        return log_in if 0 <= self._clock() - at < REMEMBERED_S else None

    def keep(self, who: str, log_in: LogIn) -> None:
        """Remember what worked; where nothing can be written it is found out again."""
        self._known = {who: (log_in, self._clock())}
        if self._path is None:
            return
        kept = {"who": who, "log_in": log_in.value, "at": self._clock()}
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self._path) as file:
                file.write(json.dumps(kept).encode())

    def _read(self, who: str) -> tuple[LogIn, float] | None:
        if self._path is None:
            return None
        try:
            kept = json.loads(self._path.read_bytes())
            found = LogIn(kept["log_in"]), float(kept["at"])
        except (OSError, ValueError, TypeError, KeyError):  # there is none, or somebody wrote into it
            return None
        return found if kept["who"] == who else None


@dataclass(frozen=True)
class SubsonicServer:
    """Address and log-in; ``log_in`` is the one way that the operator chose, None for what works."""

    url: str
    user: str
    password: str = field(repr=False)
    api_key: str | None = field(default=None, repr=False)
    log_in: LogIn | None = None
    plain_http: bool = False
    memory: LogInMemory = field(default_factory=LogInMemory, repr=False, compare=False)

    @property
    def who(self) -> str:
        """Whose log-in at which server this is, without a secret."""
        return f"{self.user} at {self.url}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may hold."""
        known = (self.password, _hex(self.password), self.api_key or "")
        return tuple(secret for secret in known if secret)


def find_subsonic(settings: Settings) -> SubsonicServer:
    """The server of the settings.

    Raises
    ------
    SettingsError
        They name none, or choose a way to log in that lacks what it needs.
    """
    url, user, password = settings.subsonic_url, settings.subsonic_user, settings.subsonic_password
    log_in = None if settings.subsonic_auth == "auto" else LogIn(settings.subsonic_auth)
    has_key, has_password = bool(settings.subsonic_api_key), bool(user and password)
    if not url or not (has_key or has_password):
        needed = "WHICHLIST_SUBSONIC_URL, WHICHLIST_SUBSONIC_USER and WHICHLIST_SUBSONIC_PASSWORD"
        raise SettingsError(f"there is no Subsonic server: set {needed} (or WHICHLIST_SUBSONIC_API_KEY)")
    if log_in and not (has_key if log_in is LogIn.API_KEY else has_password):
        needed = "WHICHLIST_SUBSONIC_API_KEY" if log_in is LogIn.API_KEY else "WHICHLIST_SUBSONIC_PASSWORD"
        raise SettingsError(f"WHICHLIST_SUBSONIC_AUTH={log_in} needs {needed}")
    return SubsonicServer(
        url,
        user or "",
        password or "",
        settings.subsonic_api_key,
        log_in,
        settings.subsonic_plain_http == "on",
        LogInMemory(settings.data / "subsonic-log-in.json"),
    )


def possible_log_ins(server: SubsonicServer) -> Iterator[tuple[LogIn, frozenset[int]]]:
    """Ways to try, in order, each with the codes that say: go on to the next."""
    if server.log_in is not None:
        yield server.log_in, frozenset()
        return
    possible = [LogIn.API_KEY] * bool(server.api_key) + [LogIn.TOKEN, LogIn.PASSWORD] * bool(server.user)
    remembered = server.memory.recall(server.who)
    if remembered in possible:
        yield remembered, _NO_LONGER
    for log_in in possible:
        if log_in is not remembered:
            yield log_in, _OTHER_WAY[log_in]


def log_in_params(server: SubsonicServer, log_in: LogIn) -> dict[str, str]:
    """The parameters of a call that say who calls."""
    if log_in is LogIn.API_KEY:
        return {"apiKey": server.api_key or ""}  # the protocol forbids a user beside it
    if log_in is LogIn.PASSWORD:
        return {"u": server.user, "p": _hex(server.password)}
    salt = secrets.token_hex(8)
    token = hashlib.md5(f"{server.password}{salt}".encode(), usedforsecurity=False).hexdigest()
    return {"u": server.user, "t": token, "s": salt}


def _hex(password: str) -> str:
    """The password as the protocol writes it, so that no sign of it means something in an address."""
    return f"enc:{password.encode().hex()}"
