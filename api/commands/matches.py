"""Commands about imported playlists: what their rows were matched with, and what they mean."""

from typing import Any

import click

from api.terminal import ID, Shell, exit_if_partly, finish_job, json_option, print_json, print_table
from recommender.catalogue.database import open_database
from recommender.catalogue.imported_rows import match_report
from recommender.catalogue.playlists import find_playlist
from recommender.matching.corrections import Choice, describe_report, describe_rows, settle_row
from recommender.records.playlists import DEFAULT_GROUP

_group_option = click.option(
    "--group", default=DEFAULT_GROUP, show_default=True, help="Playlists that compete."
)


@click.command("match-report")
@click.argument("playlist")
@click.option("--all", "show_all", is_flag=True, help="List the rows that are used too.")
@_group_option
@json_option
@click.pass_obj
def match_report_command(shell: Shell, playlist: str, *, show_all: bool, group: str, as_json: bool) -> None:
    """Show what the rows of the imported PLAYLIST were matched with, how, and what was not."""
    with open_database(shell.settings).read_session() as session:
        found = find_playlist(session, playlist, group=group)
        report = describe_report(session, match_report(session, found.id))
    if as_json:
        print_json(report | {"playlist": vars(found), "rows": [_for_program(row) for row in report["rows"]]})
        return
    if not report["rows"]:
        click.echo(f"{playlist} was not imported from a list of tracks (its source: {found.source})")
        return
    print_counts(report["counts"], report["methods"])
    _print_rows([row for row in report["rows"] if show_all or row["outcome"] != "used"])
    if report["counts"]["review"]:
        click.echo(f"settle a row: whichlist match-decide '{playlist}' ROW --accept | --track ID | --reject")


@click.command("match-decide")
@click.argument("playlist")
@click.argument("row", type=ID)
@click.option("--accept", is_flag=True, help="The track proposed is the right one.")
@click.option("--track", "track_id", type=click.IntRange(1), help="The track with this id is the right one.")
@click.option("--reject", is_flag=True, help="None of the tracks proposed is right.")
@_group_option
@json_option
@click.pass_obj
def match_decide(
    shell: Shell,
    playlist: str,
    row: int,
    *,
    accept: bool,
    track_id: int | None,
    reject: bool,
    group: str,
    as_json: bool,
) -> None:
    """Say what ROW of the imported PLAYLIST means; it is remembered for every later import."""
    chosen = {Choice.ACCEPT: accept, Choice.CHOOSE: track_id is not None, Choice.REJECT: reject}
    if sum(chosen.values()) != 1:
        raise click.UsageError("give one of --accept, --track ID and --reject")
    choice = next(choice for choice, is_chosen in chosen.items() if is_chosen)
    allow_spotify = shell.settings.spotify_training == "allow"
    with open_database(shell.settings).session() as session:
        playlist_id = find_playlist(session, playlist, group=group).id
        settled = settle_row(
            session, playlist_id, row, choice, track_id=track_id, allow_spotify=allow_spotify
        )
        (shown,) = describe_rows(session, (settled.row,))
    if as_json:
        print_json(_for_program(shown))
    else:
        _print_rows([shown])
    if settled.job_id is not None:
        exit_if_partly(finish_job(shell, settled.job_id, title="fit", as_json=as_json))


def print_counts(counts: dict[str, int], methods: dict[str, int]) -> None:
    """Say in two lines what became of the rows of a playlist."""
    said = ", ".join(f"{n} {outcome}" for outcome, n in counts.items() if n and outcome != "rows")
    click.echo(f"{counts['rows']} rows: {said or 'nothing in them'}")
    if methods:
        click.echo("found by " + ", ".join(f"{method} ({n})" for method, n in methods.items()))


def _print_rows(rows: list[dict[str, Any]]) -> None:
    if rows:
        titles = ("ROW", "ASKED FOR", "OUTCOME", "TRACK", "SCORE", "BY", "NOTE")
        print_table(titles, [_line(row) for row in rows])


def _line(row: dict[str, Any]) -> tuple[Any, ...]:
    track = row["track"]
    shown = "" if track is None else f"{track.artist} - {track.title} ({track.id})"
    score = f"{row['score']:.2f}" if track else ""
    method = row["method"] if track else ""
    return row["row"], _asked(row), row["outcome"], shown, score, method, row["note"]


def _asked(row: dict[str, Any]) -> str:
    named = " - ".join(part for part in (row["artist"], row["title"]) if part)
    return named or row["path"] or "(nothing)"


def _for_program(row: dict[str, Any]) -> dict[str, Any]:
    """Plain values, tracks by id and name."""
    others = [{"track": _named(entry["track"]), "score": entry["score"]} for entry in row["alternatives"]]
    return row | {"track": _named(row["track"]), "alternatives": others}


def _named(track: Any) -> dict[str, Any] | None:
    return None if track is None else {"id": track.id, "title": track.title, "artist": track.artist}


COMMANDS = (match_report_command, match_decide)
