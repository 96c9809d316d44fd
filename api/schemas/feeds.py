"""Feeds and their results over HTTP, in the shape of :mod:`recommender.feeds.results`."""

from apiflask.fields import Boolean, Dict, Float, Integer, List, Nested, String
from apiflask.validators import OneOf, Range

from api.schemas.answers import NeighbourSchema
from api.schemas.base import Moment, Strict, name_field, place_field, text_field
from api.schemas.jobs import AcceptedSchema
from recommender.feeds.result_files import ResultFormat
from recommender.records.feeds import FeedState


class NewFeedSchema(Strict):
    """A source of tracks to be scored."""

    source = place_field(
        required=True,
        metadata={
            "description": "A folder or file under a library root, the URL of a feed, or a list on a server"
            " such as listenbrainz:fresh or subsonic:newest."
        },
    )
    group = name_field(metadata={"description": "Which playlists compete; the default group unless given."})
    name = name_field()
    min_probability = Float(load_default=0.0, validate=Range(0, 1))


class FeedSchema(Strict):
    """A feed; ``items`` counts its recordings by state."""

    id = Integer(required=True)
    name = text_field()
    kind = text_field()
    source = text_field(attribute="reference")
    group = String(required=True, allow_none=True)
    min_probability = Float(required=True)
    items = Dict(
        keys=String(validate=OneOf(list(FeedState))), values=Integer(), required=True, attribute="n_items"
    )
    error_code = String(required=True, allow_none=True)
    error = String(
        required=True, allow_none=True, metadata={"description": "Why the source was not read last time."}
    )
    created_at = Moment()
    read_at = Moment(allow_none=True)


class KnownFeedSchema(FeedSchema):
    """The feed that was made known, or forgotten."""


class FeedListSchema(Strict):
    """Feeds, newest first."""

    feeds = List(Nested(FeedSchema), required=True)


class ReasonSchema(Strict):
    """How many items are in a state for a reason."""

    state = text_field()
    code = text_field()
    n_items = Integer(required=True)


class FeedDetailSchema(FeedSchema):
    """A feed, and why items were not scored; ``job_id`` is the job that is scoring it, if any."""

    reasons = List(Nested(ReasonSchema), required=True)
    job_id = Integer(required=True, allow_none=True)


class ScoringSchema(AcceptedSchema):
    """The feed is being scored; ``joined`` when somebody had asked for it already."""

    joined = Boolean(required=True)


class ResultsQuery(Strict):
    """Which results to show, and how."""

    playlist = name_field(metadata={"description": "Only the list of this playlist, by id or name."})
    format = String(load_default=ResultFormat.JSON.value, validate=OneOf([f.value for f in ResultFormat]))
    min_probability = Float(
        validate=Range(0, 1),
        metadata={"description": "Unless given, that of the feed, or what chance would give."},
    )
    at_most_wrong = Float(
        validate=Range(0.001, 0.999),
        metadata={"description": "Only as far down as at most this share is wrong, by the score card."},
    )


class ThresholdSchema(Strict):
    """From which probability on a promise is kept, and the held-out answers that say so."""

    probability = Float(required=True)
    n_tracks = Integer(required=True)
    n_wrong = Integer(required=True)
    basis = text_field(validate=OneOf(["playlist", "group"]))


class ListedTrackSchema(Strict):
    """A track of a list, and why it stands there."""

    rank = Integer(required=True)
    item = Integer(required=True)
    track = Integer(required=True)
    title = text_field()
    artist = text_field()
    album = text_field()
    duration_s = Float(required=True, allow_none=True)
    released = text_field()
    path = String(required=True, allow_none=True)
    url = String(required=True, allow_none=True)
    identities = List(List(String()), required=True)
    probability = Float(required=True)
    p_value = Float(required=True, allow_none=True)
    classifier = Float(required=True)
    neighbours = Float(required=True)
    nearest = List(Nested(NeighbourSchema), required=True)


class PlaylistResultsSchema(Strict):
    """The list of one playlist, the most probable first."""

    id = Integer(required=True)
    name = text_field()
    threshold = Nested(ThresholdSchema, required=True, allow_none=True)
    promise = text_field()
    n_already_in = Integer(required=True)
    tracks = List(Nested(ListedTrackSchema), required=True)


class FeedResultsSchema(Strict):
    """The lists of a feed, and what became of everything else."""

    feed = Integer(required=True)
    name = text_field()
    items = Dict(keys=String(), values=Integer(), required=True)
    group = text_field()
    models = List(String(), required=True)
    min_probability = Float(required=True)
    at_most_wrong = Float(required=True, allow_none=True)
    n_scored = Integer(required=True)
    n_fitting_none = Integer(required=True)
    reasons = List(Nested(ReasonSchema), required=True)
    playlists = List(Nested(PlaylistResultsSchema), required=True)
