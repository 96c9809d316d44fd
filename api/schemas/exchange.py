"""What goes in and out where playlists are exchanged: as files, and with a Spotify account."""

from apiflask import Schema
from apiflask.fields import Boolean, Dict, File, Integer, List, Nested, String
from apiflask.validators import Length, OneOf

from api.schemas.base import Moment, Strict, name_field, text_field
from api.schemas.jobs import JobSchema
from api.schemas.playlists import PlaylistSchema, if_exists_field
from recommender.records.playlists import DEFAULT_GROUP
from recommender.sources.files.writing import PlaylistFormat


class PlaylistUploadSchema(Schema):
    """A playlist file, of which one playlist is taken."""

    file = File(required=True, metadata={"description": "The playlist file."})  # type: ignore[no-untyped-call]
    name = name_field(metadata={"description": "The playlist's name here; its own unless given."})
    group = name_field(load_default=DEFAULT_GROUP)
    if_exists = if_exists_field()
    playlist = name_field(metadata={"description": "Which one, by name, of a file that holds several."})
    columns = String(
        validate=Length(min=1, max=1_000),
        metadata={
            "description": "Which column of a table is title, artist, album or isrc, by number or heading:"
            " `title=2,artist=1`; remembered for files with the same head."
        },
    )


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
    kept_out = List(
        String(), required=True, metadata={"description": "Songs that you took out, and that stay out"}
    )
    job = Nested(JobSchema, required=True, allow_none=True)


class ExportQuery(Strict):
    """What to write a playlist as."""

    format = String(
        load_default=PlaylistFormat.M3U8.value, validate=OneOf([known.value for known in PlaylistFormat])
    )


class SpotifyStateSchema(Strict):
    """Whether there is an app to log in with, and whether somebody is logged in."""

    is_set_up = Boolean(required=True, metadata={"description": "WHICHLIST_SPOTIFY_CLIENT_ID is set."})
    is_logged_in = Boolean(required=True)
    logged_in_at = Moment(allow_none=True)
    ends_at = Moment(allow_none=True)
    redirect_uri = text_field(metadata={"description": "To be registered in the app, as it is."})
    trains = Boolean(required=True, metadata={"description": "Whether its rows may be trained on."})


class SpotifyPlaylistSchema(Strict):
    """A playlist in the user's list at Spotify."""

    id = text_field()
    name = text_field()
    owner = text_field()
    n_tracks = Integer(required=True, allow_none=True)
    is_readable = Boolean(required=True, metadata={"description": "The user's own, or shared with them."})
    source = String(required=True, metadata={"description": "As POST /playlists takes it."})


class SpotifyPlaylistsSchema(Strict):
    """The user's list at Spotify."""

    playlists = List(Nested(SpotifyPlaylistSchema), required=True)
