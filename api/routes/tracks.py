"""``/tracks``: the catalogue."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from apiflask import APIBlueprint
from marshmallow import RAISE

from api.problems import describe_problems
from api.schemas.base import PathSchema
from api.schemas.jobs import AcceptedSchema
from api.schemas.tracks import TrackDetailSchema, TrackListQuery, TrackListSchema
from api.services import Accepted, services
from recommender.catalogue.playlists import track_playlists
from recommender.catalogue.tracks import delete_track, find_track, list_tracks
from recommender.errors import UnreadableFolder
from recommender.jobs.ledger import enqueue
from recommender.records.jobs import JobKind
from recommender.sources.folder import is_there, resolve_in_roots

blueprint = APIBlueprint("tracks", __name__, tag="tracks")


@blueprint.get("/tracks")
@blueprint.input(TrackListQuery, location="query", unknown=RAISE)
@blueprint.output(TrackListSchema)
def get_tracks(query_data: dict[str, Any]) -> dict[str, Any]:
    """List tracks, or search for a title or artist."""
    limit = query_data["limit"]
    with services().database.read_session() as session:
        found = list_tracks(
            session,
            after_id=query_data["after_id"],
            limit=limit + 1,
            query=query_data.get("query"),
            heard_in_part=query_data["heard_in_part"],
        )
    page = found[:limit]
    return {"tracks": page, "next_after_id": page[-1].id if len(found) > limit else None}


@blueprint.post("/tracks")
@blueprint.input(PathSchema, location="json")
@blueprint.output(AcceptedSchema, status_code=202)
@blueprint.doc(responses=describe_problems(403, 404, 415, 422))
def post_track(json_data: dict[str, Any]) -> Accepted:
    """Add the audio under a path of a library root; folders in it become playlists where they are named."""
    ours = services()
    path = resolve_in_roots(Path(json_data["path"]), ours.library_roots())
    if not is_there(path):
        raise UnreadableFolder("there is nothing under this path")
    asked: dict[str, Any] = {"path": str(path)}
    if json_data.get("playlists"):
        asked |= {"as_playlists": True, "folders": json_data["playlists"], "group": json_data.get("group")}
    return ours.accept(lambda session: enqueue(session, JobKind.SCAN, asked))


@blueprint.get("/tracks/<int:track_id>")
@blueprint.output(TrackDetailSchema)
def get_track(track_id: int) -> dict[str, Any]:
    """Show a track and the playlists that hold it."""
    with services().database.read_session() as session:
        track = find_track(session, track_id)
        playlists = track_playlists(session, track_id)
    return asdict(track) | {"playlists": playlists}


@blueprint.delete("/tracks/<int:track_id>")
@blueprint.output(AcceptedSchema, status_code=202)
def remove_track(track_id: int) -> Accepted:
    """Forget a track; the model is fitted again without it. A later scan may find its file again."""

    def queue_job(session: Any) -> int:
        delete_track(session, track_id)
        return enqueue(session, JobKind.REFIT, {"reason": f"track {track_id} was removed"})

    return services().accept(queue_job)
