"""The command that reads playlists again where they came from."""

import time
from typing import Any

import click

from api.terminal import ExitCode, Shell, exit_if_partly, finish_job, json_option, print_json, print_table
from recommender.catalogue.database import open_database
from recommender.catalogue.origins import list_followed
from recommender.catalogue.playlists import find_playlist
from recommender.playlists.following import queue_sync
from recommender.records.playlists import DEFAULT_GROUP, Followed

N_NAMED = 10


@click.command()
@click.argument("playlists", nargs=-1, metavar="[PLAYLIST...]")
@click.option("--group", default=DEFAULT_GROUP, show_default=True, help="Playlists that compete.")
@click.option("--take-out", is_flag=True, help="Songs that are there no longer leave the playlist too.")
@click.option("--list", "only_list", is_flag=True, help="Only say what would be read, and when it was last.")
@json_option
@click.pass_obj
def sync(
    shell: Shell,
    playlists: tuple[str, ...],
    *,
    group: str,
    take_out: bool,
    only_list: bool,
    as_json: bool,
) -> None:
    """Read each PLAYLIST, or else every one, again from the file or server that it came from.

    What is new there is added, what went is named and stays, unless --take-out. What you put in or took out
    yourself stays so, and a playlist whose songs you listed by hand is left alone.
    """
    database = open_database(shell.settings)
    with database.session() as session:
        ids = [find_playlist(session, name, group=group).id for name in playlists] or None
        if only_list:
            _print_followed(list_followed(session, ids), as_json=as_json)
            return
        job_id = queue_sync(session, ids, take_out=take_out)
    job = finish_job(shell, job_id, title="sync", as_json=as_json)
    came = job.result["synced"]
    if not as_json:
        for entry in came:
            _print_entry(entry)
    if any("error" in entry for entry in came):
        raise click.exceptions.Exit(ExitCode.PARTLY)
    exit_if_partly(job)


def _print_followed(followed: list[Followed], *, as_json: bool) -> None:
    if as_json:
        for entry in followed:
            said = {"playlist": entry.playlist.id, "name": entry.playlist.name, "group": entry.playlist.group}
            origin = {"from": str(entry.origin.reference), "which": entry.origin.which}
            print_json(said | origin | {"asked_at": entry.asked_at})
        return
    rows = [
        (entry.playlist.name, entry.playlist.group, str(entry.origin.reference), _moment(entry.asked_at))
        for entry in followed
    ]
    print_table(("PLAYLIST", "GROUP", "FROM", "LAST READ"), rows)


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _print_entry(entry: dict[str, Any]) -> None:
    if "error" in entry:
        click.echo(f"{entry['name']}: left as it is: {entry['error']}")
        return
    counts = entry["rows"]
    click.echo(
        f"{entry['name']}: {entry['n_now']} songs, {entry['n_before']} before;"
        f" {counts['used']} of {counts['rows']} rows used, {counts['review']} to review"
    )
    _print_names("there no longer", entry["went"])
    _print_names("stay out, as you took them out", entry["kept_out"])
    if entry["refusal"]:
        click.echo(f"  {entry['refusal']}")


def _print_names(what: str, names: list[str]) -> None:
    if names:
        more = f" and {len(names) - N_NAMED} more" if len(names) > N_NAMED else ""
        click.echo(f"  {len(names)} {what}: {'; '.join(names[:N_NAMED])}{more}")


COMMANDS = (sync,)
