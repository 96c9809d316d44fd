"""What the shapes of all nouns share: ids, text, moments, problems."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from apiflask import Schema
from apiflask.fields import Dict, Integer, List, Nested, String
from apiflask.validators import Length, Range, Regexp, Validator
from marshmallow import RAISE

from recommender.records.ids import MAX_ID

MAX_PLACE = 4096  # characters, as Linux takes them of a path


class Moment(String):
    """Seconds since 1970 in, ISO 8601 in UTC out."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=True, metadata={"format": "date-time"}, **options)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds")


class Strict(Schema):
    """A schema that refuses names it does not know, so that a typing error is not passed over."""

    # What JSON Schema says of the whole object beyond its fields; the schema itself validates it.
    shape: ClassVar[dict[str, Any]] = {}

    class Meta:
        """Marshmallow's options."""

        unknown = RAISE


def text_field(**options: Any) -> String:
    return String(required=True, **options)


def name_field(**options: Any) -> String:
    return String(validate=Length(min=1, max=200), **options)


def id_field(**options: Any) -> Integer:
    """An id of something in the catalogue."""
    return Integer(validate=Range(1, MAX_ID), **options)


def place_field(*, form: Regexp | None = None, **options: Any) -> String:
    """A path, an address or another reference."""
    limits: list[Validator] = [Length(min=1, max=MAX_PLACE)]
    return String(validate=limits + ([form] if form else []), **options)


class ProblemErrorSchema(Strict):
    """One parameter or field with a bad value."""

    location = String(required=True, data_key="in")
    name = text_field()
    errors = List(String(), required=True)


class TableSchema(Strict):
    """The first rows of a table of which somebody has to say what its columns hold."""

    head = List(String(), required=True, metadata={"description": "Empty where the first line is a row."})
    rows = List(List(String()), required=True)
    guess = Dict(
        keys=String(), values=Integer(), required=True, metadata={"description": "Column -> number from 1."}
    )
    columns = List(String(), required=True, metadata={"description": "What a column can be."})


class ProblemSchema(Strict):
    """RFC 9457 problem details."""

    type = text_field(metadata={"description": "Stable; opens a page about this kind of error."})
    title = text_field()
    status = Integer(required=True)
    detail = text_field()
    code = text_field(metadata={"description": "Stable name of the kind of error."})
    action = text_field(metadata={"description": "What to do about it, for a program."})
    page = text_field(metadata={"description": "What a person who looks at a page can do about it."})
    instance = text_field()
    request_id = text_field(metadata={"description": "As in the header X-Request-ID and the log."})
    errors = List(Nested(ProblemErrorSchema), metadata={"description": "With code invalid_request."})
    checks = Dict(keys=String(), values=String(), metadata={"description": "With code not_ready."})
    table = Nested(TableSchema, metadata={"description": "With code unknown_columns."})


class NamedTrackSchema(Strict):
    """A track of the catalogue, as evidence."""

    id = Integer(required=True)
    title = text_field()
    artist = text_field()


class PlaylistRefSchema(Strict):
    """A playlist's id and name."""

    id = Integer(required=True)
    name = text_field()


class PathSchema(Strict):
    """A file or folder under a library root."""

    path = place_field(required=True)
    playlists = List(
        name_field(),
        validate=Length(max=10_000),
        metadata={"description": "Folders directly in it, by name, each of which becomes a playlist."},
    )
    group = name_field(metadata={"description": "Where those playlists compete; `default` unless given."})
