"""The command that takes feedback on a track."""

import click

from api.terminal import Shell, finish_job, json_option, print_json
from recommender.catalogue.database import open_database
from recommender.playlists.feedback import (
    FeedbackState,
    PlaylistChoice,
    find_kept_track,
    show_feedback,
    take_back_feedback,
    take_feedback,
)
from recommender.records.playlists import DEFAULT_GROUP, FeedbackVerdict

_FORGET = "forget"
_SAYS = click.Choice([*(verdict.value for verdict in FeedbackVerdict), _FORGET])


@click.command()
@click.argument("track")
@click.argument("verdict", type=_SAYS, required=False)
@click.option("--playlist", help="The playlist that is right or wrong for the track.")
@click.option("--group", help=f"The group of that playlist; `{DEFAULT_GROUP}` unless given.")
@json_option
@click.pass_obj
def feedback(
    shell: Shell, track: str, verdict: str | None, *, playlist: str | None, group: str | None, as_json: bool
) -> None:
    """Say that TRACK is liked or disliked, or which playlist is right or wrong for it.

    TRACK is an id, isrc:..., mbid:..., spotify:track:... or a file that was scanned. `forget` takes back
    what was said; without a VERDICT it is shown.
    """
    is_about_playlist = verdict in (FeedbackVerdict.RIGHT, FeedbackVerdict.WRONG)
    if is_about_playlist != (playlist is not None) or (group is not None and playlist is None):
        raise click.UsageError("--playlist (and its --group) belongs to `right` and `wrong`, which need it")
    with open_database(shell.settings).session() as session:
        found = find_kept_track(session, track, is_path_allowed=True)
        if verdict is None:
            state = show_feedback(session, found)
        elif verdict == _FORGET:
            state = take_back_feedback(session, found)
        else:
            choice = PlaylistChoice(name=playlist, group=group)
            state = take_feedback(session, found, FeedbackVerdict(verdict), choice)
    if state.job_id is not None:
        finish_job(shell, state.job_id, title="feedback", as_json=False)
    _show(state, as_json=as_json)


def _show(state: FeedbackState, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "track": state.track.id,
                "feedback": [vars(row) for row in state.feedback],
                "playlists": [playlist.name for playlist in state.playlists],
                "advice": state.advice,
                "job": state.job_id,
            }
        )
        return
    click.echo(f"{state.track.artist} - {state.track.title}")
    for row in state.feedback:
        click.echo(f"  {row.verdict}: {row.playlist} ({row.group})")
    held = ", ".join(f"{playlist.name} ({playlist.group})" for playlist in state.playlists)
    click.echo(f"  in: {held or 'no playlist'}")
    if state.advice:
        click.echo(f"  {state.advice}")


COMMANDS = (feedback,)
