"""Which of the user's tracks are which on the user's own server, and playlists written back to it."""

from collections.abc import Sequence
from dataclasses import dataclass

from recommender.catalogue.database import Database
from recommender.catalogue.identities import remember_server_ids, server_ids
from recommender.errors import SourceError
from recommender.matching.identity import match_rows
from recommender.records.matches import Strength
from recommender.records.rows import SUBSONIC, SourcePlaylist
from recommender.sources.servers.subsonic import write_subsonic_playlist
from recommender.sources.servers.subsonic_log_in import SubsonicServer
from recommender.sources.web.reading import Web


@dataclass(frozen=True)
class LinkedServer:
    """How many tracks the server has, how many of them were recognised, and how many only nearly."""

    n_tracks: int
    n_linked: int
    n_unsure: int


@dataclass(frozen=True)
class SentPlaylist:
    """A playlist that the server has now; ``missing`` are the tracks that it does not have."""

    server_id: str
    n_sent: int
    missing: tuple[int, ...]


def link_server(database: Database, library: SourcePlaylist) -> LinkedServer:
    """Remember the server's ids of the tracks that are surely the same; what is not sure stays unlinked."""
    with database.read_session() as session:
        matches = match_rows(session, library.rows)
    sure: list[tuple[int, str]] = []
    for row, match in zip(library.rows, matches, strict=True):
        server_id = row.identity(SUBSONIC)
        if server_id and match.track_id is not None and match.strength is Strength.STRONG:
            sure.append((match.track_id, server_id))
    with database.session() as session:
        n_linked = remember_server_ids(session, SUBSONIC, sure)
    n_unsure = sum(match.strength is Strength.MEDIUM for match in matches)
    return LinkedServer(n_tracks=len(library.rows), n_linked=n_linked, n_unsure=n_unsure)


def send_tracks(
    database: Database, web: Web, server: SubsonicServer, track_ids: Sequence[int], *, called: str
) -> SentPlaylist:
    """Write tracks to the server, in their order; a playlist that is ``called`` so there is replaced.

    Raises
    ------
    RateLimited, SourceUnavailable, UnreadableSource
    SourceError
        The server has none of its tracks, as far as is known.
    """
    with database.read_session() as session:
        known = server_ids(session, SUBSONIC, track_ids)
    if not known:
        raise SourceError(
            f"none of the {len(track_ids)} tracks of {called!r} is known to be on the server:"
            " `whichlist match-server` finds out which are"
        )
    sent = [known[track_id] for track_id in track_ids if track_id in known]
    server_id = write_subsonic_playlist(web, server, called, sent)
    missing = tuple(track_id for track_id in track_ids if track_id not in known)
    return SentPlaylist(server_id, len(sent), missing)
