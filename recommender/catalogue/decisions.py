"""What a person decided of the items of feeds, and which of them still wait for that."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from recommender.catalogue.database import CHUNK_ROWS
from recommender.catalogue.tables.feeds import Feed, FeedItem
from recommender.catalogue.tables.playlists import Membership, Playlist, PlaylistGroup
from recommender.records.feeds import HEARD
from recommender.records.playlists import DEFAULT_GROUP


def record_decision(session: Session, item_id: int, decision: Mapping[str, Any] | None) -> None:
    """Keep what was decided of an item; None: it waits again."""
    values = {"decision": None if decision is None else dict(decision)}
    session.execute(update(FeedItem).where(FeedItem.id == item_id).values(values))


def count_waiting(session: Session) -> dict[int, int]:
    """Feed id -> how many of its items are heard, in no playlist of the feed's group, and undecided."""
    statement = (
        select(FeedItem.feed_id, func.count())
        .join(Feed, Feed.id == FeedItem.feed_id)
        .where(FeedItem.state.in_(HEARD), FeedItem.track_id.is_not(None))
        .where(FeedItem.decision.is_(None), ~_is_placed())
        .group_by(FeedItem.feed_id)
    )
    return dict(session.execute(statement).tuples().all())


def memberships_in_group(session: Session, group: str, track_ids: Sequence[int]) -> dict[int, list[int]]:
    """Track id -> the playlists of a group that hold it, for those of the tracks that are in any."""
    found: dict[int, list[int]] = {}
    for start in range(0, len(track_ids), CHUNK_ROWS):
        chunk = track_ids[start : start + CHUNK_ROWS]
        statement = (
            select(Membership.track_id, Membership.playlist_id)
            .join(Playlist, Playlist.id == Membership.playlist_id)
            .join(PlaylistGroup, PlaylistGroup.id == Playlist.group_id)
            .where(PlaylistGroup.name == group, Membership.track_id.in_(chunk))
            .order_by(Membership.track_id, Playlist.name)
        )
        for track_id, playlist_id in session.execute(statement):
            found.setdefault(track_id, []).append(playlist_id)
    return found


def _is_placed() -> ColumnElement[bool]:
    """Whether a playlist of the feed's group holds the item's track."""
    name = func.coalesce(func.nullif(Feed.group_name, ""), DEFAULT_GROUP)
    return (
        select(Membership.track_id)
        .join(Playlist, Playlist.id == Membership.playlist_id)
        .join(PlaylistGroup, PlaylistGroup.id == Playlist.group_id)
        .where(Membership.track_id == FeedItem.track_id, PlaylistGroup.name == name)
        .exists()
    )
