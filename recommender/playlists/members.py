"""Songs put into a playlist or taken out of it by a person, and what happens where a name is taken already.

Putting a song somewhere is the user's word on it: it outlasts scans and imports, whatever they say.
"""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any

from recommender.catalogue.models import current_bundle_id
from recommender.catalogue.playlists import find_playlist, playlist_tracks
from recommender.catalogue.verdicts import MembershipVerdict, record_verdict, withdraw_verdict
from recommender.errors import NoSuchPlaylist, PlaylistExists
from recommender.jobs.ledger import enqueue
from recommender.records.jobs import JobKind
from recommender.records.playlists import PlaylistInfo


class IfExists(StrEnum):
    """What to do where a playlist of the name holds songs already."""

    REFUSE = "refuse"
    ADD = "add"
    REPLACE = "replace"


def add_tracks(session: Any, playlist_id: int, track_ids: Collection[int]) -> int:
    """Put tracks into a playlist, at its end; how many were not in it."""
    members = set(playlist_tracks(session, playlist_id))
    new = [track_id for track_id in dict.fromkeys(track_ids) if track_id not in members]
    for track_id in new:
        record_verdict(session, playlist_id, track_id, MembershipVerdict.RIGHT)
    return len(new)


def take_out_tracks(session: Any, playlist_id: int, track_ids: Collection[int]) -> int:
    """Take tracks out of a playlist, and keep them out; how many were in it."""
    members = set(playlist_tracks(session, playlist_id))
    gone = [track_id for track_id in dict.fromkeys(track_ids) if track_id in members]
    for track_id in gone:
        # What only the user put in is simply not there any more; what a folder or import gives is ruled out.
        withdraw_verdict(session, playlist_id, track_id)
        if track_id in playlist_tracks(session, playlist_id):
            record_verdict(session, playlist_id, track_id, MembershipVerdict.WRONG)
    return len(gone)


def find_named(session: Any, name: str, *, group: str) -> PlaylistInfo | None:
    """The playlist of a name, filled or empty."""
    try:
        return find_playlist(session, name, group=group)
    except NoSuchPlaylist:
        return None


def find_filled(session: Any, name: str, *, group: str) -> PlaylistInfo | None:
    """The playlist of a name that holds songs; an empty one is what a failed attempt leaves."""
    found = find_named(session, name, group=group)
    return found if found is not None and found.n_tracks else None


def refuse_taken(playlist: PlaylistInfo) -> None:
    """Say that a name is taken, and by how much.

    Raises
    ------
    PlaylistExists
    """
    raise PlaylistExists(
        f"the group {playlist.group!r} already has a playlist {playlist.name!r} of {playlist.n_tracks} songs"
    )


def would_lose(session: Any, playlist: PlaylistInfo, track_ids: Sequence[int]) -> bool:
    """Whether a playlist that becomes ``track_ids`` would not hold all that it holds now."""
    return not set(playlist_tracks(session, playlist.id)) <= set(track_ids)


def queue_learning(session: Any, reason: str) -> int:
    """Queue what learns changed members; the job's id. Before there is a model, all is heard first."""
    if current_bundle_id(session) is None:
        return enqueue(session, JobKind.SCAN, {})
    return enqueue(session, JobKind.REFIT, {"reason": reason})
