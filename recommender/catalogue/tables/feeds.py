"""The tables of feeds, their items, and what a model said of tracks."""

from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from recommender.catalogue.tables.base import Base, owned_by
from recommender.catalogue.tables.library import Track


class Feed(Base):
    """A source of tracks to be scored; ``group_name`` is empty for the group that answers by default.

    ``cursor`` is what the source gave to be asked with next time; ``error`` is why it was not read last time.
    """

    __tablename__ = "feed"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    reference: Mapped[str]
    group_name: Mapped[str]
    min_probability: Mapped[float]
    cursor: Mapped[dict[str, Any]] = mapped_column(default=dict)
    error_code: Mapped[str | None]
    error: Mapped[str | None]
    created_at: Mapped[float]
    read_at: Mapped[float | None]
    __table_args__ = (UniqueConstraint("kind", "reference", "group_name"),)


class FeedItem(Base):
    """A recording in a feed: ``key`` names it, ``row`` is what the source says of it.

    ``decision`` is what a person who sorts the feed said of it.
    """

    __tablename__ = "feed_item"
    id: Mapped[int] = mapped_column(primary_key=True)
    feed_id: Mapped[int] = mapped_column(owned_by(Feed.id))
    key: Mapped[str] = mapped_column(index=True)
    row: Mapped[dict[str, Any]]
    state: Mapped[str]
    code: Mapped[str | None]
    sentence: Mapped[str | None]
    track_id: Mapped[int | None] = mapped_column(owned_by(Track.id, keep=True), index=True)
    tries: Mapped[int] = mapped_column(default=0)
    tried_at: Mapped[float | None]
    next_try_at: Mapped[float | None]
    seen_at: Mapped[float]
    decision: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    __table_args__ = (UniqueConstraint("feed_id", "key"), Index(None, "feed_id", "state", "id"))


class TrackScore(Base):
    """What a model says of a track in one group: one row, whatever feeds the track is in."""

    __tablename__ = "track_score"
    track_id: Mapped[int] = mapped_column(owned_by(Track.id), primary_key=True)
    group_name: Mapped[str] = mapped_column(primary_key=True)
    bundle_id: Mapped[str]
    results: Mapped[dict[str, Any]]
    scored_at: Mapped[float]
