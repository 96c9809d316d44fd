"""What operators and log-ins send and see over HTTP."""

from apiflask.fields import Boolean, Dict, String
from apiflask.validators import Length

from api.schemas.base import Strict, text_field


class TokenSchema(Strict):
    """The server's token."""

    token = text_field(validate=Length(min=1, max=1000))


class HealthSchema(Strict):
    """The process answers."""

    status = text_field()
    version = text_field()


class ReadySchema(Strict):
    """Whether a question can be answered now, and what is missing."""

    ready = Boolean(required=True)
    checks = Dict(keys=String(), values=String(), required=True)
