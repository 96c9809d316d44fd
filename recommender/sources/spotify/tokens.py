"""What Spotify gave for a log-in, kept in the data folder and nowhere else: no cookie, no log, no message."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from recommender.sources.spotify.files import (
    make_private_directory,
    open_private,
    read_private,
    write_private,
)

LOGIN_LASTS_S = 182 * 86_400.0  # Spotify ends every log-in after six months, however often it is used
_FILE, _LOCK = "token.json", "token.lock"


@dataclass(frozen=True)
class SpotifyToken:
    """One log-in; times are seconds since 1970, ``expires_at`` is about the access token alone."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: float
    scope: str
    client_id: str
    logged_in_at: float

    @property
    def ends_at(self) -> float:
        """When the user has to log in again."""
        return self.logged_in_at + LOGIN_LASTS_S


@dataclass(frozen=True)
class TokenStore:
    """The one log-in of a data folder."""

    directory: Path

    def read(self) -> SpotifyToken | None:
        """The log-in; None when there is none, or a damaged one."""
        values = read_private(self.directory / _FILE)
        return None if values is None else _parse(values)

    def write(self, token: SpotifyToken) -> None:
        """Keep a log-in in the place of the one before."""
        write_private(self.directory / _FILE, asdict(token))

    def discard(self) -> bool:
        """Forget the log-in; whether there was one."""
        try:
            (self.directory / _FILE).unlink()
        except FileNotFoundError:
            return False
        return True

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes and threads from renewing the log-in meanwhile.

        Spotify may answer a renewal with a new refresh token, after which the old one is worth nothing.
        """
        make_private_directory(self.directory)
        descriptor = open_private(self.directory / _LOCK, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _parse(values: dict[str, Any]) -> SpotifyToken | None:
    texts = ("access", "refresh", "scope", "client_id")
    numbers = ("expires_at", "logged_in_at")
    if not all(isinstance(values.get(name), str) for name in texts):
        return None
    if not all(isinstance(values.get(name), int | float) for name in numbers):
        return None
    return SpotifyToken(**{name: values[name] for name in (*texts, *numbers)})
