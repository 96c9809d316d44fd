"""Catalogue queries about where imported playlists came from, so that they can be read there again."""

import os
import time
from collections.abc import Collection
from pathlib import Path

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from recommender.catalogue.database import insert_or_update
from recommender.catalogue.playlists import get_playlist
from recommender.catalogue.tables.playlists import Playlist, PlaylistOrigin
from recommender.records.playlists import EDITED, Followed, Origin


def keep_origin(session: Session, playlist_id: int, origin: Origin | None) -> None:
    """Note where a playlist was read from just now; None: from nowhere that can be asked again."""
    if origin is None:
        session.execute(delete(PlaylistOrigin).where(PlaylistOrigin.playlist_id == playlist_id))
        return
    row = {
        "playlist_id": playlist_id,
        "reference": os.fsencode(origin.reference),
        "is_file": isinstance(origin.reference, Path),
        "which": origin.which,
        "asked_at": time.time(),
    }
    insert_or_update(session, PlaylistOrigin, row, ("playlist_id",))


def list_followed(session: Session, playlist_ids: Collection[int] | None = None) -> list[Followed]:
    """The playlists that can be read again, by id; those of some ids when they are named.

    One that mirrors a folder follows that, and one whose tracks were listed by hand is its owner's.
    """
    statement = select(PlaylistOrigin).join(Playlist, Playlist.id == PlaylistOrigin.playlist_id)
    statement = statement.where(_follows()).order_by(PlaylistOrigin.playlist_id)
    if playlist_ids is not None:
        statement = statement.where(PlaylistOrigin.playlist_id.in_(list(playlist_ids)))
    return [
        Followed(get_playlist(session, stored.playlist_id), _origin(stored), stored.asked_at)
        for stored in session.scalars(statement)
    ]


def take_due(session: Session, *, asked_before: float) -> list[int]:
    """Ids of the playlists that were last asked for before a moment; from now on they were asked just now.

    So of several who look at once, one gets each.
    """
    mine = select(Playlist.id).where(Playlist.id == PlaylistOrigin.playlist_id, _follows()).exists()
    due = update(PlaylistOrigin).where(PlaylistOrigin.asked_at < asked_before, mine)
    taken = session.scalars(due.values(asked_at=time.time()).returning(PlaylistOrigin.playlist_id))
    return sorted(taken)


def mark_asked(session: Session, playlist_id: int) -> None:
    """Note that a playlist's origin was asked just now, whatever came of it."""
    mine = PlaylistOrigin.playlist_id == playlist_id
    session.execute(update(PlaylistOrigin).where(mine).values(asked_at=time.time()))


def _follows() -> ColumnElement[bool]:
    return Playlist.folder.is_(None) & (Playlist.source != EDITED)


def _origin(stored: PlaylistOrigin) -> Origin:
    text = os.fsdecode(stored.reference)
    return Origin(Path(text) if stored.is_file else text, stored.which)
