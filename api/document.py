"""What the OpenAPI document says beyond the routes' schemas: bounds of ids, choices, errors, links."""

from collections.abc import Iterator
from typing import Any

from api.auth import OPEN_ROUTES, SECURITY_SCHEME
from api.ids import declare_id_bounds
from api.problems import MIMETYPE as PROBLEM_MIMETYPE
from api.schemas.base import Strict

# Where an answer names something that other routes take: route, what is named, and where in the answer.
_NAMED = (
    ("get /tracks", "track_id", "/tracks/0/id"),
    ("post /uploads", "track_id", "/id"),
    ("get /playlists", "playlist_id", "/playlists/0/id"),
    ("post /playlists/import", "playlist_id", "/playlist/id"),
    ("get /feeds", "feed_id", "/feeds/0/id"),
    ("post /feeds", "feed_id", "/id"),
    ("get /jobs", "job_id", "/jobs/0/id"),
    ("post /tracks", "job_id", "/job/id"),
    ("post /playlists", "job_id", "/job/id"),
    ("post /feeds/{feed_id}/score", "job_id", "/job/id"),
    ("get /models", "model_id", "/models/0/id"),
)


def schema_name(schema: Any) -> str:
    """Return the name of a schema class or instance in the document."""
    name: str = getattr(schema, "__name__", type(schema).__name__)
    return name.removesuffix("Schema")


def complete_document(spec: dict[str, Any] | str) -> dict[str, Any] | str:
    """Return the document with what is the same for all routes, or joins them."""
    assert isinstance(spec, dict)  # it is text only when YAML was asked for
    if SECURITY_SCHEME in spec.get("components", {}).get("securitySchemes", {}):
        spec["security"] = [{SECURITY_SCHEME: []}]
    declare_id_bounds(spec)
    for schema in _all_schemas(Strict):
        if schema.shape and schema_name(schema) in spec["components"]["schemas"]:
            spec["components"]["schemas"][schema_name(schema)] |= schema.shape
    for route, operation in _operations(spec):
        if route.split()[1] in OPEN_ROUTES:
            operation["security"] = []
        _declare_problems(operation)
        if "requestBody" in operation:
            operation["requestBody"]["required"] = True
    _link(spec)
    return spec


def _operations(spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """("get /tracks", operation) of every route."""
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            yield f"{method} {path}", operation


def _all_schemas(base: type[Strict]) -> Iterator[type[Strict]]:
    for schema in base.__subclasses__():
        yield schema
        yield from _all_schemas(schema)


def _declare_problems(operation: dict[str, Any]) -> None:
    """Give every error response the media type that it really has, and let any error be a problem."""
    content = {PROBLEM_MIMETYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, response in operation["responses"].items():
        if status[0] in "45":
            response["content"] = content
    operation["responses"]["default"] = {"description": "Any other error", "content": content}


def _link(spec: dict[str, Any]) -> None:
    """Lead from each answer that names something to the routes that take its id."""
    known = dict(_operations(spec))
    for route, name, pointer in _NAMED:
        answers = known[route]["responses"]
        success = answers[next(status for status in answers if status.startswith("2"))]
        links = success.setdefault("links", {})
        for operation in known.values():
            ids = [given["name"] for given in operation.get("parameters", []) if given["in"] == "path"]
            if ids == [name]:
                links[operation["operationId"]] = _link_to(operation, {name: f"$response.body#{pointer}"})
        if name == "track_id":
            operation = known["get /recommend"]
            links[operation["operationId"]] = _link_to(operation, {"track": f"$response.body#{pointer}"})
    rows = known["get /playlists/{playlist_id}/matches"]["responses"]["200"].setdefault("links", {})
    settle = known["put /playlists/{playlist_id}/matches/{row}"]
    named = {"playlist_id": "$request.path.playlist_id", "row": "$response.body#/rows/0/row"}
    rows[settle["operationId"]] = _link_to(settle, named)


def _link_to(operation: dict[str, Any], parameters: dict[str, str]) -> dict[str, Any]:
    return {"operationId": operation["operationId"], "parameters": parameters}
