"""``/jobs`` and ``/models``: background work and what it made."""

import shutil

import pytest
from flask.testing import FlaskClient

from recommender.catalogue.models import current_bundle
from recommender.jobs import ledger
from recommender.jobs.steps import add_items, claim_items, item_failed
from recommender.model.scorecards import write_scorecard
from recommender.records.jobs import JobKind
from tests.api.conftest import Filled
from tests.api.problems import assert_problem


def test_a_running_job_shows_how_far_it_is_and_what_was_set_aside(
    client: FlaskClient, filled: Filled
) -> None:
    with filled.database.session() as session:
        job_id = ledger.enqueue(session, JobKind.SCAN, {"path": "x"})
        claim = ledger.claim(session, "worker", 60.0)
        assert claim is not None
        add_items(session, claim, ["a.mp3"])
        item = claim_items(session, claim, 1)[0]
        item_failed(session, claim, item.id, code="undecodable_audio", error="a.mp3 is no audio")
        ledger.progress(session, claim, n_done=1, n_total=4, message="listening")
    shown = client.get(f"/jobs/{job_id}").get_json()
    assert (shown["state"], shown["n_done"], shown["n_total"], shown["n_failed"]) == ("running", 1, 4, 1)
    assert shown["message"] == "listening"
    assert shown["failed"] == [{"key": "a.mp3", "code": "undecodable_audio", "error": "a.mp3 is no audio"}]


def test_jobs_are_listed_newest_first_and_by_state(client: FlaskClient, filled: Filled) -> None:
    with filled.database.session() as session:
        ids = [ledger.enqueue(session, JobKind.SCAN, {"path": str(n)}) for n in range(3)]
        ledger.cancel(session, ids[1])
    listed = client.get("/jobs").get_json()["jobs"]
    assert [job["id"] for job in listed] == ids[::-1]
    assert [job["id"] for job in client.get("/jobs?limit=1").get_json()["jobs"]] == ids[2:]
    assert [job["id"] for job in client.get("/jobs?state=cancelled").get_json()["jobs"]] == [ids[1]]
    assert [job["id"] for job in client.get(f"/jobs?before_id={ids[1]}").get_json()["jobs"]] == [ids[0]]
    assert_problem(client.get("/jobs?state=lost"), 422, "invalid_request")


def test_cancelling(client: FlaskClient, filled: Filled) -> None:
    with filled.database.session() as session:
        running = ledger.enqueue(session, JobKind.SCAN, {"path": "running"})
        assert ledger.claim(session, "worker", 60.0) is not None
        waiting = ledger.enqueue(session, JobKind.SCAN, {"path": "waiting"})
    assert client.post(f"/jobs/{waiting}/cancel").get_json()["state"] == "cancelled"
    shown = client.post(f"/jobs/{running}/cancel").get_json()
    assert (shown["state"], shown["cancel_requested"]) == ("running", True)
    body = assert_problem(client.post(f"/jobs/{waiting}/cancel"), 409, "job_finished")
    assert "cancelled" in body["detail"]


def test_what_failed_can_be_tried_again(client: FlaskClient, filled: Filled) -> None:
    with filled.database.session() as session:
        failed = ledger.enqueue(session, JobKind.SCAN, {"path": "away"})
        claim = ledger.claim(session, "worker", 60.0)
        assert claim is not None
        ledger.fail(session, claim, code="unreadable_folder", message="the folder is not there")
    response = client.post(f"/jobs/{failed}/retry")
    assert response.status_code == 202
    again = response.get_json()["job"]
    assert again["id"] != failed
    assert (again["kind"], again["payload"], again["state"]) == ("scan", {"path": "away"}, "queued")
    assert_problem(client.post(f"/jobs/{again['id']}/retry"), 409, "job_not_failed")


def test_a_challenger_can_be_asked_for(client: FlaskClient, filled: Filled) -> None:
    response = client.post("/models")
    assert response.status_code == 202
    assert response.get_json()["job"]["kind"] == "train"


def test_no_such_job(client: FlaskClient) -> None:
    assert_problem(client.get("/jobs/999999"), 404, "job_not_found")
    assert_problem(client.post("/jobs/999999/cancel"), 404, "job_not_found")
    assert_problem(client.post("/jobs/999999/retry"), 404, "job_not_found")


