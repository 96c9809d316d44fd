"""A feed's rows become items, each recording once; scoring them is one job, whoever asks for it."""

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy.orm import Session

from recommender.catalogue.feed_items import feed_items, insert_items, update_item_row
from recommender.catalogue.feeds import lock_feed
from recommender.feeds.same_recording import KnownRows, merge_rows, row_keys
from recommender.jobs.active import active_jobs
from recommender.jobs.ledger import enqueue
from recommender.records.feeds import ALBUM, FeedItemInfo, FeedRow
from recommender.records.jobs import JobKind


def take_rows(session: Session, feed_id: int, rows: Iterable[FeedRow]) -> int:
    """Make items of what a source says now; how many are new. What left the source stays in the feed."""
    known, old = KnownRows(), dict[str, FeedItemInfo]()
    for item in feed_items(session, feed_id):
        known.add(item.row.row, item.key)
        old[item.key] = item
    new: dict[str, FeedRow] = {}
    changed: dict[str, FeedRow] = {}
    for row in rows:
        key = known.find(row.row)
        if key is None:
            key = row_keys(row.row)[0]
            new[key] = row
            known.add(row.row, key)
        elif key in new:
            new[key] = _merge(new[key], row)
        else:
            changed[key] = _merge(changed.get(key, old[key].row), row)
    insert_items(session, feed_id, new)
    for key, row in changed.items():
        if row != old[key].row:
            update_item_row(session, feed_id, old[key], row)
    return len(new)


def ask_for_scores(session: Session, feed_id: int, *, read_source: bool = True) -> tuple[int, bool]:
    """Id of the job that scores a feed, and whether somebody had asked for it already.

    A feed is scored by one job at a time: whoever asks while it waits or runs is given that one.

    Raises
    ------
    NoSuchFeed
    """
    lock_feed(session, feed_id)
    joined = scoring_job(session, feed_id)
    if joined is not None:
        return joined, True
    payload = {"feed_id": feed_id, "read_source": read_source}
    return enqueue(session, JobKind.SCORE_FEED, payload), False


def scoring_job(session: Session, feed_id: int) -> int | None:
    """Id of the job that scores a feed, or waits to; None when there is none."""
    active = active_jobs(session, JobKind.SCORE_FEED)
    return next((job_id for job_id, payload in active if payload["feed_id"] == feed_id), None)


def _merge(old: FeedRow, new: FeedRow) -> FeedRow:
    """A row that is to be scored wins over one that is not, unless its tracks now stand for it."""
    row = merge_rows(old.row, new.row)
    if new.code and not old.code and new.code != ALBUM:
        return replace(old, row=row, stamp=new.stamp or old.stamp)
    return replace(new, row=row, stamp=new.stamp or old.stamp)
