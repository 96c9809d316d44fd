"""The database's tables. Times are seconds since 1970 (UTC); paths are bytes beside a text for display."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

CHAMPION = "champion"


class PlainText(TypeDecorator[str]):
    """Text that every database takes: file names, tags and error messages hold NUL and lone surrogates."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """What is stored and compared."""
        if value is None:
            return None
        return value.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")


class Base(DeclarativeBase):
    """Names every constraint, so that a migration can speak of it on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {str: PlainText, dict[str, Any]: JSON}  # noqa: RUF012 (read by SQLAlchemy)


def _owner(column: str) -> Any:
    """A foreign key whose row goes when its owner goes."""
    return ForeignKey(column, ondelete="CASCADE")


class Artist(Base):
    """A performer; ``key`` is the case- and width-folded name."""

    __tablename__ = "artist"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)


class Track(Base):
    """One recording; ``content_sha256`` is the audio payload it was first heard from."""

    __tablename__ = "track"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    artist_id: Mapped[int] = mapped_column(ForeignKey("artist.id"), index=True)
    album: Mapped[str] = mapped_column(default="")
    duration_s: Mapped[float | None]
    content_sha256: Mapped[str | None] = mapped_column(unique=True)
    source: Mapped[str]
    licence: Mapped[str] = mapped_column(default="")
    trainable: Mapped[bool]
    created_at: Mapped[float]
    artist: Mapped[Artist] = relationship(lazy="raise")


class AudioFile(Base):
    """A file seen by a scan: of a track, or set aside with the reason why."""

    __tablename__ = "audio_file"
    id: Mapped[int] = mapped_column(primary_key=True)
    track_id: Mapped[int | None] = mapped_column(_owner("track.id"), index=True)
    path: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    path_text: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    content_sha256: Mapped[str | None]
    error_code: Mapped[str | None]
    error: Mapped[str | None]
    seen_at: Mapped[float]


class Identity(Base):
    """A name some registry gave a track: isrc, mbid, spotify. One ISRC may name several tracks."""

    __tablename__ = "identity"
    track_id: Mapped[int] = mapped_column(_owner("track.id"), primary_key=True)
    scheme: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    __table_args__ = (Index(None, "scheme", "value"),)


class PlaylistGroup(Base):
    """Playlists that compete for a track."""

    __tablename__ = "playlist_group"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class Playlist(Base):
    """A user's ordered list of tracks; it may mirror a folder. ``changed_at`` is when its members did."""

    __tablename__ = "playlist"
    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(_owner("playlist_group.id"))
    name: Mapped[str]
    source: Mapped[str]
    folder: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[float]
    changed_at: Mapped[float]
    group: Mapped[PlaylistGroup] = relationship(lazy="raise")
    __table_args__ = (UniqueConstraint("group_id", "name"),)


class Membership(Base):
    """A track's place in a playlist, and where that was learnt."""

    __tablename__ = "membership"
    playlist_id: Mapped[int] = mapped_column(_owner("playlist.id"), primary_key=True)
    track_id: Mapped[int] = mapped_column(_owner("track.id"), primary_key=True, index=True)
    position: Mapped[int]
    source: Mapped[str]


class Feedback(Base):
    """What the user said of a track and a playlist, right or wrong; it outlasts what folders and imports say.

    ``member_source`` and ``member_position`` are those of the membership without it; None: there is none.
    """

    __tablename__ = "feedback"
    playlist_id: Mapped[int] = mapped_column(_owner("playlist.id"), primary_key=True)
    track_id: Mapped[int] = mapped_column(_owner("track.id"), primary_key=True, index=True)
    verdict: Mapped[str]
    member_source: Mapped[str | None]
    member_position: Mapped[int | None]
    created_at: Mapped[float]


