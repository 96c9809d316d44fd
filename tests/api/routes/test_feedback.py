"""Feedback over HTTP and by command: kept at once, learnt by one quick fit, undone on request."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.services import Services
from api.terminal import ExitCode
from recommender.catalogue.files import track_paths
from recommender.catalogue.models import current_bundle
from recommender.catalogue.playlists import get_playlist, playlist_tracks, set_members
from recommender.jobs import ledger
from recommender.jobs.worker import run_job_here
from recommender.records.jobs import JobKind, JobState
from tests.api.commands.test_cli import Run, prepared, read_lines, with_playlists
from tests.api.conftest import N_PER_PLAYLIST, Filled, Sounds, write_notes
from tests.api.problems import assert_problem
from tests.databases import sqlite_only
from training.background.handlers import build_handler

__all__ = ["prepared", "with_playlists"]  # fixtures


def put(client: FlaskClient, track_id: object, **body: Any) -> Any:
    return client.put(f"/tracks/{track_id}/feedback", json=body)


def said(client: FlaskClient, track_id: int, **body: Any) -> dict[str, Any]:
    response = put(client, track_id, **body)
    assert response.status_code == 200, response.get_data(as_text=True)
    found: dict[str, Any] = response.get_json()
    return found


def learn(filled: Filled, services: Services) -> list[ledger.JobInfo]:
    """Do every waiting job as a worker would, and have the server notice; the jobs that were done."""
    handle = build_handler(filled.settings)
    with filled.database.read_session() as session:
        waiting = ledger.list_jobs(session, state=JobState.QUEUED)
    done = [run_job_here(filled.settings, job.id, handle) for job in waiting]
    assert [job.error for job in done] == [None] * len(done)
    services.holder.refresh()
    return done


def ask(client: FlaskClient, track_id: int, **query: Any) -> dict[str, Any]:
    answer = client.get("/recommend", query_string={"track": track_id} | query)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: dict[str, Any] = answer.get_json()
    return found


def names(found: list[dict[str, Any]]) -> list[str]:
    return [playlist["name"] for playlist in found]


def test_after_corrections_the_next_fit_answers_otherwise(
    client: FlaskClient, filled: Filled, services: Services
) -> None:
    low, high = filled.track_ids[:N_PER_PLAYLIST], filled.track_ids[N_PER_PLAYLIST:]
    assert ask(client, low[0])["playlists"][0]["name"] == "low"
    for track_id in filled.track_ids:  # the user means it the other way round
        right, wrong = ("high", "low") if track_id in low else ("low", "high")
        assert said(client, track_id, verdict="wrong", playlist=wrong)["job"]["kind"] == "refit"
        state = said(client, track_id, verdict="right", playlist=right)
        assert names(state["playlists"]) == [right]
        assert [(row["playlist"]["name"], row["verdict"]) for row in state["feedback"]] == [
            ("high", "right" if right == "high" else "wrong"),
            ("low", "right" if right == "low" else "wrong"),
        ]
    [job] = learn(filled, services)  # one fit for all of it
    assert job.kind == JobKind.REFIT
    for track_id, expected in ((low[0], "high"), (high[0], "low")):
        answer = ask(client, track_id)
        assert (answer["playlists"][0]["name"], names(answer["member_of"])) == (expected, [expected])
    assert ask(client, low[0])["model"] == job.result["bundle"]


def test_liked_and_disliked_are_answered_as_a_group_of_their_own(
    client: FlaskClient, filled: Filled, services: Services
) -> None:
    low, high = filled.track_ids[:N_PER_PLAYLIST], filled.track_ids[N_PER_PLAYLIST:]
    assert_problem(client.get(f"/recommend?track={low[0]}&group=taste"), 404, "group_not_found")

    state = said(client, low[0], verdict="liked")
    assert names(state["playlists"]) == ["low", "liked"]
    assert "once there are two tracks" in state["advice"]
    not_yet = client.get(f"/recommend?track={low[0]}&group=taste")
    assert_problem(not_yet, 409, "group_not_fitted")
    learn(filled, services)
    alone = assert_problem(client.get(f"/recommend?track={low[0]}&group=taste"), 409, "group_too_small")
    assert "'taste' has one track, in 'liked'" in alone["detail"]
    assert "PUT /tracks/{id}/feedback" in alone["action"]
    assert ask(client, low[0])["group"] == "default"  # the others are answered as before

    for track_id in low[1:3]:
        said(client, track_id, verdict="liked")
    assert "a second playlist" in said(client, low[1], verdict="liked")["advice"]
    for track_id in high[:3]:
        state = said(client, track_id, verdict="disliked")
    assert "stay wide" in state["advice"]
    learn(filled, services)
    for track_id, expected in ((low[5], "liked"), (high[5], "disliked")):
        answer = ask(client, track_id, group="taste")
        assert (answer["group"], answer["member_of"]) == ("taste", [])
        assert answer["playlists"][0]["name"] == expected
        # Three tracks cannot turn anything away, nor show how often such answers are right: that is said.
        assert all("too few to turn a track away" in p["note"] for p in answer["playlists"])
        assert answer["kept"]["basis"] == "none"
        assert answer["explanation"] == "There are too few tracks to say how often such an answer is right."


def test_many_quick_feedbacks_wait_for_one_fit(client: FlaskClient, filled: Filled) -> None:
    job_ids = {said(client, t, verdict="liked")["job"]["id"] for t in filled.track_ids}
    assert len(job_ids) == 1
    with filled.database.session() as session:
        assert ledger.claim(session, "worker", 60.0) is not None
    # That one has begun, and may have read the catalogue already: what comes now needs another.
    later = {said(client, t, verdict="disliked")["job"]["id"] for t in filled.track_ids}
    assert (len(later), later & job_ids) == (1, set())


@sqlite_only
def test_what_was_said_already_needs_no_fit(client: FlaskClient, filled: Filled) -> None:
    track_id = filled.track_ids[0]
    assert said(client, track_id, verdict="right", playlist="low")["job"] is None
    assert said(client, track_id, verdict="wrong", playlist_id=filled.playlist_ids[1])["job"] is None
    assert said(client, track_id, verdict="liked")["job"] is not None
    assert said(client, track_id, verdict="liked")["job"] is None
    shown = client.get(f"/tracks/{track_id}/feedback").get_json()
    assert (shown["job"], len(shown["feedback"])) == (None, 3)


@sqlite_only
def test_taking_it_back(client: FlaskClient, filled: Filled) -> None:
    track_id, (low, high) = filled.track_ids[0], filled.playlist_ids
    said(client, track_id, verdict="wrong", playlist="low")
    said(client, track_id, verdict="right", playlist="high")
    state = client.delete(f"/tracks/{track_id}/feedback?playlist_id={high}").get_json()
    assert (names(state["playlists"]), len(state["feedback"])) == ([], 1)
    state = client.delete(f"/tracks/{track_id}/feedback").get_json()
    assert (names(state["playlists"]), state["feedback"]) == (["low"], [])
    assert state["job"]["kind"] == "refit"
    assert client.delete(f"/tracks/{track_id}/feedback").get_json()["job"] is None
    with filled.database.read_session() as session:
        assert playlist_tracks(session, low)[0] == track_id  # in its old place


@sqlite_only
@pytest.mark.parametrize("track_id", ["null", "None", "999999", "isrc:USABC1234567", "-1", "x y"])
def test_what_is_not_kept_cannot_be_remembered(client: FlaskClient, filled: Filled, track_id: str) -> None:
    for response in (
        put(client, track_id, verdict="liked"),
        client.get(f"/tracks/{track_id}/feedback"),
        client.delete(f"/tracks/{track_id}/feedback"),
    ):
        body = assert_problem(response, 404, "track_not_found")
        assert "only uploaded" in body["detail"]


@sqlite_only
def test_an_upload_that_was_asked_about_has_no_id_to_give_feedback_to(
    client: FlaskClient, filled: Filled
) -> None:
    path = filled.sounds.outside / "Nobody - High news.wav"
    answer = client.post("/recommend", data={"file": (path.open("rb"), path.name)}).get_json()
    body = assert_problem(put(client, answer["track"]["id"], verdict="liked"), 404, "track_not_found")
    assert "is not kept" in body["detail"]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, "verdict"),
        ({"verdict": "love"}, "verdict"),
        ({"verdict": ["liked"]}, "verdict"),
        ({"verdict": "liked", "playlist": "low"}, "playlist"),
        ({"verdict": "disliked", "group": "taste"}, "group"),
        ({"verdict": "right"}, "playlist"),
        ({"verdict": "wrong", "group": "default"}, "playlist"),
        ({"verdict": "right", "playlist": "low", "playlist_id": 1}, "playlist"),
        ({"verdict": "right", "playlist_id": 1, "group": "default"}, "group"),
        ({"verdict": "right", "playlist_id": 0}, "playlist_id"),
        ({"verdict": "liked", "loved": True}, "loved"),
    ],
)
@sqlite_only
def test_what_makes_no_sense_is_refused_by_name(
    client: FlaskClient, filled: Filled, body: dict[str, Any], wrong: str
) -> None:
    answer = assert_problem(put(client, filled.track_ids[0], **body), 422, "invalid_request")
    assert [error["name"] for error in answer["errors"]] == [wrong]


@sqlite_only
def test_playlists_that_do_not_exist(client: FlaskClient, filled: Filled) -> None:
    track_id = filled.track_ids[0]
    for named in ({"playlist": "none"}, {"playlist_id": 999}, {"playlist": "low", "group": "taste"}):
        assert_problem(put(client, track_id, verdict="right", **named), 404, "playlist_not_found")
    assert client.get(f"/tracks/{track_id}/feedback").get_json()["feedback"] == []


def test_a_scan_leaves_feedback_alone_and_fits_nothing_because_of_it(
    with_playlists: Run, sounds: Sounds, tmp_path: Path
) -> None:
    folder = tmp_path / "mixed"
    shutil.copytree(sounds.library / "low", folder)
    odd = write_notes(folder / "Artist 9 - Odd one.wav", pitch_hz=2500.0, seed=99)
    with_playlists("add-playlist", "mixed", folder)
    before = members(with_playlists, tmp_path, "mixed")
    with_playlists("feedback", odd, "wrong", "--playlist", "mixed")
    with_playlists("feedback", sounds.heard[-1].path, "right", "--playlist", "mixed")
    after = members(with_playlists, tmp_path, "mixed")
    assert (len(before), len(after), len(after & before)) == (7, 7, 6)
    [job] = read_lines(with_playlists("scan", "--json"))
    assert "bundle" not in job["result"]  # type: ignore[operator]
    assert members(with_playlists, tmp_path, "mixed") == after
    write_notes(folder / "Artist 8 - One more.wav", pitch_hz=220.0, seed=98)
    with_playlists("scan")
    assert len(members(with_playlists, tmp_path, "mixed") - after) == 1
    with_playlists("feedback", odd, "forget")
    assert before < members(with_playlists, tmp_path, "mixed")


def members(run: Run, tmp_path: Path, name: str) -> set[int]:
    """Track ids of a playlist of the command line's data folder."""
    from recommender.catalogue.database import open_database
    from recommender.catalogue.playlists import find_playlist
    from recommender.settings import load_settings

    database = open_database(load_settings({"data": tmp_path / "data"}, environ={}))
    with database.read_session() as session:
        found = set(playlist_tracks(session, find_playlist(session, name).id))
    database.close()
    return found


