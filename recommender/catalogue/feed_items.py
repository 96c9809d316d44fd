"""Catalogue queries about the items of feeds."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from recommender.catalogue.database import CHUNK_ROWS, database_now, insert_or_keep
from recommender.catalogue.tables.feeds import FeedItem, TrackScore
from recommender.catalogue.tables.library import Track
from recommender.records.feeds import (
    BACK_OFF_S,
    DUPLICATE,
    FeedItemInfo,
    FeedRow,
    FeedState,
    Question,
    Settled,
    back_off_s,
    read_row,
    row_values,
)

_AGAIN = {"state": FeedState.SEEN, "code": None, "sentence": None}


def feed_items(
    session: Session,
    feed_id: int,
    *,
    after_id: int = 0,
    limit: int | None = None,
    state: FeedState | None = None,
) -> list[FeedItemInfo]:
    """Items of a feed in the order in which they appeared, those after one id."""
    mine = select(FeedItem).where(FeedItem.feed_id == feed_id, FeedItem.id > after_id)
    if state is not None:
        mine = mine.where(FeedItem.state == state)
    return _read(session, mine.order_by(FeedItem.id).limit(limit))


def find_items(session: Session, feed_id: int, item_ids: Sequence[int]) -> dict[int, FeedItemInfo]:
    """Those of a feed's items that have one of these ids, by id."""
    found: list[FeedItemInfo] = []
    for start in range(0, len(item_ids), CHUNK_ROWS):
        chunk = item_ids[start : start + CHUNK_ROWS]
        found += _read(session, select(FeedItem).where(FeedItem.feed_id == feed_id, FeedItem.id.in_(chunk)))
    return {item.id: item for item in found}


def item_of_key(session: Session, feed_id: int, key: str) -> FeedItemInfo | None:
    """The item of a feed that is kept under a key."""
    mine = select(FeedItem).where(FeedItem.feed_id == feed_id, FeedItem.key == key)
    return next(iter(_read(session, mine)), None)


def pending_items(
    session: Session, feed_id: int, *, question: Question, after_id: int = 0, limit: int | None = None
) -> list[FeedItemInfo]:
    """Items that need work, in order: new, unfinished, not scored by this bundle, or to be found again."""
    mine = select(FeedItem).where(FeedItem.feed_id == feed_id, FeedItem.id > after_id)
    mine = mine.where(_is_pending(session, question))
    return _read(session, mine.order_by(FeedItem.id).limit(limit))


def count_pending(session: Session, feed_id: int, *, question: Question) -> int:
    """How many items :func:`pending_items` would give."""
    mine = select(func.count()).select_from(FeedItem).where(FeedItem.feed_id == feed_id)
    return session.execute(mine.where(_is_pending(session, question))).scalar_one()


def count_codes(session: Session, feed_id: int) -> dict[tuple[str, str], int]:
    """(state, code) -> how many items of a feed, for those that have a code."""
    per_code = select(FeedItem.state, FeedItem.code, func.count()).where(FeedItem.feed_id == feed_id)
    rows = session.execute(per_code.where(FeedItem.code.is_not(None)).group_by(FeedItem.state, FeedItem.code))
    return {(state, code or ""): n for state, code, n in rows}


def insert_items(session: Session, feed_id: int, rows: Mapping[str, FeedRow]) -> None:
    """Add items by key; one that is there already stays as it is."""
    now = session.execute(select(database_now())).scalar_one()
    insert_or_keep(
        session,
        FeedItem,
        [
            {
                "feed_id": feed_id,
                "key": key,
                "row": row_values(row),
                "state": FeedState.SKIPPED if row.code else FeedState.SEEN,
                "code": row.code or None,
                "sentence": row.reason or None,
                "tries": 0,
                "seen_at": now,
            }
            for key, row in rows.items()
        ],
    )


def update_item_row(session: Session, feed_id: int, item: FeedItemInfo, row: FeedRow) -> None:
    """Take over what a source says of an item now; one that changed, or had no audio, is worked on again."""
    values: dict[str, object] = {"row": row_values(row)}
    if row.code:
        values |= {"state": FeedState.SKIPPED, "code": row.code, "sentence": row.reason}
    elif row.stamp != item.row.stamp or item.state is FeedState.NO_AUDIO or item.row.code:
        values |= _AGAIN | {"tries": 0, "next_try_at": None, "track_id": None}
        if item.track_id is not None:
            _free_duplicates(session, feed_id, item)
    session.execute(update(FeedItem).where(FeedItem.id == item.id).values(values))


def settle_items(session: Session, settled: Iterable[Settled]) -> None:
    """Record what became of items; those without audio are looked for again after a while."""
    now = session.execute(select(database_now())).scalar_one()
    for item in settled:
        values: dict[str, object] = {
            "state": item.state,
            "code": item.code,
            "sentence": item.sentence,
            "track_id": item.track_id,
            "tried_at": now,
            "next_try_at": None,
        }
        mine = FeedItem.id == item.item_id
        if item.state is FeedState.NO_AUDIO:
            values |= _next_try(session, item.item_id, now=now)
        session.execute(update(FeedItem).where(mine).values(values))


