"""``/folders``: what lies below the music folders, and making playlists of what was ticked."""

from pathlib import Path

from flask.testing import FlaskClient

from recommender.catalogue.files import add_library_root
from recommender.jobs.ledger import get_job
from tests.api.conftest import Filled
from tests.api.problems import assert_problem
from tests.databases import sqlite_only
from tests.folders import write_track


@sqlite_only
def test_folders_are_shown_with_what_they_look_like(
    client: FlaskClient, filled: Filled, tmp_path: Path
) -> None:
    music = tmp_path / "more music"
    for number, (folder, artist) in enumerate(
        [("gym", "Ada"), ("gym", "Ben"), ("Cy/X", "Cy"), ("Cy/Y", "Cy")]
    ):
        write_track(music / folder / f"{number}.flac", tone_hz=200.0 + number, artist=artist, duration_s=0.1)
    (music / "empty").mkdir()
    with filled.database.session() as session:
        add_library_root(session, music)
    found = client.get("/folders", query_string={"path": str(music)}).get_json()
    assert [(f["name"], f["kind"], f["n_files"]) for f in found["folders"]] == [
        ("Cy", "artist", 2),
        ("empty", "empty", 0),
        ("gym", "playlist", 2),
    ]
    assert str(music) in found["roots"]
    everywhere = client.get("/folders").get_json()["folders"]
    assert {"gym", "Cy"} < {folder["name"] for folder in everywhere}
    assert_problem(client.get("/folders?path=/etc"), 403, "outside_library")


@sqlite_only
def test_the_ticked_ones_become_playlists(client: FlaskClient, filled: Filled) -> None:
    asked = {"path": str(filled.sounds.library), "playlists": ["third"], "group": "moods"}
    job = client.post("/tracks", json=asked).get_json()["job"]
    with filled.database.read_session() as session:
        payload = get_job(session, job["id"]).payload
    assert payload == {
        "path": str(filled.sounds.library),
        "as_playlists": True,
        "folders": ["third"],
        "group": "moods",
    }
