"""The document says how large everything may be that is sent, and the program holds it, everywhere alike."""

from collections.abc import Iterator
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from recommender.records.ids import MAX_ID
from tests.api.conftest import Filled
from tests.databases import sqlite_only

LARGEST = 2**63 - 1  # of a column, on both databases


def what_is_sent(spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(where, schema) of every parameter and every part of a body that a caller sends."""
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            place = f"{method} {path}"
            for parameter in operation.get("parameters", []):
                yield f"{place} {parameter['name']}", parameter["schema"]
            for body in operation.get("requestBody", {}).get("content", {}).values():
                yield from parts_of(spec, body["schema"], place)


def parts_of(
    spec: dict[str, Any], schema: dict[str, Any], place: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    if "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "properties" in schema:
        for name, part in schema["properties"].items():
            yield from parts_of(spec, part, f"{place} {name}")
        return
    yield place, schema
    if "items" in schema:
        yield from parts_of(spec, schema["items"], f"{place} []")


def is_bounded(schema: dict[str, Any]) -> bool:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    kind = next(kind for kind in kinds if kind != "null")
    if kind in ("integer", "number"):
        known = "enum" in schema or {"minimum", "maximum"} <= schema.keys()
        return known and schema.get("maximum", 0) <= LARGEST
    if kind == "string":
        return "enum" in schema or "maxLength" in schema or schema.get("format") == "binary"
    return kind == "boolean" or (kind == "array" and "maxItems" in schema)


@sqlite_only
def test_everything_that_is_sent_has_its_bounds(app: APIFlask) -> None:
    unbounded = [place for place, schema in what_is_sent(app.spec) if not is_bounded(schema)]
    assert unbounded == [], unbounded


@sqlite_only
@pytest.mark.parametrize("number", [0, MAX_ID + 1, 52576038515718283264, 10**40])
def test_an_id_that_no_column_holds_is_nothing_s_id(
    app: APIFlask, client: FlaskClient, filled: Filled, number: int
) -> None:
    """In every path that takes an id, by every method."""
    n_asked = 0
    for path, operations in app.spec["paths"].items():
        ids = [p for op in operations.values() for p in op.get("parameters", []) if p["in"] == "path"]
        if not any(p["schema"].get("type") == "integer" for p in ids):
            continue
        address = path
        for name in {p["name"] for p in ids}:
            address = address.replace(f"{{{name}}}", str(number))
        for method in operations:
            answer = client.open(
                address, method=method.upper(), json={} if method in ("put", "post") else None
            )
            assert answer.status_code == 404, (method, address, answer.get_data(as_text=True))
            assert answer.get_json()["code"].endswith("_not_found")
            n_asked += 1
    assert n_asked > 15


@sqlite_only
@pytest.mark.parametrize("name", ["x" * 300, "x/" * 2000, "é" * 200, "nul\0in", "x" * 4000])
def test_a_name_that_no_file_system_takes_is_refused_not_tried(
    client: FlaskClient, filled: Filled, name: str
) -> None:
    for answer in (
        client.post("/feeds", json={"source": name}),
        client.post("/tracks", json={"path": name}),
        client.post("/playlists", json={"name": "long", "folder": name}),
        client.get("/recommend", query_string={"track": f"/{name}"}),
        client.get("/folders", query_string={"path": name}),
    ):
        assert 400 <= answer.status_code < 500, (answer.status_code, answer.get_data(as_text=True))
        assert answer.mimetype == "application/problem+json"
