"""Each request's id, and the line that one which failed leaves in the log."""

import logging
import re
from time import perf_counter
from uuid import uuid4

from flask import Response, g, request

HEADER = "X-Request-ID"
_FROM_A_PROXY = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_log = logging.getLogger("whichlist.requests")


def begin_request() -> None:
    """Start the request's clock and give it an id, a proxy's own where it sends a plain one."""
    given = request.headers.get(HEADER, "")
    g.started = perf_counter()
    g.request_id = given if _FROM_A_PROXY.fullmatch(given) else uuid4().hex[:16]


def finish_request(response: Response) -> float:
    """Log the request if it failed, tell the caller its id, and return the seconds that it took."""
    seconds = perf_counter() - float(g.get("started", perf_counter()))
    response.headers[HEADER] = request_id()
    if response.status_code >= 400:
        # The rule and not the address: what a caller put into it may be anything.
        route = request.url_rule.rule if request.url_rule is not None else "(none)"
        event = {
            "request_id": request_id(),
            "method": request.method if request.method in _METHODS else "(other)",
            "route": route,
            "status": response.status_code,
            "code": g.get("problem_code", ""),
            "ms": round(1000 * seconds, 1),
        }
        _log.log(
            logging.ERROR if response.status_code >= 500 else logging.INFO,
            "%s %s was answered %s %s after %.1f ms (request %s)",
            *(event[name] for name in ("method", "route", "status", "code", "ms", "request_id")),
            extra={"event": event},
        )
    return seconds


def request_id() -> str:
    """Return the id of the request that is being answered."""
    known: str = g.get("request_id", "")
    return known
