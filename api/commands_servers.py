"""Commands about the user's own music servers."""

import click

from api.terminal import Shell, json_option, print_json
from recommender.catalogue import open_database
from recommender.server_library import link_server
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


COMMANDS = (match_server,)
