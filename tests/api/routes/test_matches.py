"""What imported rows were matched with, over HTTP and on the command line."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from api.terminal import ExitCode
from recommender.catalogue.database import Database, open_database
from recommender.catalogue.playlists import create_playlist, playlist_tracks
from recommender.catalogue.tracks import upsert_track
from recommender.jobs.ledger import get_job
from recommender.playlists.importing import import_playlist
from recommender.records.jobs import JobKind
from recommender.records.rows import SPOTIFY, SkippedRow, SourcePlaylist, SourceRow
from recommender.records.tracks import TrackFacts
from recommender.settings import load_settings
from tests.api.commands.test_cli import Run, runner_in
from tests.api.conftest import Filled
from tests.api.problems import assert_problem
from tests.databases import sqlite_only

ROWS = (
    SourceRow(title="Piece 0", artist="Artist 00", duration_s=4),
    SourceRow(title="Piece 1 (Live)", artist="Artist 00"),
    SourceRow(title="Nowhere", artist="Nobody"),
)
SKIPPED = (SkippedRow(3, "episode", "a podcast is no track", "Talk"),)


def do_import(database: Database, rows: Sequence[SourceRow] = ROWS, *, source: str = "m3u") -> int:
    with database.session() as session:
        playlist = SourcePlaylist("mine", source, tuple(rows), SKIPPED)
        return import_playlist(session, playlist, group="mood").playlist.id


def add_named(database: Database, *titles: str) -> list[int]:
    with database.session() as session:
        facts = [TrackFacts(title, "Artist 00", duration_s=4.0, content_sha256=title) for title in titles]
        return [upsert_track(session, each) for each in facts]


@pytest.fixture
def tracks(filled: Filled) -> list[int]:
    """Two tracks that the rows name, beside those of the library."""
    return add_named(filled.database, "Piece 0", "Piece 1")


def members(database: Database, playlist_id: int) -> list[int]:
    with database.read_session() as session:
        return playlist_tracks(session, playlist_id)


def test_a_report_shows_each_row_and_what_became_of_it(
    client: FlaskClient, filled: Filled, tracks: list[int]
) -> None:
    playlist_id = do_import(filled.database)
    report = client.get(f"/playlists/{playlist_id}/matches").get_json()
    assert (report["playlist"]["name"], report["playlist"]["source"]) == ("mine", "m3u")
    outcomes = [row["outcome"] for row in report["rows"]]
    assert outcomes[1:] == ["review", "unmatched", "skipped"]
    assert report["counts"]["rows"] == 4
    assert report["rows"][1]["track"]["title"] == "Piece 1"
    assert report["rows"][1]["note"] == "another version: live"
    assert (report["rows"][3]["code"], report["rows"][3]["note"]) == ("episode", "a podcast is no track")


def test_a_decision_changes_the_playlist_and_is_learnt(
    client: FlaskClient, filled: Filled, tracks: list[int]
) -> None:
    playlist_id = do_import(filled.database)
    before = members(filled.database, playlist_id)
    url = f"/playlists/{playlist_id}/matches"
    accepted = client.put(f"{url}/2", json={"decision": "accept"}).get_json()
    proposed = accepted["row"]["track"]["id"]
    assert (accepted["row"]["outcome"], accepted["row"]["state"]) == ("used", "accepted")
    with filled.database.read_session() as session:
        assert get_job(session, accepted["job"]["id"]).kind is JobKind.REFIT
    assert members(filled.database, playlist_id) == [*before, proposed]
    other = next(track_id for track_id in filled.track_ids if track_id not in (*before, proposed))
    chosen = client.put(f"{url}/3", json={"decision": "choose", "track_id": other}).get_json()
    assert chosen["row"]["state"] == "chosen"
    assert chosen["job"]["id"] == accepted["job"]["id"]  # one fit for all that was decided meanwhile
    rejected = client.put(f"{url}/2", json={"decision": "reject"}).get_json()
    assert rejected["row"]["outcome"] == "rejected"
    assert members(filled.database, playlist_id) == [*before, other]


@sqlite_only
def test_a_decision_that_teaches_nothing_asks_for_no_fit(
    client: FlaskClient, filled: Filled, tracks: list[int]
) -> None:
    playlist_id = do_import(filled.database, ROWS[1:2], source=SPOTIFY)
    answer = client.put(f"/playlists/{playlist_id}/matches/1", json={"decision": "accept"}).get_json()
    assert (answer["row"]["outcome"], answer["job"]) == ("used", None)


@sqlite_only
def test_what_cannot_be_decided_is_a_problem(client: FlaskClient, filled: Filled, tracks: list[int]) -> None:
    playlist_id = do_import(filled.database)
    url = f"/playlists/{playlist_id}/matches"
    accept = {"decision": "accept"}
    assert_problem(client.get("/playlists/999/matches"), 404, "playlist_not_found")
    assert_problem(client.put("/playlists/999/matches/1", json=accept), 404, "playlist_not_found")
    assert_problem(client.put(f"{url}/9", json={"decision": "reject"}), 404, "row_not_found")
    assert_problem(client.put(f"{url}/4", json={"decision": "reject"}), 404, "row_not_found")
    assert_problem(client.put(f"{url}/3", json=accept), 404, "track_not_found")
    assert_problem(client.put(f"{url}/3", json={"decision": "choose"}), 404, "track_not_found")
    choose = {"decision": "choose", "track_id": 10**6}
    assert_problem(client.put(f"{url}/3", json=choose), 404, "track_not_found")
    assert_problem(client.put(f"{url}/3", json={"decision": "perhaps"}), 422, "invalid_request")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with an imported playlist, and no model."""
    data = tmp_path / "data"
    runner_in(data)("migrate")
    database = open_database(load_settings({"data": data}, environ={}))
    add_named(database, "Piece 0", "Piece 1", "Piece 2")
    do_import(database, source=SPOTIFY)
    database.close()
    return data


