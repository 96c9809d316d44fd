"""The command that walks from one track to another."""

import click

from api.terminal import Shell, json_option, print_json
from recommender.catalogue import open_database
from recommender.served import ModelHolder
from recommender.walking import LONGEST_WALK, walk_between


@click.command()
@click.argument("start", metavar="FROM")
@click.argument("end", metavar="TO")
@click.option("--length", type=click.IntRange(2, LONGEST_WALK), default=10, show_default=True)
@json_option
@click.pass_obj
def path(shell: Shell, start: str, end: str, *, length: int, as_json: bool) -> None:
    """Lead FROM one track of the library TO another in small steps, with LENGTH tracks in all.

    FROM and TO are ids, isrc:..., mbid:..., spotify:track:... or files that were scanned.
    """
    database = open_database(shell.settings)
    model = ModelHolder(database, encoder_threads=shell.settings.encoder_threads).current()
    found = walk_between(database, model, start, end, length=length, library_roots=None)
    if as_json:
        print_json(found.to_dict())
        return
    for number, step in enumerate(found.steps, start=1):
        near = "" if step.similarity is None else f"{step.similarity:.2f}"
        click.echo(f"{number:>3}  {near:>5}  {step.track.artist} - {step.track.title} ({step.track.id})")


COMMANDS = (path,)
