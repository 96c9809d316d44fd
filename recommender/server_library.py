"""Which of the user's tracks are which on the user's own server, so that ids can be exchanged."""

from dataclasses import dataclass

from recommender.catalogue import Database, remember_server_ids
from recommender.identity import match_rows
from recommender.matches import Strength
from recommender.sources.rows import SUBSONIC, SourcePlaylist


@dataclass(frozen=True)
class LinkedServer:
    """How many tracks the server has, how many of them were recognised, and how many only nearly."""

    n_tracks: int
    n_linked: int
    n_unsure: int


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