@pytest.fixture
def run(data: Path) -> Run:
    """Run a command on that folder."""
    return runner_in(data)


def test_the_command_lists_what_waits_for_a_person(run: Run) -> None:
    lines = run("match-report", "mine", "--group", "mood").output.splitlines()
    assert lines[0] == "4 rows: 1 used, 1 review, 1 unmatched, 1 skipped"
    assert lines[1] == "found by names (1)"
    assert [line.split()[0] for line in lines[3:6]] == ["2", "3", "4"]
    assert "Artist 00 - Piece 1 (2)" in lines[3]
    assert "another version: live" in lines[3]
    assert "Piece 0" in run("match-report", "mine", "--group", "mood", "--all").output


def test_the_same_for_programs(run: Run) -> None:
    report = json.loads(run("match-report", "mine", "--group", "mood", "--json").output)
    assert report["counts"] == {
        **{"rows": 4, "used": 1, "review": 1, "unmatched": 1},
        **{"rejected": 0, "skipped": 1, "repeated": 0},
    }
    assert report["rows"][0]["track"] == {"id": 1, "title": "Piece 0", "artist": "Artist 00"}
    assert report["rows"][2]["track"] is None


def test_rows_are_decided_by_command(run: Run) -> None:
    decide = ("match-decide", "mine", "--group", "mood")
    assert "used" in run(*decide, 2, "--accept").output
    chosen = json.loads(run(*decide, 3, "--track", 3, "--json").output)
    assert (chosen["state"], chosen["track"]["id"]) == ("chosen", 3)
    assert "rejected" in run(*decide, 1, "--reject").output
    report = json.loads(run("match-report", "mine", "--group", "mood", "--json").output)
    assert [row["outcome"] for row in report["rows"]] == ["rejected", "used", "used", "skipped"]
    run(*decide, 1, expect=ExitCode.USAGE)
    run(*decide, 1, "--accept", "--reject", expect=ExitCode.USAGE)
    run(*decide, 9, "--reject", expect=ExitCode.FAILED)


def test_a_playlist_of_a_folder_has_no_rows_to_show(run: Run, data: Path) -> None:
    database = open_database(load_settings({"data": data}, environ={}))
    with database.session() as session:
        create_playlist(session, name="folder")
    database.close()
    assert "was not imported" in run("match-report", "folder").output
    assert json.loads(run("match-report", "folder", "--json").output)["rows"] == []
