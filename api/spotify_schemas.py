"""What goes out over HTTP about a Spotify account; nothing of the log-in itself ever does."""

from apiflask.fields import Boolean, Integer, List, Nested, String

from api.schemas import Moment, Strict, text_field


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
