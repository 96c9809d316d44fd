"""A batch of dropped files: a feed that is read from nowhere, and grows by each file that arrives."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from recommender.catalogue.feed_items import insert_items, item_of_key, settle_items
from recommender.catalogue.feeds import get_feed, lock_feed, register_feed
from recommender.catalogue.files import track_paths
from recommender.errors import NoSuchFeed
from recommender.records.feeds import DROP, FeedInfo, FeedItemInfo, FeedRow, FeedState, Settled
from recommender.records.rows import SourceRow
from recommender.records.tracks import TrackInfo


@dataclass(frozen=True)
class Arrival:
    """The item that a file became; it was there already where the batch holds the same recording."""

    item_id: int
    is_new: bool


def open_drop(session: Any, *, name: str, group: str | None = None) -> FeedInfo:
    """A new batch without files."""
    return register_feed(session, kind=DROP, reference=f"{DROP}:{uuid4().hex}", group=group, name=name)


def find_drop(session: Any, feed_id: int) -> FeedInfo:
    """The batch of an id.

    Raises
    ------
    NoSuchFeed
        There is none, or it is a feed that is read from a source of its own.
    """
    feed = get_feed(session, feed_id)
    if feed.kind != DROP:
        raise NoSuchFeed(f"the feed {feed_id} is read from {feed.reference!r}, and takes no files")
    return feed


def take_track(session: Any, feed_id: int, track: TrackInfo) -> Arrival:
    """Put a track that was sent into a batch; sent again, it stays one item."""
    path = track_paths(session, [track.id]).get(track.id)
    row = SourceRow(
        title=track.title,
        artist=track.artist,
        album=track.album,
        duration_s=track.duration_s,
        path=None if path is None else str(path),
    )
    arrived = _take(session, feed_id, f"track:{track.id}", FeedRow(row))
    if arrived.is_new:
        settle_items(session, [Settled(arrived.item_id, FeedState.RESOLVED, track.id)])
    return arrived


def take_refusal(session: Any, feed_id: int, name: str, *, code: str, sentence: str) -> Arrival:
    """Note in a batch that a file of this name could not be heard, and why."""
    arrived = _take(session, feed_id, f"refused:{name}", FeedRow(SourceRow(title=name)))
    settle_items(session, [Settled(arrived.item_id, FeedState.FAILED, None, code, sentence)])
    return arrived


def _take(session: Any, feed_id: int, key: str, row: FeedRow) -> Arrival:
    lock_feed(session, feed_id)
    known = item_of_key(session, feed_id, key)
    if known is None:
        insert_items(session, feed_id, {key: row})
    found: FeedItemInfo | None = known or item_of_key(session, feed_id, key)
    assert found is not None
    return Arrival(found.id, is_new=known is None)
