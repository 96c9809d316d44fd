"""Ids in addresses: one that no column of the catalogue holds is nothing's id."""

from typing import Any

from flask import request

from api.codes import find_problem
from api.problems import ProblemError
from recommender.records.ids import MAX_ID

MAX_TEXT = 200  # a model's id, the code of a problem


def refuse_impossible_ids() -> None:
    """Answer 404 before a view asks the database for what its columns cannot hold."""
    for name, value in (request.view_args or {}).items():
        if (isinstance(value, int) and not 1 <= value <= MAX_ID) or len(str(value)) > MAX_TEXT:
            code = f"{name.removesuffix('_id')}_not_found"
            raise ProblemError(
                code if find_problem(code) else "not_found",
                f"Nothing has the {name.replace('_', ' ')} {str(value)[:40]}.",
            )


def declare_id_bounds(spec: dict[str, Any]) -> None:
    """Say in the OpenAPI document what is held here."""
    for operations in spec["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                schema = parameter["schema"]
                if parameter["in"] == "path" and schema.get("type") == "integer":
                    schema |= {"minimum": 1, "maximum": MAX_ID}
                elif parameter["in"] == "path" and "enum" not in schema:
                    schema.setdefault("maxLength", MAX_TEXT)
