"""Damaged files sent to the service: an answer or a reason, and no length is wrong without a word."""

import io
import shutil

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from api.services import find_services
from embeddings.decoder_processes import DecoderProcesses
from tests.api.conftest import Filled
from tests.damage import write_damaged
from tests.databases import sqlite_only

# All encodings twice, under other recipes; `make damage` tries a thousand.
N_FILES = 46


@sqlite_only
def test_every_damaged_file_is_answered_or_refused(
    client: FlaskClient, filled: Filled, app: APIFlask, tmp_path, monkeypatch
) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("no ffmpeg on the PATH")
    strict = DecoderProcesses(longest_call_s=5.0)
    monkeypatch.setattr(find_services(app).holder.current().encoder, "apart", strict)
    wrong = []
    for damaged in write_damaged(tmp_path, N_FILES, seed=7):
        content = io.BytesIO(damaged.path.read_bytes())
        response = client.post("/recommend", data={"file": (content, damaged.path.name)})
        body = response.get_json()
        if response.status_code == 200:
            track = body["track"]
            if not damaged.is_honest(track["duration_s"], track["heard_in_part"]):
                wrong.append((damaged.encoding, damaged.recipe, track))
        elif body["code"] not in ("undecodable_audio", "silent_audio", "too_short", "too_long"):
            wrong.append((damaged.encoding, damaged.recipe, body))
    strict.close()
    assert wrong == []