class Embedding(Base):
    """What one encoder heard in one track, little-endian, before standardisation.

    ``vector`` holds dim float32, ``patches`` n_patches x dim float16, ``start_s`` n_patches float64.
    """

    __tablename__ = "embedding"
    track_id: Mapped[int] = mapped_column(_owner("track.id"), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    dim: Mapped[int]
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    n_patches: Mapped[int]
    patches: Mapped[bytes] = mapped_column(LargeBinary)
    start_s: Mapped[bytes] = mapped_column(LargeBinary)
    patch_s: Mapped[float]
    created_at: Mapped[float]
    __table_args__ = (Index(None, "fingerprint"),)


class Bundle(Base):
    """A trained bundle on disk; at most one is the champion."""

    __tablename__ = "bundle"
    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    directory: Mapped[bytes] = mapped_column(LargeBinary)
    fingerprint: Mapped[str]
    summary: Mapped[dict[str, Any]]
    created_at: Mapped[float]
    promoted_at: Mapped[float | None]
    __table_args__ = (
        Index(
            "uq_bundle_champion",
            "state",
            unique=True,
            sqlite_where=text("state = 'champion'"),
            postgresql_where=text("state = 'champion'"),
        ),
    )


class LibraryRoot(Base):
    """A folder whose files may be named by callers, beside those of the settings."""

    __tablename__ = "library_root"
    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    path_text: Mapped[str]


class Job(Base):
    """Background work; whoever holds ``lease_token`` may write to it, ``sharing`` is told to its helpers."""

    __tablename__ = "job"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    state: Mapped[str]
    payload: Mapped[dict[str, Any]]
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)
    message: Mapped[str] = mapped_column(default="")
    n_done: Mapped[int] = mapped_column(default=0)
    n_total: Mapped[int] = mapped_column(default=0)
    error_code: Mapped[str | None]
    error: Mapped[str | None]
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    tries: Mapped[int] = mapped_column(default=0)
    lease_owner: Mapped[str | None]
    lease_token: Mapped[str | None]
    lease_expires_at: Mapped[float | None]
    sharing: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    claimed_n_done: Mapped[int] = mapped_column(default=0)
    claimed_at: Mapped[float | None]
    progress_at: Mapped[float | None]
    created_at: Mapped[float]
    finished_at: Mapped[float | None]
    __table_args__ = (Index(None, "state", "id"),)


class JobItem(Base):
    """One step of a job, done once: ``key`` names it within the job. A helper's has a lease of its own."""

    __tablename__ = "job_item"
    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(_owner("job.id"))
    key: Mapped[str]
    state: Mapped[str]
    tries: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[str | None]
    lease_expires_at: Mapped[float | None]
    error_code: Mapped[str | None]
    error: Mapped[str | None]
    __table_args__ = (UniqueConstraint("job_id", "key"), Index(None, "job_id", "state", "id"))


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
    """A recording in a feed: ``key`` names it, ``row`` is what the source says of it."""

    __tablename__ = "feed_item"
    id: Mapped[int] = mapped_column(primary_key=True)
    feed_id: Mapped[int] = mapped_column(_owner("feed.id"))
    key: Mapped[str] = mapped_column(index=True)
    row: Mapped[dict[str, Any]]
    state: Mapped[str]
    code: Mapped[str | None]
    sentence: Mapped[str | None]
    track_id: Mapped[int | None] = mapped_column(ForeignKey("track.id", ondelete="SET NULL"), index=True)
    tries: Mapped[int] = mapped_column(default=0)
    tried_at: Mapped[float | None]
    next_try_at: Mapped[float | None]
    seen_at: Mapped[float]
    __table_args__ = (UniqueConstraint("feed_id", "key"), Index(None, "feed_id", "state", "id"))


class TrackScore(Base):
    """What a model says of a track in one group: one row, whatever feeds the track is in."""

    __tablename__ = "track_score"
    track_id: Mapped[int] = mapped_column(_owner("track.id"), primary_key=True)
    group_name: Mapped[str] = mapped_column(primary_key=True)
    bundle_id: Mapped[str]
    results: Mapped[dict[str, Any]]
    scored_at: Mapped[float]
