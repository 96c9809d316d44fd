"""``/playlists``: what a track may fit."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from recommender.catalogue.playlists import (
    create_playlist,
    get_playlist,
    list_playlists,
    playlist_tracks,
    set_members,
)
from recommender.jobs.ledger import get_job
from recommender.records.jobs import JobKind, JobState
from tests.api.conftest import N_PER_PLAYLIST, Filled, write_notes
from tests.api.problems import assert_problem


def test_playlists_are_listed_by_group(client: FlaskClient, filled: Filled) -> None:
    with filled.database.session() as session:
        create_playlist(session, name="liked", group="mood")
    everything = client.get("/playlists").get_json()["playlists"]
    assert [(p["group"], p["name"], p["n_tracks"]) for p in everything] == [
        ("default", "high", N_PER_PLAYLIST),
        ("default", "low", N_PER_PLAYLIST),
        ("mood", "liked", 0),
    ]
    assert [p["name"] for p in client.get("/playlists?group=mood").get_json()["playlists"]] == ["liked"]
    assert client.get("/playlists?group=other").get_json()["playlists"] == []


def test_a_playlist_shows_its_tracks_in_order(client: FlaskClient, filled: Filled) -> None:
    shown = client.get(f"/playlists/{filled.playlist_ids[1]}").get_json()
    assert shown["name"] == "high"
    assert [track["id"] for track in shown["tracks"]] == list(filled.track_ids[N_PER_PLAYLIST:])
    assert shown["tracks"][0] == {
        "id": filled.track_ids[N_PER_PLAYLIST],
        "title": "Piece 0",
        "artist": "Artist 10",
        "duration_s": 4.0,
    }
    assert shown["created_at"].endswith("+00:00")


def test_a_folder_becomes_a_playlist_by_a_job(client: FlaskClient, filled: Filled) -> None:
    response = client.post("/playlists", json={"name": "new", "folder": "unscanned"})
    job = response.get_json()["job"]
    assert (response.status_code, response.location) == (202, f"/jobs/{job['id']}")
    folder = str(filled.sounds.library / "unscanned")
    with filled.database.read_session() as session:
        queued = get_job(session, job["id"])
    assert (queued.kind, queued.state) == (JobKind.ADD_PLAYLIST, JobState.QUEUED)
    assert queued.payload == {"name": "new", "folder": folder, "group": "default"}


def test_a_playlist_is_renamed_and_the_model_follows(client: FlaskClient, filled: Filled) -> None:
    playlist_id = filled.playlist_ids[0]
    response = client.put(f"/playlists/{playlist_id}", json={"name": "bass"})
    assert response.status_code == 202
    with filled.database.read_session() as session:
        assert get_playlist(session, playlist_id).name == "bass"
        assert get_job(session, response.get_json()["job"]["id"]).kind is JobKind.REFIT


def test_the_tracks_of_a_playlist_are_replaced_in_order(client: FlaskClient, filled: Filled) -> None:
    playlist_id, wanted = filled.playlist_ids[0], [filled.track_ids[7], filled.track_ids[2]]
    assert client.put(f"/playlists/{playlist_id}", json={"track_ids": wanted}).status_code == 202
    with filled.database.read_session() as session:
        assert playlist_tracks(session, playlist_id) == wanted


def test_a_bad_change_changes_nothing(client: FlaskClient, filled: Filled) -> None:
    playlist_id = filled.playlist_ids[0]
    change = {"name": "bass", "track_ids": [filled.track_ids[0], 999_999]}
    body = assert_problem(client.put(f"/playlists/{playlist_id}", json=change), 404, "track_not_found")
    assert "999999" in body["detail"]
    with filled.database.read_session() as session:
        assert get_playlist(session, playlist_id).name == "low"
        assert playlist_tracks(session, playlist_id) == list(filled.track_ids[:N_PER_PLAYLIST])
    assert client.get("/jobs").get_json()["jobs"] == []


def test_a_removed_playlist_leaves_and_the_model_is_fitted_again(client: FlaskClient, filled: Filled) -> None:
    response = client.delete(f"/playlists/{filled.playlist_ids[0]}")
    assert response.status_code == 202
    assert response.get_json()["job"]["kind"] == "refit"
    with filled.database.read_session() as session:
        assert [playlist.name for playlist in list_playlists(session)] == ["high"]
    assert client.get(f"/tracks/{filled.track_ids[0]}").get_json()["playlists"] == []


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_no_such_playlist(client: FlaskClient, method: str) -> None:
    body = {"json": {"name": "x"}} if method == "put" else {}
    response = getattr(client, method)("/playlists/999999", **body)
    assert_problem(response, 404, "playlist_not_found")


def test_names_are_taken_once(client: FlaskClient, filled: Filled) -> None:
    again = {"name": "low", "folder": "unscanned"}
    assert_problem(client.post("/playlists", json=again), 409, "playlist_exists")
    assert client.post("/playlists", json=again | {"group": "mood"}).status_code == 202
    rename = client.put(f"/playlists/{filled.playlist_ids[0]}", json={"name": "high"})
    assert_problem(rename, 409, "playlist_exists")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x"},
        {"folder": "unscanned"},
        {"name": "", "folder": "unscanned"},
        {"name": "x" * 201, "folder": "unscanned"},
        {"name": "x", "folder": "unscanned", "colour": "red"},
        {"name": None, "folder": "unscanned"},
    ],
)
def test_bad_bodies_are_refused(client: FlaskClient, filled: Filled, body: dict[str, object]) -> None:
    assert_problem(client.post("/playlists", json=body), 422, "invalid_request")


def test_bad_changes_are_refused(client: FlaskClient, filled: Filled) -> None:
    address = f"/playlists/{filled.playlist_ids[0]}"
    for body in ({"name": ""}, {"track_ids": [0]}, {"track_ids": ["a"]}, {"folder": "x"}):
        assert_problem(client.put(address, json=body), 422, "invalid_request")


def test_folders_outside_the_library_are_refused_alike(client: FlaskClient, filled: Filled) -> None:
    bodies = [
        assert_problem(
            client.post("/playlists", json={"name": "x", "folder": folder}), 403, "outside_library"
        )
        for folder in ("/etc", "/missing", str(filled.sounds.outside), "../outside", "../missing")
    ]
    for body in bodies:
        del body["request_id"]  # the one thing that differs
    assert all(body == bodies[0] for body in bodies)


def members(client: FlaskClient, playlist_id: int) -> list[int]:
    return [track["id"] for track in client.get(f"/playlists/{playlist_id}").get_json()["tracks"]]


def test_songs_are_put_in_and_taken_out_and_it_outlasts_the_source(
    client: FlaskClient, filled: Filled
) -> None:
    low, high = filled.playlist_ids
    mine, theirs = list(filled.track_ids[:N_PER_PLAYLIST]), list(filled.track_ids[N_PER_PLAYLIST:])
    answer = client.post(f"/playlists/{low}/tracks", json={"track_ids": [theirs[0], mine[0]]}).get_json()
    assert (answer["n_changed"], answer["playlist"]["n_tracks"], answer["job"]["kind"]) == (1, 7, "refit")
    assert members(client, low) == [*mine, theirs[0]]
    answer = client.delete(f"/playlists/{low}/tracks", json={"track_ids": [mine[1], theirs[1]]}).get_json()
    assert answer["n_changed"] == 1
    with filled.database.session() as session:  # a scan of its folder, or another import
        set_members(session, low, mine)
    assert members(client, low) == [mine[0], *mine[2:], theirs[0]]
    # What was put in by hand and is taken out again is simply not there: nothing is said of it any more.
    client.delete(f"/playlists/{low}/tracks", json={"track_ids": [theirs[0]]})
    assert client.get(f"/tracks/{theirs[0]}/feedback").get_json()["feedback"] == []
    assert client.post(f"/playlists/{high}/tracks", json={"track_ids": theirs}).get_json()["job"] is None
    assert_problem(client.post("/playlists/99/tracks", json={"track_ids": [1]}), 404, "playlist_not_found")
    assert_problem(client.post(f"/playlists/{low}/tracks", json={"track_ids": [999]}), 404, "track_not_found")


@pytest.mark.parametrize(
    ("if_exists", "expected"), [("add", [0, 1, 2, 3, 4, 5, 6, 7]), ("replace", [6, 7]), (None, None)]
)
def test_a_name_that_is_taken_is_added_to_replaced_or_refused(
    client: FlaskClient, filled: Filled, if_exists: str | None, expected: list[int] | None
) -> None:
    low, ids = filled.playlist_ids[0], filled.track_ids
    asked = {"name": "low", "track_ids": list(ids[6:8])} | ({"if_exists": if_exists} if if_exists else {})
    answer = client.post("/playlists", json=asked)
    if expected is None:
        problem = assert_problem(answer, 409, "playlist_exists")
        assert "of 6 songs" in problem["detail"]
        assert members(client, low) == list(ids[:6])
    else:
        assert answer.status_code == 202
        assert members(client, low) == [ids[row] for row in expected]


def test_a_playlist_is_there_from_the_first_upload(
    client: FlaskClient, filled: Filled, tmp_path: Path
) -> None:
    assert client.post("/playlists", json={"name": "dropped", "track_ids": []}).status_code == 202
    [made] = [p for p in client.get("/playlists").get_json()["playlists"] if p["name"] == "dropped"]
    for n in range(2):
        path = write_notes(tmp_path / f"{n}.wav", pitch_hz=300.0, seed=40 + n)
        data = {"file": (path.open("rb"), path.name), "playlist_id": str(made["id"])}
        assert client.post("/uploads", data=data).status_code == 201
        assert len(members(client, made["id"])) == n + 1
    again = {"file": (path.open("rb"), "another name.wav"), "playlist_id": str(made["id"])}
    client.post("/uploads", data=again)
    assert len(members(client, made["id"])) == 2
    nowhere = {"file": (path.open("rb"), path.name), "playlist_id": "99"}
    assert_problem(client.post("/uploads", data=nowhere), 404, "playlist_not_found")
