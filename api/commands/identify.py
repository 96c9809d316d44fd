"""``whichlist identify``: tracks get their MusicBrainz ids from what they sound like."""

from collections import Counter
from typing import Any

import click

from api.terminal import ExitCode, Progress, Shell, complain, json_option, print_json, print_table
from recommender.catalogue.database import open_database
from recommender.catalogue.playlists import find_playlist
from recommender.errors import SourceError
from recommender.matching.recognition import Heard, ToRecognise, find_recogniser, list_to_recognise, recognise
from recommender.matching.recording_choice import Outcome
from recommender.records.playlists import DEFAULT_GROUP


@click.command()
@click.argument("playlist", required=False)
@click.option("--all", "whole_library", is_flag=True, help="Every track of the library.")
@click.option("--again", is_flag=True, help="Ask about tracks that were asked about before too.")
@click.option("--group", default=DEFAULT_GROUP, show_default=True, help="Playlists that compete.")
@json_option
@click.pass_obj
def identify(
    shell: Shell, playlist: str | None, *, whole_library: bool, again: bool, group: str, as_json: bool
) -> None:
    """Ask AcoustID what the tracks of PLAYLIST are that have no MusicBrainz id.

    It is sent what fpcalc makes of a track's sound and the track's length, no name and no audio. Ids are
    kept only where the answer is sure; the rest is listed.
    """
    if whole_library == (playlist is not None):
        raise click.UsageError("name a PLAYLIST, or give --all")
    recogniser = find_recogniser(shell.settings)
    database = open_database(shell.settings)
    playlist_id = None
    if playlist is not None:
        with database.read_session() as session:
            playlist_id = find_playlist(session, playlist, group=group).id
    asked = list_to_recognise(database, playlist_id=playlist_id, again=again)
    heard: list[Heard] = []
    stopped: SourceError | None = None
    try:
        with Progress("identify") as progress:
            for entry in recognise(database, recogniser, asked.tracks, progress=progress):
                heard.append(entry)
    except SourceError as error:
        if not heard:
            raise
        stopped = error
    (_print_json if as_json else _print_text)(asked, heard)
    if stopped is not None:
        complain(stopped)
    if stopped is not None or any(entry.answer is None for entry in heard):
        raise click.exceptions.Exit(ExitCode.PARTLY)


def _print_text(asked: ToRecognise, heard: list[Heard]) -> None:
    if asked.n_asked_before:
        click.echo(f"{asked.n_asked_before} tracks were asked about before: --again asks once more")
    if not asked.tracks:
        click.echo("no other track is without a MusicBrainz id")
        return
    counts = ", ".join(f"{n} {outcome}" for outcome, n in _count(heard).items())
    click.echo(f"{len(heard)} of {len(asked.tracks)} tracks: {counts}")
    left = [entry for entry in heard if entry.outcome not in (Outcome.NAMED, Outcome.UNKNOWN)]
    if left:
        rows = [(entry.track.id, _name(entry), entry.outcome, _score(entry), _note(entry)) for entry in left]
        print_table(("TRACK", "NAMED", "OUTCOME", "SCORE", "NOTE"), rows)


def _print_json(asked: ToRecognise, heard: list[Heard]) -> None:
    print_json(
        {
            "n_to_ask": len(asked.tracks),
            "n_asked_before": asked.n_asked_before,
            "outcomes": _count(heard),
            "tracks": [_for_program(entry) for entry in heard],
        }
    )


def _for_program(entry: Heard) -> dict[str, Any]:
    answer = entry.answer
    return {
        "id": entry.track.id,
        "title": entry.track.title,
        "artist": entry.track.artist,
        "outcome": entry.outcome,
        "note": _note(entry),
        "acoustid": answer.acoustid if answer else "",
        "score": answer.score if answer else 0.0,
        "recordings": [vars(recording) for recording in answer.recordings] if answer else [],
    }


def _count(heard: list[Heard]) -> dict[str, int]:
    return dict(Counter(str(entry.outcome) for entry in heard).most_common())


def _name(entry: Heard) -> str:
    return f"{entry.track.artist} - {entry.track.title}"


def _score(entry: Heard) -> str:
    return f"{entry.answer.score:.2f}" if entry.answer and entry.answer.acoustid else ""


def _note(entry: Heard) -> str:
    return entry.answer.note if entry.answer else entry.error


COMMANDS = (identify,)
