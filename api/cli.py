"""The ``whichlist`` command.

Commands that fit or judge models stand here, the only place that may import ``training``, and only
inside functions: asking for help must not take TensorFlow's six seconds.
"""

import json
import logging
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import click

from api import commands
from api.log import log_to_stderr
from api.modules import modules_of
from api.terminal import OurGroup, Progress, Shell, finish_job, json_option
from api.version import VERSION
from recommender.catalogue.database import open_database
from recommender.errors import MissingLibrary
from recommender.jobs.ledger import enqueue
from recommender.jobs.worker import SLOW_JOBS, run_job_here, run_worker
from recommender.playlists.following import queue_due
from recommender.records.jobs import JobInfo, JobKind
from recommender.settings import Settings, load_settings

# What `evaluate` prints of new and of known artists -> its key in the card.
_COLUMNS = {
    "right at first": "accuracy",
    "right one named": "coverage",
    "playlists named": "mean_set_size",
    "names one": "singletons",
    "  and is right": "singleton_accuracy",
    "says none fits": "turned_away",
    "calibration error": "ece",
}
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(cls=OurGroup)
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the database and the models.")
@click.version_option(VERSION, prog_name="whichlist")
@click.pass_context
def main(ctx: click.Context, data: Path | None) -> None:
    """Which of my playlists does this track fit?  Answered by listening, on this machine."""
    settings = load_settings({"data": data})
    # Whoever typed a command gets its sentence; logs are for what runs for long, which asks for them.
    logging.lastResort = logging.NullHandler()
    ctx.obj = Shell(
        settings,
        run_job=_run_job,
        base_encoder=_base_encoder,
        demo_folders=_demo_folders,
        judge=_judge,
    )


def _run_job(settings: Settings, job_id: int, on_progress: Callable[[JobInfo], None]) -> JobInfo:
    from training.background.handlers import build_handler

    return run_job_here(settings, job_id, build_handler(settings), on_progress=on_progress)


def _base_encoder(settings: Settings) -> str:
    from training.encoder.available import base_encoder_name

    return base_encoder_name(settings)


def _demo_folders(folder: Path) -> tuple[Path, ...]:
    from training.demo.library import build_demo_library

    with Progress("make the demo library") as progress:
        made = build_demo_library(
            folder, progress=lambda n_done, n_total, name: progress(n_done, n_total, f"playing: {name}")
        )
    return made.library, made.new_releases, made.neither


def _judge(settings: Settings, model_id: str) -> None:
    with Progress(f"judge {model_id}") as progress:
        _run_apart(
            "training.background.heavy:judge", settings=settings, bundle_id=model_id, progress=progress
        )


def _run_apart(function: str, **arguments: Any) -> Any:
    """What takes TensorFlow, or draws: its notices and its memory stay in a process of its own."""
    from training.apart import run_apart

    return run_apart(function, **arguments)


@main.command()
@click.option("--without-training", is_flag=True, help="Leave trainings to another worker.")
@click.option("--until-eof", is_flag=True, hidden=True, help="Stop when standard input ends.")
@click.pass_obj
def worker(shell: Shell, *, without_training: bool, until_eof: bool) -> None:
    """Do the queued jobs, until told to stop."""
    from training.background.handlers import build_handler
    from training.challenge.renewal import ask_for_renewal
    from training.encoder.available import can_train

    log_to_stderr(shell.settings)
    if not without_training and not can_train():
        click.echo(
            "whichlist: this worker leaves trainings to others: TensorFlow and what draws are not", err=True
        )
        click.echo("installed here (`make setup` without SERVE=1 installs them)", err=True)
        without_training = True
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    if until_eof:
        threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()
    without = SLOW_JOBS if without_training else ()
    ask_for_renewal(shell.settings)
    run_worker(
        shell.settings,
        build_handler(shell.settings),
        stop,
        without=without,
        each_minute=partial(queue_due, settings=shell.settings),
    )


def _stop_at_end_of_input(stop: threading.Event) -> None:
    sys.stdin.buffer.read()
    stop.set()


@main.command()
@json_option
@click.pass_obj
def train(shell: Shell, as_json: bool) -> None:
    """Fit the encoder again on every playlist; it takes over only if it is clearly better."""
    from training.encoder.available import can_train

    if not can_train():  # before anything is queued: another worker may do what this one cannot
        raise MissingLibrary.named("TensorFlow")
    database = open_database(shell.settings)
    with database.session() as session:
        job_id = enqueue(session, JobKind.TRAIN, {})
    job = finish_job(shell, job_id, title="train", as_json=as_json)
    if not as_json:
        click.echo(job.message)
        if "bundle" in job.result:
            click.echo(f"`whichlist models report {job.result['bundle']}` shows every figure.")


