"""What goes in and out over HTTP about imported rows and the tracks that they mean."""

from apiflask.fields import Dict, Float, Integer, List, Nested, String
from apiflask.validators import OneOf

from api.schemas.base import NamedTrackSchema, Strict, id_field, text_field
from api.schemas.jobs import JobSchema
from api.schemas.playlists import PlaylistSchema
from recommender.matching.corrections import Choice
from recommender.records.matches import Method, RowState, Strength

_OUTCOMES = ("used", "review", "unmatched", "rejected", "skipped")


class AlternativeSchema(Strict):
    """Another track that a row may mean."""

    track = Nested(NamedTrackSchema, required=True)
    score = Float(required=True)


class MatchRowSchema(Strict):
    """A row of an imported playlist: what it asked for, and what became of it."""

    row = Integer(required=True, metadata={"description": "Counts from 1 in the source's own order."})
    title = text_field()
    artist = text_field()
    album = text_field()
    duration_s = Float(required=True, allow_none=True)
    path = String(required=True, allow_none=True)
    outcome = text_field(validate=OneOf(_OUTCOMES))
    state = text_field(validate=OneOf([state.value for state in RowState]))
    strength = text_field(validate=OneOf([strength.value for strength in Strength]))
    method = text_field(validate=OneOf([method.value for method in Method]))
    score = Float(required=True)
    note = text_field(metadata={"description": "Why the match is not stronger, or the row was skipped."})
    code = text_field(metadata={"description": "Stable reason of a skipped row, else empty."})
    track = Nested(NamedTrackSchema, required=True, allow_none=True)
    alternatives = List(Nested(AlternativeSchema), required=True)


class MatchReportSchema(Strict):
    """What became of every row of an imported playlist; no rows when it was not imported."""

    playlist = Nested(PlaylistSchema, required=True)
    counts = Dict(keys=String(), values=Integer(), required=True)
    methods = Dict(keys=String(), values=Integer(), required=True)
    rows = List(Nested(MatchRowSchema), required=True)


class DecisionSchema(Strict):
    """What a row means: accept the track proposed, choose one by ``track_id``, or reject all proposed."""

    decision = text_field(validate=OneOf([choice.value for choice in Choice]))
    track_id = id_field(metadata={"description": "With `choose`."})


class SettledSchema(Strict):
    """The row after the decision, and the job that learns what changed; null when nothing does."""

    row = Nested(MatchRowSchema, required=True)
    job = Nested(JobSchema, required=True, allow_none=True)
