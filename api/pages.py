"""The web pages: shells that a script fills from the same JSON routes. Nothing is loaded from elsewhere."""

from typing import Any

from apiflask import APIBlueprint
from flask import current_app, render_template, request

from api.codes import PROBLEMS, find_problem
from api.problems import ProblemError
from api.services import services
from recommender.catalogue import catalogue_counts, list_groups
from recommender.ranking import choose_group
from recommender.served import NoModel, ServedModel

blueprint = APIBlueprint("pages", __name__, enable_openapi=False)

NAVIGATION = (
    ("pages.index", "Try a song"),
    ("pages.playlists", "Playlists"),
    ("pages.library_map", "Map"),
    ("pages.releases", "New releases"),
    ("pages.models", "Models"),
    ("pages.jobs", "Jobs"),
)


@blueprint.app_context_processor
def _shell() -> dict[str, Any]:
    """What the frame around every page shows."""
    return {"navigation": NAVIGATION}


@blueprint.get("/")
def index() -> str:
    """Ask which playlists a track fits."""
    ours = services()
    model = _model()
    with ours.database.read_session() as session:
        groups, counts = list_groups(session), catalogue_counts(session)
    return render_template(
        "index.html",
        groups=groups,
        counts=counts,
        model=model.bundle if model else None,
        model_group=choose_group(model.bundle.groups, None).group_name if model else None,
        max_upload_mb=ours.settings.max_upload_mb,
    )


@blueprint.get("/app/playlists")
def playlists() -> str:
    """List the playlists, and add one."""
    return render_template("playlists.html")


@blueprint.get("/app/playlists/<int:playlist_id>")
def playlist(playlist_id: int) -> str:
    """Show one playlist; the script says so if there is none of that id."""
    return render_template("playlist.html", playlist_id=playlist_id)


@blueprint.get("/app/map")
def library_map() -> str:
    """Show the library as points, tracks that sound alike beside each other."""
    with services().database.read_session() as session:
        groups = list_groups(session)
    return render_template("map.html", groups=groups)


@blueprint.get("/app/releases")
def releases() -> str:
    """Score feeds of new releases, and see the list that each playlist gets."""
    with services().database.read_session() as session:
        groups = list_groups(session)
    return render_template("releases.html", groups=groups)


@blueprint.get("/app/models")
def models() -> str:
    """Compare the trained models, and choose the one that answers."""
    return render_template("models.html")


@blueprint.get("/app/jobs")
def jobs() -> str:
    """Follow what runs, and see what failed."""
    return render_template("jobs.html")


def _model() -> ServedModel | None:
    try:
        return services().holder.current()
    except NoModel:
        return None


@blueprint.get("/app/login")
def login() -> str:
    """Ask for the token."""
    asked = request.args.get("next", "/")
    # Only to a page of ours: "//elsewhere" and "/\\elsewhere" are other hosts to a browser.
    is_ours = asked.startswith("/") and not asked.startswith(("//", "/\\"))
    return render_template("login.html", next=asked if is_ours else "/")


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
