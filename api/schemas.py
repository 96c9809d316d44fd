"""What goes in and out over HTTP; the OpenAPI document is generated from these."""

from datetime import UTC, datetime
from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Dict, Float, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range
from marshmallow import RAISE, ValidationError, validates_schema

from recommender.jobs import JobKind, JobState

MAX_ID = 2**31 - 1


class Moment(String):
    """Seconds since 1970 in, ISO 8601 in UTC out."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=True, metadata={"format": "date-time"}, **options)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds")


class Strict(Schema):
    """A schema that refuses names it does not know, so that a typing error is not passed over."""

    class Meta:
        """Marshmallow's options."""

        unknown = RAISE


def text_field(**options: Any) -> String:
    return String(required=True, **options)


def name_field(**options: Any) -> String:
    return String(validate=Length(min=1, max=200), **options)


class ProblemErrorSchema(Strict):
    """One parameter or field with a bad value."""

    location = String(required=True, data_key="in")
    name = text_field()
    errors = List(String(), required=True)


class ProblemSchema(Strict):
    """RFC 9457 problem details."""

    type = text_field(metadata={"description": "Stable; opens a page about this kind of error."})
    title = text_field()
    status = Integer(required=True)
    detail = text_field()
    code = text_field(metadata={"description": "Stable name of the kind of error."})
    action = text_field(metadata={"description": "What to do about it."})
    instance = text_field()
    errors = List(Nested(ProblemErrorSchema), metadata={"description": "With code invalid_request."})
    checks = Dict(keys=String(), values=String(), metadata={"description": "With code not_ready."})


class TokenSchema(Strict):
    """The server's token."""

    token = text_field(validate=Length(min=1, max=1000))


class NamedTrackSchema(Strict):
    """A track of the catalogue, as evidence."""

    id = Integer(required=True)
    title = text_field()
    artist = text_field()


class PlaylistRefSchema(Strict):
    """A playlist's id and name."""

    id = Integer(required=True)
    name = text_field()


class TrackSchema(Strict):
    """A track of the catalogue."""

    id = Integer(required=True)
    title = text_field()
    artist = text_field()
    album = text_field()
    duration_s = Float(required=True, allow_none=True)
    source = text_field()
    licence = text_field()
    trainable = Boolean(required=True)
    path = String(required=True, allow_none=True)


class TrackDetailSchema(TrackSchema):
    """A track and the playlists that hold it."""

    playlists = List(Nested(PlaylistRefSchema), required=True)


class TrackListQuery(Strict):
    """Which tracks to list."""

    query = name_field(metadata={"description": "Looked for in titles and artists."})
    after_id = Integer(load_default=0, validate=Range(0, MAX_ID))
    limit = Integer(load_default=50, validate=Range(1, 500))


class TrackListSchema(Strict):
    """Some tracks in the order of their ids; ``next_after_id`` asks for more, null at the end."""

    tracks = List(Nested(TrackSchema), required=True)
    next_after_id = Integer(required=True, allow_none=True)


class PathSchema(Strict):
    """A file or folder under a library root."""

    path = text_field(validate=Length(min=1, max=4096))


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


class NewPlaylistSchema(Strict):
    """A playlist to be made of the audio in a folder, of tracks of the catalogue, or of what a server has."""

    name = name_field(required=True)
    folder = String(validate=Length(min=1, max=4096))
    track_ids = List(Integer(validate=Range(1, MAX_ID)), validate=Length(min=1, max=100_000))
    source = String(
        validate=Length(min=1, max=4096),
        metadata={
            "description": "subsonic:PLAYLIST, subsonic:starred, jellyfin:PLAYLIST, jellyfin:favourites,"
            " spotify:PLAYLIST, spotify:liked, or the URL of a feed."
        },
    )
    group = name_field(metadata={"description": "`default` unless given, `taste` for spotify:liked."})

    @validates_schema
    def _has_one_source(self, data: dict[str, Any], **_: Any) -> None:
        if len({"folder", "track_ids", "source"} & data.keys()) != 1:
            raise ValidationError("give either a folder, track_ids or a source", "folder")


class PlaylistChangeSchema(Strict):
    """What to change of a playlist: its name, or its tracks."""

    name = name_field()
    track_ids = List(Integer(validate=Range(1, MAX_ID)), validate=Length(max=100_000))


class JobListQuery(Strict):
    """Which jobs to list."""

    limit = Integer(load_default=50, validate=Range(1, 500))
    before_id = Integer(validate=Range(1, MAX_ID), metadata={"description": "Only jobs older than this one."})
    state = String(validate=OneOf([state.value for state in JobState]))


class JobSchema(Strict):
    """Background work: what it is, how far it got, how it ended."""

    id = Integer(required=True)
    kind = text_field(validate=OneOf([kind.value for kind in JobKind]))
    state = text_field(validate=OneOf([state.value for state in JobState]))
    message = text_field()
    n_done = Integer(required=True)
    n_total = Integer(required=True)
    n_failed = Integer(required=True)
    rate_per_s = Float(required=True, allow_none=True)
    eta_s = Float(required=True, allow_none=True)
    error_code = String(required=True, allow_none=True)
    error = String(required=True, allow_none=True)
    cancel_requested = Boolean(required=True)
    payload = Dict(required=True)
    result = Dict(required=True)
    created_at = Moment()
    started_at = Moment(allow_none=True)
    finished_at = Moment(allow_none=True)


class FailedItemSchema(Strict):
    """A step of a job that was set aside, e.g. a file that cannot be read as audio."""

    key = text_field()
    code = text_field()
    error = text_field()


class JobDetailSchema(JobSchema):
    """A job and the steps that were set aside."""

    failed = List(Nested(FailedItemSchema), required=True)


class JobListSchema(Strict):
    """Jobs, newest first."""

    jobs = List(Nested(JobSchema), required=True)


class AcceptedSchema(Strict):
    """The work was queued; follow it at ``/jobs/{id}``."""

    job = Nested(JobSchema, required=True)


class ModelSchema(Strict):
    """A trained bundle."""

    id = text_field()
    state = text_field(validate=OneOf(["champion", "challenger", "retired"]))
    encoder = String(required=True, allow_none=True)
    fingerprint = text_field()
    serving = Boolean(required=True)
    created_at = Moment()
    promoted_at = Moment(allow_none=True)
    summary = Dict(required=True)


class ModelListSchema(Strict):
    """Bundles, newest first."""

    models = List(Nested(ModelSchema), required=True)


class PromotedSchema(Strict):
    """The bundle that is in service now."""

    model = Nested(ModelSchema, required=True)


class ReportSchema(Strict):
    """How a bundle was fitted, and its score card once it was judged.

    A browser is shown the score card as a page.
    """

    id = text_field()
    report = Dict(required=True)
    scorecard = Dict(required=True, allow_none=True)


class HealthSchema(Strict):
    """The process answers."""

    status = text_field()
    version = text_field()


class ReadySchema(Strict):
    """Whether a question can be answered now, and what is missing."""

    ready = Boolean(required=True)
    checks = Dict(keys=String(), values=String(), required=True)
