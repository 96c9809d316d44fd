"""Playlist files in over HTTP and by command, and out again."""

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from api.cli import main
from api.terminal import ExitCode
from recommender.catalogue.playlists import find_playlist, playlist_tracks
from recommender.jobs.ledger import get_job
from recommender.records.jobs import JobKind, JobState
from recommender.sources.files.reading import read_playlist_file, read_playlists
from tests.api.conftest import N_PER_PLAYLIST, Filled
from tests.api.problems import assert_problem
from tests.databases import sqlite_only

LISTED = (
    b"#EXTM3U\n#EXTINF:4,Artist 10 - Piece 0\nC:\\Music\\x.wav\n"
    b"Artist 00 - Piece 0.wav\nnowhere/Who - What.wav\n"
)
SEVERAL = json.dumps({"playlists": [{"name": "one", "items": []}, {"name": "two", "items": []}]}).encode()


def send(client: FlaskClient, content: bytes, file_name: str = "mine.m3u", **fields: str) -> object:
    return client.post("/playlists/import", data={"file": (io.BytesIO(content), file_name), **fields})


def run(filled: Filled, *arguments: object, expect: int | None = ExitCode.OK) -> Result:
    env = {"WHICHLIST_DATABASE_URL": filled.settings.database_url, "WHICHLIST_LIBRARY_ROOTS": ""}
    command = ["--data", str(filled.settings.data), *map(str, arguments)]
    result = CliRunner(env=env).invoke(main, command)
    assert expect in (None, result.exit_code), (result.output, result.exception)
    return result


def test_an_uploaded_file_becomes_a_playlist_and_says_what_did_not(
    client: FlaskClient, filled: Filled
) -> None:
    response = send(client, LISTED, file_name="../../late night.m3u", group="mood")
    assert response.status_code == 202  # type: ignore[attr-defined]
    answer = response.get_json()  # type: ignore[attr-defined]
    assert (answer["playlist"]["name"], answer["playlist"]["group"]) == ("late night", "mood")
    assert answer["counts"] == {"rows": 3, "used": 2, "unmatched": 1} | dict.fromkeys(
        ("review", "rejected", "skipped", "repeated"), 0
    )
    assert [(row["row"], row["outcome"], row["artist"]) for row in answer["left_out"]] == [
        (3, "unmatched", "Who")
    ]
    with filled.database.read_session() as session:
        playlist = find_playlist(session, "late night", group="mood")
        assert playlist_tracks(session, playlist.id) == [
            filled.track_ids[N_PER_PLAYLIST],
            filled.track_ids[0],
        ]
        job = get_job(session, answer["job"]["id"])
    assert (job.kind, job.state) == (JobKind.REFIT, JobState.QUEUED)
    assert response.location == f"/jobs/{job.id}"  # type: ignore[attr-defined]


def test_a_file_of_which_nothing_is_known_is_kept_without_a_job(client: FlaskClient, filled: Filled) -> None:
    answer = send(client, b"Who - What\n", file_name="x.txt", name="strangers").get_json()  # type: ignore[attr-defined]
    assert answer["job"] is None
    assert answer["counts"]["unmatched"] == 1
    assert client.get("/jobs").get_json()["jobs"] == []


@pytest.mark.parametrize(
    ("content", "fields", "status", "code"),
    [
        (b"\x00\x01\x02\x03", {}, 422, "unreadable_source"),
        (b"#EXTM3U\n#EXT-X-VERSION:3\nsegment.ts\n", {}, 422, "unreadable_source"),
        (b"#EXTM3U\n", {}, 422, "empty_playlist"),
        (SEVERAL, {}, 422, "which_playlist"),
        (SEVERAL, {"playlist": "three"}, 422, "which_playlist"),
        (SEVERAL, {"playlist": "two"}, 422, "empty_playlist"),
        (LISTED, {"name": "low"}, 409, "playlist_exists"),
        (LISTED, {"name": "x" * 201}, 422, "invalid_request"),
    ],
)
def test_bad_uploads_are_problems(
    client: FlaskClient, filled: Filled, *, content: bytes, fields: dict[str, str], status: int, code: str
) -> None:
    assert_problem(send(client, content, **fields), status, code)  # type: ignore[arg-type]
    assert len(client.get("/playlists").get_json()["playlists"]) == 2


