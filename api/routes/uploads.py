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
from api.schemas.answers import KeptTrackSchema, UploadSchema
from api.services import services
from recommender.audio_files.uploads import keep_upload
from recommender.model.in_service import NoModel

blueprint = APIBlueprint("uploads", __name__, tag="tracks")


@blueprint.post("/uploads")
@blueprint.input(UploadSchema, location="files")
@blueprint.output(KeptTrackSchema, status_code=201)
@blueprint.doc(responses=describe_problems(409, 413, 415, 422, 507))
def post_upload(files_data: dict[str, FileStorage]) -> tuple[Any, int, dict[str, str]]:
    """Keep an uploaded file as a track of the catalogue; sent again, it is the same track."""
    ours = services()
    try:
        model = ours.holder.current()
    except NoModel:
        model = None  # the first playlist may be made of uploads: its job hears them
    with received(files_data["file"]) as (path, name):
        track = keep_upload(ours.database, ours.settings, model, path, name=name)
    return track, 201, {"Location": url_for("tracks.get_track", track_id=track.id)}


@contextmanager
def received(upload: FileStorage) -> Iterator[tuple[Path, str]]:
    """Hold an upload as a temporary file; its own name is told, and never reaches the disk."""
    name = Path((upload.filename or "").replace("\\", "/")).name or "upload"
    with tempfile.TemporaryDirectory(prefix="whichlist-") as folder:
        path = Path(folder) / "upload"
        upload.save(path)
        yield path, name
