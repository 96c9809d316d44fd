"""Commands for those who keep it running: serve, migrate, models, doctor."""

import dataclasses
import json
import signal
from contextlib import nullcontext
from types import FrameType
from typing import Any

import click

from api.commands.comparison_text import print_comparison
from api.log import log_to_stderr
from api.supervise import kept_running, whichlist_command
from api.terminal import ExitCode, Shell, json_option, print_json, print_table
from recommender.catalogue.database import Database, is_sqlite, migrate, open_database
from recommender.catalogue.models import get_bundle, list_bundles, promote_bundle
from recommender.checkup import examine
from recommender.errors import NoSuchBundle
from recommender.model.bundle import read_bundle, read_report
from recommender.model.comparison import compare_models
from recommender.records.models import BundleInfo
from recommender.settings import Settings

_THREADS = 8


@click.command("migrate")
@click.pass_obj
def migrate_database(shell: Shell) -> None:
    """Bring the database's tables up to date; nothing in it is lost."""
    shell.settings.data.mkdir(parents=True, exist_ok=True)
    click.echo(f"the database is at revision {migrate(shell.settings).revision}")


@click.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on.")
@click.option("--without-worker", is_flag=True, help="Leave all work to workers that run elsewhere.")
@click.pass_obj
def serve(shell: Shell, host: str | None, port: int | None, *, without_worker: bool) -> None:
    """Answer over HTTP, show the web page, and do the work behind it: a whole Whichlist on one machine."""
    settings = dataclasses.replace(
        shell.settings,
        host=shell.settings.host if host is None else host,
        port=shell.settings.port if port is None else port,
    )
    refuse_open_server(settings)
    log_to_stderr(settings)
    settings.data.mkdir(parents=True, exist_ok=True)
    if is_sqlite(settings):  # others share a server, and are brought up to date by whoever runs it
        migrate(settings)
    worker = [*whichlist_command(settings), "worker", "--until-eof"]
    with nullcontext() if without_worker else kept_running(worker):
        serve_forever(settings)


def refuse_open_server(settings: Settings) -> None:
    """Refuse to let everybody in the network change the library without a token."""
    from api.auth import is_loopback

    if not is_loopback(settings.host) and settings.api_token is None:
        raise click.UsageError(
            f"{settings.host} can be reached by others: set WHICHLIST_API_TOKEN first, or use 127.0.0.1"
        )


def serve_forever(settings: Settings) -> None:
    """Listen until told to stop; the model is loaded meanwhile."""
    import waitress

    from api.app import create_app
    from api.services import find_services

    app = create_app(settings)
    find_services(app).holder.watch()  # whoever asks first waits for the model, the pages do not
    limit = settings.max_upload_mb * 1_000_000
    try:
        # waitress would refuse an upload in words of its own: its limit lies above ours.
        server = waitress.create_server(
            app, host=settings.host, port=settings.port, threads=_THREADS, max_request_body_size=4 * limit
        )
    except OSError as error:
        click.echo(f"whichlist: cannot listen on {settings.host}:{settings.port}: {error.strerror}", err=True)
        raise click.exceptions.Exit(ExitCode.FAILED) from error
    signal.signal(signal.SIGTERM, _leave)
    click.echo(f"whichlist listens on http://{settings.host}:{server.effective_port}", err=True)
    server.run()


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(ExitCode.OK)  # waitress lets the requests in progress finish


@click.group()
def models() -> None:
    """Trained models: list and compare them, read their reports, put one back in service."""


@models.command("list")
@json_option
@click.pass_obj
def list_models(shell: Shell, as_json: bool) -> None:
    """List the trained models, newest first."""
    with open_database(shell.settings).read_session() as session:
        bundles = list_bundles(session)
    if as_json:
        for bundle in bundles:
            print_json(vars(bundle))
        return
    rows: list[tuple[Any, ...]] = [(b.id, b.state, b.fingerprint, b.summary.get("reason")) for b in bundles]
    print_table(("MODEL", "STATE", "ENCODER", "WHY"), rows)


@models.command()
@click.argument("model_id")
@click.pass_obj
def promote(shell: Shell, model_id: str) -> None:
    """Verify MODEL_ID and put it in service; running servers follow within a second."""
    database = open_database(shell.settings)
    with database.read_session() as session:
        bundle = get_bundle(session, model_id)
    _put_in_service(database, bundle)


@models.command()
@click.pass_obj
def rollback(shell: Shell) -> None:
    """Put the model back in service that was there before; once more goes forward again."""
    database = open_database(shell.settings)
    with database.read_session() as session:
        bundles = list_bundles(session)
    served_before = [b for b in bundles if b.promoted_at is not None and b.state != "champion"]
    if not served_before:
        raise NoSuchBundle("no other model has been in service")
    _put_in_service(database, max(served_before, key=lambda b: b.promoted_at or 0.0))


def _put_in_service(database: Database, bundle: BundleInfo) -> None:
    read_bundle(bundle.directory)  # a damaged one is refused
    with database.session() as session:
        promote_bundle(session, bundle.id)
    click.echo(f"{bundle.id} is in service")


@models.command()
@click.argument("model_id")
@click.pass_obj
def report(shell: Shell, model_id: str) -> None:
    """Print how MODEL_ID was fitted and judged, as JSON."""
    with open_database(shell.settings).read_session() as session:
        bundle = get_bundle(session, model_id)
    click.echo(json.dumps(read_report(bundle.directory), indent=1))


@click.command()
@json_option
@click.pass_obj
def doctor(shell: Shell, as_json: bool) -> None:
    """Say what runs here, and what is missing."""
    checks = examine(shell.settings, base_encoder=shell.base_encoder(shell.settings))
    for check in checks:
        if as_json:
            print_json(vars(check))
        else:
            click.echo(f"{'ok  ' if check.ok else 'BAD '} {check.name}: {check.found}")
            if check.action:
                click.echo(f"      {check.action}")
    if not all(check.ok for check in checks):
        raise click.exceptions.Exit(ExitCode.FAILED)


@models.command()
@click.argument("a")
@click.argument("b")
@click.option("--judge", is_flag=True, help="First make the score card of a model that has none.")
@json_option
@click.pass_obj
def compare(shell: Shell, a: str, b: str, *, judge: bool, as_json: bool) -> None:
    """Show the score cards of the models A and B side by side, and how sure the difference is."""
    database = open_database(shell.settings)
    found = compare_models(database, shell.settings, a, b)
    missing = dict.fromkeys(found[side]["id"] for side in ("a", "b") if not found[side]["is_judged"])
    if judge and missing:
        for model_id in missing:
            shell.judge(shell.settings, model_id)
        found = compare_models(database, shell.settings, a, b)
    if as_json:
        print_json(found)
    else:
        print_comparison(found)


COMMANDS = (migrate_database, serve, models, doctor)
