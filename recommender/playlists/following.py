"""Playlists that follow where they came from: what is read again, and when."""

import time
from collections.abc import Collection

from sqlalchemy.orm import Session

from recommender.catalogue.database import Database
from recommender.catalogue.origins import list_followed, take_due
from recommender.catalogue.playlists import get_playlist
from recommender.errors import FollowsNothing
from recommender.jobs.ledger import enqueue
from recommender.jobs.queue import wake
from recommender.records.jobs import JobKind
from recommender.records.playlists import EDITED, PlaylistInfo
from recommender.settings import Settings

HOUR_S = 3600.0


def queue_sync(
    session: Session, playlist_ids: Collection[int] | None = None, *, take_out: bool = False
) -> int:
    """Queue the job that reads playlists again where they came from; its id.

    Parameters
    ----------
    playlist_ids : collection of int, optional
        All that came from somewhere unless given.
    take_out : bool
        Whether a song that is there no longer leaves the playlist too; else it stays and is named.

    Raises
    ------
    NoSuchPlaylist
    FollowsNothing
        A playlist came from nowhere that can be asked, or was edited by hand since; or none came from
        anywhere.
    """
    followed = [entry.playlist.id for entry in list_followed(session, playlist_ids)]
    for playlist_id in sorted(set(playlist_ids or ()) - set(followed)):
        raise FollowsNothing(_why_not(get_playlist(session, playlist_id)))
    if not followed:
        raise FollowsNothing("no playlist came from a file or server that can be asked again")
    return enqueue(session, JobKind.SYNC, {"playlists": followed, "take_out": take_out})


def queue_due(database: Database, settings: Settings) -> int | None:
    """Queue the job for the playlists whose time has come (``sync_every_h``); None where there is none."""
    if not settings.sync_every_h:
        return None
    with database.session() as session:
        due = take_due(session, asked_before=time.time() - settings.sync_every_h * HOUR_S)
        job_id = enqueue(session, JobKind.SYNC, {"playlists": due, "take_out": False}) if due else None
    if job_id is not None:
        wake(settings)
    return job_id


def _why_not(playlist: PlaylistInfo) -> str:
    if playlist.folder is not None:
        return f"the playlist {playlist.name!r} follows its folder: `whichlist scan` reads that again"
    if playlist.source == EDITED:
        return f"the songs of {playlist.name!r} were listed by hand, and stay as they are"
    return f"the playlist {playlist.name!r} came from nowhere that can be asked again: import it once more"
