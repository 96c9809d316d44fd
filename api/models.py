"""``/models``: trained bundles, their reports, and putting one back in service."""

from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint

from api.problems import describe_problems
from api.schemas import ModelListSchema, PromotedSchema, ReportSchema
from api.services import services
from recommender.bundle import read_bundle, read_report
from recommender.catalogue import get_bundle, list_bundles, promote_bundle
from recommender.records import BundleInfo
from recommender.served import NoModel

blueprint = APIBlueprint("models", __name__, tag="models")


@blueprint.get("/models")
@blueprint.output(ModelListSchema)
def get_models() -> dict[str, Any]:
    """List the trained bundles, newest first."""
    with services().database.read_session() as session:
        bundles = list_bundles(session)
    serving = _serving_id()
    return {"models": [_shown(bundle, serving) for bundle in bundles]}


@blueprint.get("/models/<model_id>/report")
@blueprint.output(ReportSchema)
@blueprint.doc(responses=describe_problems(404, 409))
def get_report(model_id: str) -> dict[str, Any]:
    """Show how a bundle was fitted and judged."""
    with services().database.read_session() as session:
        bundle = get_bundle(session, model_id)
    return {"id": bundle.id, "report": read_report(bundle.directory)}


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


def _serving_id() -> str | None:
    try:
        return services().holder.current().bundle.bundle_id
    except NoModel:
        return None


def _shown(bundle: BundleInfo, serving: str | None) -> dict[str, Any]:
    return asdict(bundle) | {"serving": bundle.id == serving, "encoder": bundle.summary.get("encoder")}
