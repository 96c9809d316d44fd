"""The web pages: ask a question, read the routes, look an error up. Nothing is loaded from elsewhere."""

from typing import Any

from apiflask import APIBlueprint
from flask import current_app, render_template

from api.codes import PROBLEMS, find_problem
from api.problems import ProblemError
from api.services import services
from recommender.catalogue import catalogue_counts, list_playlists
from recommender.served import NoModel

blueprint = APIBlueprint("pages", __name__, enable_openapi=False)


@blueprint.get("/")
def index() -> str:
    """Show the playlists, and ask which of them a file fits."""
    ours = services()
    with ours.database.read_session() as session:
        playlists = list_playlists(session)
        counts = catalogue_counts(session)
    try:
        model = ours.holder.current().bundle
    except NoModel:
        model = None
    return render_template("index.html", playlists=playlists, counts=counts, model=model)


@blueprint.get("/docs")
def docs() -> str:
    """Show every route, made from the OpenAPI document."""
    spec: dict[str, Any] = current_app.spec  # type: ignore[attr-defined]
    return render_template("docs.html", spec=spec, problems=PROBLEMS)


@blueprint.get("/problems/<code>")
def problem(code: str) -> str:
    """Explain one kind of error; the ``type`` of every problem leads here."""
    found = find_problem(code)
    if found is None:
        raise ProblemError("not_found", f"There is no kind of error called {code!r}.")
    return render_template("problem.html", problem=found)