def test_the_command_learns_and_shows(with_playlists: Run, sounds: Sounds, tmp_path: Path) -> None:
    low, high = sounds.heard[0].path, sounds.heard[-1].path
    result = with_playlists("feedback", low, "liked")
    assert "liked (taste)" in result.stdout
    assert "once there are two tracks" in result.stdout
    too_small = with_playlists("recommend", "--group", "taste", low, expect=ExitCode.NOT_READY)
    assert "has one track" in too_small.stderr
    with_playlists("feedback", high, "disliked")
    [answer] = read_lines(with_playlists("recommend", "--json", "--group", "taste", high))
    assert [p["name"] for p in answer["playlists"]] == ["disliked", "liked"]  # type: ignore[attr-defined]
    [shown] = read_lines(with_playlists("feedback", "--json", high))
    assert (shown["playlists"], shown["job"]) == (["high", "disliked"], None)
    new = sounds.outside / "Nobody - High news.wav"
    refused = with_playlists("feedback", new, "liked", expect=ExitCode.FAILED)
    assert "no scan has read" in refused.stderr
    for wrong in (("right",), ("liked", "--playlist", "low"), ("--group", "taste"), ("loved",)):
        with_playlists("feedback", low, *wrong, expect=ExitCode.USAGE)


@sqlite_only
def test_a_playlist_edited_by_hand_forgets_what_was_said_of_it(client: FlaskClient, filled: Filled) -> None:
    track_id, playlist_id = filled.track_ids[0], filled.playlist_ids[0]
    said(client, track_id, verdict="wrong", playlist="low")
    with filled.database.session() as session:
        set_members(session, playlist_id, filled.track_ids[:N_PER_PLAYLIST])
        assert get_playlist(session, playlist_id).n_tracks == N_PER_PLAYLIST - 1
    client.put(f"/playlists/{playlist_id}", json={"track_ids": list(filled.track_ids[:2])})
    state = client.get(f"/tracks/{track_id}/feedback").get_json()
    assert (state["feedback"], names(state["playlists"])) == ([], ["low"])
    with filled.database.read_session() as session:
        assert current_bundle(session) is not None


