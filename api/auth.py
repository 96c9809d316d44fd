"""Who may call: an optional bearer token, and no other site through a visitor's browser."""

import hmac
from urllib.parse import urlsplit

from apiflask import APIFlask
from flask import request

from api.problems import ProblemError
from recommender.settings import Settings

SECURITY_SCHEME = "bearer"
# A load balancer asks these without a token, and they give nothing of the library away.
_OPEN_ROUTES = frozenset({"/healthz", "/readyz"})
# Its callers show the token in the way of their own protocol, which api/opensubsonic.py checks.
_OPENSUBSONIC = "/rest/"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
NAMED_LOOPBACK = frozenset({"127.0.0.1", "localhost"})


def register_auth(app: APIFlask, settings: Settings) -> None:
    """Check every request of ``app`` before its view."""
    if settings.host in NAMED_LOOPBACK:
        # A page elsewhere could point its own name at 127.0.0.1 and read answers: only our names count.
        app.config["TRUSTED_HOSTS"] = sorted(NAMED_LOOPBACK)
    app.before_request(_refuse_other_sites)
    if settings.api_token is not None:
        token = settings.api_token
        app.before_request(lambda: _check_token(token))


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach ``host``."""
    return host in NAMED_LOOPBACK or host == "::1"


def _refuse_other_sites() -> None:
    """Refuse a change that a page of another site sends through the visitor's browser."""
    if request.method in _SAFE_METHODS:
        return
    origin = request.headers.get("Origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.host
    if foreign or request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise ProblemError("forbidden", "Changes are not taken from pages of other sites.")


def _check_token(token: str) -> None:
    if request.path in _OPEN_ROUTES or request.path.startswith(_OPENSUBSONIC):
        return
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
        raise ProblemError(
            "unauthorised",
            "The token is missing or wrong.",
            headers={"WWW-Authenticate": 'Bearer realm="whichlist"'},
        )
