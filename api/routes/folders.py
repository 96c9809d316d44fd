"""``/folders``: what lies below the music folders, and which of it looks like a playlist."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from apiflask import APIBlueprint
from apiflask.fields import Integer, List, Nested
from apiflask.validators import OneOf
from marshmallow import RAISE

from api.problems import describe_problems
from api.schemas.base import Strict, place_field, text_field
from api.services import services
from recommender.catalogue.files import display_path
from recommender.catalogue.playlists import mirrored_folders
from recommender.errors import UnreadableFolder
from recommender.sources.folder import is_folder, resolve_in_roots
from recommender.sources.library_survey import FolderKind, survey_library

blueprint = APIBlueprint("folders", __name__, tag="tracks")


class FoldersQuery(Strict):
    """Which folder to look into."""

    path = place_field(metadata={"description": "A folder below a library root."})


class FolderSchema(Strict):
    """A folder: how many files it holds, and what it looks like; ``n_artists`` are those of a few files."""

    name = text_field()
    path = text_field()
    n_files = Integer(required=True)
    n_artists = Integer(required=True)
    kind = text_field(validate=OneOf([kind.value for kind in FolderKind]))


class FolderListSchema(Strict):
    """Folders, by name; those that are playlists already are left out."""

    roots = List(text_field(), required=True)
    folders = List(Nested(FolderSchema), required=True)


@blueprint.get("/folders")
@blueprint.input(FoldersQuery, location="query", unknown=RAISE)
@blueprint.output(FolderListSchema)
@blueprint.doc(responses=describe_problems(403, 404, 422))
def get_folders(query_data: dict[str, Any]) -> dict[str, Any]:
    """Look at the folders below a music folder, or below all of them: which look like playlists?"""
    ours = services()
    roots = [root for root in ours.library_roots() if root != ours.settings.uploads_directory]
    path = query_data.get("path")
    places = [resolve_in_roots(Path(path), roots)] if path else [root for root in roots if root.is_dir()]
    if not all(map(is_folder, places)):
        raise UnreadableFolder("there is no folder under this path")
    with ours.database.read_session() as session:
        mirrored = set(mirrored_folders(session).values())
    found = [folder for place in places for folder in survey_library(place, but_not=mirrored)]
    shown = [asdict(folder) | {"name": folder.name, "path": display_path(folder.path)} for folder in found]
    return {"roots": [display_path(root) for root in roots], "folders": shown}
