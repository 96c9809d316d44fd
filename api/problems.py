"""Every error that HTTP callers can see: RFC 9457 problem details with a stable code and what to do."""

import logging
from typing import Any

from apiflask import APIFlask, HTTPError
from flask import Response, g, json, request
from werkzeug.exceptions import HTTPException

from api.codes import Problem, all_problems, find_problem, get_problem
from api.request_log import request_id
from embeddings.errors import EmbeddingError
from recommender.catalogue.database import is_unreachable
from recommender.disk import DiskFull, is_disk_full
from recommender.errors import DatabaseUnreachable, RecommenderError

MIMETYPE = "application/problem+json"
TYPE_PREFIX = "/problems/"
_log = logging.getLogger(__name__)


_BY_STATUS = {
    400: "bad_request",
    401: "unauthorised",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "upload_too_large",
    415: "unsupported_media_type",
    416: "no_such_range",
    422: "invalid_request",
}


class ProblemError(Exception):
    """Raised by a view to answer with one of :func:`api.codes.all_problems`."""

    def __init__(self, code: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.problem = get_problem(code)
        self.detail = detail
        self.headers = headers or {}
        self.more = more


def describe_problems(*statuses: int) -> dict[int, str]:
    """Return status -> what it can mean, for the OpenAPI document."""
    return {
        status: " / ".join(f"{p.code}: {p.title}" for p in all_problems().values() if p.status == status)
        for status in statuses
    }


def register_problems(app: APIFlask) -> None:
    """Make every error of ``app`` leave it as a problem."""
    app.error_processor(_answer_validation)  # first: it also takes HTTPException, which we want ourselves
    app.register_error_handler(ProblemError, _answer_problem)
    app.register_error_handler(RecommenderError, _answer_ours)
    app.register_error_handler(EmbeddingError, _answer_ours)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_unforeseen)


def problem_response(problem: Problem, detail: str, **more: Any) -> Response:
    """Return the response that describes ``problem``; ``more`` adds members of its own."""
    body = {
        "type": TYPE_PREFIX + problem.code,
        "title": problem.title,
        "status": problem.status,
        "detail": detail,
        "code": problem.code,
        "action": problem.action,
        "page": problem.at_page,
        "instance": request.path,
        "request_id": request_id(),
    } | more
    g.problem_code = problem.code
    return Response(json.dumps(body), status=problem.status, mimetype=MIMETYPE)


def _answer_problem(error: ProblemError) -> Response:
    response = problem_response(error.problem, error.detail, **error.more)
    response.headers.update(error.headers)
    return response


def _answer_ours(error: RecommenderError | EmbeddingError) -> Response:
    problem = find_problem(error.code)
    if problem is None:
        return _answer_unforeseen(error)
    return problem_response(problem, str(error))


def _answer_http(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        return error.get_response(request.environ)  # type: ignore[return-value]  # a redirect
    known = find_problem(_BY_STATUS.get(status, ""))
    problem = known or Problem("http_error", status, error.name, "See /docs.")
    response = problem_response(problem, error.description or error.name)
    for name, value in error.get_headers(request.environ):
        if name.lower() in ("allow", "retry-after", "www-authenticate"):
            response.headers[name] = value
    return response


def _answer_validation(error: HTTPError) -> Response:
    """Answer what APIFlask raises itself: a query or body that its schema refuses."""
    problem = get_problem(_BY_STATUS.get(error.status_code, "internal_error"))
    errors = [
        {"in": place, "name": name, "errors": said if isinstance(said, list) else [str(said)]}
        for place, fields in (error.detail or {}).items()
        for name, said in (fields.items() if isinstance(fields, dict) else [("", fields)])
    ]
    named = "; ".join(f"{entry['name']}: {' '.join(map(str, entry['errors']))}" for entry in errors)
    return problem_response(problem, named or str(error.message), errors=errors)


def _answer_unforeseen(error: Exception) -> Response:
    if is_unreachable(error):
        _log.error("the database does not answer (request %s)", request_id())
        return problem_response(get_problem(DatabaseUnreachable.code), "The database does not answer.")
    _log.error("an error that was not foreseen (request %s)", request_id(), exc_info=error)
    if is_disk_full(error):
        return problem_response(get_problem(DiskFull.code), str(DiskFull()))
    where = f"The server's log says what went wrong, under request {request_id()}."
    return problem_response(get_problem("internal_error"), where)
