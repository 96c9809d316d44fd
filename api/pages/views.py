"""The web pages: shells that a script fills from the same JSON routes. Nothing is loaded from elsewhere."""

from dataclasses import dataclass
from typing import Any

from apiflask import APIBlueprint
from flask import current_app, redirect, render_template, request, url_for

from api.codes import all_problems, find_problem
from api.pages.static_version import imported_scripts
from api.problems import ProblemError
from api.services import services
from recommender.answering.ranking import choose_group
from recommender.catalogue.decisions import count_waiting
from recommender.catalogue.feeds import list_feeds
from recommender.catalogue.models import catalogue_counts
from recommender.catalogue.playlists import list_groups, list_playlists
from recommender.catalogue.tracks import list_tracks
from recommender.model.in_service import NoModel, ServedModel
from recommender.records.feeds import DROP
from recommender.records.playlists import DEFAULT_GROUP, PlaylistInfo
from recommender.records.tracks import TrackInfo

blueprint = APIBlueprint("pages", __name__, enable_openapi=False)

NAVIGATION = (
    ("pages.index", "Sort", "sort"),
    ("pages.ask", "Ask", "ask"),
    ("pages.playlists", "Playlists", "playlists"),
    ("pages.library_map", "Map", "map"),
    ("pages.releases", "New releases", "releases"),
    ("pages.models", "Models", "models"),
    ("pages.jobs", "Jobs", "jobs"),
)
_N_EXAMPLES = 3
_N_IN_RAIL = 14
_N_COLOURS = 10


@dataclass(frozen=True)
class Rail:
    """What stands beside every page: the playlists with their colours, and how many songs wait."""

    playlists: tuple[tuple[PlaylistInfo, int], ...]
    n_more: int
    n_waiting: int


@blueprint.app_context_processor
def _shell() -> dict[str, Any]:
    """What the frame around every page shows."""
    return {"navigation": NAVIGATION, "imported_scripts": imported_scripts, "read_rail": _read_rail}


def _read_rail() -> Rail:
    """Read by the frame itself, which the page that asks for the token leaves out."""
    with services().database.read_session() as session:
        known = list_playlists(session, group=DEFAULT_GROUP)
        waiting, dropped = count_waiting(session), {f.id for f in list_feeds(session) if f.kind == DROP}
    colour = {p.id: place % _N_COLOURS for place, p in enumerate(sorted(known, key=lambda p: p.id))}
    return Rail(
        playlists=tuple((playlist, colour[playlist.id]) for playlist in known[:_N_IN_RAIL]),
        n_more=max(len(known) - _N_IN_RAIL, 0),
        n_waiting=sum(n for feed_id, n in waiting.items() if feed_id in dropped),
    )


@blueprint.app_template_filter("plural")
def _plural(n: int, one: str) -> str:
    """``1 track``, ``1,234 tracks``."""
    return f"{n:,} {one}" + ("" if n == 1 else "s")


@blueprint.get("/")
def index() -> Any:
    """Sort new songs; an address of a question, as it was before, leads to its answer."""
    if "track" in request.args:
        return redirect(f"{url_for('pages.ask')}?{request.query_string.decode()}")
    ours = services()
    with ours.database.read_session() as session:
        counts = catalogue_counts(session)
    return render_template(
        "sort.html",
        has_model=_model() is not None,
        is_at_work=any(counts.n_jobs.get(state, 0) for state in ("queued", "running")),
        max_upload_mb=ours.settings.max_upload_mb,
    )


@blueprint.get("/app/ask")
def ask() -> str:
    """Ask which playlists a track fits."""
    ours = services()
    model = _model()
    with ours.database.read_session() as session:
        groups, counts = list_groups(session), catalogue_counts(session)
        examples = _spread_tracks(session, counts.n_tracks) if model else []
    return render_template(
        "ask.html",
        groups=groups,
        counts=counts,
        examples=examples,
        has_model=model is not None,
        model_group=choose_group(model.bundle.groups, None).group_name if model else None,
        max_upload_mb=ours.settings.max_upload_mb,
    )


@blueprint.get("/app/playlists")
def playlists() -> str:
    """List the playlists, and add one."""
    ours = services()
    with ours.database.read_session() as session:
        known = list_playlists(session)
    return render_template(
        "playlists.html",
        playlists=known,
        n_groups=len({playlist.group for playlist in known}),
        has_spotify=ours.settings.spotify_client_id is not None,
        max_upload_mb=ours.settings.max_upload_mb,
    )


@blueprint.get("/app/playlists/<int:playlist_id>")
def playlist(playlist_id: int) -> str:
    """Show one playlist; the script says so if there is none of that id."""
    return render_template("playlist.html", playlist_id=playlist_id)


@blueprint.get("/app/map")
def library_map() -> str:
    """Show the library as points, tracks that sound alike beside each other."""
    return _page_of_groups("map.html")


@blueprint.get("/app/releases")
def releases() -> str:
    """Score feeds of new releases, and see the list that each playlist gets."""
    return _page_of_groups("releases.html")


@blueprint.get("/app/models")
def models() -> str:
    """Compare the trained models, and choose the one that answers."""
    return render_template("models.html")


@blueprint.get("/app/jobs")
def jobs() -> str:
    """Follow what runs, and see what failed."""
    return render_template("jobs.html")


def _page_of_groups(template: str) -> str:
    """A page that lets one choose a group, and says so while there is no model to answer with."""
    with services().database.read_session() as session:
        groups = list_groups(session)
    return render_template(template, groups=groups, has_model=_model() is not None)


def _spread_tracks(session: Any, n_tracks: int) -> list[TrackInfo]:
    """A few tracks from here and there, for somebody who only wants to see an answer."""
    pages = [
        list_tracks(session, after_id=n_tracks * part // _N_EXAMPLES, limit=1) for part in range(_N_EXAMPLES)
    ]
    return list({page[0].id: page[0] for page in pages if page}.values())


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
    return render_template("docs.html", spec=spec, problems=all_problems().values())


@blueprint.get("/problems/<code>")
def problem(code: str) -> str:
    """Explain one kind of error; the ``type`` of every problem leads here."""
    found = find_problem(code)
    if found is None:
        raise ProblemError("not_found", f"There is no kind of error called {code!r}.")
    return render_template("problem.html", problem=found)
