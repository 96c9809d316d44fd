"""Commands that ask: which playlists a track fits, and what lies between two tracks."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import click

from api.terminal import ExitCode, Shell, complain, describe_error, exit_code_of, json_option, print_json
from embeddings.errors import EmbeddingError
from recommender.answering.answer import Recommendation
from recommender.answering.question import ask_by_reference
from recommender.answering.ranking import RankingOptions
from recommender.answering.walk import LONGEST_WALK, walk_between
from recommender.catalogue.database import open_database
from recommender.errors import RecommenderError
from recommender.matching.spotify_links import link_resolver
from recommender.model.in_service import ModelHolder
from recommender.model.shelf import ModelShelf
from recommender.sources.album_tracks import is_sheet, references_of
from recommender.sources.cue.sheet import MalformedSheet
from recommender.sources.web.audio_urls import audio_fetcher
from recommender.sources.web.reading import open_web


@click.command()
@click.argument("tracks", nargs=-1, required=True, metavar="TRACK...")
@click.option("--group", help="Playlists that compete; the default group unless given.")
@click.option("--model", "model_id", help="The model that answers; the one in service unless given.")
@click.option("--top", type=click.IntRange(1), help="Only the first so many playlists.")
@click.option("--neighbours", type=click.IntRange(0, 50), default=3, show_default=True)
@click.option("--segments", is_flag=True, help="Also say what is heard at each moment.")
@json_option
@click.pass_obj
def recommend(
    shell: Shell,
    tracks: Sequence[str],
    *,
    group: str | None,
    model_id: str | None,
    top: int | None,
    neighbours: int,
    segments: bool,
    as_json: bool,
) -> None:
    """Say which playlists each TRACK fits: an id, isrc:..., mbid:..., spotify:track:..., a file, or a URL.

    A cue sheet asks about every track that it names, 'album.flac#3' about the third of an album in one file.
    """
    database = open_database(shell.settings)
    threads = shell.settings.encoder_threads
    holder = ModelHolder(database, encoder_threads=threads)
    model = ModelShelf(database, holder, encoder_threads=threads).get(model_id)
    options = RankingOptions(
        promise=shell.settings.promise, group=group, top=top, n_nearest=neighbours, segments=segments
    )
    ask = partial(
        ask_by_reference,
        database,
        model,
        options=options,
        library_roots=None,
        fetch=audio_fetcher(shell.settings, open_web(shell.settings)),
        resolve_spotify=link_resolver(shell.settings, database, lambda: open_web(shell.settings)),
    )
    codes = [_recommend_one(ask, track, as_json=as_json) for track in _each_track(tracks)]
    if any(codes):
        raise click.exceptions.Exit(max(codes) if all(codes) else ExitCode.PARTLY)


def _each_track(tracks: Sequence[str]) -> Iterator[str]:
    """The tracks asked about, those of a cue sheet one by one; what is no sheet of use is asked as it is."""
    for track in tracks:
        references = [track]
        if is_sheet(Path(track)):
            try:
                references = references_of(Path(track).resolve())
            except MalformedSheet as error:
                raise click.ClickException(f"{track}: {error}") from error
        yield from references


def _recommend_one(ask: Callable[[str], Recommendation], track: str, *, as_json: bool) -> ExitCode:
    """Answer for one track; one that cannot be answered must not stop the others."""
    try:
        answer = ask(track)
    except (RecommenderError, EmbeddingError) as error:
        if as_json:
            print_json({"asked": track, "error": describe_error(error)})
        complain(error)
        return exit_code_of(error)
    if as_json:
        print_json({"asked": track} | answer.to_dict())
    else:
        _print_answer(answer)
    return ExitCode.OK


def _print_answer(answer: Recommendation) -> None:
    click.echo(f"{answer.track.artist} - {answer.track.title}: {answer.headline}")
    if answer.explanation:
        click.echo(f"  {answer.explanation}")
    if answer.track.heard_in_part:
        click.echo(f"  {answer.track.heard_in_part}")
    for word in answer.said:
        click.echo(f"  you said: {word.verdict} in {word.playlist.name}")
    for playlist in answer.playlists:
        near = "; ".join(f"{n.track.artist} - {n.track.title} {n.similarity:.2f}" for n in playlist.nearest)
        fits = "fits" if playlist.fits else ""
        click.echo(f"  {playlist.name:<20} {playlist.probability:>6.1%}  {fits:<4}  {near}")
        if playlist.note:
            click.echo(f"    {playlist.note}")
    for segment in answer.segments:
        heard = f"{segment.playlist} {segment.probability:.0%}"
        click.echo(f"    {segment.start_s:7.1f} to {segment.end_s:.1f} s  {heard}")
    if answer.member_of:
        click.echo(f"  already in: {', '.join(playlist.name for playlist in answer.member_of)}")
    if answer.learning is not None:
        click.echo(f"  being learnt now: {answer.learning.reason} (job {answer.learning.job_id})")
    spent = ", ".join(f"{step} {ms:.0f} ms" for step, ms in answer.timing_ms.items())
    click.echo(f"  ({answer.encoder}, model {answer.model}; {spent})")


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


COMMANDS = (recommend, path)
