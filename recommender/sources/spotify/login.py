"""Logging in to Spotify: authorisation code with PKCE, so that no secret of an app has to be kept.

The log-in lasts six months and is then over, however often it was renewed; a renewal that Spotify
refuses throws it away, because every further one would be refused as well.
"""

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

from spotipy.cache_handler import MemoryCacheHandler
from spotipy.oauth2 import SpotifyPKCE

from recommender.errors import UnreadableSource
from recommender.settings import Settings
from recommender.sources.spotify.errors import (
    SpotifyLoginFailed,
    SpotifyLoginNeeded,
    SpotifyNotSetUp,
    SpotifyRefused,
)
from recommender.sources.spotify.files import make_private_directory, read_private, write_private
from recommender.sources.spotify.session import SPOTIFY, SpotifyPlace, SpotifySession
from recommender.sources.spotify.tokens import SpotifyToken, TokenStore
from recommender.sources.web.reading import Web

SCOPES = "user-library-read,playlist-read-private,playlist-read-collaborative,playlist-modify-private"
PENDING_S = 600.0
_MAX_PENDING = 50
_EARLY_S = 60.0
_BAD_ANSWER = (KeyError, TypeError, ValueError, AttributeError, RecursionError)  # spotipy checks no form


@dataclass(frozen=True)
class PendingLogin:
    """A log-in that was begun; ``browser`` is the secret of the browser that began it, empty without one."""

    state: str = field(repr=False)
    verifier: str = field(repr=False)
    redirect_uri: str
    begun_at: float
    browser: str = field(default="", repr=False)


