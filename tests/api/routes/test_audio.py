"""Hearing and seeing the tracks of the catalogue, and nothing beside them."""

import soundfile
from flask.testing import FlaskClient

from recommender.catalogue.database import Database
from recommender.catalogue.tracks import upsert_track
from recommender.records.tracks import TrackFacts
from tests.api.conftest import Filled
from tests.api.problems import assert_problem


def test_a_track_can_be_heard(client: FlaskClient, filled: Filled) -> None:
    track = filled.sounds.heard[3]
    response = client.get("/tracks/4/audio")
    assert response.status_code == 200
    assert response.mimetype == "audio/wav"
    assert response.headers["Accept-Ranges"] == "bytes"
    assert response.data == track.path.read_bytes()


def test_a_part_of_it_can_be_heard(client: FlaskClient, filled: Filled) -> None:
    whole = filled.sounds.heard[0].path.read_bytes()
    response = client.get("/tracks/1/audio", headers={"Range": "bytes=100-199"})
    assert response.status_code == 206
    assert response.headers["Content-Range"] == f"bytes 100-199/{len(whole)}"
    assert response.data == whole[100:200]


def test_a_part_beyond_the_end_is_refused(client: FlaskClient, filled: Filled) -> None:
    response = client.get("/tracks/1/audio", headers={"Range": "bytes=99999999-"})
    assert_problem(response, 416, "no_such_range")


def test_it_is_not_sent_again_unchanged(client: FlaskClient, filled: Filled) -> None:
    first = client.get("/tracks/1/audio")
    again = client.get("/tracks/1/audio", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_the_waveform_is_that_of_the_file(client: FlaskClient, filled: Filled) -> None:
    y, rate = soundfile.read(filled.sounds.heard[0].path)
    drawn = client.get("/tracks/1/waveform?points=50").get_json()
    assert len(drawn["peaks"]) == 50
    assert max(drawn["peaks"]) == round(float(abs(y).max()), 3)
    assert drawn["duration_s"] == len(y) / rate


def test_an_unknown_track_cannot_be_heard(client: FlaskClient, filled: Filled) -> None:
    for address in ("/tracks/999/audio", "/tracks/999/waveform"):
        assert_problem(client.get(address), 404, "track_not_found")


def test_a_track_without_a_file_says_so(client: FlaskClient, filled: Filled, database: Database) -> None:
    with database.session() as session:
        track_id = upsert_track(session, TrackFacts(title="Only a name", artist="Nobody"))
    for address in ("audio", "waveform"):
        assert_problem(client.get(f"/tracks/{track_id}/{address}"), 409, "audio_missing")
