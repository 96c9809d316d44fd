"""Feeds over HTTP and by command: from a source to the list of each playlist."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from recommender.catalogue.feed_items import feed_items, mark_scored, settle_items
from recommender.catalogue.scores import store_scores
from recommender.feeds.batch import take_rows
from recommender.feeds.result_files import write_lists
from recommender.feeds.results import ResultOptions, read_results
from recommender.model.scorecards import write_scorecard
from recommender.records.feeds import FeedState, Question, Settled
from recommender.sources.feeds.watched_folder import read_folder
from recommender.sources.files.reading import read_playlist_file, read_playlists
from recommender.sources.files.writing import PlaylistFormat
from tests.api.commands.test_cli import Run, prepared, read_lines, with_playlists  # noqa: F401 (fixtures)
from tests.api.conftest import Filled, write_notes
from tests.api.problems import assert_problem
from tests.databases import sqlite_only

PATIENCE_S = 60.0


@pytest.fixture
def scored(filled: Filled, client: FlaskClient) -> int:
    """A feed of files of the library: some of each playlist, one scored for each, one without audio."""
    answer = client.post("/feeds", json={"source": str(filled.sounds.library), "name": "new"}).get_json()
    feed_id: int = answer["id"]
    with filled.database.session() as session:
        take_rows(session, feed_id, read_folder(filled.sounds.library))
        items = feed_items(session, feed_id)
        states = [FeedState.NO_AUDIO, *[FeedState.RESOLVED] * (len(items) - 1)]
        settle_items(
            session,
            [
                Settled(
                    item.id,
                    state,
                    n or None,
                    "not_in_library" if not n else None,
                    "nowhere" if not n else None,
                )
                for n, (item, state) in enumerate(zip(items, states, strict=True))
            ],
        )
        low, high = filled.playlist_ids
        question = Question("default", filled.bundle_ids[0])
        scores = [
            (track_id, results(low if track_id % 2 else high, low + high, 0.5 + track_id / 100))
            for track_id in range(1, len(items))
        ]
        store_scores(session, scores, question)
        mark_scored(session, feed_id, [track_id for track_id, _ in scores])
    return feed_id


def results(first: int, both: int, probability: float) -> dict[str, object]:
    """Results in which only the first playlist fits."""
    said = {"classifier": probability, "neighbours": probability}
    return {
        "playlists": [
            {"id": first, "probability": probability, "p_value": 0.5, "nearest": [[12, 0.9]], **said},
            {"id": both - first, "probability": 1 - probability, "p_value": 0.01, "nearest": [], **said},
        ]
    }


@sqlite_only
def test_each_playlist_gets_its_list_without_what_it_holds(
    filled: Filled, client: FlaskClient, scored: int
) -> None:
    found = client.get(f"/feeds/{scored}/results").get_json()
    assert found["items"] == {"no_audio": 1, "scored": 12}
    assert found["reasons"] == [{"state": "no_audio", "code": "not_in_library", "n_items": 1}]
    by_name = {playlist["name"]: playlist for playlist in found["playlists"]}
    # Tracks 1 to 6 are in "low"; odd ones fit "low", even ones "high".
    assert [track["track"] for track in by_name["low"]["tracks"]] == [11, 9, 7]
    assert by_name["low"]["n_already_in"] == 3
    assert [track["track"] for track in by_name["high"]["tracks"]] == [6, 4, 2]
    assert [track["rank"] for track in by_name["high"]["tracks"]] == [1, 2, 3]
    nearest = by_name["high"]["tracks"][0]["nearest"]
    assert [(near["track"]["id"], near["similarity"]) for near in nearest] == [(12, 0.9)]


@sqlite_only
def test_lists_are_filtered_by_playlist_and_probability(
    filled: Filled, client: FlaskClient, scored: int
) -> None:
    address = f"/feeds/{scored}/results?min_probability=0.6&playlist="
    for name in ("low", str(filled.playlist_ids[0])):
        [only] = client.get(address + name).get_json()["playlists"]
        assert [track["track"] for track in only["tracks"]] == [11]
    assert_problem(client.get(address + "nonsense"), 404, "playlist_not_found")
    unasked = client.get(f"/feeds/{scored}/results").get_json()
    assert unasked["min_probability"] == 0.5  # that of chance, between two playlists
    assert_problem(client.get("/feeds/99/results"), 404, "feed_not_found")


@sqlite_only
def test_every_format_holds_the_same_tracks(client: FlaskClient, scored: int) -> None:
    address = f"/feeds/{scored}/results?playlist=high&format="
    rows = list(csv.DictReader(io.StringIO(client.get(address + "csv").text)))
    assert [row["track_id"] for row in rows] == ["6", "4", "2"]
    m3u8 = client.get(address + "m3u8")
    assert m3u8.mimetype == "audio/x-mpegurl"
    paths = [line for line in m3u8.text.splitlines() if not line.startswith("#")]
    assert [Path(path).exists() for path in paths] == [True] * 3
    for kind in ("rekordbox", "nml", "crate"):
        [read, *_] = read_playlists(client.get(address + kind).data, name="high")
        assert (read.name, [row.path for row in read.rows]) == ("high", paths)
    together = read_playlists(client.get(f"/feeds/{scored}/results?format=nml").data, name="x")
    assert {playlist.name: len(playlist.rows) for playlist in together} == {"low": 3, "high": 3}
    jspf = json.loads(client.get(address + "jspf").text)
    titles = [track["title"] for track in jspf["playlist"]["track"]]
    assert len(titles) == 3
    for kind in ("html", "text"):
        page = client.get(address + kind).text
        assert all(title in page for title in titles)
        assert "nothing in the library is this recording" in page
    assert_problem(client.get(f"/feeds/{scored}/results?format=m3u8"), 422, "one_playlist_needed")


@sqlite_only
@pytest.mark.parametrize(
    ("written_as", "files"),
    [
        ("m3u8", ["high.m3u8", "low.m3u8"]),
        ("crate", ["high.crate", "low.crate"]),
        ("rekordbox", ["Whichlist.xml"]),
    ],
)
def test_a_folder_gets_the_lists_in_one_file_or_one_each(
    written_as: str, files: list[str], filled: Filled, scored: int, tmp_path: Path
) -> None:
    with filled.database.read_session() as session:
        found = read_results(session, filled.settings, scored, ResultOptions())
    folder = tmp_path / "lists"
    for _ in range(2):  # what was there is replaced
        written = write_lists(found, folder, PlaylistFormat(written_as))
    assert sorted(path.name for path in written) == sorted(path.name for path in folder.iterdir()) == files
    lists = [playlist for path in written for playlist in read_playlist_file(path)]
    assert {playlist.name: len(playlist.rows) for playlist in lists} == {"low": 3, "high": 3}


@sqlite_only
def test_a_promise_is_kept_by_the_score_card_or_not_given(
    filled: Filled, client: FlaskClient, scored: int
) -> None:
    address = f"/feeds/{scored}/results?at_most_wrong=0.1"
    for playlist in client.get(address).get_json()["playlists"]:
        assert playlist["tracks"] == []
        assert "was not judged yet" in playlist["promise"]
    tracks = [judged("high", 0.55) for _ in range(30)] + [judged("low", 0.6) for _ in range(5)]
    card = {"groups": [{"group": "default", "labels": ["low", "high"], "tracks": tracks}]}
    write_scorecard(filled.settings, filled.bundle_ids[0], card, "")
    by_name = {p["name"]: p for p in client.get(address).get_json()["playlists"]}
    assert by_name["high"]["threshold"] == {
        "probability": 0.55,
        "n_tracks": 30,
        "n_wrong": 0,
        "basis": "playlist",
    }
    assert [track["track"] for track in by_name["high"]["tracks"]] == [6]
    assert by_name["low"]["threshold"]["basis"] == "group"
    assert "0 of 30 held-out answers of this playlist" in by_name["high"]["promise"]


@sqlite_only
def test_after_teaching_the_last_judged_model_of_the_same_playlists_keeps_the_promise(
    filled: Filled, client: FlaskClient, scored: int
) -> None:
    """What is taught makes a new model in seconds, judging takes minutes: lists are not empty meanwhile."""
    address = f"/feeds/{scored}/results?at_most_wrong=0.1&playlist=high"
    tracks = [judged("high", 0.55) for _ in range(30)] + [judged("low", 0.6) for _ in range(5)]
    older = filled.bundle_ids[1]
    card = {"groups": [{"group": "default", "labels": ["low", "other"], "tracks": tracks}]}
    write_scorecard(filled.settings, older, card, "")
    [other] = client.get(address).get_json()["playlists"]
    assert (other["threshold"], other["tracks"]) == (None, [])  # judged, but not on these playlists
    card["groups"][0]["labels"] = ["low", "high"]
    write_scorecard(filled.settings, older, card, "")
    [same] = client.get(address).get_json()["playlists"]
    assert same["threshold"]["n_tracks"] == 30
    assert [track["track"] for track in same["tracks"]] == [6]


def judged(label: str, probability: float) -> dict[str, object]:
    other = {"low": "high", "high": "low"}[label]
    return {
        "label": label,
        "probabilities": {label: probability, other: 1 - probability},
        "fits": [label],
    }


@sqlite_only
def test_a_feed_is_made_known_once_asked_for_and_forgotten(filled: Filled, client: FlaskClient) -> None:
    body = {"source": "unscanned", "min_probability": 0.3}
    made = client.post("/feeds", json=body)
    assert made.status_code == 201
    feed = made.get_json()
    assert (feed["kind"], feed["source"]) == ("folder", str(filled.sounds.library / "unscanned"))
    assert client.post("/feeds", json=body).get_json()["id"] == feed["id"]
    first, second = (client.post(f"/feeds/{feed['id']}/score").get_json() for _ in range(2))
    assert (first["joined"], second["joined"]) == (False, True)
    assert first["job"]["id"] == second["job"]["id"]
    shown = client.get(made.headers["Location"]).get_json()
    assert (shown["job_id"], shown["items"]) == (first["job"]["id"], {})
    assert [listed["id"] for listed in client.get("/feeds").get_json()["feeds"]] == [feed["id"]]
    assert client.delete(f"/feeds/{feed['id']}").get_json()["id"] == feed["id"]
    assert_problem(client.get(f"/feeds/{feed['id']}"), 404, "feed_not_found")
    assert_problem(client.post(f"/feeds/{feed['id']}/score"), 404, "feed_not_found")


@sqlite_only
def test_what_no_caller_may_name_is_refused(filled: Filled, client: FlaskClient) -> None:
    outside = str(filled.sounds.outside)
    assert_problem(client.post("/feeds", json={"source": outside}), 403, "outside_library")
    assert_problem(client.post("/feeds", json={"source": "low/missing.txt"}), 404, "unknown_feed")
    assert_problem(client.post("/feeds", json={"source": "low", "group": "no"}), 404, "group_not_found")
    assert client.post("/feeds", json={"source": "https://example.org/feed.xml"}).status_code == 201
    assert client.post("/feeds", json={"source": "listenbrainz:fresh"}).get_json()["kind"] == "server"


def write_arrivals(folder: Path, n: int = 1) -> Path:
    for number in range(n):
        path = write_notes(folder / f"New {number} - High {number}.wav", pitch_hz=2800.0, seed=200 + number)
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 60))
    return folder


def test_the_command_scores_lists_and_writes_files(
    with_playlists: Run,  # noqa: F811
    tmp_path: Path,
) -> None:
    folder = write_arrivals(tmp_path / "new", 2)
    digest, lists = tmp_path / "digest.html", tmp_path / "lists"
    shown = with_playlists("score-feed", folder, "--digest", digest, "--playlists", lists)
    assert "2 recordings scored" in shown.stdout
    [document] = read_lines(with_playlists("score-feed", folder, "--json", "--resume"))[1:]
    by_name = {p["name"]: p for p in document["playlists"]}  # type: ignore[attr-defined]
    assert {track["title"] for track in by_name["high"]["tracks"]} == {"High 0", "High 1"}
    assert by_name["low"]["tracks"] == []
    assert "High 1" in digest.read_text()
    assert [path.name for path in lists.iterdir()] == ["high.m3u8"]
    assert (lists / "high.m3u8").read_text().count(str(folder)) == 2


def test_the_command_watches_a_folder_and_waits_for_half_written_files(
    with_playlists: Run,  # noqa: F811
    tmp_path: Path,
) -> None:
    folder = write_arrivals(tmp_path / "new")
    whole = write_arrivals(tmp_path / "aside", 2) / "New 1 - High 1.wav"
    code = (
        "import api.commands.feed_watch as w; w.LOOK_EVERY_S = 0.2\n"
        "import sys; from api.cli import main; main(sys.argv[1:], standalone_mode=True)"
    )
    command = [sys.executable, "-c", code, "--data", str(tmp_path / "data")]
    environment = os.environ | {"WHICHLIST_EMBEDDING_PROCESSES": "1"}
    with subprocess.Popen(
        [*command, "score-feed", str(folder), "--watch", "--json"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as watching:
        assert watching.stdout is not None
        first = json.loads(watching.stdout.readline())
        content, late = whole.read_bytes(), folder / "Late - Half.wav"
        with late.open("wb") as file:
            for start in range(0, len(content), len(content) // 8 + 1):
                file.write(content[start : start + len(content) // 8 + 1])
                file.flush()
                time.sleep(0.1)
        second = json.loads(watching.stdout.readline())
        watching.send_signal(signal.SIGTERM)
        assert watching.wait(PATIENCE_S) == 0
        assert watching.stdout.read() == ""
    assert (first["title"], second["title"], second["playlist"]) == ("High 0", "Half", "high")


def test_a_source_that_is_none_is_refused(with_playlists: Run, tmp_path: Path) -> None:  # noqa: F811
    refused = with_playlists("score-feed", tmp_path / "nothing.txt", expect=1)
    assert "is no folder" in refused.stderr
    missing = with_playlists("score-feed", write_arrivals(tmp_path / "x"), "--group", "no", expect=1)
    assert "no" in missing.stderr


@sqlite_only
def test_what_the_user_ruled_out_is_never_listed_again(
    filled: Filled, client: FlaskClient, scored: int
) -> None:
    def lists() -> dict[str, list[int]]:
        found = client.get(f"/feeds/{scored}/results").get_json()
        return {p["name"]: [track["track"] for track in p["tracks"]] for p in found["playlists"]}

    assert lists() == {"low": [11, 9, 7], "high": [6, 4, 2]}
    client.put("/tracks/9/feedback", json={"verdict": "wrong", "playlist": "low"})
    client.put("/tracks/4/feedback", json={"verdict": "right", "playlist": "low"})
    assert lists() == {"low": [11, 7], "high": [6, 2]}
    rows = client.get(f"/feeds/{scored}/results?playlist=high&format=csv").text.splitlines()
    assert len(rows) == 1 + 2
    client.delete("/tracks/9/feedback")
    assert lists()["low"] == [11, 9, 7]
