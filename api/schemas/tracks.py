"""Tracks over HTTP."""

from apiflask.fields import Boolean, Float, Integer, List, Nested, String
from apiflask.validators import Range

from api.schemas.base import PlaylistRefSchema, Strict, name_field, text_field
from recommender.records.ids import MAX_ID


class TrackSchema(Strict):
    """A track of the catalogue."""

    id = Integer(required=True)
    title = text_field()
    artist = text_field(metadata={"description": "The credit: all artists of the track."})
    artists = List(String(), required=True)
    album = text_field()
    duration_s = Float(required=True, allow_none=True)
    source = text_field()
    licence = text_field()
    trainable = Boolean(required=True)
    path = String(required=True, allow_none=True)
    heard_in_part = String(
        required=True,
        allow_none=True,
        metadata={"description": "How much was heard, where the file could not be decoded wholly."},
    )


class TrackDetailSchema(TrackSchema):
    """A track and the playlists that hold it."""

    playlists = List(Nested(PlaylistRefSchema), required=True)


class TrackListQuery(Strict):
    """Which tracks to list."""

    query = name_field(metadata={"description": "Looked for in titles and artists."})
    heard_in_part = Boolean(
        load_default=False, metadata={"description": "Only tracks that could not be decoded wholly."}
    )
    after_id = Integer(load_default=0, validate=Range(0, MAX_ID))
    limit = Integer(load_default=50, validate=Range(1, 500))


class TrackListSchema(Strict):
    """Some tracks in the order of their ids; ``next_after_id`` asks for more, null at the end."""

    tracks = List(Nested(TrackSchema), required=True)
    next_after_id = Integer(required=True, allow_none=True)
