"""Catalogue queries about playlists, their groups and their members."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, literal, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recommender.catalogue.database import insert_or_keep
from recommender.catalogue.files import display_path
from recommender.catalogue.tables.imports import ImportedRow
from recommender.catalogue.tables.library import Track
from recommender.catalogue.tables.playlists import Membership, Playlist, PlaylistGroup
from recommender.catalogue.tracks import SPOTIFY
from recommender.catalogue.verdicts import forget_verdicts, lay_verdicts_over
from recommender.errors import NoSuchGroup, NoSuchPlaylist, PlaylistExists
from recommender.records.playlists import DEFAULT_GROUP, EDITED, GroupInfo, Member, PlaylistInfo

FOLDER = "folder"


def create_playlist(
    session: Session,
    *,
    name: str,
    group: str = DEFAULT_GROUP,
    source: str = FOLDER,
    folder: Path | None = None,
) -> PlaylistInfo:
    """A new, empty playlist in a group, which is made when new.

    Raises
    ------
    PlaylistExists
        The group has a playlist of this name already.
    """
    now = time.time()
    playlist = Playlist(
        name=name,
        group_id=_group_id(session, group),
        source=source,
        folder=None if folder is None else os.fsencode(folder),
        created_at=now,
        changed_at=now,
    )
    try:
        with session.begin_nested():
            session.add(playlist)
    except IntegrityError as error:
        raise PlaylistExists(f"the group {group!r} already has a playlist {name!r}") from error
    return get_playlist(session, playlist.id)


def ensure_playlist(session: Session, *, name: str, group: str = DEFAULT_GROUP, folder: Path) -> PlaylistInfo:
    """The playlist of a name in a group, made when new; from now on it mirrors the folder."""
    found = _find_playlist(session, name=name, group=group)
    if found is None:
        return create_playlist(session, name=name, group=group, folder=folder)
    values = {"folder": os.fsencode(folder), "source": FOLDER}
    session.execute(update(Playlist).where(Playlist.id == found).values(values))
    return get_playlist(session, found)


def get_playlist(session: Session, playlist_id: int) -> PlaylistInfo:
    """One playlist.

    Raises
    ------
    NoSuchPlaylist
        The catalogue holds no playlist with this id.
    """
    row = session.execute(_infos().where(Playlist.id == playlist_id)).first()
    if row is None:
        raise NoSuchPlaylist(f"no playlist has the id {playlist_id}")
    return _info(row)


def list_playlists(session: Session, *, group: str | None = None) -> list[PlaylistInfo]:
    """Playlists by group and name; those of one group when it is named."""
    statement = _infos().order_by(PlaylistGroup.name, Playlist.name)
    if group is not None:
        statement = statement.where(PlaylistGroup.name == group)
    return [_info(row) for row in session.execute(statement)]


def find_playlist(session: Session, name: str, *, group: str = DEFAULT_GROUP) -> PlaylistInfo:
    """The playlist of a name in a group.

    Raises
    ------
    NoSuchPlaylist
        The group has no playlist of this name.
    """
    playlist_id = _find_playlist(session, name=name, group=group)
    if playlist_id is None:
        raise NoSuchPlaylist(f"the group {group!r} has no playlist {name!r}")
    return get_playlist(session, playlist_id)


def mirrored_folders(session: Session) -> dict[int, Path]:
    """Playlist id -> folder, for the playlists that mirror one."""
    with_folder = select(Playlist.id, Playlist.folder).where(Playlist.folder.is_not(None))
    rows = session.execute(with_folder.order_by(Playlist.id))
    return {playlist_id: Path(os.fsdecode(folder)) for playlist_id, folder in rows if folder is not None}


def rename_playlist(session: Session, playlist_id: int, name: str) -> PlaylistInfo:
    """Give a playlist another name within its group."""
    playlist = get_playlist(session, playlist_id)
    try:
        with session.begin_nested():
            session.execute(update(Playlist).where(Playlist.id == playlist_id).values(name=name))
    except IntegrityError as error:
        raise PlaylistExists(f"the group {playlist.group!r} already has a playlist {name!r}") from error
    return get_playlist(session, playlist_id)


def delete_playlist(session: Session, playlist_id: int) -> None:
    """Forget a playlist and, when it was the last, its group; its tracks stay in the catalogue."""
    group_id = get_playlist(session, playlist_id).group_id
    session.execute(delete(Playlist).where(Playlist.id == playlist_id))
    still_used = select(Playlist.id).where(Playlist.group_id == group_id).exists()
    session.execute(delete(PlaylistGroup).where(PlaylistGroup.id == group_id, ~still_used))


def set_members(
    session: Session, playlist_id: int, track_ids: Sequence[int], *, source: str = FOLDER
) -> None:
    """Make these tracks, in this order, the whole of a playlist, but for what the user's feedback says.

    A playlist whose tracks come from anywhere but its folder follows the folder no longer. An edit by hand is
    the user's last word: earlier feedback about the playlist is forgotten. What Spotify told of
    stays marked as such.
    """
    get_playlist(session, playlist_id)
    changes: dict[str, Any] = {"changed_at": time.time()}
    if source != FOLDER:
        changes |= {"folder": None, "source": source}
    session.execute(update(Playlist).where(Playlist.id == playlist_id).values(changes))
    session.execute(delete(Membership).where(Membership.playlist_id == playlist_id))
    if source == EDITED:
        forget_verdicts(session, playlist_id)
    rows = lay_verdicts_over(session, playlist_id, track_ids, source=source)
    from_spotify = _places_from_spotify(session, playlist_id) if source == EDITED else frozenset()
    for row in rows:
        row["source"] = SPOTIFY if row["track_id"] in from_spotify else row["source"]
    insert_or_keep(session, Membership, rows)


def playlist_tracks(session: Session, playlist_id: int) -> list[int]:
    """Track ids of a playlist, in its order."""
    mine = Membership.playlist_id == playlist_id
    return list(session.scalars(select(Membership.track_id).where(mine).order_by(Membership.position)))


def tracks_from(session: Session, playlist_id: int, source: str) -> list[int]:
    """Track ids of a playlist that are its members because a source said so, in its order."""
    mine = (Membership.playlist_id == playlist_id, Membership.source == source)
    return list(session.scalars(select(Membership.track_id).where(*mine).order_by(Membership.position)))


def members_changed_since(session: Session, moment: float) -> bool:
    """Whether a playlist was made or got other members after a moment (seconds since 1970)."""
    return session.scalar(select(Playlist.id).where(Playlist.changed_at > moment).limit(1)) is not None


def track_playlists(session: Session, track_id: int) -> list[PlaylistInfo]:
    """The playlists that hold a track."""
    mine = select(Membership.playlist_id).where(Membership.track_id == track_id)
    statement = _infos().where(Playlist.id.in_(mine)).order_by(PlaylistGroup.name, Playlist.name)
    return [_info(row) for row in session.execute(statement)]


def list_groups(session: Session) -> list[GroupInfo]:
    """Playlist groups by name."""
    n_playlists = func.count(Playlist.id)
    statement = (
        select(PlaylistGroup.id, PlaylistGroup.name, n_playlists)
        .outerjoin(Playlist, Playlist.group_id == PlaylistGroup.id)
        .group_by(PlaylistGroup.id)
        .order_by(PlaylistGroup.name)
    )
    return [GroupInfo(*row) for row in session.execute(statement)]


def find_group(session: Session, name: str) -> GroupInfo:
    """The group of a name.

    Raises
    ------
    NoSuchGroup
        No group has this name.
    """
    for group in list_groups(session):
        if group.name == name:
            return group
    raise NoSuchGroup(f"no playlist group is called {name!r}")


def group_members(session: Session, group_id: int, *, allow_spotify: bool = False) -> list[Member]:
    """Memberships of a group that may be trained on, by playlist and position.

    What came from Spotify, be it the track or its place in the playlist, is left out unless
    ``allow_spotify``.
    """
    statement = (
        select(Membership.playlist_id, Membership.track_id, Track.artist_id, Track.album)
        .join(Track, Track.id == Membership.track_id)
        .join(Playlist, Playlist.id == Membership.playlist_id)
        .where(Playlist.group_id == group_id, *_may_train(allow_spotify=allow_spotify))
        .order_by(Membership.playlist_id, Membership.position)
    )
    return [Member(*row) for row in session.execute(statement)]


def count_trainable(session: Session, playlist_id: int, *, allow_spotify: bool = False) -> int:
    """How many tracks of a playlist may be trained on as its members."""
    statement = (
        select(func.count())
        .select_from(Membership)
        .join(Track, Track.id == Membership.track_id)
        .where(Membership.playlist_id == playlist_id, *_may_train(allow_spotify=allow_spotify))
    )
    return session.scalar(statement) or 0


def _may_train(*, allow_spotify: bool) -> tuple[ColumnElement[bool], ...]:
    """Conditions on a track and its place: neither may come from Spotify, unless that is allowed."""
    may_use_track = or_(Track.trainable, literal(allow_spotify) & (Track.source == SPOTIFY))
    may_use_place = or_(Membership.source != SPOTIFY, literal(allow_spotify))
    return may_use_track, may_use_place


def _infos() -> Select[int, str, int, str, str, bytes | None, float, int]:
    """One row per playlist."""
    n_tracks = (
        select(func.count())
        .select_from(Membership)
        .where(Membership.playlist_id == Playlist.id)
        .correlate(Playlist)
        .scalar_subquery()
    )
    columns = (Playlist.id, Playlist.name, PlaylistGroup.id, PlaylistGroup.name, Playlist.source)
    return select(*columns, Playlist.folder, Playlist.created_at, n_tracks).join(
        PlaylistGroup, PlaylistGroup.id == Playlist.group_id
    )


def _info(row: Sequence[object]) -> PlaylistInfo:
    playlist_id, name, group_id, group, source, folder, created_at, n_tracks = row
    shown = display_path(folder) if isinstance(folder, bytes) else None
    return PlaylistInfo(playlist_id, name, group_id, group, source, shown, n_tracks, created_at)  # type: ignore[arg-type]


def _places_from_spotify(session: Session, playlist_id: int) -> frozenset[int | None]:
    """The tracks that a playlist's rows from Spotify were matched with."""
    mine = (ImportedRow.playlist_id == playlist_id, ImportedRow.source == SPOTIFY)
    return frozenset(session.scalars(select(ImportedRow.track_id).where(*mine)))


def _find_playlist(session: Session, *, name: str, group: str) -> int | None:
    statement = select(Playlist.id).join(PlaylistGroup, PlaylistGroup.id == Playlist.group_id)
    return session.scalar(statement.where(PlaylistGroup.name == group, Playlist.name == name))


def _group_id(session: Session, name: str) -> int:
    insert_or_keep(session, PlaylistGroup, [{"name": name}])
    return session.execute(select(PlaylistGroup.id).where(PlaylistGroup.name == name)).scalar_one()
