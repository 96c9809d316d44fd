"""Trained models over HTTP."""

from apiflask.fields import Boolean, Dict, List, Nested, String
from apiflask.validators import OneOf

from api.schemas.base import Moment, Strict, text_field


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
