"""``/sort``: new songs, where each would go, and what a person decides of them."""

from typing import Any

from apiflask import APIBlueprint
from flask import url_for

from api.problems import describe_problems
from api.routes.uploads import received
from api.schemas.feeds import KnownFeedSchema
from api.schemas.sort import (
    ArrivedFileSchema,
    ArrivedSchema,
    BatchListSchema,
    BatchSchema,
    DecidedSchema,
    DecisionsSchema,
    NewBatchSchema,
)
from api.services import services
from embeddings.errors import EmbeddingError
from recommender.audio_files.uploads import keep_upload
from recommender.catalogue.decisions import count_waiting
from recommender.catalogue.feeds import list_feeds
from recommender.catalogue.playlists import find_group
from recommender.jobs.ledger import get_job
from recommender.jobs.queue import wake
from recommender.model.in_service import NoModel, ServedModel
from recommender.records.feeds import DROP
from recommender.sorting.batch import Batch, read_batch
from recommender.sorting.decisions import DecisionKind, Wish, decide
from recommender.sorting.drops import find_drop, open_drop, take_refusal, take_track

blueprint = APIBlueprint("sort", __name__, tag="sort")


@blueprint.get("/sort")
@blueprint.output(BatchListSchema)
def get_batches() -> dict[str, Any]:
    """List what can be sorted, newest first: what was dropped, and every feed."""
    with services().database.read_session() as session:
        feeds, waiting = list_feeds(session), count_waiting(session)
    batches = [vars(feed) | {"n_waiting": waiting.get(feed.id, 0)} for feed in feeds]
    dropped = sum(batch["n_waiting"] for batch in batches if batch["kind"] == DROP)
    return {"batches": batches, "n_waiting": dropped}


@blueprint.post("/sort")
@blueprint.input(NewBatchSchema, location="json")
@blueprint.output(KnownFeedSchema, status_code=201)
@blueprint.doc(responses=describe_problems(404, 415))
def post_batch(json_data: dict[str, Any]) -> tuple[Any, int, dict[str, str]]:
    """Open a batch that files are sent to; it is a feed, and stays until it is forgotten as one."""
    group = json_data.get("group")
    with services().database.session() as session:
        if group is not None:
            find_group(session, group)
        feed = open_drop(session, name=json_data["name"], group=group)
    return feed, 201, {"Location": url_for("sort.get_batch", feed_id=feed.id)}


@blueprint.get("/sort/<int:feed_id>")
@blueprint.output(BatchSchema)
def get_batch(feed_id: int) -> Batch:
    """Show the songs of a feed, and where each would go by the model of now."""
    ours, model = services(), _model()
    with ours.database.read_session() as session:
        return read_batch(session, ours.settings, model, feed_id)


@blueprint.post("/sort/<int:feed_id>/files")
@blueprint.input(ArrivedFileSchema, location="form_and_files")
@blueprint.output(ArrivedSchema, status_code=201)
@blueprint.doc(responses=describe_problems(404, 413, 415, 422, 507))
def post_file(feed_id: int, form_and_files_data: dict[str, Any]) -> dict[str, Any]:
    """Put a file into a batch, and say where it would go; it is kept as a track of the catalogue.

    One that cannot be heard is a row too, which says why.
    """
    ours, model = services(), _model()
    with ours.database.read_session() as session:
        find_drop(session, feed_id)
    with received(form_and_files_data["file"]) as (path, name):
        try:
            track = keep_upload(ours.database, ours.settings, model, path, name=name, apart=ours.apart)
        except EmbeddingError as error:
            with ours.database.session() as session:
                arrived = take_refusal(session, feed_id, name, code=error.code, sentence=str(error))
        else:
            with ours.database.session() as session:
                arrived = take_track(session, feed_id, track)
    with ours.database.read_session() as session:
        batch = read_batch(session, ours.settings, model, feed_id, item_ids=[arrived.item_id])
    return {"is_new": arrived.is_new, "row": batch.rows[0]}


@blueprint.put("/sort/<int:feed_id>/decisions")
@blueprint.input(DecisionsSchema, location="json")
@blueprint.output(DecidedSchema)
@blueprint.doc(responses=describe_problems(404, 415))
def put_decisions(feed_id: int, json_data: dict[str, Any]) -> dict[str, Any]:
    """Decide of songs, of one or many: `accepted` into a playlist, `none` of them, or `open` again."""
    ours, model = services(), _model()
    wishes = [_read_wish(wish) for wish in json_data["decisions"]]
    with ours.database.session() as session:
        decided = decide(session, feed_id, wishes)
        job = None if decided.job_id is None else get_job(session, decided.job_id)
    if job is not None:
        wake(ours.settings)
    with ours.database.read_session() as session:
        spoken_of = [wish.item_id for wish in wishes]
        batch = read_batch(session, ours.settings, model, feed_id, item_ids=spoken_of)
    return {"rows": batch.rows, "refused": decided.refused, "job": job}


def _read_wish(given: dict[str, Any]) -> Wish:
    return Wish(
        item_id=given["item"],
        kind=DecisionKind(given["kind"]),
        playlist_id=given.get("playlist_id"),
        stamp=given["stamp"],
        ruled_out=tuple(given["ruled_out"]),
    )


def _model() -> ServedModel | None:
    try:
        return services().holder.current()
    except NoModel:
        return None
