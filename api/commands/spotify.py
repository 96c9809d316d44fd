"""``whichlist spotify``: logging in and out, and what the user's account has."""

import secrets
import shlex
import webbrowser
from contextlib import closing
from datetime import UTC, datetime
from urllib.parse import urlsplit

import click

from api.commands.spotify_listener import HOST, PATH, CallbackListener, read_answer
from api.terminal import Shell, json_option, print_json, print_table
from recommender.catalogue.database import open_database
from recommender.catalogue.playlists import list_playlists as list_catalogue_playlists
from recommender.records.rows import SPOTIFY
from recommender.settings import Settings
from recommender.sources.spotify.errors import SpotifyLoginFailed
from recommender.sources.web.reading import open_web

WAIT_S = 300.0


@click.group()
def spotify() -> None:
    """Your Spotify account: log in, see your playlists there, log out."""


@spotify.command("login")
@click.option("--port", type=click.IntRange(0, 65_535), help="Listen here, not at the port of the settings.")
@click.option("--no-browser", is_flag=True, help="Only print the address; open it yourself.")
@click.option(
    "--paste", is_flag=True, help="Ask for the address that the browser ends at, and do not listen."
)
@click.pass_obj
def log_in(shell: Shell, *, port: int | None, no_browser: bool, paste: bool) -> None:
    """Log in on Spotify's own page, for up to six months."""
    from recommender.sources.spotify.login import SpotifyLogin, check_no_refusal

    login = SpotifyLogin(shell.settings, open_web(shell.settings))
    if paste:
        pending, url = login.begin()
        click.echo(
            f"Open this address, say yes, and copy the address that the browser ends at:\n{url}", err=True
        )
        answer = _read_pasted(click.prompt("That address", hide_input=True, err=True), pending.state)
    else:
        with closing(CallbackListener(_find_port(shell.settings) if port is None else port)) as listener:
            pending, url = login.begin(f"http://{HOST}:{listener.port}{PATH}")
            click.echo(f"Log in to Spotify on the page at\n{url}", err=True)
            if not no_browser:
                webbrowser.open(url)
            answer = listener.wait(pending.state, seconds=WAIT_S)
    check_no_refusal(answer.get("error"))
    token = login.finish(pending, answer["code"])
    ends = datetime.fromtimestamp(token.ends_at, UTC).date()
    click.echo(f"You are logged in to Spotify, until {ends} at the latest: then log in again.")


@spotify.command("playlists")
@json_option
@click.pass_obj
def playlists(shell: Shell, *, as_json: bool) -> None:
    """List your playlists there, and which of them can be read."""
    from recommender.sources.spotify.account import SpotifyAccount
    from recommender.sources.spotify.library import list_playlists

    found = list_playlists(SpotifyAccount(shell.settings, open_web(shell.settings)))
    if as_json:
        for playlist in found:
            print_json(vars(playlist))
        return
    rows = [
        (p.name, p.n_tracks, p.owner, "yes" if p.is_readable else "no: neither yours nor shared", p.id)
        for p in found
    ]
    print_table(("PLAYLIST", "TRACKS", "OWNER", "READABLE", "ID"), rows)


@spotify.command("logout")
@click.pass_obj
def log_out(shell: Shell) -> None:
    """Forget the log-in; playlists that were imported stay, and are named."""
    from recommender.sources.spotify.login import log_out

    click.echo("You are logged out." if log_out(shell.settings) else "Nobody was logged in.")
    click.echo("Spotify itself forgets the app at https://www.spotify.com/account/apps/.")
    with open_database(shell.settings).read_session() as session:
        kept = [p for p in list_catalogue_playlists(session) if p.source == SPOTIFY]
    if kept:
        click.echo("Spotify's terms want what came from there deleted within five days. It is in:")
    for playlist in kept:
        name, group = shlex.quote(playlist.name), shlex.quote(playlist.group)
        click.echo(f"  whichlist remove-playlist {name} --group {group}")


def _find_port(settings: Settings) -> int:
    """The port of the redirect address of the settings, if it is on this machine."""
    parts = urlsplit(settings.spotify_callback)
    if parts.scheme != "http":
        raise SpotifyLoginFailed(
            "the redirect address of the settings is not on this machine: log in at /spotify/login there, use"
            " --paste, or name a --port here, with an address of 127.0.0.1 registered in the app as well"
        )
    return parts.port or 80


def _read_pasted(address: str, state: str) -> dict[str, str]:
    _, answer = read_answer(address)
    if not secrets.compare_digest(answer.get("state", "").encode(), state.encode()):
        raise SpotifyLoginFailed("this is not the address to which Spotify's page led after this log-in")
    if not {"code", "error"} & answer.keys():
        raise SpotifyLoginFailed("the address holds no answer of Spotify's")
    return answer


COMMANDS = (spotify,)
