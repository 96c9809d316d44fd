"""``/uploads``: keep a file as a track of the catalogue."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from apiflask import APIBlueprint
from flask import url_for
from werkzeug.datastructures import FileStorage

from api.problems import describe_problems
from api.schemas.answers import KeepSchema, KeptTrackSchema
from api.services import services
from recommender.audio_files.uploads import keep_upload
from recommender.catalogue.playlists import get_playlist
from recommender.jobs.queue import wake
from recommender.model.in_service import NoModel
from recommender.playlists.members import add_tracks, queue_learning

blueprint = APIBlueprint("uploads", __name__, tag="tracks")


@blueprint.post("/uploads")
@blueprint.input(KeepSchema, location="form_and_files")
@blueprint.output(KeptTrackSchema, status_code=201)
@blueprint.doc(responses=describe_problems(404, 409, 413, 415, 422, 507))
def post_upload(form_and_files_data: dict[str, Any]) -> tuple[Any, int, dict[str, str]]:
    """Keep an uploaded file as a track of the catalogue; sent again, it is the same track.

    With ``playlist_id`` it joins that playlist at once, which is learnt in the background.
    """
    ours, playlist_id = services(), form_and_files_data.get("playlist_id")
    if playlist_id is not None:
        with ours.database.read_session() as session:
            get_playlist(session, playlist_id)
    try:
        model = ours.holder.current()
    except NoModel:
        model = None  # the first playlist may be made of uploads: its job hears them
    with received(form_and_files_data["file"]) as (path, name):
        track = keep_upload(ours.database, ours.settings, model, path, name=name, apart=ours.apart)
    if playlist_id is not None:
        with ours.database.session() as session:
            name = get_playlist(session, playlist_id).name
            if add_tracks(session, playlist_id, [track.id]):
                queue_learning(session, f"songs were added to {name!r}")
        wake(ours.settings)
    return track, 201, {"Location": url_for("tracks.get_track", track_id=track.id)}


@contextmanager
def received(upload: FileStorage) -> Iterator[tuple[Path, str]]:
    """Hold an upload as a temporary file; its own name is told, and never reaches the disk."""
    name = Path((upload.filename or "").replace("\\", "/")).name or "upload"
    with tempfile.TemporaryDirectory(prefix="whichlist-") as folder:
        path = Path(folder) / "upload"
        upload.save(path)
        yield path, name
