"""Commands that put single songs into a playlist, and take them out."""

from collections.abc import Callable
from typing import Any

import click

from api.terminal import Shell, finish_job, json_option, print_json
from recommender.catalogue.database import open_database
from recommender.catalogue.playlists import find_playlist
from recommender.playlists.feedback import find_kept_track
from recommender.playlists.members import add_tracks, queue_learning, take_out_tracks
from recommender.records.playlists import DEFAULT_GROUP

_group_option = click.option(
    "--group", default=DEFAULT_GROUP, show_default=True, help="Playlists that compete."
)


@click.command("add-to")
@click.argument("playlist")
@click.argument("tracks", nargs=-1, required=True, metavar="TRACK...")
@_group_option
@json_option
@click.pass_obj
def add_to(shell: Shell, playlist: str, tracks: tuple[str, ...], *, group: str, as_json: bool) -> None:
    """Put each TRACK (an id, isrc:..., a scanned file) into PLAYLIST; it outlasts scans and imports."""
    _change(shell, playlist, tracks, add_tracks, group=group, as_json=as_json, done="put into")


@click.command("take-out")
@click.argument("playlist")
@click.argument("tracks", nargs=-1, required=True, metavar="TRACK...")
@_group_option
@json_option
@click.pass_obj
def take_out(shell: Shell, playlist: str, tracks: tuple[str, ...], *, group: str, as_json: bool) -> None:
    """Take each TRACK out of PLAYLIST, and keep it out, whatever its folder or an import says."""
    _change(shell, playlist, tracks, take_out_tracks, group=group, as_json=as_json, done="taken out of")


def _change(
    shell: Shell,
    playlist: str,
    references: tuple[str, ...],
    change: Callable[[Any, int, list[int]], int],
    *,
    group: str,
    as_json: bool,
    done: str,
) -> None:
    with open_database(shell.settings).session() as session:
        found = find_playlist(session, playlist, group=group)
        tracks = [find_kept_track(session, reference, is_path_allowed=True).id for reference in references]
        n_changed = change(session, found.id, tracks)
        reason = f"songs of {playlist!r} were changed"
        job_id = queue_learning(session, reason) if n_changed else None
    if as_json:
        print_json({"playlist": found.id, "n_changed": n_changed})
    else:
        click.echo(f"{n_changed} of {len(tracks)} songs {done} {playlist!r}")
    if job_id is not None:
        finish_job(shell, job_id, title=f"learn {playlist}", as_json=False)


COMMANDS = (add_to, take_out)