def test_a_body_without_a_file_is_refused(client: FlaskClient, filled: Filled) -> None:
    assert_problem(client.post("/playlists/import", json={"name": "x"}), 415, "unsupported_media_type")
    assert_problem(
        client.post("/playlists/import", data={"file": "text"}, content_type="multipart/form-data"),
        422,
        "invalid_request",
    )


@pytest.mark.parametrize(
    ("written_as", "media_type"),
    [
        ("m3u8", "audio/x-mpegurl"),
        ("xspf", "application/xspf+xml"),
        ("jspf", "application/json"),
        ("csv", "text/csv"),
        ("pls", "audio/x-scpls"),
    ],
)
def test_a_playlist_is_downloaded(
    client: FlaskClient, filled: Filled, written_as: str, media_type: str
) -> None:
    client.put(f"/playlists/{filled.playlist_ids[0]}", json={"name": 'a "b"/c\né'})
    response = client.get(f"/playlists/{filled.playlist_ids[0]}/export?format={written_as}")
    assert (response.status_code, response.mimetype) == (200, media_type)
    said = response.headers["Content-Disposition"]
    assert said == f"attachment; filename*=UTF-8''a%20%22b%22_c%20%C3%A9.{written_as}"
    [playlist] = read_playlists(response.data, name="x")
    assert [row.path for row in playlist.rows] == [str(t.path) for t in filled.sounds.heard[:N_PER_PLAYLIST]]


def test_what_cannot_be_downloaded(client: FlaskClient, filled: Filled) -> None:
    assert_problem(client.get("/playlists/999999/export"), 404, "playlist_not_found")
    assert_problem(
        client.get(f"/playlists/{filled.playlist_ids[0]}/export?format=doc"), 422, "invalid_request"
    )


@sqlite_only
def test_the_same_by_command(filled: Filled, tmp_path: Path) -> None:
    exported = tmp_path / "high.xspf"
    assert "6 tracks of 'high'" in run(filled, "export", "high", "--out", exported).stdout
    [playlist] = read_playlist_file(exported)
    assert (playlist.source, len(playlist.rows)) == ("xspf", N_PER_PLAYLIST)
    printed = run(filled, "export", "high", "--format", "csv").stdout_bytes
    assert len(read_playlists(printed, name="x")[0].rows) == N_PER_PLAYLIST
    result = run(filled, "add-playlist", "again", exported, "--group", "mood")
    assert "6 rows: 6 matched (6 by path)" in result.stdout
    with filled.database.read_session() as session:
        playlist_id = find_playlist(session, "again", group="mood").id
        assert playlist_tracks(session, playlist_id) == list(filled.track_ids[N_PER_PLAYLIST:])
    shown = [json.loads(line) for line in run(filled, "jobs", "--json").stdout.splitlines()]
    assert ("refit", "succeeded") in {(job["kind"], job["state"]) for job in shown}