def test_the_users_word_comes_first_in_every_answer_and_can_be_taken_back(
    client: FlaskClient, filled: Filled, services: Services
) -> None:
    high = filled.playlist_ids[1]
    track_id = filled.track_ids[0]
    before = ask(client, track_id)
    assert (before["said"], before["learning"]) == ([], None)
    assert [(row["name"], row["said"]) for row in before["playlists"]] == [("low", None), ("high", None)]

    job = said(client, track_id, verdict="right", playlist="high")["job"]
    now = ask(client, track_id)  # the model that answers knows nothing of it yet
    assert now["model"] == before["model"]
    assert now["learning"] == {"job_id": job["id"], "reason": "feedback was given"}
    assert now["said"] == [{"playlist": {"id": high, "name": "high"}, "verdict": "right"}]
    assert [(row["name"], row["rank"], row["said"], row["fits"]) for row in now["playlists"]] == [
        ("high", 1, "right", True),
        ("low", 2, None, False),
    ]
    assert now["verdict"] == "fits"
    # What the model thinks stands beside it, unchanged.
    opinion = {row["name"]: (row["probability"], row["model_fits"]) for row in now["playlists"]}
    assert opinion == {row["name"]: (row["probability"], row["fits"]) for row in before["playlists"]}

    said(client, track_id, verdict="wrong", playlist="low")
    assert [row["said"] for row in ask(client, track_id, top=1)["playlists"]] == ["right"]
    learn(filled, services)
    after = ask(client, track_id)
    assert (after["learning"], after["playlists"][0]["name"], after["playlists"][1]["said"]) == (
        None,
        "high",
        "wrong",
    )

    client.delete(f"/tracks/{track_id}/feedback")
    assert ask(client, track_id)["said"] == []


def test_a_file_that_the_library_holds_is_that_track_wherever_it_comes_from(
    client: FlaskClient, filled: Filled
) -> None:
    said(client, filled.track_ids[0], verdict="wrong", playlist="low")
    with filled.database.read_session() as session:
        path = track_paths(session, [filled.track_ids[0]])[filled.track_ids[0]]
    answer = client.post("/recommend", data={"file": (path.open("rb"), "another name.wav")}).get_json()
    assert answer["track"]["id"] == filled.track_ids[0]
    assert [row["verdict"] for row in answer["said"]] == ["wrong"]
    assert filled.track_ids[0] not in {row["track"]["id"] for row in answer["similar"]}
