"""The tables of playlists, their groups and members, and of what the user said of members."""

from sqlalchemy import (
    LargeBinary,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from recommender.catalogue.tables.base import Base, owned_by
from recommender.catalogue.tables.library import Track


class PlaylistGroup(Base):
    """Playlists that compete for a track."""

    __tablename__ = "playlist_group"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class Playlist(Base):
    """A user's ordered list of tracks; it may mirror a folder. ``changed_at`` is when its members did."""

    __tablename__ = "playlist"
    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(owned_by(PlaylistGroup.id))
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
    playlist_id: Mapped[int] = mapped_column(owned_by(Playlist.id), primary_key=True)
    track_id: Mapped[int] = mapped_column(owned_by(Track.id), primary_key=True, index=True)
    position: Mapped[int]
    source: Mapped[str]


class Feedback(Base):
    """What the user said of a track and a playlist, right or wrong; it outlasts what folders and imports say.

    ``member_source`` and ``member_position`` are those of the membership without it; None: there is none.
    """

    __tablename__ = "feedback"
    playlist_id: Mapped[int] = mapped_column(owned_by(Playlist.id), primary_key=True)
    track_id: Mapped[int] = mapped_column(owned_by(Track.id), primary_key=True, index=True)
    verdict: Mapped[str]
    member_source: Mapped[str | None]
    member_position: Mapped[int | None]
    created_at: Mapped[float]


class PlaylistOrigin(Base):
    """What an imported playlist was read from: a file, or what a server has; ``which`` of several in it.

    ``asked_at`` is when it was last asked for, whatever came of it.
    """

    __tablename__ = "playlist_origin"
    playlist_id: Mapped[int] = mapped_column(owned_by(Playlist.id), primary_key=True)
    reference: Mapped[bytes] = mapped_column(LargeBinary)
    is_file: Mapped[bool]
    which: Mapped[str | None]
    asked_at: Mapped[float]
