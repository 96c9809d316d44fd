"""Background work over HTTP."""

from apiflask.fields import Boolean, Dict, Float, Integer, List, Nested, String
from apiflask.validators import OneOf, Range

from api.schemas.base import Moment, Strict, id_field, text_field
from recommender.records.jobs import JobKind, JobState


class JobListQuery(Strict):
    """Which jobs to list."""

    limit = Integer(load_default=50, validate=Range(1, 500))
    before_id = id_field(metadata={"description": "Only jobs older than this one."})
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
