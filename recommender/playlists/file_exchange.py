"""Playlists of the catalogue out of files and into files."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from recommender.catalogue.database import Database
from recommender.catalogue.files import track_places
from recommender.catalogue.identities import track_identities
from recommender.catalogue.playlists import get_playlist, playlist_tracks
from recommender.catalogue.tracks import tracks_by_id
from recommender.errors import SourceError
from recommender.jobs.ledger import enqueue
from recommender.matching.identity import match_rows
from recommender.playlists.importing import import_playlist
from recommender.playlists.members import IfExists
from recommender.records.jobs import JobKind
from recommender.records.matches import ImportReport
from recommender.records.playlists import Origin
from recommender.records.rows import SourcePlaylist, SourceRow
from recommender.records.tracks import Place, known_artist


class EmptyPlaylist(SourceError):
    """A playlist without a single row: there is nothing to make a class of."""

    code = "empty_playlist"


@dataclass(frozen=True)
class Imported:
    """What came of a file; ``job_id`` is the fit that follows, None when there is nothing new to learn."""

    report: ImportReport
    job_id: int | None


def import_from_file(
    database: Database,
    playlist: SourcePlaylist,
    *,
    name: str,
    group: str,
    allow_spotify: bool,
    if_exists: IfExists | None = IfExists.REFUSE,
    origin: Origin | None = None,
    keep_gone: bool = False,
    queue_fit: bool = True,
) -> Imported:
    """Make a playlist that was read from a file one of the catalogue, and queue the fit.

    A playlist whose every row is unmatched is kept with its report and not learnt. ``queue_fit=False`` leaves
    that to the caller; the other options are those of :func:`import_playlist`.

    Raises
    ------
    EmptyPlaylist, PlaylistExists
    """
    refuse_empty(playlist)
    with database.read_session() as session:
        matches = match_rows(session, playlist.rows)
    with database.session() as session:
        report = import_playlist(
            session,
            playlist,
            group=group,
            name=name,
            matches=matches,
            allow_spotify=allow_spotify,
            if_exists=if_exists,
            origin=origin,
            keep_gone=keep_gone,
        )
        return Imported(report, _queue_fit(session, report) if queue_fit else None)


def refuse_empty(playlist: SourcePlaylist) -> None:
    """Refuse a playlist of which no row names a track.

    Raises
    ------
    EmptyPlaylist
    """
    if not playlist.rows:
        left_out = f": all {len(playlist.skipped)} rows name no track" if playlist.skipped else ""
        raise EmptyPlaylist(f"the playlist {playlist.name!r} is empty{left_out}")


def playlist_for_export(session: Session, playlist_id: int) -> SourcePlaylist:
    """A playlist of the catalogue as rows that can be written, in its order.

    Raises
    ------
    NoSuchPlaylist
        The catalogue holds no playlist with this id.
    """
    playlist = get_playlist(session, playlist_id)
    track_ids = playlist_tracks(session, playlist_id)
    tracks, places = tracks_by_id(session, track_ids), track_places(session, track_ids)
    identities = track_identities(session, track_ids)
    rows = [
        _placed(
            SourceRow(
                title=tracks[track_id].title,
                artist=known_artist(tracks[track_id].artist),
                album=tracks[track_id].album,
                duration_s=tracks[track_id].duration_s,
                identities=tuple(identities.get(track_id, ())),
            ),
            places.get(track_id),
        )
        for track_id in track_ids
    ]
    return SourcePlaylist(playlist.name, playlist.source, tuple(rows))


def _placed(row: SourceRow, place: Place | None) -> SourceRow:
    if place is None:
        return row
    if place.stretch.is_whole:
        return replace(row, path=str(place.path))
    start_s, end_s = place.stretch
    return replace(row, path=str(place.path), start_s=start_s, end_s=end_s)


def describe_import(report: ImportReport, *, n_left_out: int | None = None) -> dict[str, Any]:
    """What became of the rows, for a program; of those left out at most the first so many."""
    left_out = [row for row in report.rows if row.outcome != "used"]
    return {
        "counts": report.counts,
        "methods": report.methods,
        "refusal": report.refusal,
        "kept_out": list(report.kept_out),
        "left_out": [
            {
                "row": row.row,
                "outcome": row.outcome,
                "title": row.asked.title,
                "artist": row.asked.artist,
                "code": row.code,
                "reason": row.match.note,
            }
            for row in left_out[:n_left_out]
        ],
    }


def _queue_fit(session: Session, report: ImportReport) -> int | None:
    """Queue a quick fit now and a training after it, as for any new playlist."""
    if not report.members_changed or (report.refusal and not report.n_trainable):
        return None
    reason = f"the playlist {report.playlist.name!r} was imported"
    job_id = enqueue(session, JobKind.REFIT, {"reason": reason})
    enqueue(session, JobKind.TRAIN, {})
    return job_id
