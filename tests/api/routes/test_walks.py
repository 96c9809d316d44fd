"""``/path``: walks over HTTP through the library of low and of high notes."""

from itertools import pairwise

import pytest
from flask.testing import FlaskClient

from recommender.catalogue.tracks import delete_track
from tests.api.conftest import N_PER_PLAYLIST, N_TRACKS, Filled
from tests.api.problems import assert_problem


def steps(client: FlaskClient, **query: object) -> list[dict]:
    response = client.get("/path", query_string={"from" if k == "start" else k: v for k, v in query.items()})
    assert response.status_code == 200
    return response.get_json()["steps"]


@pytest.mark.parametrize("length", [2, 5, N_TRACKS])
def test_a_walk_leads_from_low_to_high(client: FlaskClient, filled: Filled, length: int) -> None:
    start, end = filled.track_ids[0], filled.track_ids[-1]

    found = steps(client, start=start, to=end, length=length)

    ids = [step["track"]["id"] for step in found]
    assert (ids[0], ids[-1]) == (start, end)
    assert len(ids) == len(set(ids)) == length
    is_high = [track_id > N_PER_PLAYLIST for track_id in ids]
    assert is_high == sorted(is_high)  # one playlist is left for the other once
    assert found[0]["similarity"] is None
    assert all(-1 <= step["similarity"] <= 1 for step in found[1:])


def test_the_way_back_and_the_model_that_knows_it(client: FlaskClient, filled: Filled) -> None:
    answer = client.get("/path?from=1&to=12&length=6").get_json()

    assert answer["model"] == filled.bundle_ids[0]
    assert answer == client.get("/path?from=1&to=12&length=6").get_json()
    back = [step["track"]["id"] for step in steps(client, start=12, to=1, length=6)]
    assert back == [step["track"]["id"] for step in reversed(answer["steps"])]


def test_ends_are_named_as_elsewhere(client: FlaskClient, filled: Filled) -> None:
    paths = [filled.sounds.heard[row].path for row in (0, -1)]

    found = steps(client, start=str(paths[0].relative_to(filled.sounds.library)), to=str(paths[1]), length=4)

    assert [step["track"]["artist"] for step in (found[0], found[-1])] == ["Artist 00", "Artist 15"]


def test_no_two_in_a_row_by_one_artist(client: FlaskClient, filled: Filled) -> None:
    with filled.database.engine.begin() as connection:
        # Five of the low tracks are now by one artist: of a walk of eleven, too many to stand together.
        one = connection.exec_driver_sql("SELECT artist_id FROM track WHERE id = 2").scalar_one()
        connection.exec_driver_sql(f"UPDATE track SET artist_id = {one} WHERE id BETWEEN 2 AND 6")

    found = steps(client, start=1, to=12, length=10)

    artists = [step["track"]["artist"] for step in found]
    assert all(this != that for this, that in pairwise(artists))


def test_strangers_are_not_one_artist(client: FlaskClient, filled: Filled) -> None:
    before = [step["track"]["id"] for step in steps(client, start=1, to=12, length=12)]
    with filled.database.engine.begin() as connection:
        one = connection.exec_driver_sql("SELECT artist_id FROM track WHERE id = 2").scalar_one()
        connection.exec_driver_sql(f"UPDATE artist SET name = 'Unknown Artist' WHERE id = {one}")
        connection.exec_driver_sql(f"UPDATE track SET artist_id = {one}")

    assert [step["track"]["id"] for step in steps(client, start=1, to=12, length=12)] == before


def test_a_removed_track_is_passed_over(client: FlaskClient, filled: Filled) -> None:
    gone = steps(client, start=1, to=12, length=5)[2]["track"]["id"]
    with filled.database.session() as session:
        delete_track(session, gone)

    assert gone not in [step["track"]["id"] for step in steps(client, start=1, to=12, length=N_TRACKS - 1)]
    query = f"from=1&to=12&length={N_TRACKS}"
    body = assert_problem(client.get(f"/path?{query}"), 409, "library_too_small")
    assert f"knows {N_TRACKS - 1}" in str(body["detail"])


def test_what_is_refused(client: FlaskClient, filled: Filled) -> None:
    assert_problem(client.get("/path?from=1&to=1"), 422, "same_track")
    assert_problem(client.get("/path?from=1&to=999999"), 404, "track_not_found")
    assert_problem(client.get("/path?from=isrc:USABC1234567&to=1"), 404, "track_not_found")
    assert_problem(client.get(f"/path?from=1&to=2&length={N_TRACKS + 1}"), 409, "library_too_small")
    assert_problem(client.get("/path?from=1&to=/etc/passwd"), 403, "outside_library")
    assert_problem(client.get("/path?from=1&to=unscanned/Nobody - Low news.wav"), 404, "track_not_found")
    for query in ("from=1", "to=1", "from=1&to=2&length=1", "from=1&to=2&length=101", "from=1&to=2&x=3"):
        assert_problem(client.get(f"/path?{query}"), 422, "invalid_request")


def test_a_track_that_was_never_heard_lies_nowhere(client: FlaskClient, filled: Filled) -> None:
    with filled.database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM embedding WHERE track_id = 3")

    body = assert_problem(client.get("/path?from=3&to=1"), 409, "track_not_heard")
    assert "track 3 (Artist 02 - Piece 2) has not been heard" in str(body["detail"])
    assert 3 not in [step["track"]["id"] for step in steps(client, start=1, to=12, length=N_TRACKS - 1)]


def test_without_a_model(client: FlaskClient) -> None:
    assert_problem(client.get("/path?from=1&to=2"), 409, "no_model")
