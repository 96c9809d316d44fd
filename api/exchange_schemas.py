"""What goes in and out where playlists are exchanged as files."""

from apiflask import Schema
from apiflask.fields import Dict, File, Integer, List, Nested, String
from apiflask.validators import OneOf

from api.schemas import JobSchema, PlaylistSchema, Strict, name_field, text_field
from recommender.records import DEFAULT_GROUP
from recommender.sources.playlist_writing import PlaylistFormat


class PlaylistUploadSchema(Schema):
    """A playlist file, of which one playlist is taken."""

    file = File(required=True, metadata={"description": "The playlist file."})  # type: ignore[no-untyped-call]
    name = name_field(metadata={"description": "The playlist's name here; its own unless given."})
    group = name_field(load_default=DEFAULT_GROUP)
    playlist = String(metadata={"description": "Which one, by name, of a file that holds several."})


class LeftOutSchema(Strict):
    """A row that is no member, and why: ``row`` counts from 1."""

    row = Integer(required=True)
    outcome = text_field(validate=OneOf(["review", "unmatched", "rejected", "skipped"]))
    title = text_field()
    artist = text_field()
    code = text_field()
    reason = text_field()


class ImportedSchema(Strict):
    """The playlist, how many rows came in and by what, and those that did not; the fit follows as a job."""

    playlist = Nested(PlaylistSchema, required=True)
    counts = Dict(keys=String(), values=Integer(), required=True)
    methods = Dict(keys=String(), values=Integer(), required=True)
    left_out = List(
        Nested(LeftOutSchema), required=True, metadata={"description": "At most the first 200 rows."}
    )
    refusal = text_field(metadata={"description": "Why it is not learnt from, if it may not be."})
    job = Nested(JobSchema, required=True, allow_none=True)


class ExportQuery(Strict):
    """What to write a playlist as."""

    format = String(
        load_default=PlaylistFormat.M3U8.value, validate=OneOf([known.value for known in PlaylistFormat])
    )
