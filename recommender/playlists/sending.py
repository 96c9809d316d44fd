"""Lists on their way to a server: which tracks a playlist or a feed sends, and how they get there."""

from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from recommender.catalogue.database import Database
from recommender.catalogue.feeds import list_feeds
from recommender.catalogue.identities import server_ids, track_identities
from recommender.catalogue.playlists import find_playlist, playlist_tracks
from recommender.errors import NoSuchFeed
from recommender.feeds.results import FeedResults, ResultOptions, read_results
from recommender.playlists.file_exchange import playlist_for_export
from recommender.records.rows import SUBSONIC, SourceRow
from recommender.settings import Settings
from recommender.sources.feeds.reading import find_source
from recommender.sources.servers.subsonic import write_subsonic_playlist
from recommender.sources.servers.subsonic_log_in import SubsonicServer
from recommender.sources.web.reading import Web


def playlist_to_send(session: Session, name: str, *, group: str) -> dict[int, SourceRow]:
    """Track id -> what names it, for the tracks of a playlist in their order.

    Raises
    ------
    NoSuchPlaylist
    """
    playlist = find_playlist(session, name, group=group)
    rows = playlist_for_export(session, playlist.id).rows
    return dict(zip(playlist_tracks(session, playlist.id), rows, strict=True))


def recommendations_to_send(
    session: Session, settings: Settings, name: str, *, feed: str
) -> dict[int, SourceRow]:
    """The same for what a feed has for a playlist, the most probable first.

    ``feed`` is the feed's id, or its source as it was given when it was scored.

    Raises
    ------
    NoSuchFeed, NoSuchPlaylist, UnknownFeed
    """
    results = read_results(session, settings, _find_feed(session, feed), ResultOptions(name))
    listed = {track.track: track.row for playlist in results.playlists for track in playlist.tracks}
    known = track_identities(session, listed)
    return {
        track_id: replace(row, identities=tuple(dict.fromkeys((*row.identities, *known.get(track_id, ())))))
        for track_id, row in listed.items()
    }


def _find_feed(session: Session, feed: str) -> int:
    if feed.isascii() and feed.isdecimal() and len(feed) < 10:
        return int(feed)
    reference = find_source(feed).reference
    for found in list_feeds(session):
        if found.reference == reference:
            return found.id
    raise NoSuchFeed(f"{feed[:200]!r} was never scored: `whichlist score-feed` does it")


@dataclass(frozen=True)
class SentList:
    """A list that the server has now; ``n_missing`` of its tracks are not known to be there."""

    name: str
    n_sent: int
    n_missing: int


def send_lists(database: Database, web: Web, server: SubsonicServer, results: FeedResults) -> list[SentList]:
    """Write each list to the server as ``NAME (new)``, in place of the one that was sent before.

    A list of which the server has no track is left as it is there.

    Raises
    ------
    RateLimited, SourceUnavailable, UnreadableSource
    """
    sent = []
    for playlist in results.playlists:
        with database.read_session() as session:
            known = server_ids(session, SUBSONIC, [track.track for track in playlist.tracks])
        ids = [track.row.identity(SUBSONIC) or known.get(track.track) for track in playlist.tracks]
        there = list(dict.fromkeys(server_id for server_id in ids if server_id))
        name = f"{playlist.name} (new)"
        if there:
            write_subsonic_playlist(web, server, name, there)
        if ids:
            sent.append(SentList(name, len(there), ids.count(None)))
    return sent
