"""Playlists in from files, for ``whichlist add-playlist``, and out to files: ``whichlist export``."""

import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from api.terminal import ExitCode, Shell, finish_job, json_option, print_json
from recommender.catalogue.database import open_database
from recommender.catalogue.playlists import find_playlist
from recommender.disk import replacing
from recommender.errors import PlaylistExists
from recommender.playlists.file_exchange import describe_import, import_from_file, playlist_for_export
from recommender.playlists.library_hints import LibraryHints
from recommender.playlists.members import IfExists, refuse_taken
from recommender.records.matches import MatchReport, ReportRow
from recommender.records.playlists import DEFAULT_GROUP, Origin, PlaylistInfo
from recommender.records.rows import SourcePlaylist
from recommender.sources.files.csv_columns import CHOSEN, parse_columns
from recommender.sources.files.csv_exports import TablePreview, UnknownColumns
from recommender.sources.files.reading import choose_playlist, read_playlist_file
from recommender.sources.files.writing import PlaylistFormat, write_playlist

N_NAMED = 10  # rows that are named one by one; the match report has them all


def choose_if_exists(given: str | None, filled: PlaylistInfo) -> str:
    """What to do with a playlist that holds songs under the name: as given, asked, or refused."""
    if given is None and sys.stdin.isatty():
        click.echo(f"{filled.name!r} of the group {filled.group!r} holds {filled.n_tracks} songs.", err=True)
        asked = click.prompt(
            "[a]dd to them, [r]eplace them, or leave it",
            type=click.Choice(["a", "r", "l"]),
            default="l",
            show_choices=False,
            err=True,
        )
        given = {"a": IfExists.ADD.value, "r": IfExists.REPLACE.value}.get(asked)
    if given in (None, IfExists.REFUSE):
        refuse_taken(filled)
    assert given is not None
    return given


@dataclass(frozen=True)
class FileAsked:
    """A playlist file, which of its playlists is meant, and what the columns of a table are said to hold."""

    path: Path
    which: str | None = None
    columns: str | None = None

    def read(self, hints: LibraryHints) -> SourcePlaylist:
        """The playlist; on a terminal a person is asked what is not clear about a table.

        Raises
        ------
        UnknownColumns, UnreadableSource, WhichPlaylist
        """
        said = parse_columns(self.columns) if self.columns else None
        try:
            found = read_playlist_file(self.path, hints=hints, columns=said)
        except UnknownColumns as error:
            _show_table(error.preview)
            if not sys.stdin.isatty():
                raise
            found = read_playlist_file(self.path, hints=hints, columns=_ask_columns(error.preview))
        return choose_playlist(found, self.which)


def _show_table(preview: TablePreview) -> None:
    """The first rows below the numbers of the columns, on standard error."""
    n_columns = max(map(len, (preview.head, *preview.rows)), default=0)
    numbers = tuple(str(number) for number in range(1, n_columns + 1))
    for row in (numbers, preview.head, *preview.rows):
        if row:
            click.echo("  ".join(cell[:24].ljust(24) for cell in row).rstrip(), err=True)


def _ask_columns(preview: TablePreview) -> dict[str, str]:
    """What a person says of each column that can be chosen; 0 for one that the file lacks."""
    said = {}
    for column in CHOSEN:
        guess = preview.guess.get(column, -1) + 1
        number = click.prompt(f"Which column is {column}? 0 for none", type=int, default=guess, err=True)
        if number:
            said[column] = str(number)
    return said


