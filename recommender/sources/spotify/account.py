"""Calls in the name of the user who is logged in to Spotify, and what a refusal of one means."""

from collections.abc import Callable
from typing import Any

import spotipy

from recommender.errors import UnreadableSource
from recommender.settings import Settings
from recommender.sources.rows.names import clean_text
from recommender.sources.spotify.errors import SpotifyLoginNeeded, SpotifyRefused
from recommender.sources.spotify.login import SpotifyLogin
from recommender.sources.spotify.session import PATIENCE_S, SpotifyPlace, SpotifySession
from recommender.sources.web.reading import Web


class SpotifyAccount:
    """Calls in the name of the user who is logged in."""

    def __init__(
        self,
        settings: Settings,
        web: Web,
        *,
        place: SpotifyPlace | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.login = SpotifyLogin(settings, web, place=place, patience_s=patience_s)
        self.directory = settings.spotify_directory
        session = SpotifySession(web, self.login.place, patience_s=patience_s)
        self.api = spotipy.Spotify(auth_manager=self.login, requests_session=session)
        self.api.prefix = self.login.place.api
        self.login.current()

    def ask(self, call: Callable[[], Any]) -> dict[str, Any]:
        """What Spotify answers; a log-in that it takes for too old is renewed once.

        Raises
        ------
        RateLimited, SpotifyLoginNeeded, SpotifyRefused, SourceUnavailable, UnreadableSource
        """
        try:
            answer = self._ask_once(call)
        except SpotifyRefused as refused:
            if refused.status != 401:
                raise
            self.login.renew()
            answer = self._ask_once(call)
        if not isinstance(answer, dict):
            raise UnreadableSource("Spotify was asked for JSON and sent something else")
        return answer

    def _ask_once(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except spotipy.SpotifyException as error:  # of a name that it sends nowhere
            raise UnreadableSource(f"Spotify has no such name: {clean_text(error.msg)}") from None
        except RecursionError:  # of thousands of brackets
            return None
        except SpotifyRefused as refused:
            if refused.status == 403 and "scope" in refused.said.lower():
                raise SpotifyLoginNeeded("the log-in to Spotify does not allow this: log in again") from None
            raise
