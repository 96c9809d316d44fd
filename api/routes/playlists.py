"""``/playlists``: what a track may fit."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from apiflask import APIBlueprint
from marshmallow import RAISE

from api.problems import describe_problems
from api.schemas.jobs import AcceptedSchema
from api.schemas.playlists import (
    ChangedMembersSchema,
    MembersSchema,
    NewPlaylistSchema,
    PlaylistChangeSchema,
    PlaylistDetailSchema,
    PlaylistListQuery,
    PlaylistListSchema,
    SyncSchema,
)
from api.services import Accepted, services
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
from recommender.errors import NoSuchTrack, PlaylistExists, UnreadableFolder, UnreadableSource
from recommender.jobs.ledger import enqueue, get_job
from recommender.jobs.queue import wake
from recommender.playlists.following import queue_sync
from recommender.playlists.members import (
    IfExists,
    add_tracks,
    find_filled,
    find_named,
    queue_learning,
    refuse_taken,
    take_out_tracks,
)
from recommender.records.jobs import JobKind
from recommender.records.playlists import EDITED, PlaylistInfo
from recommender.sources.folder import is_folder, resolve_in_roots
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
@blueprint.doc(responses=describe_problems(403, 404, 409, 415, 422))
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
    if not is_folder(folder):
        raise UnreadableFolder("there is no folder under this path")
    asked = json_data | {"folder": str(folder)}

    def queue_job(session: Any) -> int:
        filled = _refuse_existing(session, asked)
        choice = {"if_exists": asked["if_exists"]} if filled is not None else {}
        payload = {name: asked[name] for name in ("name", "folder", "group")}
        return enqueue(session, JobKind.ADD_PLAYLIST, payload | choice)

    return ours.accept(queue_job)


@blueprint.post("/playlists/sync")
@blueprint.input(SyncSchema, location="json")
@blueprint.output(AcceptedSchema, status_code=202)
@blueprint.doc(responses=describe_problems(404, 409, 415))
def post_sync(json_data: dict[str, Any]) -> Accepted:
    """Read playlists again where they came from: what is new is added, what went is said."""
    ids, take_out = json_data.get("playlists"), json_data["take_out"]
    return services().accept(lambda session: queue_sync(session, ids, take_out=take_out))


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
    filled = _refuse_existing(session, asked)
    _refuse_unknown_tracks(session, asked["track_ids"])
    if filled is not None and asked["if_exists"] == IfExists.ADD:
        add_tracks(session, filled.id, asked["track_ids"])
        return queue_learning(session, f"songs were added to {name!r}")
    try:
        playlist = create_playlist(session, name=name, group=group, source=EDITED)
    except PlaylistExists:
        playlist = find_playlist(session, name, group=group)
    set_members(session, playlist.id, asked["track_ids"], source=EDITED)
    return queue_learning(session, f"the playlist {name!r} was added")


def _refuse_existing(session: Any, asked: dict[str, Any]) -> PlaylistInfo | None:
    """The playlist that has the name already and may be changed; None where it is free.

    An empty one that a page has just begun, and fills file by file, has its name already.
    """
    find = find_named if "track_ids" in asked else find_filled
    filled = find(session, asked["name"], group=asked["group"])
    if filled is not None and asked["if_exists"] == IfExists.REFUSE:
        refuse_taken(filled)
    return filled


@blueprint.post("/playlists/<int:playlist_id>/tracks")
@blueprint.input(MembersSchema, location="json")
@blueprint.output(ChangedMembersSchema)
@blueprint.doc(responses=describe_problems(404, 415))
def add_members(playlist_id: int, json_data: dict[str, Any]) -> dict[str, Any]:
    """Put tracks into a playlist, at its end; it is your word, which outlasts scans and imports."""
    return _change_members(playlist_id, json_data["track_ids"], add_tracks)


@blueprint.delete("/playlists/<int:playlist_id>/tracks")
@blueprint.input(MembersSchema, location="json")
@blueprint.output(ChangedMembersSchema)
@blueprint.doc(responses=describe_problems(404, 415))
def take_out_members(playlist_id: int, json_data: dict[str, Any]) -> dict[str, Any]:
    """Take tracks out of a playlist, and keep them out, whatever its folder or an import says."""
    return _change_members(playlist_id, json_data["track_ids"], take_out_tracks)


def _change_members(
    playlist_id: int, track_ids: list[int], change: Callable[[Any, int, list[int]], int]
) -> dict[str, Any]:
    ours = services()
    with ours.database.session() as session:
        playlist = get_playlist(session, playlist_id)
        _refuse_unknown_tracks(session, track_ids)
        n_changed = change(session, playlist_id, track_ids)
        reason = f"songs of {playlist.name!r} were changed"
        job_id = queue_learning(session, reason) if n_changed else None
        playlist = get_playlist(session, playlist_id)
        job = None if job_id is None else get_job(session, job_id)
    if job is not None:
        wake(ours.settings)
    return {"n_changed": n_changed, "playlist": playlist, "job": job}


def _refuse_unknown_tracks(session: Any, track_ids: list[int]) -> None:
    unknown = sorted(set(track_ids) - tracks_by_id(session, track_ids).keys())
    if unknown:
        raise NoSuchTrack(f"no track in the catalogue has the id {unknown[0]}")