def set_duplicates_aside(session: Session, feed_id: int, track_ids: Sequence[int]) -> int:
    """Skip items with one of these tracks that an earlier item of the feed has too; how many there were."""
    heard = (FeedState.RESOLVED, FeedState.SCORED)
    earlier = aliased(FeedItem)
    is_later = select(earlier.id).where(
        earlier.feed_id == feed_id,
        earlier.track_id == FeedItem.track_id,
        earlier.id < FeedItem.id,
        earlier.state.in_(heard),
    )
    mine = (FeedItem.feed_id == feed_id, FeedItem.state.in_(heard))
    values = {
        "state": FeedState.SKIPPED,
        "code": DUPLICATE,
        "sentence": "an earlier item of this feed is the same recording",
    }
    n_skipped = 0
    for start in range(0, len(track_ids), CHUNK_ROWS):
        chunk = [int(track_id) for track_id in track_ids[start : start + CHUNK_ROWS]]
        same = update(FeedItem).where(*mine, FeedItem.track_id.in_(chunk), is_later.exists())
        statement = same.values(values).returning(FeedItem.id)
        options = {"synchronize_session": False}
        n_skipped += len(session.execute(statement, execution_options=options).all())
    return n_skipped


def mark_scored(session: Session, feed_id: int, track_ids: Sequence[int]) -> int:
    """Note that items have their score; how many items of the feed this finished."""
    n_marked = 0
    for start in range(0, len(track_ids), CHUNK_ROWS):
        chunk = [int(track_id) for track_id in track_ids[start : start + CHUNK_ROWS]]
        mine = (FeedItem.feed_id == feed_id, FeedItem.state.in_((FeedState.RESOLVED, FeedState.SCORED)))
        statement = (
            update(FeedItem)
            .where(*mine, FeedItem.track_id.in_(chunk))
            .values(state=FeedState.SCORED, code=None, sentence=None)
        )
        options = {"synchronize_session": False}
        n_marked += len(session.execute(statement.returning(FeedItem.id), execution_options=options).all())
    return n_marked


def tracks_of_keys(session: Session, keys: Sequence[str]) -> dict[str, int]:
    """Key -> the track that an item of any feed with this key turned out to be."""
    found: dict[str, int] = {}
    for start in range(0, len(keys), CHUNK_ROWS):
        chunk = keys[start : start + CHUNK_ROWS]
        known = select(FeedItem.key, FeedItem.track_id).where(
            FeedItem.key.in_(chunk), FeedItem.track_id.is_not(None)
        )
        found |= {key: track_id for key, track_id in session.execute(known) if track_id is not None}
    return found


def scored_items(
    session: Session, feed_id: int, group_name: str
) -> Iterator[tuple[FeedItemInfo, str, dict[str, Any]]]:
    """(item, bundle, results) of every item that has a score in a group, in order, a part at a time."""
    columns = select(FeedItem, TrackScore.bundle_id, TrackScore.results).join(
        TrackScore, TrackScore.track_id == FeedItem.track_id
    )
    mine = (
        FeedItem.feed_id == feed_id,
        FeedItem.state == FeedState.SCORED,
        TrackScore.group_name == group_name,
    )
    statement = columns.where(*mine).order_by(FeedItem.id)
    for item, bundle_id, results in session.execute(statement, execution_options={"yield_per": CHUNK_ROWS}):
        yield _info(item), bundle_id, results


def _is_pending(session: Session, question: Question) -> ColumnElement[bool]:
    """Whether an item needs work.

    An item without audio is looked for again when its time has come, when tracks came into the library since,
    or when the clock was put back.
    """
    newest = session.scalar(select(func.max(Track.created_at))) or 0.0
    scored = select(TrackScore.track_id).where(
        TrackScore.track_id == FeedItem.track_id,
        TrackScore.group_name == question.group_name,
        TrackScore.bundle_id == question.bundle_id,
    )
    is_due = or_(
        FeedItem.next_try_at <= database_now(),
        FeedItem.next_try_at > database_now() + BACK_OFF_S[-1],
        FeedItem.tried_at < newest,
    )
    return or_(
        FeedItem.state.in_((FeedState.SEEN, FeedState.RESOLVED)),
        (FeedItem.state == FeedState.SCORED) & ~scored.exists(),
        (FeedItem.state == FeedState.NO_AUDIO) & is_due,
    )


def _next_try(session: Session, item_id: int, *, now: float) -> dict[str, object]:
    """When to look again: as planned, if this was before its time; else after a longer while."""
    planned = select(FeedItem.tries, FeedItem.next_try_at).where(FeedItem.id == item_id)
    tries, next_try_at = session.execute(planned).one()
    if next_try_at is not None and now < next_try_at <= now + BACK_OFF_S[-1]:
        return {"next_try_at": next_try_at}
    return {"tries": tries + 1, "next_try_at": now + back_off_s(tries + 1)}


def _free_duplicates(session: Session, feed_id: int, item: FeedItemInfo) -> None:
    """What was skipped because of an item that is another recording now stands for itself."""
    skipped = (FeedItem.state == FeedState.SKIPPED, FeedItem.code == DUPLICATE)
    same = (FeedItem.feed_id == feed_id, FeedItem.track_id == item.track_id, FeedItem.id > item.id)
    session.execute(update(FeedItem).where(*same, *skipped).values(_AGAIN))


def _read(session: Session, statement: Select[FeedItem]) -> list[FeedItemInfo]:
    return [_info(item) for item in session.scalars(statement.execution_options(populate_existing=True))]


def _info(item: FeedItem) -> FeedItemInfo:
    return FeedItemInfo(
        id=item.id,
        key=item.key,
        row=read_row(item.row),
        state=FeedState(item.state),
        code=item.code,
        sentence=item.sentence,
        track_id=item.track_id,
        tries=item.tries,
        next_try_at=item.next_try_at,
        decision=item.decision,
    )


def scored_groups(session: Session, feed_id: int) -> list[str]:
    """Names of the groups in which the feed's tracks have scores."""
    columns = select(TrackScore.group_name).join(FeedItem, FeedItem.track_id == TrackScore.track_id)
    return sorted(session.scalars(columns.where(FeedItem.feed_id == feed_id).distinct()))
