"""Commands about what is in the library: scan, playlists, jobs."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from api.commands.exchange import FileAsked, add_playlist_file, choose_if_exists, print_report
from api.terminal import ID, Shell, exit_if_partly, finish_job, json_option, print_json, print_table
from recommender.catalogue.database import open_database
from recommender.catalogue.files import add_library_root
from recommender.catalogue.imported_rows import match_report
from recommender.catalogue.playlists import delete_playlist, find_playlist, list_playlists
from recommender.catalogue.tracks import list_tracks
from recommender.jobs.ledger import enqueue, get_job, list_jobs
from recommender.jobs.steps import failed_items
from recommender.playlists.members import IfExists, find_filled
from recommender.records.jobs import JobKind
from recommender.records.playlists import DEFAULT_GROUP
from recommender.sources.references import is_source_reference, usual_group

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_PATH = click.Path(exists=True, path_type=Path)


class _Source(click.ParamType[Path | str]):
    """A folder, a playlist file, or the name of a playlist on a server."""

    name = "source"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | str:
        """Return the path, or the name as it is."""
        if is_source_reference(str(value)):
            return str(value)
        path: Path = _PATH.convert(value, param, ctx)
        return path


_SOURCE = _Source()
_group_option = click.option(
    "--group", default=DEFAULT_GROUP, show_default=True, help="Playlists that compete."
)


@click.command()
@click.argument("folder", type=_FOLDER, required=False)
@click.option("--as-playlists", is_flag=True, help="Make each folder directly in FOLDER a playlist.")
@click.option("--retry-failed", is_flag=True, help="Try files set aside, or heard in part, once more.")
@_group_option
@json_option
@click.pass_obj
def scan(
    shell: Shell, folder: Path | None, *, as_playlists: bool, retry_failed: bool, group: str, as_json: bool
) -> None:
    """Read FOLDER, or else every folder known, again: new, changed, moved and removed files."""
    if as_playlists and folder is None:
        raise click.UsageError("--as-playlists needs a FOLDER")
    payload: dict[str, Any] = {"retry_failed": retry_failed}
    database = open_database(shell.settings)
    with database.session() as session:
        if folder is not None:
            add_library_root(session, folder)
            payload |= {"path": str(folder.resolve()), "as_playlists": as_playlists, "group": group}
        job_id = enqueue(session, JobKind.SCAN, payload)
    job = finish_job(shell, job_id, title="scan", as_json=as_json)
    exit_if_partly(job)


@click.command("add-playlist")
@click.argument("name")
@click.argument("source", type=_SOURCE)
@click.option("--group", help="Playlists that compete; `default` unless given, `taste` for spotify:liked.")
@click.option("--playlist", "which", help="Which one, by name, of a file that holds several.")
@click.option(
    "--columns",
    metavar="title=2,artist=1",
    help="Which column of a table is title, artist, album, isrc; asked on a terminal where it is not clear.",
)
@click.option(
    "--if-exists",
    type=click.Choice([choice.value for choice in IfExists]),
    help="Where NAME holds songs: refuse, add to it, or replace them; asked on a terminal unless given.",
)
@json_option
@click.pass_obj
def add_playlist(
    shell: Shell,
    name: str,
    source: Path | str,
    *,
    group: str | None,
    which: str | None,
    columns: str | None,
    if_exists: str | None,
    as_json: bool,
) -> None:
    """Make SOURCE the playlist NAME; it can be answered with at once.

    SOURCE is a folder of audio, a playlist file (M3U, PLS, XSPF, JSPF, WPL, ASX, CSV, the XML of iTunes,
    rekordbox or VirtualDJ, Traktor's NML, Serato's crates, Spotify's account data, text), or
    subsonic:PLAYLIST, subsonic:starred, jellyfin:PLAYLIST, jellyfin:favourites, or the URL of a feed;
    audio that is not in the library is fetched from there. Or beets:QUERY, spotify:PLAYLIST or
    spotify:liked, whose tracks are looked for in the library.
    """
    group = group or usual_group(str(source))
    if isinstance(source, Path) and not source.is_dir():
        choose = partial(choose_if_exists, if_exists)
        asked_file = FileAsked(source, which=which, columns=columns)
        add_playlist_file(shell, asked_file, name=name, group=group, choose=choose, as_json=as_json)
        return
    database = open_database(shell.settings)
    with database.session() as session:
        filled = find_filled(session, name, group=group)
        if isinstance(source, Path):
            asked = {"name": name, "folder": str(source.resolve()), "group": group}
            if filled is not None and filled.folder != asked["folder"]:
                asked["if_exists"] = choose_if_exists(if_exists, filled)
            add_library_root(session, source)
            job_id = enqueue(session, JobKind.ADD_PLAYLIST, asked)
        else:
            asked = {"name": name, "reference": source, "group": group}
            if if_exists is not None:
                asked["if_exists"] = if_exists
            job_id = enqueue(session, JobKind.IMPORT_PLAYLIST, asked)
    job = finish_job(shell, job_id, title=f"add {name}", as_json=as_json)
    if isinstance(source, str) and not as_json:
        with database.read_session() as session:
            print_report(match_report(session, job.result["playlist"]), refusal=job.result["refusal"])
    exit_if_partly(job)


@click.command("remove-playlist")
@click.argument("name")
@_group_option
@json_option
@click.pass_obj
def remove_playlist(shell: Shell, name: str, group: str, as_json: bool) -> None:
    """Remove the playlist NAME; its tracks stay in the catalogue."""
    database = open_database(shell.settings)
    with database.session() as session:
        playlist = find_playlist(session, name, group=group)
        delete_playlist(session, playlist.id)
        job_id = enqueue(session, JobKind.REFIT, {"reason": f"the playlist {name!r} was removed"})
    job = finish_job(shell, job_id, title=f"remove {name}", as_json=as_json)
    exit_if_partly(job)


@click.command()
@json_option
@click.pass_obj
def playlists(shell: Shell, as_json: bool) -> None:
    """List the playlists."""
    with open_database(shell.settings).read_session() as session:
        found = list_playlists(session)
    if as_json:
        for playlist in found:
            print_json(vars(playlist))
        return
    rows = [(p.name, p.group, p.n_tracks, p.folder) for p in found]
    print_table(("PLAYLIST", "GROUP", "TRACKS", "FOLDER"), rows)


@click.command()
@click.argument("job_id", type=ID, required=False)
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@json_option
@click.pass_obj
def jobs(shell: Shell, job_id: int | None, limit: int, as_json: bool) -> None:
    """List the jobs, or show one with the files that it set aside."""
    with open_database(shell.settings).read_session() as session:
        found = list_jobs(session, limit=limit) if job_id is None else [get_job(session, job_id)]
        failed = [] if job_id is None else failed_items(session, job_id)
    if as_json:
        for job in found:
            print_json(vars(job) | ({} if job_id is None else {"failed": [vars(item) for item in failed]}))
        return
    rows: list[tuple[Any, ...]] = [
        (j.id, j.kind, j.state, f"{j.n_done}/{j.n_total}", j.n_failed or "", j.error or j.message)
        for j in found
    ]
    print_table(("JOB", "KIND", "STATE", "DONE", "FAILED", "MESSAGE"), rows)
    for item in failed:
        click.echo(f"  {item.key}: {item.error} ({item.code})")


@click.command()
@click.argument("query", required=False)
@click.option("--heard-in-part", is_flag=True, help="Only those that could not be decoded wholly.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@json_option
@click.pass_obj
def tracks(shell: Shell, query: str | None, *, heard_in_part: bool, limit: int, as_json: bool) -> None:
    """List the tracks of the catalogue, or those with QUERY in title or artist.

    `whichlist scan --retry-failed` hears those once more that were heard in part.
    """
    with open_database(shell.settings).read_session() as session:
        found = list_tracks(session, limit=limit, query=query, heard_in_part=heard_in_part)
    if as_json:
        for track in found:
            print_json(vars(track))
        return
    rows = [(t.id, t.artist, t.title, t.path or "", t.heard_in_part or "") for t in found]
    print_table(("TRACK", "ARTIST", "TITLE", "FILE", "HEARD"), rows)


COMMANDS = (scan, add_playlist, remove_playlist, playlists, tracks, jobs)
