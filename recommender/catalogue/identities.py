"""Catalogue queries that find the tracks a row of a source may mean, and the ids they have on own servers."""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from recommender.catalogue.database import CHUNK_ROWS, insert_or_keep
from recommender.catalogue.tables.imports import MatchDecision
from recommender.catalogue.tables.library import Artist, AudioFile, Identity, Track
from recommender.catalogue.tracks import SPOTIFY, credit

_Value = TypeVar("_Value")


class NamedTrack(NamedTuple):
    """What a track can be recognised by."""

    id: int
    title: str
    artist: str
    album: str
    duration_s: float | None


class Decided(NamedTuple):
    """What a person said of a row: the track that it is, if any, and those that it is not."""

    right: int | None
    wrong: frozenset[int]


def named_tracks(session: Session) -> list[NamedTrack]:
    """Every track of the catalogue that was heard from a file, by id.

    Tracks known by name only came in with a source: to match with one would say nothing of the library.
    """
    statement = (
        select(Track.id, Track.title, credit(), Track.album, Track.duration_s)
        .join(Artist, Artist.id == Track.artist_id)
        .where(Track.content_sha256.is_not(None))
        .order_by(Track.id)
    )
    return [NamedTrack(*row) for row in session.execute(statement)]


def tracks_with_identity(session: Session, scheme: str, values: Iterable[str]) -> dict[str, list[int]]:
    """Value -> ids of the tracks that a registry knows by it; values that name none are left out."""
    found: dict[str, list[int]] = defaultdict(list)
    for chunk in _chunks(sorted(set(values))):
        statement = select(Identity.value, Identity.track_id).where(
            Identity.scheme == scheme, Identity.value.in_(chunk)
        )
        for value, track_id in session.execute(statement.order_by(Identity.track_id)):
            found[value].append(track_id)
    return dict(found)


def tracks_at_paths(session: Session, paths: Iterable[str]) -> dict[str, dict[float, int]]:
    """Path -> start in seconds -> id of the track that a scan read there; without paths never scanned."""
    wanted = {_path_bytes(path): path for path in paths}
    found: dict[str, dict[float, int]] = {}
    for chunk in _chunks(sorted(wanted)):
        columns = (AudioFile.path, AudioFile.start_s, AudioFile.track_id)
        for path, start_s, track_id in session.execute(select(*columns).where(AudioFile.path.in_(chunk))):
            if track_id is not None:
                found.setdefault(wanted[path], {})[start_s] = track_id
    return found


def scanned_paths(session: Session) -> list[tuple[str, int]]:
    """(path as text, track id) of every file that is one track; the path of an album says nothing of one."""
    statement = select(AudioFile.path_text, AudioFile.track_id).where(
        AudioFile.start_s == 0, AudioFile.end_s.is_(None)
    )
    rows = session.execute(statement.order_by(AudioFile.path))
    return [(path, track_id) for path, track_id in rows if track_id is not None]


def decisions_about(session: Session, keys: Iterable[str]) -> dict[str, Decided]:
    """Row key -> what a person decided; keys that nobody decided about are left out."""
    right: dict[str, int] = {}
    wrong: dict[str, set[int]] = defaultdict(set)
    for chunk in _chunks(sorted(set(keys))):
        statement = select(MatchDecision.key, MatchDecision.track_id, MatchDecision.is_right)
        for key, track_id, is_right in session.execute(statement.where(MatchDecision.key.in_(chunk))):
            if is_right:
                right[key] = track_id
            else:
                wrong[key].add(track_id)
    return {key: Decided(right.get(key), frozenset(wrong[key])) for key in {*right, *wrong}}


def remember_spotify_ids(session: Session, found: Sequence[tuple[int, str]]) -> None:
    """Keep (track id, Spotify id) pairs, so that a link of Spotify's finds the user's own file."""
    rows = [{"track_id": track, "scheme": SPOTIFY, "value": value} for track, value in found]
    insert_or_keep(session, Identity, rows)


def move_spotify_ids(session: Session, values: Sequence[str], track_id: int | None) -> None:
    """Let Spotify ids name this track, or none, and no longer the one that they were taken for."""
    session.execute(delete(Identity).where(Identity.scheme == SPOTIFY, Identity.value.in_(values)))
    if track_id is not None:
        remember_spotify_ids(session, [(track_id, value) for value in values])


def track_identities(session: Session, track_ids: Iterable[int]) -> dict[int, list[tuple[str, str]]]:
    """Track id -> (scheme, value) of every name that a registry or a server has for it."""
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for chunk in _chunks(sorted(set(track_ids))):
        statement = select(Identity.track_id, Identity.scheme, Identity.value).where(
            Identity.track_id.in_(chunk)
        )
        for track_id, scheme, value in session.execute(statement.order_by(Identity.scheme, Identity.value)):
            found[track_id].append((scheme, value))
    return dict(found)


def _path_bytes(path: str) -> bytes:
    try:
        return os.fsencode(path)
    except UnicodeEncodeError:  # a lone surrogate that no file name gave: no file has this name
        return path.encode("utf-8", "replace")


def _chunks(values: Sequence[_Value]) -> Iterable[Sequence[_Value]]:
    return (values[start : start + CHUNK_ROWS] for start in range(0, len(values), CHUNK_ROWS))


def remember_server_ids(session: Session, scheme: str, found: Iterable[tuple[int, str]]) -> int:
    """Let ids of a server name these tracks and no others; how many ids that were."""
    pairs = {value: track_id for track_id, value in found}
    values = sorted(pairs)
    for start in range(0, len(values), CHUNK_ROWS):
        chunk = values[start : start + CHUNK_ROWS]
        session.execute(delete(Identity).where(Identity.scheme == scheme, Identity.value.in_(chunk)))
    rows = [{"track_id": pairs[value], "scheme": scheme, "value": value} for value in values]
    insert_or_keep(session, Identity, rows)
    return len(rows)


def server_ids(session: Session, scheme: str, track_ids: Sequence[int]) -> dict[int, str]:
    """Track id -> its id on the server (the first by spelling); tracks that are not there are left out."""
    found: dict[int, str] = {}
    wanted = sorted(set(track_ids))
    for start in range(0, len(wanted), CHUNK_ROWS):
        chunk = wanted[start : start + CHUNK_ROWS]
        statement = select(Identity.track_id, Identity.value).where(
            Identity.scheme == scheme, Identity.track_id.in_(chunk)
        )
        for track_id, value in session.execute(statement.order_by(Identity.value.desc())):
            found[track_id] = value
    return found
