"""Commands about the user's own music servers."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from api.terminal import ExitCode, Progress, Shell, json_option, print_json
from recommender.catalogue.database import Database, open_database
from recommender.playlists.sending import playlist_to_send, recommendations_to_send
from recommender.playlists.server_library import link_server, send_tracks
from recommender.records.playlists import DEFAULT_GROUP
from recommender.records.rows import SPOTIFY, SUBSONIC, SourceRow
from recommender.sources.servers.subsonic import read_subsonic_library
from recommender.sources.servers.subsonic_log_in import find_subsonic
from recommender.sources.web.reading import open_web


@click.command("match-server")
@json_option
@click.pass_obj
def match_server(shell: Shell, as_json: bool) -> None:
    """Find out which tracks of the Subsonic server are which of the library.

    Its players can then ask what sounds alike, and playlists can be written there.
    """
    server = find_subsonic(shell.settings)
    library = read_subsonic_library(open_web(shell.settings), server)
    linked = link_server(open_database(shell.settings), library)
    if as_json:
        print_json(vars(linked))
        return
    n_other = linked.n_tracks - linked.n_linked
    click.echo(f"{linked.n_linked} of the server's {linked.n_tracks} tracks are in the library")
    if n_other:
        click.echo(
            f"{n_other} are not linked, {linked.n_unsure} of them because they are not surely the same"
        )


@click.command("send-playlist")
@click.argument("playlist")
@click.option(
    "--to",
    "target",
    type=click.Choice([SUBSONIC, SPOTIFY]),
    default=SUBSONIC,
    show_default=True,
    help="Where to.",
)
@click.option("--feed", metavar="FEED", help="What this feed (its id or source) has for PLAYLIST instead.")
@click.option("--as", "called", help="Its name there; the same as here unless given.")
@click.option("--group", default=DEFAULT_GROUP, show_default=True, help="Playlists that compete.")
@json_option
@click.pass_obj
def send_to_server(
    shell: Shell,
    playlist: str,
    *,
    target: str,
    feed: str | None,
    called: str | None,
    group: str,
    as_json: bool,
) -> None:
    """Write PLAYLIST to the Subsonic server, in place of the one of that name there, or to Spotify.

    At Spotify it becomes a new private playlist; no other is changed.
    """
    database = open_database(shell.settings)
    with database.read_session() as session:
        if feed is None:
            tracks = playlist_to_send(session, playlist, group=group)
        else:
            tracks = recommendations_to_send(session, shell.settings, playlist, feed=feed)
    send = _send_to_spotify if target == SPOTIFY else _send_to_subsonic
    said, missing = send(shell, database, tracks, called or playlist)
    if as_json:
        rows = [{"id": key, "title": tracks[key].title, "artist": tracks[key].artist} for key in missing]
        print_json(said | {"missing": rows})
    else:
        where = said.get("url", "the server")
        click.echo(f"{said['n_sent']} tracks are now in {called or playlist!r} on {where}")
        for key in missing:
            click.echo(f"not known to be there: {tracks[key].artist} - {tracks[key].title}", err=True)
    if missing:
        raise click.exceptions.Exit(ExitCode.PARTLY)


def _send_to_subsonic(
    shell: Shell, database: Database, tracks: Mapping[int, SourceRow], called: str
) -> tuple[dict[str, Any], Sequence[int]]:
    server = find_subsonic(shell.settings)
    sent = send_tracks(database, open_web(shell.settings), server, list(tracks), called=called)
    return {"playlist": sent.server_id, "n_sent": sent.n_sent}, sent.missing


def _send_to_spotify(
    shell: Shell, database: Database, tracks: Mapping[int, SourceRow], called: str
) -> tuple[dict[str, Any], Sequence[int]]:
    from recommender.playlists.spotify_export import send_to_spotify
    from recommender.sources.spotify.account import SpotifyAccount

    account = SpotifyAccount(shell.settings, open_web(shell.settings))
    with Progress("send playlist") as progress:
        sent = send_to_spotify(database, account, tracks, called=called, progress=progress)
    return {"playlist": sent.playlist_id, "url": sent.url, "n_sent": sent.n_sent}, sent.missing


COMMANDS = (match_server, send_to_server)
