"""The tables of artists, tracks, their files and what was heard in them."""

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from recommender.catalogue.tables.base import Base, owned_by


class Artist(Base):
    """A performer; ``key`` is the case- and width-folded name."""

    __tablename__ = "artist"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)


class Track(Base):
    """One recording; ``content_sha256`` is the audio payload it was first heard from.

    ``heard_in_part`` says how much was heard of a track that could not be decoded wholly. ``artists`` names
    all of several, one a line; ``artist_id`` is the first.
    """

    __tablename__ = "track"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    artist_id: Mapped[int] = mapped_column(ForeignKey(Artist.id), index=True)
    album: Mapped[str] = mapped_column(default="")
    duration_s: Mapped[float | None]
    content_sha256: Mapped[str | None] = mapped_column(unique=True)
    source: Mapped[str]
    licence: Mapped[str] = mapped_column(default="")
    trainable: Mapped[bool]
    heard_in_part: Mapped[str | None]
    artists: Mapped[str | None]
    created_at: Mapped[float]
    artist: Mapped[Artist] = relationship(lazy="raise")


class AudioFile(Base):
    """A file seen by a scan, or a stretch of one: of a track, or set aside with the reason why.

    ``start_s`` and ``end_s`` are where the track lies in the file; 0 and None where it is all of it.
    """

    __tablename__ = "audio_file"
    id: Mapped[int] = mapped_column(primary_key=True)
    track_id: Mapped[int | None] = mapped_column(owned_by(Track.id), index=True)
    path: Mapped[bytes] = mapped_column(LargeBinary)
    path_text: Mapped[str]
    start_s: Mapped[float] = mapped_column(default=0.0, server_default="0")
    end_s: Mapped[float | None]
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    content_sha256: Mapped[str | None]
    error_code: Mapped[str | None]
    error: Mapped[str | None]
    seen_at: Mapped[float]
    __table_args__ = (UniqueConstraint("path", "start_s"),)


class Identity(Base):
    """A name some registry gave a track: isrc, mbid, spotify. One ISRC may name several tracks."""

    __tablename__ = "identity"
    track_id: Mapped[int] = mapped_column(owned_by(Track.id), primary_key=True)
    scheme: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    __table_args__ = (Index(None, "scheme", "value"),)


class Embedding(Base):
    """What one encoder heard in one track, little-endian, before standardisation.

    ``vector`` holds dim float32, ``patches`` n_patches x dim float16, ``start_s`` n_patches float64.
    """

    __tablename__ = "embedding"
    track_id: Mapped[int] = mapped_column(owned_by(Track.id), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    dim: Mapped[int]
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    n_patches: Mapped[int]
    patches: Mapped[bytes] = mapped_column(LargeBinary)
    start_s: Mapped[bytes] = mapped_column(LargeBinary)
    patch_s: Mapped[float]
    created_at: Mapped[float]
    # What an encoder has heard, and when, is read from the index alone: the rows are thousands of bytes long.
    __table_args__ = (Index(None, "fingerprint", "track_id", "created_at"),)


class LibraryRoot(Base):
    """A folder whose files may be named by callers, beside those of the settings."""

    __tablename__ = "library_root"
    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    path_text: Mapped[str]
