"""``/spotify`` and ``/callback``: log in to a Spotify account, and see which playlists it has.

The verifier of a log-in and all that Spotify gives for it stay on this side; the browser holds a
short-lived secret of its own, which proves that it is the one that began.
"""

import secrets
import time
from typing import Any
from urllib.parse import urlsplit

from apiflask import APIBlueprint
from flask import Response, make_response, redirect, render_template, request

from api.codes import find_problem
from api.problems import describe_problems
from api.schemas.exchange import SpotifyPlaylistsSchema, SpotifyStateSchema
from api.services import services
from recommender.errors import RecommenderError
from recommender.records.rows import SPOTIFY
from recommender.sources.spotify.tokens import SpotifyToken, TokenStore

COOKIE = "whichlist_spotify_login"
PATIENCE_S = 5.0  # somebody waits for the page
_MOVED = "moved"
blueprint = APIBlueprint("spotify", __name__, tag="spotify")


@blueprint.get("/spotify")
@blueprint.output(SpotifyStateSchema)
def get_state() -> dict[str, Any]:
    """Say whether somebody is logged in to Spotify; asks nobody."""
    settings = services().settings
    token = TokenStore(settings.spotify_directory).read()
    is_ours = token is not None and token.client_id == settings.spotify_client_id
    return {
        "is_set_up": settings.spotify_client_id is not None,
        "is_logged_in": is_ours,
        "logged_in_at": token.logged_in_at if token and is_ours else None,
        "ends_at": token.ends_at if token and is_ours else None,
        "redirect_uri": settings.spotify_callback,
        "trains": settings.spotify_training == "allow",
    }


@blueprint.delete("/spotify")
@blueprint.doc(responses={204: "Nobody is logged in any more"})
def log_out() -> Response:
    """Forget the log-in; playlists that were imported stay."""
    from recommender.sources.spotify.login import log_out

    log_out(services().settings)
    return Response(status=204)


@blueprint.get("/spotify/playlists")
@blueprint.output(SpotifyPlaylistsSchema)
@blueprint.doc(responses=describe_problems(409, 502))
def get_playlists() -> dict[str, Any]:
    """List the user's playlists at Spotify, those that cannot be read included."""
    from recommender.sources.spotify.account import SpotifyAccount
    from recommender.sources.spotify.library import list_playlists

    ours = services()
    found = list_playlists(SpotifyAccount(ours.settings, ours.web, patience_s=PATIENCE_S))
    return {"playlists": [vars(p) | {"source": f"{SPOTIFY}:playlist:{p.id}"} for p in found]}


@blueprint.get("/spotify/login")
@blueprint.doc(hide=True)
def log_in() -> Response:
    """Send the browser to Spotify's own page, where the user logs in."""
    from recommender.sources.spotify.login import SpotifyLogin, keep_pending

    ours = services()
    login = SpotifyLogin(ours.settings, ours.web, patience_s=PATIENCE_S)
    place = urlsplit(ours.settings.spotify_callback)
    if request.host != place.netloc and _MOVED not in request.args:
        # The cookie below must be where Spotify sends the browser back to: localhost is not 127.0.0.1.
        return _send_to(f"{place.scheme}://{place.netloc}/spotify/login?{_MOVED}=1")
    browser = secrets.token_urlsafe(32)
    pending, url = login.begin(browser=browser)
    keep_pending(ours.settings, pending)
    response = _send_to(url)
    response.set_cookie(
        COOKIE,
        browser,
        max_age=600,
        path="/callback",
        httponly=True,
        samesite="Lax",  # it has to come back with a link from Spotify's page
        secure=request.is_secure,
    )
    return response


@blueprint.get("/callback")
@blueprint.doc(hide=True)
def end_log_in() -> Response:
    """Take the user back from Spotify's page, and keep the log-in."""
    try:
        token, error = _finish(), None
    except RecommenderError as failed:
        token, error = None, failed
    problem = find_problem(error.code) if error else None
    shown = render_template("spotify.html", token=token, error=error, problem=problem)
    response = make_response(shown, problem.status if problem else 500 if error else 200)
    response.headers["Cache-Control"] = "no-store"
    response.delete_cookie(COOKIE, path="/callback", httponly=True, samesite="Lax")
    return response


def _finish() -> SpotifyToken:
    from recommender.sources.spotify.login import SpotifyLogin, check_no_refusal, take_pending

    ours = services()
    browser = request.cookies.get(COOKIE, "")
    pending = take_pending(ours.settings, request.args.get("state", ""), browser=browser, now=time.time())
    check_no_refusal(request.args.get("error"))
    login = SpotifyLogin(ours.settings, ours.web, patience_s=PATIENCE_S)
    return login.finish(pending, request.args.get("code", ""))


def _send_to(url: str) -> Response:
    response = make_response(redirect(url))
    response.headers["Cache-Control"] = "no-store"
    return response
