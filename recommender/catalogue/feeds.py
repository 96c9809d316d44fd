"""Catalogue queries about feeds."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from recommender.catalogue.database import database_now, insert_or_update
from recommender.catalogue.tables.feeds import Feed, FeedItem
from recommender.errors import NoSuchFeed
from recommender.records.feeds import FeedInfo


def register_feed(
    session: Session,
    *,
    kind: str,
    reference: str,
    group: str | None = None,
    name: str | None = None,
    min_probability: float = 0.0,
) -> FeedInfo:
    """The feed of a source for a group, made when new; its name and least probability are as given now."""
    key = {"kind": kind, "reference": reference, "group_name": group or ""}
    chosen = {"name": name or reference, "min_probability": min_probability}
    found = session.scalar(select(Feed.id).filter_by(**key))
    if found is None:
        row = key | chosen | {"cursor": {}, "created_at": read_clock(session)}
        insert_or_update(session, Feed, row, key=tuple(key))
        found = session.execute(select(Feed.id).filter_by(**key)).scalar_one()
    else:
        session.execute(update(Feed).where(Feed.id == found).values(chosen))
    return get_feed(session, found)


def get_feed(session: Session, feed_id: int) -> FeedInfo:
    """One feed.

    Raises
    ------
    NoSuchFeed
        No feed has this id.
    """
    feed = session.get(Feed, feed_id, populate_existing=True)
    if feed is None:
        raise NoSuchFeed(f"no feed has the id {feed_id}")
    return _info(session, feed)


def list_feeds(session: Session) -> list[FeedInfo]:
    """All feeds, newest first."""
    return [_info(session, feed) for feed in session.scalars(select(Feed).order_by(Feed.id.desc()))]


def lock_feed(session: Session, feed_id: int) -> None:
    """Keep others from changing what is done about a feed until this transaction ends."""
    if session.scalar(select(Feed.id).where(Feed.id == feed_id).with_for_update()) is None:
        raise NoSuchFeed(f"no feed has the id {feed_id}")


def delete_feed(session: Session, feed_id: int) -> None:
    """Forget a feed and its items; the tracks that were heard for it stay."""
    if session.scalar(delete(Feed).where(Feed.id == feed_id).returning(Feed.id)) is None:
        raise NoSuchFeed(f"no feed has the id {feed_id}")


def record_reading(session: Session, feed_id: int, *, cursor: Mapping[str, Any]) -> None:
    """Note that the source was read, and what it is to be asked with next time."""
    values = {"cursor": dict(cursor), "read_at": database_now(), "error_code": None, "error": None}
    session.execute(update(Feed).where(Feed.id == feed_id).values(values))


def record_reading_error(session: Session, feed_id: int, *, code: str, error: str) -> None:
    """Note why the source could not be read."""
    session.execute(update(Feed).where(Feed.id == feed_id).values(error_code=code, error=error))


def read_clock(session: Session) -> float:
    """Seconds since 1970 by the database's clock."""
    return session.execute(select(database_now())).scalar_one()


def _info(session: Session, feed: Feed) -> FeedInfo:
    per_state = select(FeedItem.state, func.count()).where(FeedItem.feed_id == feed.id)
    counted = session.execute(per_state.group_by(FeedItem.state)).tuples().all()
    return FeedInfo(
        id=feed.id,
        name=feed.name,
        kind=feed.kind,
        reference=feed.reference,
        group=feed.group_name or None,
        min_probability=feed.min_probability,
        cursor=dict(feed.cursor),
        error_code=feed.error_code,
        error=feed.error,
        created_at=feed.created_at,
        read_at=feed.read_at,
        n_items=dict(counted),
    )
