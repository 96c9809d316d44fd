"""Commands about the user's own music servers."""

import click

from api.terminal import ExitCode, Shell, json_option, print_json
from recommender.catalogue import open_database
from recommender.records import DEFAULT_GROUP
from recommender.server_library import link_server, send_playlist
from recommender.sources.subsonic import find_subsonic, read_subsonic_library
from recommender.sources.web import open_web


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
@click.option("--as", "called", help="Its name there; the same as here unless given.")
@click.option("--group", default=DEFAULT_GROUP, show_default=True, help="Playlists that compete.")
@json_option
@click.pass_obj
def send_to_server(shell: Shell, playlist: str, *, called: str | None, group: str, as_json: bool) -> None:
    """Write PLAYLIST to the Subsonic server, in place of the one of that name there."""
    server = find_subsonic(shell.settings)
    database = open_database(shell.settings)
    web = open_web(shell.settings)
    sent = send_playlist(database, web, server, playlist, group=group, called=called or playlist)
    if as_json:
        missing = [{"id": track.id, "title": track.title, "artist": track.artist} for track in sent.missing]
        print_json({"playlist": sent.server_id, "n_sent": sent.n_sent, "missing": missing})
    else:
        click.echo(f"{sent.n_sent} tracks are now in {called or playlist!r} on the server")
        for track in sent.missing:
            click.echo(f"not known to be there: {track.artist} - {track.title}", err=True)
    if sent.missing:
        raise click.exceptions.Exit(ExitCode.PARTLY)


COMMANDS = (match_server, send_to_server)
