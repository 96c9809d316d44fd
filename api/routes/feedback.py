"""``/tracks/{id}/feedback``: what the user says of a track, learnt by the next quick fit."""

from collections.abc import Callable
from typing import Any

from apiflask import APIBlueprint
from marshmallow import RAISE

from api.problems import describe_problems
from api.schemas.feedback import FeedbackSchema, FeedbackStateSchema, WithdrawQuery
from api.services import services
from recommender.jobs.ledger import get_job
from recommender.jobs.queue import wake
from recommender.playlists.feedback import (
    FeedbackState,
    PlaylistChoice,
    find_kept_track,
    show_feedback,
    take_back_feedback,
    take_feedback,
)
from recommender.records.playlists import FeedbackInfo, FeedbackVerdict
from recommender.records.tracks import TrackInfo

blueprint = APIBlueprint("feedback", __name__, tag="tracks")


@blueprint.get("/tracks/<track_id>/feedback")
@blueprint.output(FeedbackStateSchema)
@blueprint.doc(responses=describe_problems(404))
def get_feedback(track_id: str) -> dict[str, Any]:
    """Show what was said of a track, and the playlists that hold it."""
    return _answer(track_id, show_feedback)


@blueprint.put("/tracks/<track_id>/feedback")
@blueprint.input(FeedbackSchema, location="json")
@blueprint.output(FeedbackStateSchema)
@blueprint.doc(responses=describe_problems(404, 415))
def put_feedback(track_id: str, json_data: dict[str, Any]) -> dict[str, Any]:
    """Say that a track is liked or disliked, or which playlist is right or wrong for it.

    It is kept at once, outlasts scans and imports, and is learnt by the job in the answer.
    """
    chosen = PlaylistChoice(
        json_data.get("playlist_id"), name=json_data.get("playlist"), group=json_data.get("group")
    )
    verdict = FeedbackVerdict(json_data["verdict"])
    return _answer(track_id, lambda session, track: take_feedback(session, track, verdict, chosen))


@blueprint.delete("/tracks/<track_id>/feedback")
@blueprint.input(WithdrawQuery, location="query", unknown=RAISE)
@blueprint.output(FeedbackStateSchema)
@blueprint.doc(responses=describe_problems(404))
def delete_feedback(track_id: str, query_data: dict[str, Any]) -> dict[str, Any]:
    """Take back what was said of a track; its folders and imports decide again."""
    playlist_id = query_data.get("playlist_id")
    return _answer(
        track_id, lambda session, track: take_back_feedback(session, track, playlist_id=playlist_id)
    )


def _answer(reference: str, act: Callable[[Any, TrackInfo], FeedbackState]) -> dict[str, Any]:
    """Return the state after ``act`` did its work in one transaction; wake the worker if there is any."""
    ours = services()
    with ours.database.session() as session:
        state = act(session, find_kept_track(session, reference))
        job = None if state.job_id is None else get_job(session, state.job_id)
    if job is not None:
        wake(ours.settings)
    return {
        "track": state.track,
        "feedback": [_row(row) for row in state.feedback],
        "playlists": state.playlists,
        "advice": state.advice,
        "job": job,
    }


def _row(row: FeedbackInfo) -> dict[str, Any]:
    return {
        "playlist": {"id": row.playlist_id, "name": row.playlist},
        "group": row.group,
        "verdict": row.verdict,
        "created_at": row.created_at,
    }
