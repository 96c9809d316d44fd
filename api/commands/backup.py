"""Commands that bring everything the program knows into one file, and back."""

import os
import time
from pathlib import Path

import click

from api.terminal import Progress, Shell, json_option, print_json
from recommender.catalogue.backup import BackupContents, restore_backup, write_backup

_MB = 1_000_000


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
@click.pass_obj
def backup(shell: Shell, file: Path, *, as_json: bool) -> None:
    """Write the catalogue, models, score cards and kept uploads to FILE, while serving goes on.

    Your music is not in it. The file may be read by you alone, as the settings in it may hold passwords.
    """
    if not file.absolute().parent.is_dir():
        raise click.UsageError(f"there is no folder {os.fspath(file.absolute().parent)!r}")
    with Progress("backup") as progress:
        contents = write_backup(shell.settings, file, progress=progress)
    _print(contents, f"written to {os.fspath(file)!r}", as_json=as_json)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
@click.pass_obj
def restore(shell: Shell, file: Path, *, as_json: bool) -> None:
    """Bring back what `backup` wrote to FILE, into an empty data folder and database."""
    with Progress("restore") as progress:
        contents = restore_backup(shell.settings, file, progress=progress)
    _print(contents, f"restored to {os.fspath(shell.settings.data)!r}", as_json=as_json)


def _print(contents: BackupContents, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(vars(contents))
        return
    made = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(contents.created_at))
    click.echo(f"{contents.n_files} files, {contents.n_bytes / _MB:.1f} MB, of {made}, {what}")


COMMANDS = (backup, restore)
