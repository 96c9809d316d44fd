"""``/playlists``: what a track may fit."""

import pytest
from flask.testing import FlaskClient

from recommender.catalogue.playlists import create_playlist, get_playlist, list_playlists, playlist_tracks
from recommender.jobs.ledger import get_job
from recommender.records.jobs import JobKind, JobState
from tests.api.conftest import N_PER_PLAYLIST, Filled
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
    assert all(body == bodies[0] for body in bodies)
