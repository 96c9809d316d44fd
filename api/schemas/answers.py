"""Questions and answers over HTTP, in the shape of :mod:`recommender.answering.answer`."""

from apiflask import Schema
from apiflask.fields import Boolean, Dict, File, Float, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range

from api.schemas.base import (
    NamedTrackSchema,
    PlaylistRefSchema,
    Strict,
    id_field,
    name_field,
    place_field,
    text_field,
)
from api.schemas.tracks import TrackSchema
from recommender.answering.answer import Verdict
from recommender.answering.walk import LONGEST_WALK
from recommender.model.familiarity import Familiarity


class AskSchema(Strict):
    """What to show in an answer."""

    group = name_field(metadata={"description": "Which playlists compete; the default group unless given."})
    model = name_field(
        metadata={"description": "The bundle that answers, by its id; the one in service unless given."}
    )
    top = Integer(validate=Range(1, 1000), metadata={"description": "Only the first so many playlists."})
    neighbours = Integer(
        load_default=3,
        validate=Range(0, 50),
        metadata={"description": "Nearest tracks to show, per playlist and in the whole library."},
    )
    segments = Boolean(
        load_default=True, metadata={"description": "Also say what the classifier hears at each moment."}
    )


class AskTrackSchema(AskSchema):
    """A question about a track that the server can reach."""

    track = place_field(
        required=True,
        metadata={
            "description": "A track id, isrc:..., mbid:..., spotify:track:... or its URL, "
            "a path under a library root, or the URL of audio where the operator allows it."
        },
    )


class UploadSchema(Schema):
    """A file to listen to; it is not kept."""

    file = File(required=True, metadata={"description": "The audio file."})  # type: ignore[no-untyped-call]


class KeepSchema(UploadSchema):
    """A file to keep, and the playlist that it joins, if any."""

    playlist_id = id_field()


class KeptTrackSchema(TrackSchema):
    """An uploaded file, now a track of the catalogue."""


class WaveformQuery(Strict):
    """How fine a drawing should be."""

    points = Integer(
        load_default=400, validate=Range(1, 4000), metadata={"description": "At most so many peaks."}
    )


class WaveformSchema(Strict):
    """How loud a track is from moment to moment."""

    peaks = List(
        Float(), required=True, metadata={"description": "Largest magnitude of equal shares, 0 to 1."}
    )
    duration_s = Float(required=True)


class AskedTrackSchema(Strict):
    """The track that was asked about; ``id`` is null when the catalogue does not hold it."""

    id = Integer(required=True, allow_none=True)
    title = text_field()
    artist = text_field()
    duration_s = Float(required=True, allow_none=True)
    heard_in_part = String(
        required=True,
        allow_none=True,
        metadata={"description": "How much was heard, where the file could not be decoded wholly."},
    )


class NeighbourSchema(Strict):
    """A near track and its cosine similarity."""

    track = Nested(NamedTrackSchema, required=True)
    similarity = Float(required=True)


class RankedPlaylistSchema(Strict):
    """One playlist of an answer, with its evidence."""

    id = Integer(required=True)
    name = text_field()
    rank = Integer(required=True)
    probability = Float(required=True)
    fits = Boolean(required=True, metadata={"description": "The playlist is among those named."})
    p_value = Float(
        required=True,
        allow_none=True,
        metadata={
            "description": "Share of the playlist's own tracks, held out, that lie as far out as this one."
        },
    )
    classifier = Float(required=True)
    neighbours = Float(required=True)
    note = text_field()
    nearest = List(Nested(NeighbourSchema), required=True)
    model_fits = Boolean(
        required=True, metadata={"description": "What the model would say without the user's word."}
    )
    said = String(
        required=True,
        allow_none=True,
        metadata={"description": "The user's word on this playlist: right, wrong, or null."},
    )


class SegmentSchema(Strict):
    """What the classifier hears in a time span."""

    start_s = Float(required=True)
    end_s = Float(required=True)
    playlist = text_field()
    probability = Float(required=True)


class SaidSchema(Strict):
    """What the user said of the track and a playlist."""

    playlist = Nested(PlaylistRefSchema, required=True)
    verdict = text_field(validate=OneOf(["right", "wrong"]))


class LearningSchema(Strict):
    """A job after which answers may be others."""

    job_id = Integer(required=True)
    reason = text_field()


class KeptSchema(Strict):
    """How the promise was kept to held-out tracks as familiar as this one."""

    coverage = Float(
        required=True,
        allow_none=True,
        metadata={"description": "How often the right playlist was among those named."},
    )
    basis = text_field(
        validate=OneOf(["own", "pooled", "none"]),
        metadata={
            "description": "Tracks of the same familiarity; all, where those are few; or too few at all."
        },
    )


class RecommendationSchema(Strict):
    """The answer."""

    track = Nested(AskedTrackSchema, required=True)
    group = text_field()
    model = text_field(metadata={"description": "The bundle that answered."})
    encoder = text_field(
        metadata={"description": "The network that listened, e.g. msd_musicnn (pretrained)."}
    )
    verdict = text_field(validate=OneOf([verdict.value for verdict in Verdict]))
    headline = text_field(metadata={"description": "The answer in one sentence."})
    explanation = text_field(
        metadata={"description": "Why nothing is named, or how often such answers held the right playlist."}
    )
    alpha = Float(
        required=True, metadata={"description": "How often the playlists named may lack the right one."}
    )
    alpha_none = Float(
        required=True,
        metadata={"description": "How often a track with a playlist may be said to fit none."},
    )
    stranger_p_value = Float(
        required=True,
        metadata={
            "description": "Share of tracks with a playlist that lie as far from all of them;"
            " up to alpha_none nothing fits."
        },
    )
    familiarity = text_field(validate=OneOf([kind.label for kind in Familiarity]))
    kept = Nested(KeptSchema, required=True)
    member_of = List(Nested(PlaylistRefSchema), required=True)
    playlists = List(Nested(RankedPlaylistSchema), required=True)
    similar = List(Nested(NeighbourSchema), required=True)
    segments = List(Nested(SegmentSchema), required=True)
    timing_ms = Dict(keys=String(), values=Float(), required=True)
    said = List(Nested(SaidSchema), required=True)
    learning = Nested(LearningSchema, required=True, allow_none=True)


class WalkQuery(Strict):
    """A walk between two tracks of the library."""

    start = text_field(
        data_key="from",
        validate=Length(min=1, max=4096),
        metadata={"description": "The first track, in any form that `track` of GET /recommend takes."},
    )
    end = text_field(
        data_key="to", validate=Length(min=1, max=4096), metadata={"description": "The last track."}
    )
    length = Integer(
        load_default=10,
        validate=Range(2, LONGEST_WALK),
        metadata={"description": "Tracks of the walk, its two ends among them."},
    )


class WalkStepSchema(Strict):
    """One track of a walk and its cosine similarity to the one before, null for the first."""

    track = Nested(NamedTrackSchema, required=True)
    similarity = Float(required=True, allow_none=True)


class WalkSchema(Strict):
    """A walk, in order."""

    model = text_field(metadata={"description": "The bundle that knew the way."})
    steps = List(Nested(WalkStepSchema), required=True)
