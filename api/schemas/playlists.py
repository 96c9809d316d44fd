"""Playlists over HTTP."""

from typing import Any, ClassVar

from apiflask.fields import Boolean, Float, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Regexp
from marshmallow import ValidationError, validates_schema

from api.schemas.base import (
    Moment,
    NamedTrackSchema,
    Strict,
    id_field,
    name_field,
    place_field,
    text_field,
)
from api.schemas.jobs import JobSchema
from recommender.playlists.members import IfExists
from recommender.sources.references import FORMS, SOURCE_PATTERN


class PlaylistSchema(Strict):
    """A playlist."""

    id = Integer(required=True)
    name = text_field()
    group = text_field()
    source = text_field()
    folder = String(required=True, allow_none=True)
    n_tracks = Integer(required=True)
    created_at = Moment()


class PlaylistTrackSchema(NamedTrackSchema):
    """A track in a list."""

    duration_s = Float(required=True, allow_none=True)


class PlaylistDetailSchema(PlaylistSchema):
    """A playlist and its tracks, in order."""

    tracks = List(Nested(PlaylistTrackSchema), required=True)


class PlaylistListQuery(Strict):
    """Which playlists to list."""

    group = name_field()


class PlaylistListSchema(Strict):
    """Playlists by group and name."""

    playlists = List(Nested(PlaylistSchema), required=True)


def if_exists_field() -> String:
    """What to do where the name is taken."""
    return String(
        load_default=IfExists.REFUSE.value,
        validate=OneOf([choice.value for choice in IfExists]),
        metadata={"description": "Where the name is taken: refuse, add to what is there, or replace it."},
    )


class MembersSchema(Strict):
    """Tracks to put into a playlist, or to take out of it."""

    track_ids = List(id_field(), required=True, validate=Length(min=1, max=100_000))


class ChangedMembersSchema(Strict):
    """What came of it; the job learns it, null when nothing changed."""

    n_changed = Integer(required=True)
    playlist = Nested(PlaylistSchema, required=True)
    job = Nested(JobSchema, required=True, allow_none=True)


class SyncSchema(Strict):
    """Which playlists to read again; all that came from a file or a server unless named."""

    playlists = List(id_field(), validate=Length(min=1, max=10_000))
    take_out = Boolean(
        load_default=False,
        metadata={"description": "Whether songs that are there no longer leave the playlist too"},
    )


class NewPlaylistSchema(Strict):
    """A playlist to be made of the audio in a folder, of tracks of the catalogue, or of what a server has."""

    name = name_field(required=True)
    folder = place_field()
    track_ids = List(id_field(), validate=Length(max=100_000))
    source = place_field(
        form=Regexp(SOURCE_PATTERN, error=f"names no source; these do: {FORMS}"),
        metadata={
            "description": "subsonic:PLAYLIST, subsonic:starred, jellyfin:PLAYLIST, jellyfin:favourites,"
            " spotify:PLAYLIST, spotify:liked, or the URL of a feed."
        },
    )
    group = name_field(metadata={"description": "`default` unless given, `taste` for spotify:liked."})
    if_exists = if_exists_field()

    shape: ClassVar[dict[str, Any]] = {
        "oneOf": [{"required": [name]} for name in ("folder", "track_ids", "source")]
    }

    @validates_schema
    def _has_one_source(self, data: dict[str, Any], **_: Any) -> None:
        if len({"folder", "track_ids", "source"} & data.keys()) != 1:
            raise ValidationError("give either a folder, track_ids or a source", "folder")


class PlaylistChangeSchema(Strict):
    """What to change of a playlist: its name, or its tracks."""

    name = name_field()
    track_ids = List(id_field(), validate=Length(max=100_000))

    shape: ClassVar[dict[str, Any]] = {"minProperties": 1}

    @validates_schema
    def _changes_something(self, data: dict[str, Any], **_: Any) -> None:
        if not data:
            raise ValidationError("give a name, or track_ids")