class SpotifyLogin:
    """The log-in of a data folder: begun, finished, renewed and ended here."""

    def __init__(
        self,
        settings: Settings,
        web: Web,
        *,
        place: SpotifyPlace | None = None,
        patience_s: float = 60.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        # On this level it writes tokens and codes into the log.
        logging.getLogger("spotipy").setLevel(logging.WARNING)
        if not settings.spotify_client_id:
            raise SpotifyNotSetUp(
                "there is no Spotify app: make one at developer.spotify.com/dashboard, register the redirect"
                f" address {settings.spotify_callback} there, and set WHICHLIST_SPOTIFY_CLIENT_ID"
            )
        self.client_id = settings.spotify_client_id
        self.place = place or SPOTIFY
        self._settings, self._clock = settings, clock
        self._session = SpotifySession(web, self.place, patience_s=patience_s)
        self._store = TokenStore(settings.spotify_directory)
        self._used: SpotifyToken | None = None

    def begin(self, redirect_uri: str | None = None, *, browser: str = "") -> tuple[PendingLogin, str]:
        """A log-in, and the address where the user says yes to it."""
        pkce = self._pkce(redirect_uri or self._settings.spotify_callback)
        state = secrets.token_urlsafe(32)
        url = str(pkce.get_authorize_url(state))
        return PendingLogin(state, pkce.code_verifier, pkce.redirect_uri, self._clock(), browser), url

    def finish(self, pending: PendingLogin, code: str) -> SpotifyToken:
        """Trade the code that Spotify sent back for a log-in, and keep it.

        Raises
        ------
        SpotifyLoginFailed, RateLimited, SourceUnavailable, UnreadableSource
        """
        pkce = self._pkce(pending.redirect_uri)
        pkce.code_verifier, pkce.code_challenge = pending.verifier, "sent before"
        try:
            pkce.get_access_token(code, check_cache=False)
        except SpotifyRefused as refused:
            raise SpotifyLoginFailed(
                f"Spotify did not accept the log-in: {refused.said or refused.status}"
            ) from None
        except _BAD_ANSWER:
            _refuse_answer()
        token = self._read_token(pkce.cache_handler.get_cached_token(), before=None)
        missing = set(_scopes(SCOPES)) - set(_scopes(token.scope))
        if missing:
            raise SpotifyLoginFailed(
                f"Spotify did not grant what was asked for: {', '.join(sorted(missing))}"
            )
        with self._store.locked():
            self._store.write(token)
        return token

    def current(self) -> SpotifyToken:
        """The log-in as it is kept.

        Raises
        ------
        SpotifyLoginNeeded
            There is none, or it belongs to another app.
        """
        token = self._store.read()
        if token is None:
            raise SpotifyLoginNeeded("nobody is logged in to Spotify")
        if token.client_id != self.client_id:
            raise SpotifyLoginNeeded(
                "the log-in to Spotify was made for another app than WHICHLIST_SPOTIFY_CLIENT_ID"
            )
        return token

    def get_access_token(self, as_dict: bool = False) -> str:
        """What a call is sent with, renewed when it is about to end; spotipy asks for it so."""
        token = self.current()
        if token.expires_at - self._clock() < _EARLY_S:
            token = self._renew(token)
        self._used = token
        return token.access

    def renew(self) -> None:
        """Get a new access token, although the one that was sent last seemed good."""
        self._renew(self._used or self.current())

    def _renew(self, stale: SpotifyToken) -> SpotifyToken:
        with self._store.locked():
            token = self.current()
            if token != stale:  # another thread or process was quicker
                return token
            pkce = self._pkce(self._settings.spotify_callback)
            try:
                answer = pkce.refresh_access_token(token.refresh)
            except SpotifyRefused as refused:
                self._give_up(refused)
            except _BAD_ANSWER:
                _refuse_answer()
            renewed = self._read_token(answer, before=token)
            self._store.write(renewed)
            return renewed

    def _give_up(self, refused: SpotifyRefused) -> NoReturn:
        if refused.word == "invalid_grant":
            self._store.discard()
            raise SpotifyLoginNeeded(
                "Spotify no longer accepts the log-in, which ends after six months or when it is revoked; it"
                " has been thrown away, so log in again"
            ) from None
        if refused.word == "invalid_client":
            raise SpotifyNotSetUp(
                "Spotify does not know the app: check WHICHLIST_SPOTIFY_CLIENT_ID"
            ) from None
        raise refused

    def _pkce(self, redirect_uri: str) -> Any:
        pkce = SpotifyPKCE(
            client_id=self.client_id,
            redirect_uri=redirect_uri,
            scope=SCOPES,
            requests_session=self._session,
            open_browser=False,
            cache_handler=MemoryCacheHandler(),  # its own would be a file in the current folder
        )
        pkce.OAUTH_AUTHORIZE_URL = self.place.authorize_url
        pkce.OAUTH_TOKEN_URL = self.place.token_url
        return pkce

    def _read_token(self, answer: Any, *, before: SpotifyToken | None) -> SpotifyToken:
        """What an answer grants; what it leaves out is as it was, or as it was asked for."""
        values = answer if isinstance(answer, dict) else {}
        refresh = values.get("refresh_token") or (before.refresh if before else "")
        scope = values.get("scope") or (before.scope if before else " ".join(_scopes(SCOPES)))
        access, lasts_s = values.get("access_token"), values.get("expires_in")
        if not (isinstance(access, str) and access and isinstance(refresh, str) and refresh):
            _refuse_answer()
        if not isinstance(lasts_s, int | float) or not isinstance(scope, str):
            _refuse_answer()
        now = self._clock()
        since = before.logged_in_at if before else now
        return SpotifyToken(access, refresh, now + lasts_s, scope, self.client_id, since)


def log_out(settings: Settings) -> bool:
    """Forget the log-in and all that was kept of reading Spotify; whether anybody was logged in."""
    store = TokenStore(settings.spotify_directory)
    with store.locked():
        was_logged_in = store.discard()
    for path in store.directory.glob("*.json*"):
        path.unlink(missing_ok=True)
    return was_logged_in


def keep_pending(settings: Settings, pending: PendingLogin) -> None:
    """Keep a log-in on this side until Spotify sends the browser back; older ones go."""
    directory = settings.spotify_directory
    make_private_directory(directory)
    waiting = sorted(directory.glob("login-*.json"), key=_age_of)
    for path in waiting[: max(0, len(waiting) - _MAX_PENDING + 1)]:
        path.unlink(missing_ok=True)
    write_private(_pending_path(settings, pending.state), asdict(pending))


def take_pending(settings: Settings, state: str, *, browser: str, now: float) -> PendingLogin:
    """The log-in that was begun with this state by this browser; it can be taken once.

    Raises
    ------
    SpotifyLoginFailed
        There is none: it was begun elsewhere, is too old, or was finished already.
    """
    path = _pending_path(settings, state)
    values = read_private(path)
    pending = None if values is None else PendingLogin(**values)
    known = pending is not None and secrets.compare_digest(pending.browser.encode(), browser.encode())
    if pending is None or not known or not 0 <= now - pending.begun_at <= PENDING_S:
        raise SpotifyLoginFailed(
            "this log-in was not begun in this browser, is too old, or is over: begin again"
        )
    try:
        path.unlink()
    except FileNotFoundError:  # a second click was quicker
        raise SpotifyLoginFailed("this log-in is over already") from None
    return pending


def check_no_refusal(error: str | None) -> None:
    """Pass what Spotify sent back unless it says that there is no log-in.

    Raises
    ------
    SpotifyLoginFailed
    """
    if error == "access_denied":
        raise SpotifyLoginFailed("the log-in was refused on Spotify's page")
    if error:
        raise SpotifyLoginFailed(f"Spotify did not let anybody log in: {error[:60]!r}")


def _pending_path(settings: Settings, state: str) -> Path:
    return settings.spotify_directory / f"login-{sha256(state.encode()).hexdigest()[:32]}.json"


def _age_of(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _scopes(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _refuse_answer() -> NoReturn:
    raise UnreadableSource("Spotify's answer to the log-in has not the form of one") from None
