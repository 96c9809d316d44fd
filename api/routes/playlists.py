"""``/playlists``: what a track may fit."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from apiflask import APIBlueprint
from marshmallow import RAISE

from api.problems import describe_problems
from api.schemas.jobs import AcceptedSchema
from api.schemas.playlists import (
    NewPlaylistSchema,
    PlaylistChangeSchema,
    PlaylistDetailSchema,
    PlaylistListQuery,
    PlaylistListSchema,
)
from api.services import Accepted, services
from recommender.catalogue.models import current_bundle
from recommender.catalogue.playlists import (
    create_playlist,
    delete_playlist,
    find_playlist,
    get_playlist,
    list_playlists,
    playlist_tracks,
    rename_playlist,
    set_members,
)
from recommender.catalogue.tracks import tracks_by_id
from recommender.errors import NoSuchPlaylist, NoSuchTrack, PlaylistExists, UnreadableSource
from recommender.jobs.ledger import enqueue
from recommender.records.jobs import JobKind
from recommender.records.playlists import EDITED
from recommender.sources.folder import resolve_in_roots
from recommender.sources.references import FORMS, is_source_reference, usual_group

blueprint = APIBlueprint("playlists", __name__, tag="playlists")


@blueprint.get("/playlists")
@blueprint.input(PlaylistListQuery, location="query", unknown=RAISE)
@blueprint.output(PlaylistListSchema)
def get_playlists(query_data: dict[str, Any]) -> dict[str, Any]:
    """List the playlists."""
    with services().database.read_session() as session:
        return {"playlists": list_playlists(session, group=query_data.get("group"))}


@blueprint.post("/playlists")
@blueprint.input(NewPlaylistSchema, location="json")
@blueprint.output(AcceptedSchema, status_code=202)
@blueprint.doc(responses=describe_problems(403, 409, 415, 422))
def post_playlist(json_data: dict[str, Any]) -> Accepted:
    """Make a playlist of tracks, of the audio in a folder, or of a server's; it counts once its job ended."""
    ours = services()
    json_data.setdefault("group", usual_group(json_data.get("source", "")))
    if "track_ids" in json_data:
        return ours.accept(lambda session: _make_of_tracks(session, json_data))
    if "source" in json_data:
        reference = json_data["source"]
        if not is_source_reference(reference):
            raise UnreadableSource(f"{reference[:100]!r} names no source; these do: {FORMS}")
        payload = {"name": json_data["name"], "group": json_data["group"], "reference": reference}
        return ours.accept(lambda session: enqueue(session, JobKind.IMPORT_PLAYLIST, payload))
    folder = resolve_in_roots(Path(json_data["folder"]), ours.library_roots())
    asked = json_data | {"folder": str(folder)}

    def queue_job(session: Any) -> int:
        _refuse_existing(session, name=asked["name"], group=asked["group"])
        return enqueue(session, JobKind.ADD_PLAYLIST, asked)

    return ours.accept(queue_job)


@blueprint.get("/playlists/<int:playlist_id>")
@blueprint.output(PlaylistDetailSchema)
def get_one(playlist_id: int) -> dict[str, Any]:
    """Show a playlist and its tracks, in order."""
    with services().database.read_session() as session:
        playlist = get_playlist(session, playlist_id)
        track_ids = playlist_tracks(session, playlist_id)
        tracks = tracks_by_id(session, track_ids)
    return asdict(playlist) | {"tracks": [tracks[track_id] for track_id in track_ids]}


@blueprint.put("/playlists/<int:playlist_id>")
@blueprint.input(PlaylistChangeSchema, location="json")
@blueprint.output(AcceptedSchema, status_code=202)
@blueprint.doc(responses=describe_problems(404, 409, 415))
def put_playlist(playlist_id: int, json_data: dict[str, Any]) -> Accepted:
    """Rename a playlist, or replace its tracks; the model is fitted again."""

    def queue_job(session: Any) -> int:
        playlist = get_playlist(session, playlist_id)
        if "name" in json_data:
            rename_playlist(session, playlist_id, json_data["name"])
        if "track_ids" in json_data:
            _refuse_unknown_tracks(session, json_data["track_ids"])
            set_members(session, playlist_id, json_data["track_ids"], source=EDITED)
        return enqueue(session, JobKind.REFIT, {"reason": f"the playlist {playlist.name!r} was changed"})

    return services().accept(queue_job)


@blueprint.delete("/playlists/<int:playlist_id>")
@blueprint.output(AcceptedSchema, status_code=202)
def remove_playlist(playlist_id: int) -> Accepted:
    """Remove a playlist; its tracks stay in the catalogue, and the model is fitted again without it."""

    def queue_job(session: Any) -> int:
        playlist = get_playlist(session, playlist_id)
        delete_playlist(session, playlist_id)
        return enqueue(session, JobKind.REFIT, {"reason": f"the playlist {playlist.name!r} was removed"})

    return services().accept(queue_job)


def _make_of_tracks(session: Any, asked: dict[str, Any]) -> int:
    """Make the playlist at once; the job only fits the model, or makes the first one."""
    name, group = asked["name"], asked["group"]
    _refuse_existing(session, name=name, group=group)
    _refuse_unknown_tracks(session, asked["track_ids"])
    try:
        playlist = create_playlist(session, name=name, group=group, source=EDITED)
    except PlaylistExists:  # an empty one, left by a failed attempt
        playlist = find_playlist(session, name, group=group)
    set_members(session, playlist.id, asked["track_ids"], source=EDITED)
    if current_bundle(session) is None:
        return enqueue(session, JobKind.SCAN, {})  # uploads of before the first model were not heard yet
    return enqueue(session, JobKind.REFIT, {"reason": f"the playlist {name!r} was added"})


def _refuse_existing(session: Any, *, name: str, group: str) -> None:
    """A playlist without tracks is what a failed attempt leaves; it may be tried again."""
    try:
        playlist = find_playlist(session, name, group=group)
    except NoSuchPlaylist:
        return
    if playlist.n_tracks:
        raise PlaylistExists(f"the group {group!r} already has a playlist {name!r}")


def _refuse_unknown_tracks(session: Any, track_ids: list[int]) -> None:
    unknown = sorted(set(track_ids) - tracks_by_id(session, track_ids).keys())
    if unknown:
        raise NoSuchTrack(f"no track in the catalogue has the id {unknown[0]}")
