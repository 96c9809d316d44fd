"""``/map`` and ``/path``: the library as points on a plane, and a walk from one track to another."""

from typing import Any

from apiflask import APIBlueprint
from marshmallow import RAISE

from api.problems import describe_problems
from api.schemas.answers import WalkQuery, WalkSchema
from api.schemas.library_map import MapQuery, MapSchema
from api.services import services
from recommender.answering.ranking import choose_group
from recommender.answering.walk import walk_between
from recommender.catalogue.playlists import find_group, group_members, list_playlists
from recommender.catalogue.tracks import tracks_by_id

blueprint = APIBlueprint("library_map", __name__, tag="tracks")

_DIGITS = 4


@blueprint.get("/map")
@blueprint.input(MapQuery, location="query", unknown=RAISE)
@blueprint.output(MapSchema)
@blueprint.doc(responses=describe_problems(404, 409))
def get_map(query_data: dict[str, Any]) -> dict[str, Any]:
    """Show where every heard track lies among the others, and which playlist of a group holds it."""
    ours = services()
    model = ours.holder.current()
    name = query_data.get("group") or choose_group(model.bundle.groups, None).group_name
    drawn = ours.maps.current(model)
    ids = drawn.track_ids.tolist()
    with ours.database.read_session() as session:
        members = group_members(session, find_group(session, name).id, allow_spotify=True)
        playlists = list_playlists(session, group=name)
        tracks = tracks_by_id(session, ids)
    place = {member.track_id: member.playlist_id for member in reversed(members)}
    rows = [row for row, track_id in enumerate(ids) if track_id in tracks]  # one may be gone by now
    shown = [tracks[ids[row]] for row in rows]
    return {
        "group": name,
        "method": drawn.method,
        "playlists": playlists,
        "ids": [track.id for track in shown],
        "x": [round(float(drawn.points[row, 0]), _DIGITS) for row in rows],
        "y": [round(float(drawn.points[row, 1]), _DIGITS) for row in rows],
        "playlist_ids": [place.get(track.id) for track in shown],
        "titles": [track.title for track in shown],
        "artists": [track.artist for track in shown],
    }


@blueprint.get("/path")
@blueprint.input(WalkQuery, location="query", unknown=RAISE)
@blueprint.output(WalkSchema)
@blueprint.doc(responses=describe_problems(403, 404, 409, 422), tags=["recommend"])
def get_path(query_data: dict[str, Any]) -> dict[str, Any]:
    """Lead from one track of the library to another in small steps, no track twice."""
    ours = services()
    model = ours.holder.current()
    return walk_between(
        ours.database,
        model,
        query_data["start"],
        query_data["end"],
        length=query_data["length"],
        library_roots=ours.library_roots,
    ).to_dict()
