"""Sorting over HTTP, in the shape of :mod:`recommender.sorting.batch`."""

from typing import Any, ClassVar

from apiflask.fields import Boolean, Float, Integer, List, Nested, String
from apiflask.validators import Length, OneOf
from marshmallow import ValidationError, validates_schema

from api.schemas.answers import UploadSchema
from api.schemas.base import PlaylistRefSchema, Strict, id_field, name_field, text_field
from api.schemas.feeds import FeedSchema
from api.schemas.jobs import JobSchema
from recommender.records.feeds import FeedState
from recommender.sorting.decisions import DecisionKind
from recommender.sorting.sureness import Sureness

MOST_DECISIONS = 2000


class NewBatchSchema(Strict):
    """A batch that files will be sent to."""

    name = name_field(required=True)
    group = name_field(metadata={"description": "Which playlists compete; the default group unless given."})


class ArrivedFileSchema(UploadSchema):
    """A file to be sorted; it is kept."""


class BatchSummarySchema(FeedSchema):
    """A feed, and how many of its songs wait to be sorted."""

    n_waiting = Integer(required=True)


class BatchListSchema(Strict):
    """Everything that can be sorted, newest first; ``n_waiting`` counts what was dropped and waits."""

    batches = List(Nested(BatchSummarySchema), required=True)
    n_waiting = Integer(required=True)


class PlacedSchema(PlaylistRefSchema):
    """A playlist that a song may go into."""

    probability = Float(required=True)
    fits = Boolean(required=True)


class SongDecisionSchema(Strict):
    """What was decided of a song."""

    kind = text_field(validate=OneOf([kind.value for kind in DecisionKind]))
    playlist = Nested(PlaylistRefSchema, required=True, allow_none=True)
    is_gone = Boolean(required=True, metadata={"description": "The playlist was removed since."})
    stamp = text_field(metadata={"description": "Names this decision, for whoever wants to change it."})


class SortRowSchema(Strict):
    """A song of a batch."""

    item = Integer(required=True)
    state = text_field(validate=OneOf([state.value for state in FeedState]))
    sentence = text_field(metadata={"description": "Why it cannot be sorted; empty where it can."})
    title = text_field()
    artist = text_field()
    track = Integer(required=True, allow_none=True)
    duration_s = Float(required=True, allow_none=True)
    sureness = String(required=True, allow_none=True, validate=OneOf([s.value for s in Sureness]))
    places = List(Nested(PlacedSchema), required=True)
    member_of = List(Nested(PlaylistRefSchema), required=True)
    decision = Nested(SongDecisionSchema, required=True, allow_none=True)
    taste = text_field(metadata={"description": "`liked`, `disliked`, or empty."})


class ArrivedSchema(Strict):
    """The row that a file became; ``is_new`` is false where the batch held the same recording."""

    is_new = Boolean(required=True)
    row = Nested(SortRowSchema, required=True)


class BatchSchema(Strict):
    """A feed as a list to be sorted."""

    feed = Nested(FeedSchema, required=True)
    group = text_field()
    model = text_field()
    rows = List(Nested(SortRowSchema), required=True)
    playlists = List(Nested(PlaylistRefSchema), required=True)
    is_promised = Boolean(required=True)
    promise = text_field(metadata={"description": "What is promised of the clear ones, or why nothing is."})
    why_unplaced = text_field(metadata={"description": "Why no song is placed; empty where they are."})
    n_left_out = Integer(required=True, metadata={"description": "Older songs that are not listed."})
    job_id = Integer(required=True, allow_none=True, metadata={"description": "The job that hears more."})
    learning_job_id = Integer(
        required=True, allow_none=True, metadata={"description": "The job after which places may change."}
    )


class WishSchema(Strict):
    """What is to be decided of one song."""

    item = id_field(required=True)
    kind = text_field(validate=OneOf([kind.value for kind in DecisionKind]))
    playlist_id = id_field(metadata={"description": "With `accepted`, and only there."})
    stamp = String(
        load_default=None,
        allow_none=True,
        validate=Length(max=64),
        metadata={"description": "Of the decision that is to be changed; none where there is none."},
    )
    ruled_out = List(
        id_field(),
        load_default=list,
        validate=Length(max=100),
        metadata={"description": "With `none`: the playlists that were proposed, and are wrong."},
    )

    shape: ClassVar[dict[str, Any]] = {
        "oneOf": [
            {
                "properties": {"kind": {"enum": [DecisionKind.ACCEPTED.value]}},
                "required": ["kind", "playlist_id"],
            },
            {
                "properties": {"kind": {"enum": [DecisionKind.NONE.value, DecisionKind.OPEN.value]}},
                "not": {"required": ["playlist_id"]},
            },
        ]
    }

    @validates_schema
    def _names_a_playlist(self, data: dict[str, Any], **_: Any) -> None:
        if ("playlist_id" in data) != (data["kind"] == DecisionKind.ACCEPTED):
            raise ValidationError("`accepted` names a playlist, the others none", "playlist_id")


class DecisionsSchema(Strict):
    """What is to be decided, each for itself."""

    decisions = List(Nested(WishSchema), required=True, validate=Length(min=1, max=MOST_DECISIONS))


class RefusalSchema(Strict):
    """A decision that was not taken."""

    item = Integer(required=True, attribute="item_id")
    code = text_field()
    sentence = text_field()


class DecidedSchema(Strict):
    """The rows that were spoken of, as they are now; the job learns it, null where nothing changed."""

    rows = List(Nested(SortRowSchema), required=True)
    refused = List(Nested(RefusalSchema), required=True)
    job = Nested(JobSchema, required=True, allow_none=True)
