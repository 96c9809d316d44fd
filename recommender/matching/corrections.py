"""A person settles what a row of an imported playlist means, and what is learnt follows."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from recommender.catalogue.imported_rows import decide_row, match_report
from recommender.catalogue.playlists import count_trainable, get_playlist
from recommender.catalogue.tracks import tracks_by_id
from recommender.errors import NoSuchTrack
from recommender.jobs.ledger import enqueue
from recommender.records.jobs import JobKind
from recommender.records.matches import MatchReport, ReportRow


class Choice(StrEnum):
    """What can be said of a row."""

    ACCEPT = "accept"
    CHOOSE = "choose"
    REJECT = "reject"


@dataclass(frozen=True)
class Settled:
    """A row after a decision, and the job that learns what changed; None when nothing is to be learnt."""

    row: ReportRow
    job_id: int | None


def settle_row(
    session: Session,
    playlist_id: int,
    row: int,
    choice: Choice,
    *,
    track_id: int | None = None,
    allow_spotify: bool = False,
) -> Settled:
    """Accept what is proposed for a row, choose another track for it, or reject all that is proposed.

    Raises
    ------
    NoSuchRow, NoSuchTrack, NoSuchPlaylist
        There is nothing to decide about, or nothing to decide for.
    """
    if choice is Choice.REJECT:
        track_id = None
    elif choice is Choice.ACCEPT:
        track_id = _proposed(match_report(session, playlist_id), row)
    elif track_id is None:
        raise NoSuchTrack("name the track that the row is")
    before = count_trainable(session, playlist_id, allow_spotify=allow_spotify)
    settled, changed = decide_row(session, playlist_id, row, track_id=track_id)
    after = count_trainable(session, playlist_id, allow_spotify=allow_spotify)
    job_id = None
    if changed and (before or after):
        name = get_playlist(session, playlist_id).name
        reason = f"what rows of the playlist {name!r} mean was decided"
        job_id = enqueue(session, JobKind.REFIT, {"reason": reason})
    return Settled(settled, job_id)


def describe_report(session: Session, report: MatchReport) -> dict[str, Any]:
    """A report with the names of the tracks, for people and programs."""
    rows = describe_rows(session, report.rows)
    return {"playlist": report.playlist, "counts": report.counts, "methods": report.methods, "rows": rows}


def describe_rows(session: Session, rows: tuple[ReportRow, ...]) -> list[dict[str, Any]]:
    """Each row as it was asked for, and the tracks that it is or may be by name."""
    ids = {entry.track_id for row in rows for entry in row.match.alternatives}
    ids |= {row.match.track_id for row in rows if row.match.track_id is not None}
    tracks = tracks_by_id(session, sorted(ids))
    return [
        {
            "row": row.row,
            "title": row.asked.title,
            "artist": row.asked.artist,
            "album": row.asked.album,
            "duration_s": row.asked.duration_s,
            "path": row.asked.path,
            "outcome": row.outcome,
            "state": row.state.value,
            "strength": row.match.strength.value,
            "method": row.match.method.value,
            "score": row.match.score,
            "note": row.match.note,
            "code": row.code,
            "track": tracks.get(row.match.track_id or 0),
            "alternatives": [
                {"track": tracks[entry.track_id], "score": entry.score}
                for entry in row.match.alternatives
                if entry.track_id in tracks
            ],
        }
        for row in rows
    ]


def _proposed(report: MatchReport, row: int) -> int:
    proposed = next((known.match.track_id for known in report.rows if known.row == row), None)
    if proposed is None:
        raise NoSuchTrack(f"nothing is proposed for row {row}: choose a track")
    return proposed
