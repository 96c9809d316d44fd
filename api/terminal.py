"""What every command shares: exit codes, errors as one sentence and what to do, progress, JSON."""

import enum
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import click

from api.codes import find_problem
from embeddings.errors import EmbeddingError
from recommender.disk import DiskFull, is_disk_full
from recommender.errors import MissingLibrary, RecommenderError, SettingsError
from recommender.records.ids import MAX_ID
from recommender.records.jobs import JobInfo, JobState
from recommender.settings import Settings


class ExitCode(enum.IntEnum):
    """How a command ended.  The numbers are a promise; docs/commands.md lists them."""

    OK = 0  # done; an answer "none fits" is an answer
    FAILED = 1  # nothing was done; standard error says why and what to do
    USAGE = 2  # an option, an argument or a setting is wrong
    NOT_READY = 3  # there is no model yet, or the database was not migrated
    PARTLY = 4  # some of what was asked for was done; the rest is named


# What `make setup SERVE=1` leaves out.
TRAINING_LIBRARIES = frozenset(
    ("tensorflow", "keras", "librosa", "sklearn", "matplotlib", "umap", "numba", "musicnn")
)
_NOT_READY = frozenset(
    {"no_model", "group_not_fitted", "group_too_small", "schema_outdated", "database_unreachable"}
)
RunJob = Callable[[Settings, int, Callable[[JobInfo], None]], JobInfo]
# An id, or the number of a row, that a column of the catalogue holds.
ID = click.IntRange(1, MAX_ID)
_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Shell:
    """What the commands get from the one above them.

    ``run_job`` does a job in this process; ``base_encoder`` names the network used before training;
    ``demo_folders`` makes the demo library in a folder and returns its folders, the playlists first;
    ``judge`` makes the score card of a model.
    """

    settings: Settings
    run_job: RunJob
    base_encoder: Callable[[Settings], str]
    demo_folders: Callable[[Path], tuple[Path, ...]]
    judge: Callable[[Settings, str], None]


class OurGroup(click.Group):
    """Turns our errors into a sentence, what to do, and the exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (RecommenderError, EmbeddingError) as error:
            complain(error)
            ctx.exit(exit_code_of(error))
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in TRAINING_LIBRARIES:
                raise
            complain(MissingLibrary.named(error.name))
            ctx.exit(ExitCode.FAILED)
        except Exception as error:
            if not is_disk_full(error):
                raise
            complain(DiskFull())
            ctx.exit(ExitCode.FAILED)


def exit_code_of(error: RecommenderError | EmbeddingError) -> ExitCode:
    """Return the exit code that tells a program what kind of error it was."""
    if isinstance(error, SettingsError):
        return ExitCode.USAGE
    return ExitCode.NOT_READY if error.code in _NOT_READY else ExitCode.FAILED


def complain(error: RecommenderError | EmbeddingError) -> None:
    """Say on standard error what went wrong and what to do."""
    problem = find_problem(error.code)
    click.echo(f"whichlist: {error}", err=True)
    if problem is not None:
        click.echo(problem.at_terminal, err=True)


def describe_error(error: RecommenderError | EmbeddingError) -> dict[str, Any]:
    """Return the error for a program."""
    problem = find_problem(error.code)
    return {"code": error.code, "detail": str(error), "action": problem.at_terminal if problem else ""}


def print_json(values: Mapping[str, Any]) -> None:
    """Print one document on one line; a command with several prints several lines."""
    click.echo(json.dumps(values, default=str, allow_nan=False))


def print_table(titles: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Print aligned columns."""
    texts = [titles, *(tuple("" if value is None else str(value) for value in row) for row in rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(titles))]
    for row in texts:
        click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


class Progress:
    """A bar on a terminal, else one line per step; always on standard error."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._bar: Any = None
        self._said = ""

    def __call__(self, n_done: int, n_total: int, message: str = "") -> None:
        """Show that ``n_done`` of ``n_total`` are done."""
        if sys.stderr.isatty():
            self._move_bar(n_done, n_total, message)
        else:
            self._say_step(n_total, message)

    def job(self, job: JobInfo) -> None:
        """Show how far a job is."""
        self(job.n_done, job.n_total, job.message)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()  # leaves the terminal as it was

    def _move_bar(self, n_done: int, n_total: int, message: str) -> None:
        from tqdm import tqdm

        if self._bar is None:
            self._bar = tqdm(desc=self._title, file=sys.stderr, dynamic_ncols=True)
        self._bar.total = n_total or None
        self._bar.n = n_done
        self._bar.set_postfix_str(message, refresh=True)

    def _say_step(self, n_total: int, message: str) -> None:
        """A step is what the message says before its first colon; counting alone says nothing new."""
        step = message.partition(":")[0] or f"{n_total} to do"
        if step != self._said:
            self._said = step
            click.echo(f"{self._title}: {step}", err=True)


def json_option(command: _Command) -> _Command:
    """Give a command ``--json``, for programs."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(command)


def finish_job(shell: Shell, job_id: int, *, title: str, as_json: bool) -> JobInfo:
    """Do a job here with its progress shown, or follow the worker that has it; exit unless it went well."""
    try:
        with Progress(title) as progress:
            job = shell.run_job(shell.settings, job_id, progress.job)
    except KeyboardInterrupt:
        click.echo(f"whichlist: stopped; a worker will go on with job {job_id}", err=True)
        raise click.exceptions.Exit(ExitCode.FAILED) from None
    if as_json:
        print_json({"job": job.id, "state": job.state, "result": job.result, "error_code": job.error_code})
    if job.state != JobState.SUCCEEDED:
        click.echo(f"whichlist: job {job.id} has {job.state}: {job.error or job.message}", err=True)
        problem = find_problem(job.error_code or "")
        if problem is not None:
            click.echo(problem.at_terminal, err=True)
        raise click.exceptions.Exit(ExitCode.FAILED)
    if job.n_failed:
        click.echo(f"{job.n_failed} files were set aside: `whichlist jobs {job.id}` names them", err=True)
    return job


def exit_if_partly(job: JobInfo) -> None:
    """Tell a program that some files were set aside."""
    if job.n_failed:
        raise click.exceptions.Exit(ExitCode.PARTLY)
