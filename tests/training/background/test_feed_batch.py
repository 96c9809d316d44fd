"""A feed of local files from first sight to scores: nothing twice, nothing lost, no audio without need."""

from pathlib import Path

import pytest

from recommender.catalogue.database import Database
from recommender.catalogue.feed_items import mark_scored, set_duplicates_aside, settle_items
from recommender.catalogue.feeds import register_feed
from recommender.catalogue.scores import store_scores
from recommender.errors import NoSuchFeed
from recommender.feeds.batch import ask_for_scores, take_rows
from recommender.records.feeds import FeedState, Question, Settled
from recommender.records.jobs import JobState
from recommender.settings import Settings
from recommender.sources.feeds.watched_folder import read_folder
from tests.databases import sqlite_only
from tests.folders import listen_dangerously, listened, write_track
from tests.training.background.feeding import (
    HIGH_HZ,
    LOW_HZ,
    add_feed,
    answers_of,
    items_of,
    let_settle,
    make_feed_tools,
    score,
    serve_model,
    states_of,
    write_releases,
)


def write_feed(folder: Path) -> Path:
    """Two low files, two high ones, one copy and one that is no audio."""
    low = write_track(folder / "low 1.flac", tone_hz=LOW_HZ)
    write_track(folder / "low 2.flac", tone_hz=LOW_HZ + 80)
    write_track(folder / "high 1.flac", tone_hz=HIGH_HZ)
    write_track(folder / "high 2.flac", tone_hz=HIGH_HZ + 80)
    (folder / "low copy.flac").write_bytes(low.read_bytes())
    (folder / "no audio.mp3").write_text("words " * 1000)
    return let_settle(folder)


def test_a_folder_is_scored_once_and_every_item_says_where_it_stands(
    tmp_path: Path, database: Database, settings: Settings
) -> None:
    bundle = serve_model(database, settings)
    feed = add_feed(database, write_feed(tmp_path / "new"))
    job = score(settings, database, feed.id)
    assert (job.state, job.error, job.n_done, job.n_total) == (JobState.SUCCEEDED, None, 6, 6)
    assert job.result["n_new"] == 6
    answers = answers_of(database, feed.id)
    assert {name: answer[:2] for name, answer in answers.items()} == {
        "low 1.flac": (bundle, "low"),
        "low 2.flac": (bundle, "low"),
        "high 1.flac": (bundle, "high"),
        "high 2.flac": (bundle, "high"),
    }
    rest = {Path(i.row.row.path or "").name: (i.state, i.code) for i in items_of(database, feed.id)}
    assert rest["low copy.flac"] == (FeedState.SKIPPED, "duplicate")
    assert rest["no audio.mp3"] == (FeedState.FAILED, "undecodable_audio")
    # A copy that is read while its original is listened to is heard as well, to the same track.
    assert sorted({*listened(tmp_path)} - {"low copy.flac"}) == sorted([*answers, "no audio.mp3"])


def test_the_next_run_does_only_what_is_new(tmp_path: Path, database: Database, settings: Settings) -> None:
    serve_model(database, settings)
    folder = write_feed(tmp_path / "new")
    feed = add_feed(database, folder)
    score(settings, database, feed.id)
    n_listened = len(listened(tmp_path))
    again = score(settings, database, feed.id)
    assert (again.n_done, again.n_total, again.result["n_new"]) == (0, 0, 0)
    write_track(folder / "low 3.flac", tone_hz=LOW_HZ + 40)
    write_track(folder / "high 1.flac", tone_hz=LOW_HZ + 60)  # another recording in the same place
    let_settle(folder, age_s=60.0)
    third = score(settings, database, feed.id)
    assert (third.n_done, third.result["n_new"]) == (2, 1)
    assert sorted(listened(tmp_path)[n_listened:]) == ["high 1.flac", "low 3.flac"]
    answers = answers_of(database, feed.id)
    assert answers["high 1.flac"][1] == answers["low 3.flac"][1] == "low"


@sqlite_only
def test_another_model_scores_again_without_touching_audio(
    tmp_path: Path, database: Database, settings: Settings
) -> None:
    serve_model(database, settings)
    folder = write_releases(tmp_path / "new", n_tracks=4)
    feed = add_feed(database, folder)
    score(settings, database, feed.id)
    before, n_listened = answers_of(database, feed.id), len(listened(tmp_path))
    for path in folder.iterdir():
        path.unlink()
    second = serve_model(database, settings, shift=1.0)
    job = score(settings, database, feed.id, read_source=False)
    after = answers_of(database, feed.id)
    assert (job.n_done, len(listened(tmp_path))) == (4, n_listened)
    assert {answer[0] for answer in after.values()} == {second}
    assert all(after[name][2] != before[name][2] for name in before)


