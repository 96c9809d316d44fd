"""Who may call: an optional token or the cookie it was traded for, and no other site through a browser."""

import hmac
import time
from typing import Any
from urllib.parse import urlsplit

from apiflask import APIBlueprint, APIFlask
from flask import Response, redirect, request, url_for

from api.problems import ProblemError, describe_problems
from api.schemas.operations import TokenSchema
from api.services import services
from recommender.settings import Settings

SECURITY_SCHEME = "bearer"
# Spotify's page leads here without the cookie, which is not sent along from another site; who began is
# known by the cookie of that log-in, which api/routes/spotify.py checks.
_CALLBACK = "/callback"
# A load balancer asks these without a token, and they give nothing of the library away.
OPEN_ROUTES = frozenset({"/healthz", "/readyz", "/session", "/app/login", _CALLBACK})
_STATIC = "/static/"
COOKIE = "whichlist_session"
SESSION_S = 30 * 24 * 3600
# Its callers show the token in the way of their own protocol, which api/routes/opensubsonic.py checks.
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


def is_token(given: str, token: str) -> bool:
    """Return whether ``given`` is the token, in a time that does not tell how much of it is right."""
    return hmac.compare_digest(given.strip().encode(), token.encode())


def make_session(token: str, *, now: float) -> str:
    """Return what a browser may show instead of the token for a while: it tells nothing of the token."""
    until = f"{now + SESSION_S:.0f}"
    return f"{until}.{_signature(token, until)}"


def is_session(given: str, token: str, *, now: float) -> bool:
    """Return whether ``given`` was made by :func:`make_session` for this token and is not too old."""
    until, _, signature = given.partition(".")
    is_genuine = hmac.compare_digest(signature.encode(), _signature(token, until).encode())
    return is_genuine and until.isdigit() and now < int(until)


def _signature(token: str, until: str) -> str:
    return hmac.new(token.encode(), f"{COOKIE} {until}".encode(), "sha256").hexdigest()


def _check_token(token: str) -> Response | None:
    if request.path in OPEN_ROUTES or request.path.startswith((_OPENSUBSONIC, _STATIC)):
        return None
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and is_token(given, token):
        return None
    if is_session(request.cookies.get(COOKIE, ""), token, now=time.time()):
        return None
    if _wants_page():
        return redirect(url_for("pages.login", next=request.full_path.rstrip("?")))  # type: ignore[return-value]
    raise ProblemError(
        "unauthorised",
        "The token is missing or wrong.",
        headers={"WWW-Authenticate": 'Bearer realm="whichlist"'},
    )


def _wants_page() -> bool:
    """Whether a person's browser asks for one of our pages: they are led to where the token is asked for."""
    endpoint = request.endpoint or ""
    is_page = endpoint.startswith("pages.") or endpoint == "spotify.log_in"
    return is_page and request.method == "GET" and request.accept_mimetypes.accept_html


blueprint = APIBlueprint("sessions", __name__, tag="operations")


@blueprint.post("/session")
@blueprint.input(TokenSchema, location="json")
@blueprint.doc(responses={204: "The cookie is set", **describe_problems(401)})
def log_in(json_data: dict[str, Any]) -> Response:
    """Set the cookie that stands for the token; scripts cannot read it, other sites cannot send it."""
    token = services().settings.api_token
    if token is None or not is_token(json_data["token"], token):
        raise ProblemError("unauthorised", "The token is wrong.")
    response = Response(status=204)
    session = make_session(token, now=time.time())
    secure = request.is_secure
    response.set_cookie(COOKIE, session, max_age=SESSION_S, httponly=True, samesite="Strict", secure=secure)
    return response


@blueprint.delete("/session")
@blueprint.doc(responses={204: "The cookie is forgotten"})
def log_out() -> Response:
    """Forget the cookie."""
    response = Response(status=204)
    response.delete_cookie(COOKIE, httponly=True, samesite="Strict")
    return response
