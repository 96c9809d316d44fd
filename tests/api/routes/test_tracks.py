"""``/tracks``: the catalogue, in pages."""

from flask.testing import FlaskClient

from recommender.catalogue.tracks import find_track
from recommender.errors import NoSuchTrack
from recommender.jobs.ledger import get_job
from recommender.records.jobs import JobKind
from tests.api.conftest import N_TRACKS, Filled
from tests.api.problems import assert_problem


def test_pages_hold_every_track_once(client: FlaskClient, filled: Filled) -> None:
    seen, after_id = [], 0
    while after_id is not None:
        page = client.get(f"/tracks?limit=5&after_id={after_id}").get_json()
        seen += [track["id"] for track in page["tracks"]]
        assert len(page["tracks"]) <= 5
        after_id = page["next_after_id"]
    assert seen == sorted(filled.track_ids)
    assert len(seen) == N_TRACKS


def test_a_full_last_page_is_the_last(client: FlaskClient, filled: Filled) -> None:
    page = client.get(f"/tracks?limit={N_TRACKS}").get_json()
    assert (len(page["tracks"]), page["next_after_id"]) == (N_TRACKS, None)


def test_tracks_are_found_by_title_and_artist(client: FlaskClient, filled: Filled) -> None:
    by_artist = client.get("/tracks?query=aRTIST 03").get_json()["tracks"]
    assert [(track["artist"], track["title"]) for track in by_artist] == [("Artist 03", "Piece 3")]
    by_title = client.get("/tracks?query=piece 3").get_json()["tracks"]
    assert {track["artist"] for track in by_title} == {"Artist 03", "Artist 13"}
    assert client.get("/tracks?query=%25").get_json()["tracks"] == []  # a percent sign is only itself


def test_a_track_names_its_playlists(client: FlaskClient, filled: Filled) -> None:
    track = client.get(f"/tracks/{filled.track_ids[0]}").get_json()
    assert (track["title"], track["artist"], track["trainable"]) == ("Piece 0", "Artist 00", True)
    assert track["path"] == str(filled.sounds.heard[0].path)
    assert track["playlists"] == [{"id": filled.playlist_ids[0], "name": "low"}]


def test_a_path_is_scanned_by_a_job(client: FlaskClient, filled: Filled) -> None:
    response = client.post("/tracks", json={"path": "unscanned"})
    job = response.get_json()["job"]
    assert (response.status_code, response.location) == (202, f"/jobs/{job['id']}")
    assert (job["kind"], job["state"]) == ("scan", "queued")
    assert job["payload"] == {"path": str(filled.sounds.library / "unscanned")}
    assert client.get(response.location).get_json()["id"] == job["id"]


def test_a_removed_track_leaves_and_the_model_is_fitted_again(client: FlaskClient, filled: Filled) -> None:
    track_id = filled.track_ids[0]
    response = client.delete(f"/tracks/{track_id}")
    assert response.status_code == 202
    with filled.database.read_session() as session:
        job = get_job(session, response.get_json()["job"]["id"])
        assert job.kind is JobKind.REFIT
        try:
            find_track(session, track_id)
        except NoSuchTrack:
            pass
        else:
            raise AssertionError("the track is still there")
    assert_problem(client.get(f"/tracks/{track_id}"), 404, "track_not_found")


def test_what_is_refused(client: FlaskClient, filled: Filled) -> None:
    assert_problem(client.get("/tracks/999999"), 404, "track_not_found")
    assert_problem(client.delete("/tracks/999999"), 404, "track_not_found")
    assert_problem(client.get("/tracks/abc"), 404, "not_found")
    assert_problem(client.get(f"/tracks/{10**30}"), 404, "track_not_found")
    assert_problem(client.get("/tracks?limit=0"), 422, "invalid_request")
    assert_problem(client.get("/tracks?limit=501"), 422, "invalid_request")
    assert_problem(client.get("/tracks?page=2"), 422, "invalid_request")
    assert_problem(client.post("/tracks", json={}), 422, "invalid_request")
    assert_problem(client.post("/tracks", json={"path": ""}), 422, "invalid_request")
    assert_problem(client.post("/tracks", json={"path": 3}), 422, "invalid_request")
    assert_problem(client.post("/tracks", json=["path"]), 422, "invalid_request")
    assert_problem(client.post("/tracks", data="{", content_type="application/json"), 400, "bad_request")
    assert_problem(client.post("/tracks", data="path=x"), 415, "unsupported_media_type")
    for path in ("/etc", str(filled.sounds.outside), "../outside", "/missing"):
        assert_problem(client.post("/tracks", json={"path": path}), 403, "outside_library")
