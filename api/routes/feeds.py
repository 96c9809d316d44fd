"""``/feeds``: sources of tracks, scored in a batch, and the list that each playlist gets."""

from pathlib import Path
from typing import Any

from apiflask import APIBlueprint
from flask import Response, url_for
from marshmallow import RAISE

from api.problems import describe_problems
from api.schemas.feeds import (
    FeedDetailSchema,
    FeedListSchema,
    FeedResultsSchema,
    KnownFeedSchema,
    NewFeedSchema,
    ResultsQuery,
    ScoringSchema,
)
from api.services import services
from recommender.catalogue.feed_items import count_codes
from recommender.catalogue.feeds import delete_feed, get_feed, list_feeds, register_feed
from recommender.catalogue.playlists import find_group
from recommender.feeds.batch import ask_for_scores, scoring_job
from recommender.feeds.result_files import RESULT_TYPES, ResultFormat, write_results
from recommender.feeds.results import ResultOptions, read_results
from recommender.sources.feeds.reading import FeedSource, find_source, is_remote
from recommender.sources.folder import resolve_in_roots

blueprint = APIBlueprint("feeds", __name__, tag="feeds")

_FILES: dict[int | str, dict[str, str | dict[str, dict[str, Any]]]] = {
    200: {"content": {kind.partition(";")[0]: {} for kind in RESULT_TYPES.values()}},
    **{status: {"description": text} for status, text in describe_problems(404, 422).items()},
}
# A digest holds its styles, loads nothing and runs nothing.
_PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)


@blueprint.get("/feeds")
@blueprint.output(FeedListSchema)
def get_feeds() -> dict[str, Any]:
    """List the feeds, newest first."""
    with services().database.read_session() as session:
        return {"feeds": list_feeds(session)}


@blueprint.post("/feeds")
@blueprint.input(NewFeedSchema, location="json")
@blueprint.output(KnownFeedSchema, status_code=201)
@blueprint.doc(responses=describe_problems(403, 404, 415, 422))
def post_feed(json_data: dict[str, Any]) -> tuple[Any, int, dict[str, str]]:
    """Make a feed known; the same source for the same group stays one feed. Nothing is read yet."""
    source = _find_source(json_data["source"])
    with services().database.session() as session:
        if json_data.get("group") is not None:
            find_group(session, json_data["group"])
        feed = register_feed(
            session,
            kind=source.kind,
            reference=source.reference,
            group=json_data.get("group"),
            name=json_data.get("name") or source.name,
            min_probability=json_data["min_probability"],
        )
    return feed, 201, {"Location": url_for("feeds.get_one", feed_id=feed.id)}


@blueprint.get("/feeds/<int:feed_id>")
@blueprint.output(FeedDetailSchema)
def get_one(feed_id: int) -> dict[str, Any]:
    """Show a feed: how many of its recordings stand where, and why."""
    with services().database.read_session() as session:
        feed = get_feed(session, feed_id)
        codes = count_codes(session, feed_id)
        job_id = scoring_job(session, feed_id)
    reasons = [{"state": state, "code": code, "n_items": n} for (state, code), n in sorted(codes.items())]
    return vars(feed) | {"reasons": reasons, "job_id": job_id}


@blueprint.delete("/feeds/<int:feed_id>")
@blueprint.output(KnownFeedSchema)
def remove_feed(feed_id: int) -> Any:
    """Forget a feed; the tracks that were heard for it stay."""
    with services().database.session() as session:
        feed = get_feed(session, feed_id)
        delete_feed(session, feed_id)
    return feed


@blueprint.post("/feeds/<int:feed_id>/score")
@blueprint.output(ScoringSchema, status_code=202)
def score_one(feed_id: int) -> tuple[dict[str, Any], int, Any]:
    """Read the source and score what is new, or was scored by another model; or join who does so already."""
    joined = False

    def queue_job(session: Any) -> int:
        nonlocal joined
        job_id, joined = ask_for_scores(session, feed_id)
        return job_id

    accepted, status, headers = services().accept(queue_job)
    return accepted | {"joined": joined}, status, headers


@blueprint.get("/feeds/<int:feed_id>/results")
@blueprint.input(ResultsQuery, location="query", unknown=RAISE)
@blueprint.output(FeedResultsSchema)
@blueprint.doc(responses=_FILES)
def get_results(feed_id: int, query_data: dict[str, Any]) -> dict[str, Any] | Response:
    """Show for each playlist the tracks that fit it, the most probable first; or hand them over as a file."""
    ours = services()
    options = ResultOptions(
        playlist=query_data.get("playlist"),
        min_probability=query_data.get("min_probability"),
        at_most_wrong=query_data.get("at_most_wrong"),
    )
    with ours.database.read_session() as session:
        results = read_results(session, ours.settings, feed_id, options)
    kind = ResultFormat(query_data["format"])
    if kind is ResultFormat.JSON:
        return results.to_dict()
    response = Response(write_results(results, kind), content_type=RESULT_TYPES[kind])
    if kind is ResultFormat.HTML:
        response.headers["Content-Security-Policy"] = _PAGE_POLICY
    elif kind is not ResultFormat.TEXT:
        response.headers["Content-Disposition"] = f'attachment; filename="feed-{feed_id}.{kind.value}"'
    return response


def _find_source(text: str) -> FeedSource:
    """The source that a caller may name: a path only below a library root."""
    if is_remote(text):
        return find_source(text)
    return find_source(str(resolve_in_roots(Path(text), services().library_roots())))
