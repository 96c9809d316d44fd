"""``whichlist demo``: from nothing to a server that answers, with one command."""

import dataclasses
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import click

from api.commands.operate import refuse_open_server
from api.supervise import check_is_up, whichlist_command
from api.terminal import ExitCode, Progress, Shell, finish_job
from recommender.catalogue.database import Database, migrate, open_database
from recommender.catalogue.files import add_library_root, list_library_roots, track_paths
from recommender.catalogue.playlists import list_playlists, mirrored_folders, playlist_tracks
from recommender.errors import UnreadableFolder
from recommender.jobs.ledger import enqueue, get_job
from recommender.records.jobs import JobKind, JobState
from recommender.settings import Settings
from recommender.sources.library_survey import FolderKind, SurveyedFolder, survey_library

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_LOOK_EVERY_S = 0.3
_UP_S = 30.0
_N_NAMED = 5


@click.command()
@click.option("--library", type=_FOLDER, help="A folder of your own music, instead of the made-up library.")
@click.option(
    "--playlists",
    type=click.Choice(["ask", "likely", "all", "none"]),
    default="ask",
    help="Which folders directly in it become playlists; where nobody can be asked, those that look like it.",
)
@click.option("--port", type=click.IntRange(1, 65_535), help="Port to listen on.")
@click.option("--prepare-only", is_flag=True, help="Make, scan and fit, but do not serve.")
@click.pass_obj
def demo(shell: Shell, *, library: Path | None, playlists: str, port: int | None, prepare_only: bool) -> None:
    """Set everything up, with a made-up library unless one is given, and serve it from the first moment."""
    settings = shell.settings if port is None else dataclasses.replace(shell.settings, port=port)
    settings.data.mkdir(parents=True, exist_ok=True)
    migrate(settings)
    database = open_database(settings)
    if prepare_only:
        finish_job(shell, _queue_scan(shell, database, library, playlists), title="prepare", as_json=False)
        return
    refuse_open_server(settings)
    with _served(settings) as server:
        _wait_until_up(server, settings)
        click.echo(
            f"\nThe page is at {_url(settings)}; what is heard shows up there. Ctrl-C ends it.", err=True
        )
        _follow(database, _queue_scan(shell, database, library, playlists), server)
        _show_what_to_try(settings, database)
        raise click.exceptions.Exit(ExitCode.FAILED if server.wait() else ExitCode.OK)


def _queue_scan(shell: Shell, database: Database, library: Path | None, playlists: str) -> int:
    """Queue what makes the library answer; the job's id. What is there already costs no time."""
    if library is None:
        folders, payload = shell.demo_folders(shell.settings.data / "demo"), {"as_playlists": True}
    else:
        folders, payload = (library.resolve(),), _choose_playlists(database, library.resolve(), playlists)
    with database.session() as session:
        for folder in folders:
            add_library_root(session, folder)
        return enqueue(session, JobKind.SCAN, {"path": str(folders[0]), **payload})


def _choose_playlists(database: Database, library: Path, playlists: str) -> dict[str, Any]:
    """What the scan shall make playlists of: asked on a terminal, else chosen by looks, and said."""
    with database.read_session() as session:
        is_known = library in list_library_roots(session)
        mirrored = set(mirrored_folders(session).values())
    found = survey_library(library, but_not=mirrored)
    found = [folder for folder in found if folder.kind is not FolderKind.EMPTY]
    likely = [folder for folder in found if folder.kind is FolderKind.PLAYLIST]
    if not found and not mirrored:
        _refuse_without_audio(library)
    if is_known and playlists == "ask":  # asked once; what is new may still be added, by page or command
        likely = found = []
    choices: dict[str, Sequence[SurveyedFolder]] = {"all": found, "none": [], "likely": likely}
    chosen = choices.get(playlists, ())
    if playlists == "ask":
        is_plain = len(likely) == len(found)
        chosen = likely if is_plain or not sys.stdin.isatty() else _ask(library, found, likely)
    if found:
        _report(found, chosen)
    if not chosen:
        return {}
    return {"as_playlists": True, "folders": [folder.name for folder in chosen]}


def _refuse_without_audio(library: Path) -> None:
    if any(entry.is_file() for entry in library.iterdir()):
        click.echo(
            f"{library} holds no folders: its songs are heard, and no playlist is made of them.", err=True
        )
        return
    raise UnreadableFolder(f"the folder {str(library)!r} holds no audio, nor folders with audio in them")


