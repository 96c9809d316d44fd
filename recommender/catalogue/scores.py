"""Catalogue queries about what a model says of tracks."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from recommender.catalogue.database import CHUNK_ROWS, database_now, insert_or_replace
from recommender.catalogue.tables.feeds import TrackScore
from recommender.records.feeds import Question

_KEY = ("track_id", "group_name")


def store_scores(session: Session, scores: Sequence[tuple[int, dict[str, Any]]], question: Question) -> None:
    """Keep (track, results); what an earlier model said is replaced."""
    now = session.execute(select(database_now())).scalar_one()
    rows = [
        {
            "track_id": track_id,
            "group_name": question.group_name,
            "bundle_id": question.bundle_id,
            "results": results,
            "scored_at": now,
        }
        for track_id, results in scores
    ]
    insert_or_replace(session, TrackScore, rows, key=_KEY)


def scored_tracks(session: Session, track_ids: Sequence[int], question: Question) -> set[int]:
    """Those of the tracks that have their answer already."""
    found: set[int] = set()
    for start in range(0, len(track_ids), CHUNK_ROWS):
        chunk = [int(track_id) for track_id in track_ids[start : start + CHUNK_ROWS]]
        mine = (TrackScore.group_name == question.group_name, TrackScore.bundle_id == question.bundle_id)
        found |= set(
            session.scalars(select(TrackScore.track_id).where(*mine, TrackScore.track_id.in_(chunk)))
        )
    return found
