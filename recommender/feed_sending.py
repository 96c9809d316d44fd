"""The lists of a feed as playlists on the user's own server."""

from dataclasses import dataclass

from recommender.catalogue import Database, server_ids
from recommender.feed_results import FeedResults
from recommender.sources.rows import SUBSONIC
from recommender.sources.subsonic import SubsonicServer, write_subsonic_playlist
from recommender.sources.web import Web


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
