"""What stands between Whichlist and a user's Spotify account, each with a stable code."""

from recommender.errors import SettingsError, SourceError, SourceUnavailable


class SpotifyNotSetUp(SettingsError):
    """No app of the user's own is named, or its redirect address is of a kind that Spotify refuses."""

    code = "spotify_not_set_up"


class SpotifyLoginNeeded(SourceError):
    """Nobody is logged in, or Spotify no longer accepts the log-in."""

    code = "spotify_login_needed"


class SpotifyLoginFailed(SourceError):
    """A log-in that was begun did not come to its end."""

    code = "spotify_login_failed"


_RULES = {
    403: ": an app in development mode may read only playlists that its user owns or shares, lets in only"
    " users who are listed in its dashboard, and needs an owner with Premium",
    404: ": there is none, or it is of Spotify's own making, and those are closed to apps",
}


class SpotifyRefused(SourceUnavailable):
    """Spotify answers, and says no.

    ``status`` is HTTP's, ``said`` Spotify's own sentence, ``word`` its short name of the reason.
    """

    code = "spotify_refused"

    def __init__(self, said: str, *, status: int, word: str = "", what: str = "this") -> None:
        super().__init__(
            f"Spotify refuses {what} ({status}: {said or 'it does not say why'}){_RULES.get(status, '')}"
        )
        self.status = status
        self.said = said
        self.word = word