def test_models_say_which_one_serves(client: FlaskClient, filled: Filled) -> None:
    listed = {model["id"]: model for model in client.get("/models").get_json()["models"]}
    first, second = filled.bundle_ids
    assert (listed[first]["state"], listed[first]["serving"]) == ("champion", True)
    assert (listed[second]["state"], listed[second]["serving"]) == ("challenger", False)
    assert listed[first]["encoder"] == "tiny"
    assert (listed[first]["promoted_at"] is None, listed[second]["promoted_at"]) == (False, None)


def test_without_any_model_the_list_is_empty(client: FlaskClient) -> None:
    assert client.get("/models").get_json() == {"models": []}


def test_a_promoted_model_answers_at_once(client: FlaskClient, filled: Filled) -> None:
    first, second = filled.bundle_ids
    address = f"/recommend?track={filled.track_ids[0]}"
    assert client.get(address).get_json()["model"] == first
    promoted = client.post(f"/models/{second}/promote").get_json()["model"]
    assert (promoted["id"], promoted["state"], promoted["serving"]) == (second, "champion", True)
    assert client.get(address).get_json()["model"] == second


def test_a_damaged_model_is_not_promoted(client: FlaskClient, filled: Filled) -> None:
    first, second = filled.bundle_ids
    (filled.settings.bundles_directory / second / "encoder.tflite").unlink()
    body = assert_problem(client.post(f"/models/{second}/promote"), 409, "corrupt_bundle")
    assert "encoder.tflite" in body["detail"]
    assert str(filled.settings.data) not in body["detail"]
    with filled.database.read_session() as session:
        champion = current_bundle(session)
    assert champion is not None
    assert champion.id == first


def test_reports(client: FlaskClient, filled: Filled) -> None:
    first, second = filled.bundle_ids
    assert client.get(f"/models/{first}/report").get_json() == {
        "id": first,
        "report": {"balanced_accuracy": 1.0},
        "scorecard": None,
    }
    shutil.rmtree(filled.settings.bundles_directory / second)
    assert_problem(client.get(f"/models/{second}/report"), 409, "corrupt_bundle")


def test_score_cards(client: FlaskClient, filled: Filled) -> None:
    judged, other = filled.bundle_ids
    card, page = {"groups": [{"group": "default", "balanced_accuracy": 0.75}]}, "<!doctype html><p>75 %"
    write_scorecard(filled.settings, judged, card, page)
    assert client.get(f"/models/{judged}/report").get_json()["scorecard"] == card
    assert client.get(f"/models/{other}/report").get_json()["scorecard"] is None
    long = {"groups": [{"group": "default", "tracks": [1], "maps": {}, "misclassified": [], "n_tracks": 1}]}
    write_scorecard(filled.settings, judged, long, page)
    short = client.get(f"/models/{judged}/report?tracks=false").get_json()["scorecard"]
    assert short == {"groups": [{"group": "default", "n_tracks": 1}]}

    shown = client.get(f"/models/{judged}/report", headers={"Accept": "text/html,application/json;q=0.9"})
    assert (shown.status_code, shown.mimetype, shown.text) == (200, "text/html", page)
    policy = shown.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    unjudged = client.get(f"/models/{other}/report", headers={"Accept": "text/html"})
    assert unjudged.get_json()["id"] == other


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json,text/html;q=0.5", ""])
def test_programs_get_json(client: FlaskClient, filled: Filled, accept: str) -> None:
    write_scorecard(filled.settings, filled.bundle_ids[0], {"groups": []}, "<!doctype html>")
    answer = client.get(f"/models/{filled.bundle_ids[0]}/report", headers={"Accept": accept})
    assert answer.get_json()["scorecard"] == {"groups": []}


def test_no_such_model(client: FlaskClient) -> None:
    assert_problem(client.get("/models/2026-01-01-1/report"), 404, "model_not_found")
    assert_problem(client.post("/models/2026-01-01-1/promote"), 404, "model_not_found")
    assert_problem(client.get("/models/..%2F..%2Fetc/report"), 404, "not_found")
