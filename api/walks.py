"""``/path``: a walk from one track to another through the embedding space."""

from typing import Any

from apiflask import APIBlueprint
from marshmallow import RAISE

from api.answer_schemas import WalkQuery, WalkSchema
from api.problems import describe_problems
from api.services import services
from recommender.walking import walk_between

blueprint = APIBlueprint("walks", __name__, tag="recommend")


@blueprint.get("/path")
@blueprint.input(WalkQuery, location="query", unknown=RAISE)
@blueprint.output(WalkSchema)
@blueprint.doc(responses=describe_problems(403, 404, 409, 422))
def get_path(query_data: dict[str, Any]) -> dict[str, Any]:
    """Lead from one track of the library to another in small steps, no track twice."""
    ours = services()
    model = ours.holder.current()
    return walk_between(
        ours.database,
        model,
        query_data["start"],
        query_data["end"],
        length=query_data["length"],
        library_roots=ours.library_roots,
    ).to_dict()
