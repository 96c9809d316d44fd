"""Two models side by side over HTTP, in the shape of :mod:`recommender.model.comparison`."""

from apiflask.fields import Boolean, Dict, Float, Integer, List, Nested, String
from apiflask.validators import OneOf

from api.schemas.base import Moment, Strict, name_field, text_field


class CompareQuery(Strict):
    """Which models to compare."""

    a = name_field(required=True, metadata={"description": "A model's id."})
    b = name_field(required=True, metadata={"description": "Another model's id."})


class ReportQuery(Strict):
    """How much of a score card to send."""

    tracks = Boolean(
        load_default=True,
        metadata={"description": "false leaves out what the score card says of every single track."},
    )


class ComparedModelSchema(Strict):
    """One of the two models."""

    id = text_field()
    state = text_field()
    encoder = String(required=True, allow_none=True)
    fingerprint = text_field()
    created_at = Moment()
    is_judged = Boolean(required=True, metadata={"description": "Whether it has a score card."})
    balanced_accuracy_of_choosing = Dict(
        keys=String(),
        values=Float(allow_none=True),
        required=True,
        metadata={"description": "Per group, on the folds that its quick fit chose on: a little too good."},
    )
    comparison_at_training = Dict(
        required=True,
        allow_none=True,
        metadata={"description": "How its encoder fared against the one in service when it was trained."},
    )


class GroupFiguresSchema(Strict):
    """What one score card says of a group; `error` says why it has no figures."""

    balanced_accuracy = Float(required=True, allow_none=True)
    balanced_accuracy_ci = List(Float(allow_none=True), required=True, allow_none=True)
    beats_chance = Boolean(required=True, allow_none=True)
    n_tracks = Integer(required=True, allow_none=True)
    error = String(required=True, allow_none=True)


class PairedSchema(Strict):
    """Both models on the tracks that both judged; the same artists are drawn for both."""

    n_tracks = Integer(required=True)
    n_artists = Integer(required=True)
    a = Float(required=True)
    b = Float(required=True)
    difference = Float(required=True, metadata={"description": "b minus a"})
    difference_ci = List(Float(), required=True, metadata={"description": "95 % interval over artists"})
    better = String(
        required=True,
        allow_none=True,
        validate=OneOf(["a", "b", None]),
        metadata={"description": "Which is better by more than the uncertainty; null when neither."},
    )


class PlaylistRecallSchema(Strict):
    """Share of a playlist's tracks that each model placed there."""

    name = text_field()
    recall_a = Float(required=True, allow_none=True)
    recall_b = Float(required=True, allow_none=True)


class ComparedGroupSchema(Strict):
    """One group of playlists."""

    group = text_field()
    a = Nested(GroupFiguresSchema, required=True, allow_none=True)
    b = Nested(GroupFiguresSchema, required=True, allow_none=True)
    same_folds = Boolean(required=True, allow_none=True)
    paired = Nested(PairedSchema, required=True, allow_none=True)
    playlists = List(Nested(PlaylistRecallSchema), required=True)


class ComparisonSchema(Strict):
    """Two models side by side."""

    a = Nested(ComparedModelSchema, required=True)
    b = Nested(ComparedModelSchema, required=True)
    same_encoder = Boolean(required=True)
    groups = List(Nested(ComparedGroupSchema), required=True)
    notes = List(String(), required=True)
