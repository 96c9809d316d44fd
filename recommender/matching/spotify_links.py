"""A link to a track at Spotify, to the file of the user's own that is the same recording."""

from collections.abc import Callable

from recommender.catalogue.database import Database
from recommender.catalogue.tracks import tracks_by_id
from recommender.errors import NoSuchTrack, RecommenderError
from recommender.matching.identity import match_rows
from recommender.records.matches import Match, Strength
from recommender.records.rows import SourceRow
from recommender.records.tracks import known_artist
from recommender.settings import Settings
from recommender.sources.rows.names import read_spotify
from recommender.sources.spotify.errors import SpotifyLoginNeeded
from recommender.sources.web.reading import Web

PATIENCE_S = 3.0  # somebody waits for the answer
Resolve = Callable[[str], int]


class NoLocalAudio(RecommenderError):
    """It is known which track is meant, and none of the user's files is surely it."""

    code = "no_local_audio"


def link_resolver(settings: Settings, database: Database, web: Callable[[], Web]) -> Resolve | None:
    """A function from a Spotify track's id to the id of a track of the library; None without a Spotify app.

    What Spotify says is used for this one answer and not kept, as its terms demand.
    """
    if settings.spotify_client_id is None:
        return None

    def resolve(spotify_id: str) -> int:
        return find_local_track(database, _look_up(settings, web(), spotify_id), spotify_id)

    return resolve


def find_local_track(database: Database, row: SourceRow, spotify_id: str) -> int:
    """The track of the library that a row surely is.

    Raises
    ------
    NoLocalAudio
        None is; the message says what the row is, and what comes nearest.
    """
    with database.read_session() as session:
        (match,) = match_rows(session, [row])
        if match.strength is Strength.STRONG and match.track_id is not None:
            return match.track_id
        near = tracks_by_id(session, [match.track_id]) if match.track_id is not None else {}
    nearest = "".join(
        f"; the nearest is track {info.id}, {_name(known_artist(info.artist), info.title)} ({match.note})"
        for info in near.values()
    )
    raise NoLocalAudio(
        f"that is {_describe(row)} at Spotify (https://open.spotify.com/track/{spotify_id}), and no file of"
        f" the library is surely the same recording{nearest or _nothing_near(match)}"
    )


def _look_up(settings: Settings, web: Web, spotify_id: str) -> SourceRow:
    from recommender.sources.spotify.account import SpotifyAccount
    from recommender.sources.spotify.errors import SpotifyRefused
    from recommender.sources.spotify.library import look_up_track

    if read_spotify(f"spotify:track:{spotify_id}") != f"spotify:track:{spotify_id}":
        raise NoSuchTrack(f"{spotify_id[:50]!r} is no track id of Spotify's")
    try:
        return look_up_track(SpotifyAccount(settings, web, patience_s=PATIENCE_S), spotify_id)
    except SpotifyLoginNeeded as error:
        raise NoSuchTrack(
            f"no track in the catalogue answers to 'spotify:track:{spotify_id}'; it could be looked up at"
            f" Spotify, but {error}"
        ) from error
    except SpotifyRefused as refused:
        if refused.status not in (400, 404):
            raise
        raise NoSuchTrack(f"Spotify knows no track 'spotify:track:{spotify_id}'") from refused


def _describe(row: SourceRow) -> str:
    minutes, seconds = divmod(round(row.duration_s or 0), 60)
    return _name(row.artist, row.title) + (f", {minutes}:{seconds:02d}" if row.duration_s else "")


def _name(artist: str, title: str) -> str:
    return f"{title!r} by {artist}" if artist else repr(title)


def _nothing_near(match: Match) -> str:
    return f": {match.note}" if match.note else ""
