"""How Spotify is called: with manners, within limits, and never another host than Spotify's own.

spotipy's own policy sleeps for as long as it is told, hours included, loses what Spotify says of a
limit, and follows links with the log-in to any host; so it is handed this session instead.
"""

import json
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Any

import requests

from recommender.errors import ForbiddenAddress, RateLimited, SourceUnavailable, UnreadableSource
from recommender.sources.rows.names import clean_text
from recommender.sources.spotify.errors import SpotifyRefused
from recommender.sources.web.addresses import name_place
from recommender.sources.web.answers import Retry, read_retry_after
from recommender.sources.web.connections import CheckedAdapter, Deadline, open_checked
from recommender.sources.web.reading import Call, Web, patiently

PATIENCE_S = 60.0  # no wait is longer than this, whatever Spotify asks for
QUOTA = "QUOTA_EXCEEDED"
_MAX_BYTES = 16_000_000
_DEADLINE_S = 60.0
_TIMEOUT = (10.0, 30.0)
_RATE_PER_S = 2.0
_CHUNK = 65_536
_AGAIN = frozenset({500, 502, 503, 504})


@dataclass(frozen=True)
class SpotifyPlace:
    """Where Spotify answers; only tests have another."""

    api: str = "https://api.spotify.com/v1/"
    accounts: str = "https://accounts.spotify.com"

    @property
    def authorize_url(self) -> str:
        """Where users say yes."""
        return f"{self.accounts}/authorize"

    @property
    def token_url(self) -> str:
        """Where codes and old tokens are traded for new ones."""
        return f"{self.accounts}/api/token"


SPOTIFY = SpotifyPlace()


class SpotifySession(requests.Session):
    """Answers with a good status only; everything else is one of our errors."""

    def __init__(self, web: Web, place: SpotifyPlace, *, patience_s: float = PATIENCE_S) -> None:
        super().__init__()
        self.trust_env = False  # no passwords from ~/.netrc, no proxy
        self.headers["User-Agent"] = web.user_agent
        self._web, self._place, self._patience_s = web, place, patience_s

    def request(self, method: Any, url: Any, *_: Any, **options: Any) -> requests.Response:
        """Call an address of Spotify's.

        Raises
        ------
        ForbiddenAddress
            It is none of Spotify's: a log-in would travel with the call.
        RateLimited
            Spotify asks to wait for longer than the session's patience, or its quota is used up.
        SourceUnavailable, UnreadableSource, SpotifyRefused
        """
        url = str(url)
        if not url.startswith(self._place.api) and url != self._place.token_url:
            raise ForbiddenAddress(
                f"Spotify's answer leads to {name_place(url)}, which is not Spotify: no log-in is sent there"
            )
        call = Call(
            rate_per_s=_RATE_PER_S, patience_s=self._patience_s, repeatable=method in ("GET", "PUT", "DELETE")
        )
        return patiently(self._web, url, call, lambda: self._once(str(method), url, options))

    def _once(self, method: str, url: str, options: dict[str, Any]) -> requests.Response:
        options = options | {"allow_redirects": False, "stream": True, "timeout": _TIMEOUT}
        with Deadline(_DEADLINE_S) as deadline:
            opener = partial(
                open_checked,
                network=self._web.network,
                deadline=deadline,
                guarded=False,
                allow_private=self._web.allow_private,
            )
            adapter = CheckedAdapter(opener)  # one for each call: it ends with its deadline
            for scheme in ("http://", "https://"):
                self.mount(scheme, adapter)
            try:
                response = super().request(method, url, **options)
                body = _read_body(response)
            except (requests.RequestException, OSError) as error:
                late = deadline.expired
                said = f"took longer than {_DEADLINE_S:g} s" if late else f"({type(error).__name__})"
                lost = SourceUnavailable(f"Spotify cannot be reached {said}")
                raise Retry(lost, wait_s=inf if late else None) from None
            finally:
                adapter.close()
        _check_answer(response, body)
        response._content = body
        return response


def _read_body(response: requests.Response) -> bytes:
    body = b""
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > _MAX_BYTES:
            raise UnreadableSource(f"Spotify sends more than {_MAX_BYTES / 1e6:g} MB")
    return body


def _check_answer(response: requests.Response, body: bytes) -> None:
    """Pass an answer with a good status.

    Raises
    ------
    Retry
        Spotify is busy or broken.
    SpotifyRefused
        It says no.
    """
    status = response.status_code
    if 200 <= status < 300:
        return
    word, message = _read_error(body)
    wait_s = read_retry_after(response.headers.get("Retry-After"))
    if status == 429:
        quota = word == QUOTA
        limited = RateLimited(_describe_limit(wait_s, quota=quota), retry_after_s=wait_s, quota=quota)
        raise Retry(limited, wait_s=inf if quota else wait_s, unheard=True)
    if status in _AGAIN:
        broken = SourceUnavailable(f"Spotify answers with an error of its own ({status})")
        raise Retry(broken, wait_s=wait_s, unheard=status == 503)
    raise SpotifyRefused(message, status=status, word=word)


def _describe_limit(wait_s: float | None, *, quota: bool) -> str:
    """Say how long, in a unit that people count in."""
    if wait_s is None:
        said = "for a time that it does not name"
    elif wait_s < 120:
        said = f"for {wait_s:.0f} s"
    else:
        said = f"for {wait_s / 60:.0f} minutes" if wait_s < 7200 else f"for {wait_s / 3600:.1f} hours"
    why = "the quota of your app there is used up, and it asks to wait" if quota else "it asks to wait"
    return f"Spotify is not to be called now: {why} {said}"


def _read_error(body: bytes) -> tuple[str, str]:
    """(short name, sentence) of an error in either of Spotify's two forms; empty where it says nothing."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict):
        return clean_text(error.get("reason")), clean_text(error.get("message"))[:200]
    if isinstance(error, str):
        return clean_text(error)[:100], clean_text(answer.get("error_description") or error)[:200]
    return "", ""
