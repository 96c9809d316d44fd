"""``/models``: trained bundles, their reports, and putting one back in service."""

from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request
from marshmallow import RAISE

from api.problems import describe_problems
from api.schemas.comparison import CompareQuery, ComparisonSchema, ReportQuery
from api.schemas.jobs import AcceptedSchema
from api.schemas.models import ModelListSchema, PromotedSchema, ReportSchema
from api.services import Accepted, services
from recommender.catalogue.models import get_bundle, list_bundles, promote_bundle
from recommender.catalogue.verdicts import settled_memberships
from recommender.jobs.ledger import enqueue
from recommender.model.bundle import read_bundle, read_report
from recommender.model.comparison import compare_models
from recommender.model.in_service import NoModel
from recommender.model.scorecards import read_scorecard, read_scorecard_page
from recommender.records.jobs import JobKind
from recommender.records.models import BundleInfo

blueprint = APIBlueprint("models", __name__, tag="models")

_REPORTED: dict[int | str, dict[str, str | dict[str, dict[str, Any]]]] = {
    200: {"content": {"text/html": {}}},
    **{status: {"description": text} for status, text in describe_problems(404, 409).items()},
}
# These grow with the library: a page that lists playlists can do without.
_OF_EVERY_TRACK = frozenset({"tracks", "misclassified", "maps"})
# The page of a score card holds its styles and pictures, loads nothing and runs nothing.
_PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@blueprint.get("/models")
@blueprint.output(ModelListSchema)
def get_models() -> dict[str, Any]:
    """List the trained bundles, newest first."""
    with services().database.read_session() as session:
        bundles = list_bundles(session)
    serving = _serving_id()
    return {"models": [_shown(bundle, serving) for bundle in bundles]}


@blueprint.post("/models")
@blueprint.output(AcceptedSchema, status_code=202)
def train() -> Accepted:
    """Fit the encoder again on every playlist; the new model takes over only if it is clearly better."""
    return services().accept(lambda session: enqueue(session, JobKind.TRAIN, {}))


@blueprint.get("/models/compare")
@blueprint.input(CompareQuery, location="query", unknown=RAISE)
@blueprint.output(ComparisonSchema)
@blueprint.doc(responses=describe_problems(404))
def compare(query_data: dict[str, Any]) -> dict[str, Any]:
    """Show two models' score cards side by side, and how sure the difference is."""
    ours = services()
    return compare_models(ours.database, ours.settings, query_data["a"], query_data["b"])


@blueprint.get("/models/<model_id>/report")
@blueprint.input(ReportQuery, location="query", unknown=RAISE)
@blueprint.output(ReportSchema)
@blueprint.doc(responses=_REPORTED)
def get_report(model_id: str, query_data: dict[str, Any]) -> dict[str, Any] | Response:
    """Show how a bundle was fitted and judged; as a page, if that is preferred and it was judged."""
    ours = services()
    with ours.database.read_session() as session:
        bundle = get_bundle(session, model_id)
    page = read_scorecard_page(ours.settings, bundle.id) if _prefers_html() else None
    if page is not None:
        headers = {"Content-Security-Policy": _PAGE_POLICY, "Vary": "Accept"}
        return Response(page, mimetype="text/html", headers=headers)
    card = read_scorecard(ours.settings, bundle.id)
    if card is not None:
        with ours.database.read_session() as session:
            settled = settled_memberships(session)
        for group in (group for group in card["groups"] if "doubtful" in group):
            doubtful = group["doubtful"]
            group["doubtful"] = [row for row in doubtful if (row.get("id"), row["label"]) not in settled]
    if card is not None and not query_data["tracks"]:
        card["groups"] = [{k: v for k, v in g.items() if k not in _OF_EVERY_TRACK} for g in card["groups"]]
    return {"id": bundle.id, "report": read_report(bundle.directory), "scorecard": card}


@blueprint.post("/models/<model_id>/promote")
@blueprint.output(PromotedSchema)
@blueprint.doc(responses=describe_problems(404, 409))
def promote(model_id: str) -> dict[str, Any]:
    """Put a bundle in service, after verifying it; the one before is kept."""
    ours = services()
    with ours.database.read_session() as session:
        bundle = get_bundle(session, model_id)
    read_bundle(bundle.directory)
    with ours.database.session() as session:
        bundle = promote_bundle(session, model_id)
    ours.holder.refresh()
    return {"model": _shown(bundle, _serving_id())}


def _prefers_html() -> bool:
    """Whether the caller would rather have a page than JSON, which is what it gets when it does not say."""
    offered = ["application/json", "text/html"]
    return request.accept_mimetypes.best_match(offered) == "text/html"


def _serving_id() -> str | None:
    try:
        return services().holder.current().bundle.bundle_id
    except NoModel:
        return None


def _shown(bundle: BundleInfo, serving: str | None) -> dict[str, Any]:
    return asdict(bundle) | {"serving": bundle.id == serving, "encoder": bundle.summary.get("encoder")}