def test_what_two_feeds_share_is_heard_and_scored_once(
    tmp_path: Path, database: Database, settings: Settings
) -> None:
    serve_model(database, settings)
    paths = sorted(write_releases(tmp_path / "new", n_tracks=3).iterdir())
    listing = tmp_path / "new" / "feed.csv"
    listing.write_text("file;title\n" + "".join(f"{path.name};x{n}\n" for n, path in enumerate(paths)))
    one, two = add_feed(database, tmp_path / "new"), add_feed(database, listing)
    score(settings, database, one.id)
    assert score(settings, database, two.id).state is JobState.SUCCEEDED
    assert len(listened(tmp_path)) == 3
    assert answers_of(database, one.id) == answers_of(database, two.id)
    assert len(answers_of(database, two.id)) == 3


@sqlite_only
def test_a_csv_may_name_what_is_not_there_and_what_it_may_not(
    tmp_path: Path, database: Database, settings: Settings
) -> None:
    serve_model(database, settings)
    outside = write_track(tmp_path / "private" / "secret.flac", tone_hz=LOW_HZ)
    listing = tmp_path / "feed" / "new.csv"
    listing.parent.mkdir()
    lines = ("gone.flac,,", f"{outside},,", ",Song,Artist", ",,")
    listing.write_text("path,title,artist\n" + "\n".join(lines) + "\nx,y\n,only a title,\n")
    feed = add_feed(database, listing)
    job = score(settings, database, feed.id)
    found = {(item.state.value, item.code) for item in items_of(database, feed.id)}
    assert job.state is JobState.SUCCEEDED
    assert found == {
        ("no_audio", "missing_file"),
        ("no_audio", "outside_library"),
        ("no_audio", "not_in_library"),
        ("skipped", "names_nothing"),
    }
    assert listened(tmp_path) == []


@sqlite_only
def test_a_poison_file_is_set_aside_after_three_tries_and_the_batch_goes_on(
    tmp_path: Path, database: Database, settings: Settings
) -> None:
    serve_model(database, settings)
    folder = write_releases(tmp_path / "new", n_tracks=4)
    write_track(folder / "00 poison.flac", tone_hz=700.0)
    let_settle(folder)
    feed = add_feed(database, folder)
    tools = make_feed_tools(listen_dangerously)
    job = score(settings, database, feed.id, tools=tools)
    assert (job.state, job.n_failed, job.n_done) == (JobState.SUCCEEDED, 1, 5)
    assert listened(tmp_path).count("00 poison.flac") == 3
    [poison] = [item for item in items_of(database, feed.id) if item.state is not FeedState.SCORED]
    assert (poison.state, poison.code) == (FeedState.FAILED, "decoder_crashed")
    score(settings, database, feed.id, tools=tools)
    assert listened(tmp_path).count("00 poison.flac") == 3


def test_whoever_asks_while_a_feed_is_scored_joins(tmp_path: Path, database: Database) -> None:
    feed = add_feed(database, write_releases(tmp_path / "new", n_tracks=1))
    with database.session() as session:
        first, other = ask_for_scores(session, feed.id), ask_for_scores(session, feed.id, read_source=False)
    assert (first[1], other) == (False, (first[0], True))
    with database.session() as session, pytest.raises(NoSuchFeed):
        ask_for_scores(session, 99)


@sqlite_only
def test_without_a_model_the_job_says_so(tmp_path: Path, database: Database, settings: Settings) -> None:
    feed = add_feed(database, write_releases(tmp_path / "new", n_tracks=1))
    job = score(settings, database, feed.id)
    assert (job.state, job.error_code) == (JobState.FAILED, "no_model")
    assert states_of(database, feed.id) == {"seen": 1}


@sqlite_only
def test_a_source_that_went_away_leaves_the_feed_as_it_was(
    tmp_path: Path, database: Database, settings: Settings
) -> None:
    serve_model(database, settings)
    listing = tmp_path / "new" / "feed.jsonl"
    write_track(tmp_path / "new" / "a.flac", tone_hz=LOW_HZ)
    listing.write_text('{"path": "a.flac"}\nnot json\n')
    feed = add_feed(database, listing)
    score(settings, database, feed.id)
    listing.unlink()
    job = score(settings, database, feed.id)
    assert job.state is JobState.SUCCEEDED
    assert "cannot be read" in job.result["source_error"]
    assert states_of(database, feed.id) == {"scored": 1, "skipped": 1}
    with database.session() as session:
        never = register_feed(session, kind="csv", reference=str(tmp_path / "never.csv"))
    assert score(settings, database, never.id).error_code == "unreadable_source"


def test_of_two_items_with_one_recording_the_earlier_stays_whichever_is_heard_first(
    tmp_path: Path, database: Database, settings: Settings
) -> None:
    question = Question("default", serve_model(database, settings))
    feed = add_feed(database, write_releases(tmp_path / "new", n_tracks=2))
    with database.session() as session:
        take_rows(session, feed.id, read_folder(tmp_path / "new"))
    earlier, later = items_of(database, feed.id)
    for item in (later, earlier):
        with database.session() as session:
            settle_items(session, [Settled(item.id, FeedState.RESOLVED, 1)])
            store_scores(session, [(1, {"playlists": []})], question)
            set_duplicates_aside(session, feed.id, [1])
            mark_scored(session, feed.id, [1])
    found = [(item.state, item.code) for item in items_of(database, feed.id)]
    assert found == [(FeedState.SCORED, None), (FeedState.SKIPPED, "duplicate")]
