"""``/healthz``, ``/readyz`` and ``/metrics``: for those who keep the server running."""

from typing import Any

from apiflask import APIBlueprint
from flask import Response

from api.metrics import MIMETYPE, Labels
from api.problems import ProblemError, describe_problems
from api.schemas.operations import HealthSchema, ReadySchema
from api.services import services
from api.version import VERSION
from recommender.catalogue.models import catalogue_counts, current_bundle
from recommender.model.in_service import NoModel
from recommender.records.models import CatalogueCounts

blueprint = APIBlueprint("operations", __name__, tag="operations")
_TEXT: dict[int | str, dict[str, str | dict[str, dict[str, Any]]]] = {
    200: {"description": "Counters", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


@blueprint.get("/healthz")
@blueprint.output(HealthSchema)
def healthz() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok", "version": VERSION}


@blueprint.get("/readyz")
@blueprint.output(ReadySchema)
@blueprint.doc(responses=describe_problems(503))
def readyz() -> dict[str, Any]:
    """Say whether requests can be served: the database answers, and which model is in service."""
    ours = services()
    try:
        with ours.database.read_session() as session:
            champion = current_bundle(session)
    except Exception as error:  # whatever the driver raises, the answer is the same
        raise ProblemError(
            "not_ready", "The database does not answer.", checks={"database": type(error).__name__}
        ) from error
    try:
        serving = ours.holder.current().bundle.bundle_id
    except NoModel:
        serving = None
    return {
        "ready": True,
        "checks": {"database": "ok", "model": _model_state(serving, champion.id if champion else None)},
    }


@blueprint.get("/metrics")
@blueprint.doc(responses=_TEXT)
def metrics() -> Response:
    """Counters in Prometheus' text format."""
    ours = services()
    with ours.database.read_session() as session:
        counts = catalogue_counts(session)
        champion = current_bundle(session)
    gauges = _gauges(counts)
    gauges["whichlist_model_info"] = {(("id", champion.id),): 1.0} if champion else {}
    return Response(ours.metrics.render(gauges), content_type=MIMETYPE)


def _model_state(serving: str | None, champion: str | None) -> str:
    if serving is None:
        return "none yet: add a playlist" if champion is None else f"{champion} cannot be read"
    return serving if champion in (None, serving) else f"{serving}, because {champion} cannot be read yet"


def _gauges(counts: CatalogueCounts) -> dict[str, dict[Labels, float]]:
    plain = {
        "whichlist_tracks": counts.n_tracks,
        "whichlist_playlists": counts.n_playlists,
        "whichlist_failed_files": counts.n_failed_files,
        "whichlist_models": counts.n_bundles,
    }
    gauges: dict[str, dict[Labels, float]] = {name: {(): float(n)} for name, n in plain.items()}
    gauges["whichlist_jobs"] = {(("state", state),): float(n) for state, n in counts.n_jobs.items()}
    return gauges