@main.command()
@click.argument("folder", type=_FOLDER)
@click.option("--manifest", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--folds", type=click.IntRange(2, 50), default=5, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write all of it.")
@click.option(
    "--html", "html_file", type=click.Path(dir_okay=False, path_type=Path), help="Write it as a page."
)
@click.pass_obj
def evaluate(
    shell: Shell,
    folder: Path,
    *,
    manifest: Path | None,
    folds: int,
    seed: int,
    json_file: Path | None,
    html_file: Path | None,
) -> None:
    """Judge FOLDER/<playlist>/<audio> on folds that never share an artist; the database is not touched."""
    with Progress("evaluate") as progress:
        found = _run_apart(
            "training.judging.scorecard:evaluate_folder",
            folder=folder,
            manifest=manifest,
            n_folds=folds,
            seed=seed,
            settings=shell.settings,
            with_maps=html_file is not None,
            progress=progress,
        )
    if html_file is not None:
        from training.report.page import render_page

        html_file.write_text(
            render_page(found, title=f"Score card of {folder.resolve().name}"), encoding="utf-8"
        )
    if json_file is not None:
        json_file.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    _print_scores(found)


def _print_scores(found: dict[str, Any]) -> None:
    low, high = found["balanced_accuracy_ci"]
    click.echo(
        f"balanced accuracy  {found['balanced_accuracy']:.3f}  (95 % interval {low:.3f} to {high:.3f})"
    )
    for name, value in found["baselines"].items():
        click.echo(f"  baseline {name:<16} {value:.3f}")
    for name in ("precision_at_1", "precision_at_2", "precision_at_3"):
        if found.get(name) is not None:
            click.echo(f"{name.replace('_', ' '):<18} {found[name]:.3f}")
    _print_columns(found)
    strangers = found.get("strangers")
    if strangers and strangers["auroc"]:
        auroc = strangers["auroc"]
        click.echo(f"none-fits AUROC    {auroc['mean']:.3f} mean, {auroc['worst']:.3f} worst")
        click.echo(
            f"strangers          {strangers['strangers_caught']:.0%} caught where"
            f" {strangers['members_turned_away']:.0%} of the members are turned away"
        )
    click.echo(f"encoder            {found['encoder']}, {found['seconds']:.0f} s")
    width = max(len(label) for label in found["labels"])
    click.echo("confusion (rows: playlist, columns: first answer)")
    for label, row in zip(found["labels"], found["confusion"], strict=True):
        click.echo(f"  {label:<{width}} " + " ".join(f"{value:>5}" for value in row))
    for failed in found["failed"]:
        click.echo(f"not read: {failed['file']} ({failed['code']})", err=True)


def _print_columns(found: dict[str, Any]) -> None:
    """The figures of new artists and of known ones, side by side."""
    known = found.get("known_artists") or {}
    click.echo(f"{'':<22} new artists  known artists")
    for words, name in _COLUMNS.items():
        values = (found.get(name), known.get(name))
        cells = ("–" if value is None else f"{value:.3f}" for value in values)
        click.echo(f"  {words:<20} {next(cells):>11}  {next(cells):>13}")


@main.command()
@click.argument("name", required=False)
@click.option("--list", "list_all", is_flag=True, help="Say what each recipe is, wants, and has to beat.")
@click.option("--data", "data_folder", type=click.Path(path_type=Path), help="Folder of the data set.")
@click.option("--out", type=click.Path(path_type=Path), help="New folder for the report.")
@click.option("--manifest", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--set", "choices", multiple=True, metavar="KEY=VALUE", help="Change a choice of the recipe.")
@click.option("--resume", is_flag=True, help="Go on with the run in --out.")
@click.pass_obj
def experiment(
    shell: Shell,
    name: str | None,
    *,
    list_all: bool,
    data_folder: Path | None,
    out: Path | None,
    manifest: Path | None,
    choices: tuple[str, ...],
    resume: bool,
) -> None:
    """Run the recipe NAME (or a TOML file of your own) on a data set or on playlists, and write a report."""
    from training.recipes.recipe import list_recipes

    if list_all:
        for recipe in list_recipes():
            click.echo(recipe.summary())
        return
    if name is None or data_folder is None:
        raise click.UsageError("name a recipe and --data, or ask for --list")
    out = out or shell.settings.data / "experiments" / Path(name).stem
    from training.experiments.report_folder import PAGE_FILE, recipe_for

    with Progress(f"experiment {Path(name).stem}") as progress:
        found = _run_apart(
            "training.experiments.run:run_experiment",
            recipe=recipe_for(name, choices, out, resume=resume),
            data=data_folder,
            out=out,
            settings=shell.settings,
            manifest=manifest,
            resume=resume,
            progress=progress,
        )
    low, high = found["balanced_accuracy_ci"]
    balanced = found["balanced_accuracy"]
    click.echo(f"balanced accuracy  {balanced:.3f}  (95 % interval {low:.3f} to {high:.3f})")
    click.echo(f"accuracy           {found['accuracy']:.3f}  of {found['n_asked']} tracks")
    if found["skipped"]:
        click.echo(f"{len(found['skipped'])} files were set aside: the report names them", err=True)
    click.echo(f"report             {out / PAGE_FILE}")


for _module in modules_of(commands):
    for _command in getattr(_module, "COMMANDS", ()):
        main.add_command(_command)

if __name__ == "__main__":
    main()
