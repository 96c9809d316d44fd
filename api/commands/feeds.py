"""The command that scores a feed: once, or as new tracks arrive."""

import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from api.commands.feed_watch import watch_for_rows
from api.terminal import ExitCode, Progress, Shell, exit_if_partly, finish_job, json_option, print_json
from recommender.catalogue.database import Database, open_database
from recommender.catalogue.feeds import register_feed
from recommender.catalogue.files import add_library_root
from recommender.catalogue.playlists import find_group
from recommender.feeds.batch import ask_for_scores
from recommender.feeds.digest import render_html, render_text
from recommender.feeds.result_files import write_lists
from recommender.feeds.results import FeedResults, ResultOptions, read_results
from recommender.playlists.sending import send_lists
from recommender.records.feeds import FeedInfo
from recommender.records.jobs import JobState
from recommender.sources.feeds.reading import FeedSource, find_source
from recommender.sources.files.writing import PlaylistFormat
from recommender.sources.servers.subsonic_log_in import find_subsonic
from recommender.sources.web.reading import open_web

_FILE = click.Path(dir_okay=False, path_type=Path)
_SHARE = click.FloatRange(0, 1)


@dataclass(frozen=True)
class _Feeding:
    """A feed at the command line, and what its results are to look like."""

    shell: Shell
    database: Database
    feed: FeedInfo
    options: ResultOptions
    as_json: bool
    digest: Path | None
    playlists: Path | None
    playlists_as: PlaylistFormat
    send: bool

    def results(self) -> FeedResults:
        with self.database.read_session() as session:
            return read_results(session, self.shell.settings, self.feed.id, self.options)

    def show(self) -> None:
        """Print the results and write the files that were asked for."""
        results = self.results()
        if self.as_json:
            print_json(results.to_dict())
        else:
            click.echo(render_text(results), nl=False)
        self.write(results)

    def write(self, results: FeedResults) -> None:
        """Write the files that were asked for."""
        if self.digest is not None:
            is_page = self.digest.suffix.lower() in (".html", ".htm")
            text = (render_html if is_page else render_text)(results)
            self.digest.write_text(text, encoding="utf-8", errors="replace")
        if self.playlists is not None:
            write_lists(results, self.playlists, self.playlists_as)
        if self.send:
            server, web = find_subsonic(self.shell.settings), open_web(self.shell.settings)
            for sent in send_lists(self.database, web, server, results):
                missing = f", {sent.n_missing} are not known to be there" if sent.n_missing else ""
                click.echo(f"{sent.n_sent} tracks are now in {sent.name!r} on the server{missing}", err=True)


@click.command("score-feed")
@click.argument("source")
@click.option("--group", help="Playlists that compete; the default group unless given.")
@click.option("--min-probability", type=_SHARE, help="List nothing below this; unless given, below chance.")
@click.option(
    "--at-most-wrong",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="List only as far down as at most this share is wrong, by the score card.",
)
@click.option("--watch", is_flag=True, help="Go on, and score what arrives, until told to stop.")
@click.option("--resume", is_flag=True, help="Go on with what is left, without asking the source again.")
@click.option("--digest", type=_FILE, help="Also write the lists to read, as a page (.html) or as text.")
@click.option(
    "--playlists",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also write each list into this folder.",
)
@click.option(
    "--playlists-as",
    type=click.Choice([known.value for known in PlaylistFormat]),
    default=PlaylistFormat.M3U8.value,
    show_default=True,
    help="As what; rekordbox and nml hold all lists in one file.",
)
@click.option("--send", is_flag=True, help="Also write each list to the Subsonic server, as NAME (new).")
@json_option
@click.pass_obj
def score_feed(
    shell: Shell,
    source: str,
    *,
    group: str | None,
    min_probability: float | None,
    at_most_wrong: float | None,
    watch: bool,
    resume: bool,
    digest: Path | None,
    playlists: Path | None,
    playlists_as: str,
    send: bool,
    as_json: bool,
) -> None:
    """Score every recording of SOURCE, and list for each playlist what fits it.

    SOURCE is a folder, a file (CSV, JSON Lines, M3U8, PLS, XSPF, JSPF), the URL of a podcast, RSS or Atom
    feed, or a list on a server: listenbrainz:fresh, listenbrainz:USER, subsonic:newest, jellyfin:newest.
    """
    found = find_source(source)
    database = open_database(shell.settings)
    feed = _register(database, found, group=group, min_probability=min_probability)
    options = ResultOptions(None, min_probability, at_most_wrong)
    written_as = PlaylistFormat(playlists_as)
    feeding = _Feeding(shell, database, feed, options, as_json, digest, playlists, written_as, send)
    if watch:
        _watch(feeding, found)
        return
    with database.session() as session:
        job_id, is_joined = ask_for_scores(session, feed.id, read_source=not resume)
    if is_joined:
        click.echo(f"whichlist: job {job_id} is scoring this feed already; following it", err=True)
    job = finish_job(shell, job_id, title="score feed", as_json=as_json)
    feeding.show()
    exit_if_partly(job)


def _register(
    database: Database, source: FeedSource, *, group: str | None, min_probability: float | None
) -> FeedInfo:
    """Make the feed known; what lies beside a file, or in a folder, may be read from now on."""
    with database.session() as session:
        if group is not None:
            find_group(session, group)
        if source.path is not None:
            add_library_root(session, source.path if source.path.is_dir() else source.path.parent)
        return register_feed(
            session,
            kind=source.kind,
            reference=source.reference,
            group=group,
            name=source.name,
            min_probability=min_probability or 0.0,
        )


def _watch(feeding: _Feeding, source: FeedSource) -> None:
    """Score whatever arrives until a signal comes; a source that fails is asked again later."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    click.echo(f"whichlist: watching {source.reference}; Ctrl-C ends it", err=True)
    listed: set[tuple[int, int]] = set()
    score = partial(_score_once, feeding, listed)
    with suppress(KeyboardInterrupt):  # a job in progress was given back
        watch_for_rows(feeding.database, feeding.feed.id, source, stop=threading.Event(), score=score)


def _score_once(feeding: _Feeding, listed: set[tuple[int, int]], *, read_source: bool) -> None:
    """Run one job and print what it listed that was not listed before."""
    is_joined = True
    while is_joined:  # a job that ran already may have begun without what has just arrived
        with feeding.database.session() as session:
            job_id, is_joined = ask_for_scores(session, feeding.feed.id, read_source=read_source)
        with Progress("score feed") as progress:
            job = feeding.shell.run_job(feeding.shell.settings, job_id, progress.job)
    if job.state != JobState.SUCCEEDED:
        click.echo(f"whichlist: job {job.id} has {job.state}: {job.error or job.message}", err=True)
        if job.error_code == "no_model":
            raise click.exceptions.Exit(ExitCode.NOT_READY)
        return
    results = feeding.results()
    for playlist in results.playlists:
        for track in playlist.tracks:
            if (playlist.id, track.item) not in listed:
                listed.add((playlist.id, track.item))
                _print_track(playlist.name, track, as_json=feeding.as_json)
    feeding.write(results)


def _print_track(playlist: str, track: Any, *, as_json: bool) -> None:
    if as_json:
        names = ("item", "track", "title", "artist", "probability", "p_value")
        print_json({"playlist": playlist} | {name: getattr(track, name) for name in names})
    else:
        click.echo(f"{playlist}: {track.probability:6.1%}  {track.artist} - {track.title}")


COMMANDS: tuple[Callable[..., Any], ...] = (score_feed,)
