"""``/session``: trade the token for a cookie, so that a browser can use the pages."""

import time
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request

from api.auth import COOKIE, SESSION_S, is_token, make_session
from api.problems import ProblemError, describe_problems
from api.schemas import TokenSchema
from api.services import services

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
