"""Tracks of the library as a private playlist at Spotify: each is found there by what surely names it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from recommender.catalogue.database import Database
from recommender.catalogue.identities import NamedTrack, remember_spotify_ids
from recommender.catalogue.registered_names import isrcs_of, spotify_ids_of
from recommender.errors import RateLimited, SourceError
from recommender.matching.choice import Judged, choose, judge, judge_identity
from recommender.matching.identity import likeness_of
from recommender.records.matches import Method, Strength
from recommender.records.rows import SourceRow
from recommender.sources.spotify.account import SpotifyAccount
from recommender.sources.spotify.library import search_tracks
from recommender.sources.spotify.writing import write_new_playlist


@dataclass(frozen=True)
class SentToSpotify:
    """A playlist that is at Spotify now; ``missing`` are the tracks that were not surely found there."""

    playlist_id: str
    n_sent: int
    missing: tuple[int, ...]

    @property
    def url(self) -> str:
        """Where it can be seen."""
        return f"https://open.spotify.com/playlist/{self.playlist_id}"


def send_to_spotify(
    database: Database,
    account: SpotifyAccount,
    tracks: Mapping[int, SourceRow],
    *,
    called: str,
    progress: Callable[[int, int, str], None] | None = None,
) -> SentToSpotify:
    """Write tracks, in their order, to a new private playlist.

    Parameters
    ----------
    tracks : mapping
        Track id -> what names it. Ids that are found are remembered, so that nothing is searched twice.

    Raises
    ------
    SourceError
        None of them was found.
    RateLimited, SpotifyLoginNeeded, SourceUnavailable, UnreadableSource
    """
    found: dict[int, str] = {}
    for n_over, (track_id, row) in enumerate(tracks.items()):
        if progress is not None:
            progress(n_over, len(tracks), "looking for the tracks at Spotify")
        try:
            spotify_id = _find(account, row)
        except RateLimited as limited:
            raise RateLimited(
                f"{limited}; {n_over} of {len(tracks)} tracks were looked for, and what was found is kept",
                retry_after_s=limited.retry_after_s,
                quota=limited.quota,
            ) from None
        if spotify_id is not None:
            found[track_id] = spotify_id
            if not spotify_ids_of(row):
                with database.session() as session:
                    remember_spotify_ids(session, [(track_id, spotify_id)])
    if not found:
        raise SourceError(f"none of the {len(tracks)} tracks was surely found at Spotify")
    uris = [f"spotify:track:{spotify_id}" for spotify_id in dict.fromkeys(found.values())]
    missing = tuple(track_id for track_id in tracks if track_id not in found)
    return SentToSpotify(write_new_playlist(account, called, uris), len(uris), missing)


def _find(account: SpotifyAccount, row: SourceRow) -> str | None:
    """The Spotify id that a row surely has: known, or found by its ISRC, or by its names and length."""
    if known := spotify_ids_of(row):
        return known[0]
    for isrc in isrcs_of(row)[:2]:
        candidates = search_tracks(account, f"isrc:{isrc}")
        same = [candidate for candidate in candidates if isrc in isrcs_of(candidate)]
        if found := _choose(row, same, Method.ISRC):
            return found
    if not (row.title and row.artist):
        return None
    query = f"track:{_quote(row.title)} artist:{_quote(row.artist)}"
    return _choose(row, search_tracks(account, query), Method.NAMES)


def _choose(row: SourceRow, candidates: Sequence[SourceRow], method: Method) -> str | None:
    match = choose([_judge(row, number, other, method) for number, other in enumerate(candidates)])
    if match.strength is not Strength.STRONG or match.track_id is None:
        return None
    named = spotify_ids_of(candidates[match.track_id])
    return named[0] if named else None


def _judge(row: SourceRow, number: int, candidate: SourceRow, method: Method) -> Judged:
    """A track of Spotify's judged as one of the library would be; ``number`` stands in for its id."""
    track = NamedTrack(number, candidate.title, candidate.artist, candidate.album, candidate.duration_s)
    likeness = likeness_of(row, track)
    if method is Method.NAMES:
        return judge(row, track, likeness)
    return judge_identity(row, track, likeness, method)


def _quote(text: str) -> str:
    return '"' + text.replace('"', " ").strip()[:100] + '"'
