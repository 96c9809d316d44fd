"""``/playlists/{id}/matches``: what the rows of an imported playlist were matched with."""

from typing import Any

from apiflask import APIBlueprint

from api.problems import describe_problems
from api.schemas.matches import DecisionSchema, MatchReportSchema, SettledSchema
from api.services import services
from recommender.catalogue.imported_rows import match_report
from recommender.jobs.ledger import get_job
from recommender.jobs.queue import wake
from recommender.matching.corrections import Choice, describe_report, describe_rows, settle_row

blueprint = APIBlueprint("matches", __name__, tag="playlists")


@blueprint.get("/playlists/<int:playlist_id>/matches")
@blueprint.output(MatchReportSchema)
@blueprint.doc(responses=describe_problems(404))
def get_matches(playlist_id: int) -> dict[str, Any]:
    """Show what each row of an imported playlist asked for, which track it is, and how sure that is."""
    with services().database.read_session() as session:
        return describe_report(session, match_report(session, playlist_id))


@blueprint.put("/playlists/<int:playlist_id>/matches/<int:row>")
@blueprint.input(DecisionSchema, location="json")
@blueprint.output(SettledSchema)
@blueprint.doc(responses=describe_problems(404, 415))
def put_match(playlist_id: int, row: int, json_data: dict[str, Any]) -> dict[str, Any]:
    """Say what a row means; it is remembered, and applied whenever such a row is imported again."""
    ours = services()
    with ours.database.session() as session:
        settled = settle_row(
            session,
            playlist_id,
            row,
            Choice(json_data["decision"]),
            track_id=json_data.get("track_id"),
            allow_spotify=ours.settings.spotify_training == "allow",
        )
        (shown,) = describe_rows(session, (settled.row,))
        job = None if settled.job_id is None else get_job(session, settled.job_id)
    if job is not None:
        wake(ours.settings)
    return {"row": shown, "job": job}