def add_playlist_file(
    shell: Shell,
    asked: FileAsked,
    *,
    name: str,
    group: str,
    choose: Callable[[PlaylistInfo], str],
    as_json: bool,
) -> None:
    """Make a playlist of what a playlist file names, say what became of its rows, and fit.

    ``choose`` says what to do with a playlist of the name that would lose songs.
    """
    database = open_database(shell.settings)
    hints = LibraryHints(database)
    playlist = asked.read(hints)
    import_it = partial(
        import_from_file,
        database,
        playlist,
        name=name,
        group=group,
        allow_spotify=shell.settings.spotify_training == "allow",
        origin=Origin(asked.path.absolute(), asked.which),
    )
    try:
        imported = import_it()
    except PlaylistExists:
        with database.read_session() as session:
            filled = find_playlist(session, name, group=group)
        imported = import_it(if_exists=IfExists(choose(filled)))
    hints.keep()
    report = imported.report
    if as_json:
        print_json({"playlist": vars(report.playlist)} | describe_import(report))
    else:
        print_report(report, refusal=report.refusal)
        if report.kept_out:
            named = "; ".join(report.kept_out[:N_NAMED])
            click.echo(f"{len(report.kept_out)} stay out, as you took them out: {named}")
    if imported.job_id is not None:
        finish_job(shell, imported.job_id, title=f"add {name}", as_json=as_json)
    if report.counts["used"] < report.counts["rows"]:
        raise click.exceptions.Exit(ExitCode.PARTLY)


def print_report(report: MatchReport, *, refusal: str) -> None:
    """Say what became of the rows, and name the first of those that came to nothing."""
    counts = report.counts
    by = ", ".join(f"{n} by {method}" for method, n in report.methods.items())
    click.echo(f"{counts['rows']} rows: {counts['used']} matched" + (f" ({by})" if by else ""))
    for outcome, meaning in (
        ("review", "to review: a track is proposed, and not used until you say so"),
        ("unmatched", "unmatched"),
        ("rejected", "rejected by you before"),
        ("skipped", "skipped"),
    ):
        rows = [row for row in report.rows if row.outcome == outcome]
        if rows:
            click.echo(f"{len(rows)} {meaning}")
        for row in rows[:N_NAMED]:
            named = " - ".join(text for text in (row.asked.artist, row.asked.title) if text) or row.code
            click.echo(f"  row {row.row}: {named}" + (f" ({row.match.note})" if row.match.note else ""))
        if len(rows) > N_NAMED:
            click.echo(f"  and {len(rows) - N_NAMED} more")
    unscanned = [path for row in report.rows if row.outcome == "unmatched" and (path := _local_file(row))]
    if unscanned:
        folder = shlex.quote(os.path.commonpath([path.parent for path in unscanned]))
        click.echo(
            f"{len(unscanned)} are files that were never scanned: `whichlist scan {folder}`, then again"
        )
    if counts["repeated"]:
        click.echo(f"{counts['repeated']} rows repeat a track")
    if refusal:
        click.echo(refusal)


def _local_file(row: ReportRow) -> Path | None:
    """The file that a row names, if it is on this machine."""
    try:
        path = Path(row.asked.path or "")
        return path if path.is_absolute() and path.is_file() else None
    except (OSError, ValueError):  # a name that no file can have
        return None


@click.command()
@click.argument("playlist")
@click.option(
    "--format",
    "written_as",
    type=click.Choice([known.value for known in PlaylistFormat]),
    help="m3u8, or what the name of --out says, unless given.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to; else it is printed.")
@click.option("--group", default=DEFAULT_GROUP, show_default=True, help="Playlists that compete.")
@json_option
@click.pass_obj
def export(
    shell: Shell, playlist: str, *, written_as: str | None, out: Path | None, group: str, as_json: bool
) -> None:
    """Write PLAYLIST as a file, for players and other programs."""
    with open_database(shell.settings).read_session() as session:
        found = playlist_for_export(session, find_playlist(session, playlist, group=group).id)
    named = None if out is None else PlaylistFormat.of_suffix(out.suffix.removeprefix("."))
    chosen = written_as or (named or PlaylistFormat.M3U8).value
    written = write_playlist(found, chosen)
    if out is None:
        click.echo(written, nl=False)
        return
    try:
        with replacing(out) as file:
            file.write(written)
    except OSError as error:
        raise click.FileError(str(out), error.strerror) from error
    n_without = sum(row.path is None for row in found.rows)
    said: dict[str, Any] = {"file": str(out), "format": chosen, "n_tracks": len(found.rows)}
    if as_json:
        print_json(said | {"n_without_file": n_without})
        return
    click.echo(f"{len(found.rows)} tracks of {found.name!r} are in {out} ({chosen})")
    if n_without:
        click.echo(f"{n_without} of them have no file", err=True)


COMMANDS = (export,)
