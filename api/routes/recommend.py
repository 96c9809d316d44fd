"""``/recommend``: which playlists a track fits."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apiflask import APIBlueprint
from flask import Response, current_app
from marshmallow import RAISE
from werkzeug.datastructures import FileStorage

from api.problems import describe_problems
from api.schemas.answers import AskSchema, AskTrackSchema, RecommendationSchema, UploadSchema
from api.services import services
from recommender.answering.answer import Recommendation
from recommender.answering.question import ask_by_file, ask_by_reference
from recommender.answering.ranking import RankingOptions
from recommender.matching.spotify_links import link_resolver
from recommender.sources.web.audio_urls import audio_fetcher

blueprint = APIBlueprint("recommend", __name__, tag="recommend")


@blueprint.get("/recommend")
@blueprint.input(AskTrackSchema, location="query", unknown=RAISE)
@blueprint.output(RecommendationSchema)
@blueprint.doc(responses=describe_problems(403, 404, 409, 422, 502))
def recommend_track(query_data: dict[str, Any]) -> Response:
    """Rank the playlists that a track of the library fits."""
    ours = services()
    model = ours.shelf.get(query_data.get("model"))
    answer = ask_by_reference(
        ours.database,
        model,
        query_data["track"],
        options=_options(query_data),
        library_roots=ours.library_roots,
        fetch=audio_fetcher(ours.settings, ours.web),
        resolve_spotify=link_resolver(ours.settings, ours.database, lambda: ours.web),
    )
    return _sent(answer)


@blueprint.post("/recommend")
@blueprint.input(AskSchema, location="query", unknown=RAISE)
@blueprint.input(UploadSchema, location="files")
@blueprint.output(RecommendationSchema)
@blueprint.doc(responses=describe_problems(404, 409, 413, 415, 422))
def recommend_upload(query_data: dict[str, Any], files_data: dict[str, FileStorage]) -> Response:
    """Rank the playlists that an uploaded file fits; the file is not kept."""
    ours = services()
    model = ours.shelf.get(query_data.get("model"))
    upload = files_data["file"]
    name = Path((upload.filename or "").replace("\\", "/")).name or "upload"
    with tempfile.TemporaryDirectory(prefix="whichlist-") as folder:
        path = Path(folder) / "upload"  # nothing of the caller's name reaches the disk
        upload.save(path)
        return _sent(ask_by_file(ours.database, model, path, options=_options(query_data), name=name))


def _sent(answer: Recommendation) -> Response:
    """Return the answer as JSON, in the order of its schema.

    Written from its own values: copied into dictionaries and once more by the schema, an answer about fifty
    playlists cost more than being found.
    """
    plain = {name: getattr(answer, name) for name in RecommendationSchema().fields}
    text = current_app.json.dumps(plain, default=vars, separators=(",", ":"))
    return Response(f"{text}\n", mimetype="application/json")


def _options(asked: Mapping[str, Any]) -> RankingOptions:
    return RankingOptions(
        promise=services().settings.promise,
        group=asked.get("group"),
        top=asked.get("top"),
        n_nearest=asked["neighbours"],
        segments=asked["segments"],
    )