@sqlite_only
def test_rows_left_out_are_named_and_the_exit_code_says_so(filled: Filled, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("Who - What\nnonsense\nArtist 10 - Piece 0\n" + "Else - Where\n" * 20)
    result = run(filled, "add-playlist", "half", listed, expect=ExitCode.PARTLY)
    assert "23 rows: 1 matched (1 by names)" in result.stdout
    assert "21 unmatched\n  row 1: Who - What (" in result.stdout
    assert "and 11 more" in result.stdout
    assert "1 skipped\n  row 2: nonsense (a line of text must be" in result.stdout


@sqlite_only
def test_files_that_were_never_scanned_are_pointed_out(filled: Filled, tmp_path: Path) -> None:
    listed = filled.sounds.library / "unscanned" / "new.m3u8"
    listed.write_text("Nobody - Low news.wav\nNobody - Gone.wav\n")
    try:
        result = run(filled, "add-playlist", "new", listed, expect=ExitCode.PARTLY)
        [document] = [
            json.loads(line)
            for line in run(
                filled, "add-playlist", "new", listed, "--json", expect=ExitCode.PARTLY
            ).stdout.splitlines()
        ]
    finally:
        listed.unlink()
    assert f"1 are files that were never scanned: `whichlist scan {listed.parent}`" in result.stdout
    assert [(row["row"], row["outcome"]) for row in document["left_out"]] == [
        (1, "unmatched"),
        (2, "unmatched"),
    ]


@sqlite_only
def test_commands_refuse_with_a_sentence(filled: Filled, tmp_path: Path) -> None:
    several, empty = tmp_path / "several.json", tmp_path / "empty.m3u"
    several.write_bytes(SEVERAL)
    empty.write_text("#EXTM3U\n")
    result = run(filled, "add-playlist", "x", several, expect=ExitCode.FAILED)
    assert "name one of: 'one' (0), 'two' (0)" in result.stderr
    assert "--playlist NAME" in result.stderr
    run(filled, "add-playlist", "x", several, "--playlist", "one", expect=ExitCode.FAILED)
    assert "is empty" in run(filled, "add-playlist", "x", empty, expect=ExitCode.FAILED).stderr
    assert "no playlist 'x'" in run(filled, "export", "x", expect=ExitCode.FAILED).stderr
    run(filled, "export", "high", "--out", tmp_path / "no" / "folder.csv", expect=ExitCode.FAILED)
    run(filled, "export", "high", "--format", "doc", expect=ExitCode.USAGE)
    run(filled, "add-playlist", "x", tmp_path / "missing.m3u", expect=ExitCode.USAGE)


UNCLEAR = b"Werk;Wer;Woraus\nPiece 0;Artist 10;x\nPiece 0;Artist 00;x\n"


def test_a_table_that_nobody_knows_is_shown_and_a_person_says_what_it_holds_once(
    client: FlaskClient, filled: Filled
) -> None:
    problem = assert_problem(send(client, UNCLEAR, file_name="mine.csv"), 422, "unknown_columns")
    assert problem["table"] == {
        "head": ["Werk", "Wer", "Woraus"],
        "rows": [["Piece 0", "Artist 10", "x"], ["Piece 0", "Artist 00", "x"]],
        "guess": {"artist": 2},
        "columns": ["title", "artist", "album", "isrc"],
    }
    for wrong in ("title=9", "title", "genre=1"):
        assert_problem(send(client, UNCLEAR, file_name="mine.csv", columns=wrong), 422, "unreadable_source")
    answer = send(client, UNCLEAR, file_name="mine.csv", columns="title=1,artist=Wer")
    assert answer.get_json()["counts"]["used"] == 2  # type: ignore[attr-defined]
    again = send(client, UNCLEAR, file_name="other.csv")
    assert again.get_json()["counts"]["used"] == 2  # type: ignore[attr-defined]


@sqlite_only
def test_the_command_shows_the_table_and_takes_the_columns(filled: Filled, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(UNCLEAR)
    refused = run(filled, "add-playlist", "werke", path, expect=ExitCode.FAILED)
    assert "Werk" in refused.stderr and "Artist 10" in refused.stderr
    assert "--columns title=2,artist=1" in refused.stderr
    done = run(filled, "add-playlist", "werke", path, "--columns", "title=1,artist=2", expect=None)
    assert "2 rows: 2 matched" in done.stdout


def test_a_playlist_is_read_again_by_command_and_over_http(
    client: FlaskClient, filled: Filled, tmp_path: Path
) -> None:
    file = tmp_path / "followed.m3u"
    file.write_text("#EXTM3U\nArtist 10 - Piece 0.wav\nArtist 11 - Piece 1.wav\n")
    run(filled, "add-playlist", "followed", file, "--group", "follow")
    file.write_text("#EXTM3U\nArtist 11 - Piece 1.wav\nArtist 12 - Piece 2.wav\n")
    (listed,) = run(filled, "sync", "followed", "--group", "follow", "--list", "--json").output.splitlines()
    assert json.loads(listed)["from"] == str(file)
    said = run(filled, "sync", "followed", "--group", "follow").output
    assert "followed: 3 songs, 2 before; 2 of 2 rows used" in said
    assert "1 there no longer: Artist 10 - Piece 0" in said
    with filled.database.read_session() as session:
        playlist = find_playlist(session, "followed", group="follow")
    answered = client.post("/playlists/sync", json={"playlists": [playlist.id], "take_out": True})
    assert (answered.status_code, answered.get_json()["job"]["kind"]) == (202, "sync")
    assert_problem(client.post("/playlists/sync", json={"playlists": [2**31 - 1]}), 404, "playlist_not_found")
    low = next(p for p in client.get("/playlists").get_json()["playlists"] if p["name"] == "low")
    assert_problem(client.post("/playlists/sync", json={"playlists": [low["id"]]}), 409, "follows_nothing")
    file.unlink()
    left = run(filled, "sync", "followed", "--group", "follow", expect=ExitCode.PARTLY).output
    assert "left as it is" in left
