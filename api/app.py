"""The application factory: one blueprint per noun, every error a problem, every answer with a schema."""

from typing import Any

from apiflask import APIFlask
from flask import Response, current_app, request
from flask.json.provider import DefaultJSONProvider

from api import auth, routes
from api.auth import SECURITY_SCHEME, register_auth
from api.document import complete_document, schema_name
from api.ids import refuse_impossible_ids
from api.metrics import Metrics
from api.modules import modules_of
from api.pages import views
from api.pages.static_version import MAX_AGE_S, static_url_path
from api.problems import ProblemError, register_problems
from api.request_log import begin_request, finish_request
from api.schemas.base import ProblemSchema
from api.services import EXTENSION, Services, services
from api.version import VERSION
from embeddings.decoder_processes import DecoderProcesses
from recommender.catalogue.database import open_database
from recommender.model.in_service import ModelHolder
from recommender.model.shelf import ModelShelf
from recommender.settings import Settings, load_settings

_MB = 1_000_000
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; media-src 'self' blob:; object-src 'none';"
        " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
}


def create_app(settings: Settings | None = None) -> APIFlask:
    """Return the web application; the database must have been migrated.

    Raises
    ------
    SchemaOutdated
        When it has not.
    """
    settings = settings or load_settings()
    app = APIFlask(
        __name__,
        title="Whichlist",
        version=VERSION,
        docs_path=None,
        static_url_path=static_url_path(),
        static_folder="pages/static",
        template_folder="pages/templates",
    )
    database = open_database(settings)
    apart, threads = DecoderProcesses(), settings.encoder_threads
    holder = ModelHolder(database, encoder_threads=threads, apart=apart)
    shelf = ModelShelf(database, holder, encoder_threads=threads, apart=apart)
    app.extensions[EXTENSION] = Services(settings, database, holder, shelf, Metrics(), apart)
    _configure(app, settings)
    register_problems(app)
    app.before_request(begin_request)
    register_auth(app, settings)
    app.before_request(refuse_impossible_ids)
    app.before_request(_check_media_type)
    app.after_request(_finish)
    for module in (auth, views, *modules_of(routes)):
        app.register_blueprint(module.blueprint)
    return app


def _configure(app: APIFlask, settings: Settings) -> None:
    app.config.update(
        AUTO_OPERATION_ID=True,
        AUTO_SERVERS=False,  # else the first caller's idea of our address would be everybody's
        MAX_CONTENT_LENGTH=settings.max_upload_mb * _MB,
        SEND_FILE_MAX_AGE_DEFAULT=MAX_AGE_S,
        HTTP_ERROR_SCHEMA=ProblemSchema,
        VALIDATION_ERROR_SCHEMA=ProblemSchema,
        INFO={"description": "Which of my playlists does this track fit?", "license": {"name": "MIT"}},
    )
    assert isinstance(app.json, DefaultJSONProvider)
    app.json.sort_keys = False  # an answer reads best in its own order
    if settings.api_token is not None:
        app.config["SECURITY_SCHEMES"] = {SECURITY_SCHEME: {"type": "http", "scheme": "bearer"}}
    app.schema_name_resolver = schema_name
    app.spec_processor(complete_document)


def _check_media_type() -> None:
    """Refuse a body of another type than the route declares, before anything tries to read it."""
    view = current_app.view_functions.get(request.endpoint or "")
    declared: dict[str, Any] = getattr(view, "_spec", {})
    expected = declared.get("content_type") if "body" in declared else None
    has_body = bool(request.content_length or request.mimetype)
    if expected and has_body and request.mimetype != expected:
        given = request.mimetype or "a body of unnamed type"
        raise ProblemError("unsupported_media_type", f"this route takes {expected}, not {given}")


def _finish(response: Response) -> Response:
    """Count the request and add what tells browsers to be careful."""
    route = request.url_rule.rule if request.url_rule is not None else "(none)"
    services().metrics.count_request(
        method=request.method,
        route=route,
        status=response.status_code,
        seconds=finish_request(response),
    )
    for name, value in _SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    return response
