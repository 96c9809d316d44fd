"""Holds every response to what ``/openapi.json`` says of it: the subset of JSON Schema that it uses."""

from fnmatch import fnmatch
from typing import Any

from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.test import TestResponse

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


class CheckedClient(FlaskClient):
    """A client that fails the test when a response is not what the OpenAPI document promises."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request and check the response."""
        response = super().open(*args, **kwargs)
        check_response(self.application._get_spec(), self.application.url_map, response)
        return response


def check_response(spec: dict[str, Any], url_map: Any, response: TestResponse) -> None:
    """Fail unless the response has a declared status, media type and shape."""
    method, path = response.request.method.lower(), response.request.path
    try:
        rule, _ = url_map.bind("localhost").match(path, method=method.upper(), return_rule=True)
    except (HTTPException, RequestRedirect):
        return  # no route: there is nothing it could be held to
    pattern = rule.rule.replace("<int:", "{").replace("<", "{").replace(">", "}")
    operation = spec["paths"].get(pattern, {}).get(method)
    if operation is None:
        return  # pages and static files are not part of the API
    declared = operation["responses"].get(str(response.status_code), operation["responses"]["default"])
    if response.status_code in (204, 304):
        return  # these have no body
    kinds = [kind for kind in declared["content"] if fnmatch(response.mimetype, kind)]
    assert kinds, (pattern, response.status_code, response.mimetype)
    schema = declared["content"][kinds[0]].get("schema", {})
    if response.is_json:
        errors = list(find_errors(response.get_json(), schema, spec, place=f"{method} {pattern}"))
        assert not errors, errors


def find_errors(value: Any, schema: dict[str, Any], spec: dict[str, Any], *, place: str) -> Any:
    """Yield one sentence for every way in which ``value`` breaks ``schema``."""
    if "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for option in schema.get("allOf", []):
        yield from find_errors(value, option, spec, place=place)
    if "anyOf" in schema:
        tries = [list(find_errors(value, option, spec, place=place)) for option in schema["anyOf"]]
        if all(tries):
            yield f"{place}: {value!r} is none of {schema['anyOf']}"
    if not _has_type(value, schema.get("type")):
        yield f"{place}: {value!r} is not {schema['type']}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: {value!r} is not one of {schema['enum']}"
    if isinstance(value, list):
        for position, item in enumerate(value):
            yield from find_errors(item, schema.get("items", {}), spec, place=f"{place}[{position}]")
    if isinstance(value, dict):
        yield from _find_object_errors(value, schema, spec, place=place)


def _find_object_errors(
    value: dict[str, Any], schema: dict[str, Any], spec: dict[str, Any], *, place: str
) -> Any:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name in schema.get("required", []):
        if name not in value:
            yield f"{place}: {name} is missing"
    for name, inner in value.items():
        if name in properties:
            yield from find_errors(inner, properties[name], spec, place=f"{place}.{name}")
        elif others is False:
            yield f"{place}: {name} is not declared"
        elif isinstance(others, dict):
            yield from find_errors(inner, others, spec, place=f"{place}.{name}")


def _has_type(value: Any, wanted: Any) -> bool:
    if wanted is None:
        return True
    if isinstance(value, bool) and "boolean" not in wanted:
        return False
    names = [wanted] if isinstance(wanted, str) else wanted
    return any(isinstance(value, _TYPES[name]) for name in names)
