"""A playlist added over HTTP is in the answers once its job is done, and a removed one is not."""

import json
import shutil
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from recommender.jobs.worker import run_job_here
from recommender.records.jobs import JobState
from tests.api.conftest import Filled, write_notes
from tests.api.problems import assert_problem
from tests.recommender.model.tiny_bundles import CONFIG, TINY_ENCODER
from training.background.handlers import build_handler


@pytest.fixture
def third(filled: Filled) -> Any:
    """A folder of the library with a third sound, between the others."""
    folder = filled.sounds.library / "third"
    for seed in range(6):
        write_notes(folder / f"Artist 2{seed} - Piece {seed}.wav", pitch_hz=700.0, seed=20 + seed)
    yield folder
    shutil.rmtree(folder)


def work(filled: Filled, job_id: int) -> None:
    """Do a job as a worker would."""
    place = filled.settings.encoders_directory / CONFIG.fingerprint
    if not place.exists():
        shutil.copytree(TINY_ENCODER, place)
        bases = {"msd_musicnn": CONFIG.fingerprint, "small_cnn": CONFIG.fingerprint}
        (filled.settings.encoders_directory / "base.json").write_text(json.dumps(bases))
    job = run_job_here(filled.settings, job_id, build_handler(filled.settings))
    assert job.state is JobState.SUCCEEDED, job.error


def names(client: FlaskClient, track: Path) -> set[str]:
    answer = client.get("/recommend", query_string={"track": str(track)}).get_json()
    return {playlist["name"] for playlist in answer["playlists"]}


def test_from_post_to_the_first_answer_that_names_it_and_back(
    client: FlaskClient, filled: Filled, third: Path
) -> None:
    new = filled.sounds.library / "unscanned" / "Nobody - Low news.wav"
    assert names(client, new) == {"low", "high"}
    accepted = client.post("/playlists", json={"name": "third", "folder": "third"}).get_json()["job"]
    work(filled, accepted["id"])
    shown = client.get(f"/jobs/{accepted['id']}").get_json()
    assert (shown["state"], shown["result"]["n_new"]) == ("succeeded", 6)
    client.post(f"/models/{shown['result']['bundle']}/promote")  # only so as not to wait half a second
    assert names(client, new) == {"low", "high", "third"}
    asked = client.get(
        "/recommend", query_string={"track": str(third / "Artist 20 - Piece 0.wav")}
    ).get_json()
    assert asked["playlists"][0]["name"] == "third"
    assert [playlist["name"] for playlist in asked["member_of"]] == ["third"]

    listed = client.get("/playlists").get_json()["playlists"]
    third_id = next(playlist["id"] for playlist in listed if playlist["name"] == "third")
    removed = client.delete(f"/playlists/{third_id}").get_json()["job"]
    work(filled, removed["id"])
    bundle = client.get(f"/jobs/{removed['id']}").get_json()["result"]["bundle"]
    client.post(f"/models/{bundle}/promote")
    assert names(client, new) == {"low", "high"}


def test_when_the_last_playlist_goes_there_is_no_model(client: FlaskClient, filled: Filled) -> None:
    for playlist_id in filled.playlist_ids:
        job = client.delete(f"/playlists/{playlist_id}").get_json()["job"]
    work(filled, job["id"])
    client.application.extensions["whichlist"].holder.refresh()
    response = client.get(f"/recommend?track={filled.track_ids[0]}")
    assert (response.status_code, response.get_json()["code"]) == (409, "no_model")


def test_an_empty_folder_fails_the_job_with_the_reason(client: FlaskClient, filled: Filled) -> None:
    empty = filled.sounds.library / "empty"
    empty.mkdir()
    try:
        accepted = client.post("/playlists", json={"name": "empty", "folder": "empty"}).get_json()["job"]
        place = filled.settings.encoders_directory
        assert not place.exists()  # the champion's own encoder listens
        job = run_job_here(filled.settings, accepted["id"], build_handler(filled.settings))
    finally:
        empty.rmdir()
    assert (job.state, job.error_code) == (JobState.FAILED, "no_audio")
    assert [playlist["name"] for playlist in client.get("/playlists").get_json()["playlists"]] == [
        "high",
        "low",
    ]


def test_a_playlist_of_kept_tracks_is_learnt(client: FlaskClient, filled: Filled) -> None:
    tracks = list(filled.track_ids[:3])
    asked = {"name": "three low", "track_ids": tracks}
    accepted = client.post("/playlists", json=asked).get_json()["job"]
    listed = {playlist["name"]: playlist for playlist in client.get("/playlists").get_json()["playlists"]}
    assert listed["three low"]["n_tracks"] == 3
    work(filled, accepted["id"])
    bundle = client.get(f"/jobs/{accepted['id']}").get_json()["result"]["bundle"]
    client.post(f"/models/{bundle}/promote")
    answer = client.get(f"/recommend?track={tracks[0]}").get_json()
    assert "three low" in {playlist["name"] for playlist in answer["playlists"]}
    assert_problem(client.post("/playlists", json=asked), 409, "playlist_exists")


def test_the_first_playlists_may_be_made_of_uploads(
    client: FlaskClient, filled: Filled, tmp_path: Path
) -> None:
    for playlist_id in filled.playlist_ids:
        removed = client.delete(f"/playlists/{playlist_id}").get_json()["job"]
    work(filled, removed["id"])
    client.application.extensions["whichlist"].holder.refresh()
    tracks = []
    for seed in range(4):
        song = write_notes(tmp_path / "song.wav", pitch_hz=250.0, seed=60 + seed).read_bytes()
        sent = client.post("/uploads", data={"file": (BytesIO(song), f"Artist {seed} - Piece.wav")})
        tracks.append(sent.get_json()["id"])
    assert_problem(client.post("/uploads", data={"file": (BytesIO(b"x"), "x.wav")}), 422, "undecodable_audio")
    job = client.post("/playlists", json={"name": "dropped", "track_ids": tracks}).get_json()["job"]
    work(filled, job["id"])
    bundle = client.get(f"/jobs/{job['id']}").get_json()["result"]["bundle"]
    client.post(f"/models/{bundle}/promote")
    assert client.get(f"/recommend?track={tracks[0]}").get_json()["playlists"][0]["name"] == "dropped"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "x"}, 422, "invalid_request"),
        ({"name": "x", "folder": "third", "track_ids": [1]}, 422, "invalid_request"),
        ({"name": "x", "track_ids": [999]}, 404, "track_not_found"),
    ],
)
def test_a_playlist_needs_one_source_that_is_there(
    client: FlaskClient, filled: Filled, body: dict[str, Any], status: int, code: str
) -> None:
    assert_problem(client.post("/playlists", json=body), status, code)
    assert "x" not in {playlist["name"] for playlist in client.get("/playlists").get_json()["playlists"]}
