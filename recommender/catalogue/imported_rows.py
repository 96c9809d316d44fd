"""Catalogue queries about imported playlists: what each row said, what it was matched with, who decided."""

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from recommender.catalogue.database import insert_or_keep, insert_or_update
from recommender.catalogue.identities import move_spotify_ids
from recommender.catalogue.playlists import get_playlist, playlist_tracks, set_members
from recommender.catalogue.registered_names import spotify_ids_of
from recommender.catalogue.tables.imports import ImportedRow, MatchDecision
from recommender.catalogue.tables.playlists import Playlist
from recommender.catalogue.tracks import find_track
from recommender.errors import NoSuchRow
from recommender.records.matches import (
    Alternative,
    Match,
    MatchReport,
    Method,
    ReportRow,
    RowState,
    Strength,
    row_key,
)
from recommender.records.rows import SourceRow


def store_rows(session: Session, playlist_id: int, rows: Sequence[ReportRow]) -> None:
    """Make these rows the whole of what a playlist was imported from."""
    _lock(session, playlist_id)
    session.execute(delete(ImportedRow).where(ImportedRow.playlist_id == playlist_id))
    insert_or_keep(session, ImportedRow, [_stored(playlist_id, row) for row in rows])


def match_report(session: Session, playlist_id: int) -> MatchReport:
    """What became of every row of an imported playlist; no rows when it was not imported.

    Raises
    ------
    NoSuchPlaylist
        The catalogue holds no playlist with this id.
    """
    playlist = get_playlist(session, playlist_id)
    statement = select(ImportedRow).where(ImportedRow.playlist_id == playlist_id).order_by(ImportedRow.row)
    return MatchReport(playlist, tuple(_shown(stored) for stored in session.scalars(statement)))


def decide_row(
    session: Session, playlist_id: int, row: int, *, track_id: int | None
) -> tuple[ReportRow, bool]:
    """Settle what one imported row means; return it and whether the playlist's tracks changed.

    Parameters
    ----------
    row : int
        Counts from 1, as the report does.
    track_id : int or None
        The track that the row is, or None when it is none of those proposed. Either is remembered and
        applied whenever the same row is imported again.

    Raises
    ------
    NoSuchRow, NoSuchTrack, NoSuchPlaylist
        There is nothing to decide about, or nothing to decide for.
    """
    _lock(session, playlist_id)
    before = _row(session, playlist_id, row)
    after = _reject(before) if track_id is None else _choose(session, before, track_id)
    _remember(session, before, track_id)
    move_spotify_ids(session, spotify_ids_of(before.asked), track_id)
    values = _stored(playlist_id, after)
    session.execute(
        update(ImportedRow)
        .where(ImportedRow.playlist_id == playlist_id, ImportedRow.row == row)
        .values(values)
    )
    return after, _replace_member(session, playlist_id, before, after)


def _lock(session: Session, playlist_id: int) -> None:
    """Let two who decide about one playlist do so one after the other."""
    session.execute(select(Playlist.id).where(Playlist.id == playlist_id).with_for_update())


def _row(session: Session, playlist_id: int, row: int) -> ReportRow:
    get_playlist(session, playlist_id)
    found = session.get(ImportedRow, (playlist_id, row), populate_existing=True)
    if found is None or found.state == RowState.SKIPPED:
        raise NoSuchRow(f"the playlist has no imported row {row} that names a track")
    return _shown(found)


def _choose(session: Session, before: ReportRow, track_id: int) -> ReportRow:
    find_track(session, track_id)
    state = RowState.ACCEPTED if before.match.track_id == track_id else RowState.CHOSEN
    others = [entry for entry in _listed(before.match) if entry.track_id != track_id]
    match = Match(track_id, Strength.STRONG, Method.DECISION, 1.0, tuple(others))
    return replace(before, match=match, state=state)


def _reject(before: ReportRow) -> ReportRow:
    match = Match(None, Strength.NONE, Method.DECISION, 0.0, _listed(before.match))
    return replace(before, match=match, state=RowState.REJECTED)


def _listed(match: Match) -> tuple[Alternative, ...]:
    """Every track that the report names for a row."""
    first = () if match.track_id is None else (Alternative(match.track_id, match.score),)
    return (*first, *match.alternatives)


def _remember(session: Session, before: ReportRow, track_id: int | None) -> None:
    """Keep the decision under what the row says, so that it outlives this playlist."""
    key = row_key(before.asked)
    session.execute(
        delete(MatchDecision).where(MatchDecision.key == key, MatchDecision.is_right | (track_id is not None))
    )
    wrong = [entry.track_id for entry in _listed(before.match)] if track_id is None else []
    for known, is_right in [*((other, False) for other in wrong), *([(track_id, True)] if track_id else [])]:
        decision = {"key": key, "track_id": known, "is_right": is_right, "decided_at": time.time()}
        insert_or_update(session, MatchDecision, decision, key=("key", "track_id"))


def _replace_member(session: Session, playlist_id: int, before: ReportRow, after: ReportRow) -> bool:
    """Bring the playlist in line with one row; one that was edited by hand is only edited further."""
    report = match_report(session, playlist_id)
    used = [row.match.track_id for row in report.rows if row.is_used and row.match.track_id is not None]
    tracks = used
    if report.playlist.source != after.source:
        gone = before.match.track_id if before.is_used else None
        current = playlist_tracks(session, playlist_id)
        tracks = [track_id for track_id in current if track_id != gone or track_id in used]
        tracks += [after.match.track_id] if after.is_used and after.match.track_id is not None else []
    members = playlist_tracks(session, playlist_id)
    set_members(session, playlist_id, tracks, source=report.playlist.source)
    return playlist_tracks(session, playlist_id) != members


def _stored(playlist_id: int, row: ReportRow) -> dict[str, Any]:
    others = [[entry.track_id, entry.score] for entry in row.match.alternatives]
    return {
        "playlist_id": playlist_id,
        "row": row.row,
        "source": row.source,
        "key": row_key(row.asked),
        "asked": asdict(row.asked),
        "track_id": row.match.track_id,
        "strength": row.match.strength.value,
        "method": row.match.method.value,
        "score": row.match.score,
        "alternatives": {"tracks": others},
        "note": row.match.note,
        "state": row.state.value,
        "code": row.code,
    }


def _shown(stored: ImportedRow) -> ReportRow:
    others = tuple(Alternative(int(track_id), score) for track_id, score in stored.alternatives["tracks"])
    match = Match(
        stored.track_id, Strength(stored.strength), Method(stored.method), stored.score, others, stored.note
    )
    identities = tuple((scheme, value) for scheme, value in stored.asked["identities"])
    asked = SourceRow(**stored.asked | {"identities": identities})
    return ReportRow(stored.row, stored.source, asked, match, RowState(stored.state), stored.code)