def _ask(
    library: Path, found: Sequence[SurveyedFolder], likely: Sequence[SurveyedFolder]
) -> Sequence[SurveyedFolder]:
    others = [folder for folder in found if folder not in likely]
    click.echo(f"\n{library} holds {len(found)} folders:", err=True)
    click.echo(f"  {len(likely)} look like playlists{_named(likely)}", err=True)
    click.echo(f"  {len(others)} look like artists or albums{_named(others)}", err=True)
    answer = click.prompt(
        "Make playlists of the [l]ikely ones, [a]ll of them, or [n]one (the page lets you choose)",
        type=click.Choice(["l", "a", "n"]),
        default="l" if likely else "n",
        show_choices=False,
        err=True,
    )
    return {"l": likely, "a": found}.get(answer, [])


def _report(found: Sequence[SurveyedFolder], chosen: Sequence[SurveyedFolder]) -> None:
    left = [folder for folder in found if folder not in chosen]
    click.echo(f"{len(chosen)} folders become playlists{_named(chosen)}.", err=True)
    if left:
        click.echo(
            f"{len(left)} are only heard{_named(left)}: they look like artists or albums. --playlists all, or"
            " the page, makes playlists of them.",
            err=True,
        )


def _named(folders: Sequence[SurveyedFolder]) -> str:
    names = [folder.name for folder in folders[:_N_NAMED]]
    more = ", …" if len(folders) > _N_NAMED else ""
    return f" ({', '.join(names)}{more})" if names else ""


@contextmanager
def _served(settings: Settings) -> Iterator["subprocess.Popen[bytes]"]:
    """The server in a process of its own, so that a page is there while the library is prepared."""
    command = [*whichlist_command(settings), "serve", "--port", str(settings.port)]
    # A session of its own: whatever the terminal sends ends this program, which then ends the server.
    process = subprocess.Popen(command, start_new_session=True)

    def end(_number: int, _frame: FrameType | None) -> None:
        raise click.exceptions.Exit(ExitCode.OK)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _url(settings: Settings) -> str:
    return f"http://{settings.host}:{settings.port}"


def _wait_until_up(server: "subprocess.Popen[bytes]", settings: Settings) -> None:
    give_up_at = time.monotonic() + _UP_S
    while time.monotonic() < give_up_at:
        if server.poll() is not None:
            raise click.exceptions.Exit(ExitCode.FAILED)  # it has said why
        try:
            check_is_up(_url(settings))
        except OSError:
            time.sleep(_LOOK_EVERY_S)
        else:
            return


def _follow(database: Database, job_id: int, server: "subprocess.Popen[bytes]") -> None:
    """Show how far the worker beside the server is."""
    with Progress("prepare") as progress:
        while server.poll() is None:
            with database.read_session() as session:
                job = get_job(session, job_id)
            progress.job(job)
            if job.state.is_final:
                break
            time.sleep(_LOOK_EVERY_S)
        else:
            return
    if job.state is not JobState.SUCCEEDED:
        click.echo(f"whichlist: {job.error or job.message}", err=True)
    if job.n_failed:
        click.echo(f"{job.n_failed} files were set aside: `whichlist jobs {job.id}` names them", err=True)


def _show_what_to_try(settings: Settings, database: Database) -> None:
    """Print three lines that work here."""
    example = _example_track(database)
    if example is None:
        click.echo(f"No playlist has a song yet: make two on {_url(settings)}/app/playlists.", err=True)
        return
    track_id, path = example
    new = next(iter(sorted((settings.data / "demo" / "new-releases").glob("*.*"))), path)
    curl = "curl -s" + (' -H "Authorization: Bearer $WHICHLIST_API_TOKEN"' if settings.api_token else "")
    click.echo("\nTry, in another terminal:")
    click.echo(f"  {curl} '{_url(settings)}/recommend?track={track_id}'")
    click.echo(f"  {curl} -F file=@{shlex.quote(str(new))} {_url(settings)}/recommend")
    click.echo(f"  {shlex.join([*whichlist_command(settings), 'recommend', str(new)])}")
    click.echo(f"or open {_url(settings)} in a browser. Ctrl-C ends it.\n")


def _example_track(database: Database) -> tuple[int, Path] | None:
    """A track of some playlist and its file, None where no playlist has one."""
    with database.read_session() as session:
        tracks = [playlist_tracks(session, playlist.id) for playlist in list_playlists(session)]
        track_id = next((ids[0] for ids in tracks if ids), None)
        path = track_paths(session, [track_id]).get(track_id) if track_id is not None else None
    return None if track_id is None or path is None else (track_id, path)


COMMANDS = (demo,)
