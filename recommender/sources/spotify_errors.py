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


class SpotifyRefused(SourceUnavailable):
    """Spotify answers, and says no; ``status`` is HTTP's, ``word`` Spotify's short name of the reason."""

    code = "spotify_refused"

    def __init__(self, message: str, *, status: int, word: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.word = word
