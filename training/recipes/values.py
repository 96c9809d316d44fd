"""Tables of a TOML file -> frozen dataclasses and back, with every wrong key and type named."""

import dataclasses
import json
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from recommender.errors import RecommenderError

Made = TypeVar("Made")


class BadRecipe(RecommenderError):
    """A recipe or a `--set` is wrong somewhere; the message names the key and what is allowed."""

    code = "bad_recipe"


def make(kind: type[Made], table: Mapping[str, Any], *, where: str = "") -> Made:
    """Return the dataclass that a table describes.

    Parameters
    ----------
    where : str
        Dotted key of the table, for messages; empty for the whole file.

    Raises
    ------
    BadRecipe
    """
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(typing.cast(Any, kind))}
    for name in table:
        if name not in fields:
            raise BadRecipe(
                f"{_dotted(where, name)} is no key of a recipe; allowed here: {', '.join(fields)}"
            )
    for name, field in fields.items():
        if field.default is field.default_factory is dataclasses.MISSING and name not in table:
            raise BadRecipe(f"{_dotted(where, name)} is missing: {describe(hints[name])}")
    values = {name: _value(hints[name], value, where=_dotted(where, name)) for name, value in table.items()}
    try:
        return kind(**values)
    except BadRecipe:
        raise
    except Exception as error:
        # The configurations check their ranges themselves, each with an error of its own family.
        if hasattr(error, "code"):
            raise BadRecipe(f"{where}: {error}" if where else str(error)) from error
        raise


def describe(hint: Any) -> str:
    """Return what is allowed, in words."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return "one of " + ", ".join(map(str, arguments))
    if origin is tuple:
        return f"a list, each {describe(arguments[0])}"
    if dataclasses.is_dataclass(hint):
        return "a table with " + ", ".join(field.name for field in dataclasses.fields(hint))
    return {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}[hint]


def set_value(table: Mapping[str, Any], setting: str) -> dict[str, Any]:
    """Return the table with one ``key=value`` of the command line in its place; dots lead into tables.

    The value is written as in TOML; what is no TOML is taken as the text that it is, and with commas in it
    as a list of texts.
    """
    key, equals, text = setting.partition("=")
    path = [part.strip() for part in key.split(".")]
    if not equals or not all(path):
        raise BadRecipe(f"{setting!r} is no setting: write key=value, e.g. training.n_epochs=20")
    return _replaced(table, path, _read(text.strip()))


def write_toml(values: Mapping[str, Any]) -> str:
    """Return a table as TOML: plain keys first, then its tables, then its lists of tables."""
    return "\n".join(_lines(values, ())) + "\n"


def _dotted(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _value(hint: Any, value: Any, *, where: str) -> Any:
    origin = typing.get_origin(hint)
    refused = BadRecipe(f"{where} must be {describe(hint)}, got {value!r}")
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise refused
        return make(hint, value, where=where)
    if origin is typing.Literal:
        if value not in typing.get_args(hint):
            raise refused
        return value
    if origin is tuple:
        inner = typing.get_args(hint)[0]
        if inner is str and isinstance(value, str):
            value = [value] if value else []
        if not isinstance(value, list | tuple):
            raise refused
        return tuple(_value(inner, item, where=f"{where}[{row}]") for row, item in enumerate(value))
    return _plain(hint, value, refused)


def _plain(hint: Any, value: Any, refused: BadRecipe) -> Any:
    if isinstance(hint, types.UnionType):
        raise TypeError(f"recipes have no key of type {hint}")
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    # True is an int to Python, and nobody means it as one.
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise refused
    return value


def _read(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return [part.strip() for part in text.split(",")] if "," in text else text


def _replaced(table: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    if len(path) == 1:
        return {**table, path[0]: value}
    inner = table.get(path[0], {})
    if not isinstance(inner, Mapping):
        raise BadRecipe(f"{path[0]} is a value, so {'.'.join(path)} is no key of a recipe")
    return {**table, path[0]: _replaced(inner, path[1:], value)}


def _lines(values: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    lines = [f"{key} = {_literal(value)}" for key, value in values.items() if not _is_tables(value)]
    for key, value in values.items():
        if not _is_tables(value):
            continue
        name = ".".join((*path, key))
        for item in [value] if isinstance(value, Mapping) else value:
            lines += ["", f"[{name}]" if isinstance(value, Mapping) else f"[[{name}]]"]
            lines += _lines(item, (*path, key))
    return lines


def _is_tables(value: Any) -> bool:
    is_list = isinstance(value, list | tuple) and bool(value)
    return isinstance(value, Mapping) or (is_list and isinstance(value[0], Mapping))


def _literal(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_literal, value)) + "]"
    if not isinstance(value, str | bool):
        return repr(value)
    # A basic string of TOML is written as one of JSON is, but for one letter that JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
