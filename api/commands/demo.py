"""``whichlist demo``: from nothing to a server that answers, with one command."""

import dataclasses
import shlex
import subprocess
import sys
from functools import partial
from pathlib import Path

import click

from api.commands.operate import refuse_open_server
from api.supervise import check_is_up, run_together
from api.terminal import ExitCode, Shell, finish_job
from recommender.catalogue.database import migrate, open_database
from recommender.catalogue.files import add_library_root, track_paths
from recommender.catalogue.playlists import list_playlists, playlist_tracks
from recommender.jobs.ledger import enqueue
from recommender.records.jobs import JobKind
from recommender.settings import Settings

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.option("--library", type=_FOLDER, help="FOLDER/<playlist>/<audio>, instead of the made-up library.")
@click.option("--port", type=click.IntRange(1, 65_535), help="Port to listen on.")
@click.option("--prepare-only", is_flag=True, help="Make, scan and fit, but do not serve.")
@click.pass_obj
def demo(shell: Shell, *, library: Path | None, port: int | None, prepare_only: bool) -> None:
    """Set everything up, with a made-up library unless one is given, and serve it."""
    if prepare_only:
        _prepare(shell, library)
        return
    settings = shell.settings if port is None else dataclasses.replace(shell.settings, port=port)
    refuse_open_server(settings)
    command = [*_whichlist(), "--data", str(settings.data)]
    # A process of its own: what preparing imports (TensorFlow, the first time) goes when it ends.
    given = ["--library", str(library)] if library else []
    prepared = subprocess.run([*command, "demo", "--prepare-only", *given], check=False)
    if prepared.returncode:
        raise click.exceptions.Exit(prepared.returncode)
    code = run_together(
        [[*command, "serve", "--port", str(settings.port)], [*command, "worker"]],
        once_up=partial(_show_what_to_try, settings, command),
    )
    raise click.exceptions.Exit(ExitCode.FAILED if code else ExitCode.OK)


def _prepare(shell: Shell, library: Path | None) -> None:
    """Migrate, and make each folder of the library a playlist; what is there already costs no time."""
    settings = shell.settings
    settings.data.mkdir(parents=True, exist_ok=True)
    migrate(settings)
    folders = (library.resolve(),) if library else shell.demo_folders(settings.data / "demo")
    database = open_database(settings)
    with database.session() as session:
        for folder in folders:
            add_library_root(session, folder)
        job_id = enqueue(session, JobKind.SCAN, {"path": str(folders[0]), "as_playlists": True})
    finish_job(shell, job_id, title="prepare", as_json=False)


def _whichlist() -> list[str]:
    """Return how to call this program again."""
    script = Path(sys.executable).with_name("whichlist")
    return [str(script)] if script.exists() else [sys.executable, "-m", "api.cli"]


def _show_what_to_try(settings: Settings, command: list[str]) -> None:
    """Print three lines that work here, once the server answers."""
    url = f"http://{settings.host}:{settings.port}"
    check_is_up(url)
    track_id, path = _example_track(settings)
    new = next(iter(sorted((settings.data / "demo" / "new-releases").glob("*.*"))), path)
    curl = "curl -s" + (' -H "Authorization: Bearer $WHICHLIST_API_TOKEN"' if settings.api_token else "")
    click.echo("\nTry, in another terminal:")
    click.echo(f"  {curl} '{url}/recommend?track={track_id}'")
    click.echo(f"  {curl} -F file=@{shlex.quote(str(new))} {url}/recommend")
    click.echo(f"  {shlex.join([*command, 'recommend', str(new)])}")
    click.echo(f"or open {url} in a browser. Ctrl-C ends it.\n")


def _example_track(settings: Settings) -> tuple[int, Path]:
    """Return a track of some playlist, and its file."""
    database = open_database(settings)
    try:
        with database.read_session() as session:
            tracks = [playlist_tracks(session, playlist.id) for playlist in list_playlists(session)]
            track_id = next(ids[0] for ids in tracks if ids)
            return track_id, track_paths(session, [track_id])[track_id]
    finally:
        database.close()


COMMANDS = (demo,)
