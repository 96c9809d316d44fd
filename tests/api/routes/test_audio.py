"""Hearing and seeing the tracks of the catalogue, and nothing beside them."""

import io
import shutil
import struct
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import av
import soundfile
from flask.testing import FlaskClient

from embeddings.stretch import Stretch
from recommender.catalogue.database import Database
from recommender.catalogue.files import record_file
from recommender.catalogue.tracks import upsert_track
from recommender.records.tracks import TrackFacts
from recommender.sources.folder import read_facts
from tests.api.conftest import N_TRACKS, Filled
from tests.api.problems import assert_problem
from tests.embeddings.test_pictures import write_picture


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


def test_without_a_picture_there_is_one_of_the_sound(client: FlaskClient, filled: Filled) -> None:
    low, high = client.get("/tracks/1/cover"), client.get(f"/tracks/{N_TRACKS}/cover")
    assert low.mimetype == high.mimetype == "image/svg+xml"
    assert low.data.count(b"<path") >= 12
    assert low.data != high.data
    assert "max-age" in low.headers["Cache-Control"]
    [*kept] = (filled.settings.cache_directory / "covers").glob("*.svg")
    assert len(kept) == 2
    kept[0].write_bytes(b"as it was kept")
    sent = {client.get(f"/tracks/{track}/cover").data for track in (1, N_TRACKS)}
    assert b"as it was kept" in sent  # not made again


def test_the_picture_of_a_folder_and_that_of_a_tag_come_first(client: FlaskClient, filled: Filled) -> None:
    song = filled.sounds.heard[0].path
    folder = filled.settings.data / "music"
    folder.mkdir()
    plain = Path(shutil.copy(song, folder / "plain.wav"))
    picture = write_picture(width=640, height=640, codec="mjpeg", pix_fmt="yuvj420p")
    (folder / "Cover.JPG").write_bytes(picture)
    tagged = folder / "tagged.flac"
    y, rate = soundfile.read(song)
    soundfile.write(tagged, y, samplerate=rate)
    _tag(tagged, write_picture(width=500, height=250))
    for path, shape in ((plain, (320, 320)), (tagged, (160, 320))):
        with filled.database.session() as session:
            facts = replace(read_facts(path), content_sha256=path.name)
            track_id = record_file(session, path, size=1, mtime_ns=1, facts=facts)
        sent = client.get(f"/tracks/{track_id}/cover")
        assert sent.mimetype == "image/jpeg"
        with av.open(BytesIO(sent.data), format="jpeg_pipe") as container:
            frame = next(container.decode(video=0))
        assert (frame.height, frame.width) == shape


def _tag(path: Path, picture: bytes) -> None:
    """Put a picture into a FLAC file, behind the block that has to be first."""
    kind, size = b"image/png", struct.pack(">4I", 500, 250, 24, 0)
    block = struct.pack(">I", 3) + struct.pack(">I", len(kind)) + kind + struct.pack(">I", 0) + size
    block += struct.pack(">I", len(picture)) + picture
    data = path.read_bytes()
    first = 4 + 4 + 34  # the magic, and STREAMINFO with its head
    head = bytes([6]) + len(block).to_bytes(3, "big")
    path.write_bytes(data[:4] + bytes([data[4] & 0x7F]) + data[5:first] + head + block + data[first:])


def test_a_track_whose_file_went_has_no_picture(client: FlaskClient, filled: Filled) -> None:
    assert_problem(client.get("/tracks/999/cover"), 404, "track_not_found")


def test_of_an_album_in_one_file_the_track_alone_is_heard_and_drawn(
    client: FlaskClient, filled: Filled, database: Database
) -> None:
    path = filled.sounds.heard[0].path
    y, rate = soundfile.read(path, dtype="int16")
    with database.session() as session:
        track_id = record_file(
            session,
            path,
            size=1,
            mtime_ns=1,
            facts=TrackFacts("Second", "Ana", content_sha256="a stretch"),
            stretch=Stretch(0.5, 1.75),
        )
    response = client.get(f"/tracks/{track_id}/audio")
    assert (response.status_code, response.mimetype) == (200, "audio/wav")
    heard, heard_rate = soundfile.read(io.BytesIO(response.data), dtype="int16")
    assert heard_rate == rate
    expected = y[round(0.5 * rate) : round(1.75 * rate)]
    assert heard.shape == expected.shape
    assert abs(heard.astype(int) - expected.astype(int)).max() <= 1
    part = client.get(f"/tracks/{track_id}/audio", headers={"Range": "bytes=50-99"})
    assert (part.status_code, part.data) == (206, response.data[50:100])
    assert client.get(f"/tracks/{track_id}/waveform?points=5").get_json()["duration_s"] == 1.25
