"""Files that are kept: tracks of the catalogue, heard at once, each once."""

import errno
import os
import shutil
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from recommender.audio_files.content_hash import content_sha256
from recommender.catalogue.files import record_file
from recommender.sources.folder import read_facts
from tests.api.conftest import Filled, write_notes
from tests.api.problems import assert_problem


def _send(client: FlaskClient, data: bytes, name: str) -> TestResponse:
    return client.post("/uploads", data={"file": (BytesIO(data), name)})


@pytest.fixture
def song(tmp_path: Path) -> bytes:
    return write_notes(tmp_path / "song.wav", pitch_hz=220.0, seed=70).read_bytes()


def _kept(filled: Filled) -> list[Path]:
    folder = filled.settings.uploads_directory
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_kept_file_is_a_track_that_can_be_asked_about(
    client: FlaskClient, filled: Filled, song: bytes
) -> None:
    response = _send(client, song, "New Name - Low song.wav")
    assert response.status_code == 201
    track = response.get_json()
    assert (track["artist"], track["title"]) == ("New Name", "Low song")
    assert response.headers["Location"] == f"/tracks/{track['id']}"
    answer = client.get(f"/recommend?track={track['id']}").get_json()
    assert answer["playlists"][0]["name"] == "low"
    assert "look_up" in answer["timing_ms"]  # heard once, when it was sent
    assert client.get(f"/tracks/{track['id']}/audio").data == song


def test_the_same_audio_is_kept_once(client: FlaskClient, filled: Filled, song: bytes) -> None:
    first, again = (_send(client, song, name).get_json() for name in ("A - B.wav", "C - D.wav"))
    assert first["id"] == again["id"]
    assert len(_kept(filled)) == 1


def test_a_file_of_the_library_is_not_kept_again(client: FlaskClient, filled: Filled) -> None:
    first = client.post("/uploads", data={"file": (BytesIO(b"RIFF"), "x.wav")})
    assert_problem(first, 422, "undecodable_audio")
    assert _kept(filled) == []


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.wav", "C:\\x\\..\\y.wav", "\u202e; rm -rf *.wav", "é" * 300 + ".wav"]
)
def test_no_name_leads_out_of_the_folder(client: FlaskClient, filled: Filled, song: bytes, name: str) -> None:
    assert _send(client, song, name).status_code == 201
    (kept,) = _kept(filled)
    assert kept.resolve().is_relative_to(filled.settings.uploads_directory.resolve())
    assert kept.suffix == ".wav"


def test_a_full_disk_is_said_and_leaves_nothing(
    client: FlaskClient, filled: Filled, song: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_source: Path, target: Path) -> None:
        target.write_bytes(song[:100])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("recommender.audio_files.uploads.shutil.copyfile", full)
    assert_problem(_send(client, song, "A - B.wav"), 507, "disk_full")
    assert _kept(filled) == []


def test_a_lost_file_is_kept_anew(client: FlaskClient, filled: Filled, song: bytes) -> None:
    first = _send(client, song, "A - B.wav").get_json()
    _kept(filled)[0].unlink()
    again = _send(client, song, "A - B.wav").get_json()
    assert again["id"] == first["id"]
    assert len(_kept(filled)) == 1


def test_a_copy_stands_in_for_a_file_that_was_deleted(
    client: FlaskClient, filled: Filled, song: bytes
) -> None:
    scanned = filled.sounds.library / "a copy"
    scanned.mkdir()
    first = scanned / "A - B.wav"
    first.write_bytes(song)
    facts = replace(read_facts(first), content_sha256=content_sha256(first))
    with filled.database.session() as session:
        track_id = record_file(session, first, size=len(song), mtime_ns=1, facts=facts)
    shutil.rmtree(scanned)
    assert _send(client, song, "Z - Z.wav").get_json()["id"] == track_id
    assert client.get(f"/tracks/{track_id}/audio").data == song
