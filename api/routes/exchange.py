"""``/playlists/import`` and ``/playlists/{id}/export``: playlists in from files, and out to files."""

from typing import Any
from urllib.parse import quote

from apiflask import APIBlueprint
from flask import Response, url_for
from marshmallow import RAISE
from werkzeug.datastructures import FileStorage

from api.problems import ProblemError, describe_problems
from api.schemas.exchange import ExportQuery, ImportedSchema, PlaylistUploadSchema
from api.services import services
from recommender.jobs.ledger import get_job
from recommender.jobs.queue import wake
from recommender.playlists.file_exchange import describe_import, import_from_file, playlist_for_export
from recommender.playlists.library_hints import LibraryHints
from recommender.playlists.members import IfExists
from recommender.sources.files.csv_columns import CHOSEN, parse_columns
from recommender.sources.files.csv_exports import TablePreview, UnknownColumns
from recommender.sources.files.reading import choose_playlist, read_playlists
from recommender.sources.files.writing import MEDIA_TYPES, PlaylistFormat, write_playlist
from recommender.sources.rows.names import clean_text

_FILE: dict[Any, Any] = {200: {"description": "The playlist as a file", "content": {"*/*": {}}}}
N_LEFT_OUT = 200
blueprint = APIBlueprint("playlist_exchange", __name__, tag="playlists")


@blueprint.post("/playlists/import")
@blueprint.input(PlaylistUploadSchema, location="form_and_files")
@blueprint.output(ImportedSchema, status_code=202)
@blueprint.doc(responses=describe_problems(409, 413, 415, 422))
def post_playlist_file(form_and_files_data: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Make a playlist of the rows of a playlist file that name tracks of the library."""
    ours, asked = services(), form_and_files_data
    upload: FileStorage = asked["file"]
    hints = LibraryHints(ours.database)
    columns = parse_columns(asked["columns"]) if "columns" in asked else None
    try:
        found = read_playlists(
            upload.read(), name=upload.filename or "playlist", hints=hints, columns=columns
        )
    except UnknownColumns as error:
        raise ProblemError(error.code, str(error), table=_show_table(error.preview)) from error
    playlist = choose_playlist(found, asked.get("playlist") or None)
    imported = import_from_file(
        ours.database,
        playlist,
        name=asked.get("name") or playlist.name[:200],
        group=asked["group"],
        allow_spotify=ours.settings.spotify_training == "allow",
        if_exists=IfExists(asked["if_exists"]),
    )
    hints.keep()
    place = url_for("playlists.get_one", playlist_id=imported.report.playlist.id)
    answer = describe_import(imported.report, n_left_out=N_LEFT_OUT) | {
        "playlist": imported.report.playlist,
        "job": None,
    }
    if imported.job_id is not None:
        wake(ours.settings)
        with ours.database.read_session() as session:
            answer["job"] = get_job(session, imported.job_id)
        place = url_for("jobs.get_one", job_id=imported.job_id)
    return answer, 202, {"Location": place}


@blueprint.get("/playlists/<int:playlist_id>/export")
@blueprint.input(ExportQuery, location="query", unknown=RAISE)
@blueprint.doc(responses=_FILE | describe_problems(404, 422))
def get_playlist_file(playlist_id: int, query_data: dict[str, Any]) -> Response:
    """Download a playlist as a file, for players and other programs."""
    with services().database.read_session() as session:
        playlist = playlist_for_export(session, playlist_id)
    written_as = PlaylistFormat(query_data["format"])
    response = Response(write_playlist(playlist, written_as), content_type=MEDIA_TYPES[written_as])
    name = quote(f"{clean_text(playlist.name).replace('/', '_')}.{written_as.suffix}", safe="")
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    return response


def _show_table(preview: TablePreview) -> dict[str, Any]:
    """The first rows of a table for somebody to say what its columns hold; ``guess`` counts from 1."""
    guess = {column: place + 1 for column, place in preview.guess.items() if column in CHOSEN}
    return {"head": preview.head, "rows": preview.rows, "guess": guess, "columns": CHOSEN}
