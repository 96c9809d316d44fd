"""The command line, from an empty data folder to answers; the tiny encoder listens."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from api.app import create_app
from api.cli import main
from api.services import find_services
from api.terminal import ExitCode
from recommender.settings import load_settings
from tests.api.conftest import PLAYLISTS, Sounds
from tests.recommender.model.tiny_bundles import CONFIG, TINY_ENCODER
from training.encoder.available import can_train

Run = Callable[..., Result]


def runner_in(data: Path) -> Run:
    """Return what runs a command on a data folder, whose encoder is the tiny one."""
    place = data / "encoders" / CONFIG.fingerprint
    if not place.exists():
        shutil.copytree(TINY_ENCODER, place, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        bases = {"msd_musicnn": CONFIG.fingerprint, "small_cnn": CONFIG.fingerprint}
        (data / "encoders" / "base.json").write_text(json.dumps(bases))
    env = {"WHICHLIST_EMBEDDING_PROCESSES": "1", "WHICHLIST_LIBRARY_ROOTS": "", "WHICHLIST_DATABASE_URL": ""}

    def run(*arguments: object, expect: int | None = ExitCode.OK) -> Result:
        result = CliRunner(env=env).invoke(main, ["--data", str(data), *map(str, arguments)])
        assert expect is None or result.exit_code == expect, (result.output, result.exception)
        return result

    return run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command on an empty, migrated data folder."""
    run = runner_in(tmp_path / "data")
    run("migrate")
    return run


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, sounds: Sounds) -> Path:
    """A data folder to which both playlists of the made library were added by command."""
    data = tmp_path_factory.mktemp("prepared") / "data"
    run = runner_in(data)
    run("migrate")
    for name in PLAYLISTS:
        run("add-playlist", name, sounds.library / name)
    return data


@pytest.fixture
def with_playlists(prepared: Path, tmp_path: Path) -> Run:
    """Run a command on a copy of the prepared data folder."""
    data = tmp_path / "data"
    shutil.copytree(prepared, data)
    with closing(sqlite3.connect(data / "whichlist.sqlite")) as connection, connection:
        for bundle_id in [row[0] for row in connection.execute("SELECT id FROM bundle")]:
            place = os.fsencode(data / "bundles" / bundle_id)
            connection.execute("UPDATE bundle SET directory = ? WHERE id = ?", (place, bundle_id))
    return runner_in(data)


def read_lines(result: Result) -> list[dict[str, object]]:
    """Every line that a program reads is one JSON document."""
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_from_nothing_to_an_answer(with_playlists: Run, sounds: Sounds) -> None:
    path = sounds.outside / "Nobody - High news.wav"
    answer = with_playlists("recommend", path).stdout
    assert answer.startswith("Nobody - High news: ")
    explanation, ranked = answer.splitlines()[1:3]
    assert explanation.strip().endswith(".")
    first = ranked.split()
    assert (first[0], first[2]) == ("high", "fits")
    [document] = read_lines(with_playlists("recommend", "--json", "--segments", path))
    assert document["asked"] == str(path)
    assert [p["name"] for p in document["playlists"]] == ["high", "low"]  # type: ignore[attr-defined]
    assert document["segments"]
    assert document["encoder"] == "tiny"


def test_the_command_line_and_http_answer_alike(with_playlists: Run, tmp_path: Path, sounds: Sounds) -> None:
    [by_command] = read_lines(with_playlists("recommend", "--json", 3, "--segments"))
    app = create_app(load_settings({"data": tmp_path / "data"}, environ={}))
    by_http = app.test_client().get("/recommend?track=3").get_json()
    find_services(app).database.close()
    assert by_command.pop("asked") == "3"
    for answer in (by_command, by_http):
        answer.pop("timing_ms")
    assert by_command == by_http


def test_a_walk_by_command_is_that_over_http(with_playlists: Run, tmp_path: Path, sounds: Sounds) -> None:
    ends = sounds.heard[0].path, sounds.heard[-1].path
    [by_command] = read_lines(with_playlists("path", *ends, "--length", 6, "--json"))
    app = create_app(load_settings({"data": tmp_path / "data"}, environ={}))
    ids = [step["track"]["id"] for step in by_command["steps"]]  # type: ignore[attr-defined]
    by_http = app.test_client().get(f"/path?from={ids[0]}&to={ids[-1]}&length=6").get_json()
    find_services(app).database.close()
    assert by_command == by_http
    lines = with_playlists("path", *ends, "--length", 6).stdout.splitlines()
    assert [int(line.rpartition("(")[2].rstrip(")")) for line in lines] == ids
    assert lines[0].split() == ["1", "Artist", "00", "-", "Piece", "0", f"({ids[0]})"]
    result = with_playlists("path", ids[0], ids[0], expect=ExitCode.FAILED)
    assert "Name two different tracks." in result.stderr
    with_playlists("path", ids[0], ids[1], "--length", 1, expect=ExitCode.USAGE)
    assert "shorter walk" in with_playlists("path", 1, 2, "--length", 99, expect=ExitCode.FAILED).stderr


def test_every_track_gets_its_line_and_a_bad_one_stops_no_other(with_playlists: Run, sounds: Sounds) -> None:
    good, bad = sounds.heard[0].path, sounds.outside / "missing.wav"
    result = with_playlists("recommend", "--json", bad, good, expect=ExitCode.PARTLY)
    documents = read_lines(result)
    assert [("error" in document) for document in documents] == [True, False]
    assert documents[0]["error"]["code"] == "track_not_found"  # type: ignore[index]
    assert "missing.wav" in result.stderr
    with_playlists("recommend", bad, expect=ExitCode.FAILED)


def test_without_a_model_the_exit_code_says_so_and_the_words_what_to_do(run: Run) -> None:
    result = run("recommend", 1, expect=ExitCode.NOT_READY)
    assert "whichlist add-playlist" in result.stderr
    assert result.stdout == ""


def test_a_database_that_was_not_migrated(tmp_path: Path) -> None:
    command = ["--data", str(tmp_path / "new"), "playlists"]
    result = CliRunner(env={"WHICHLIST_DATABASE_URL": ""}).invoke(main, command)
    assert result.exit_code == ExitCode.NOT_READY
    assert "whichlist migrate" in result.stderr


def test_a_bad_setting_is_a_usage_error(tmp_path: Path) -> None:
    result = CliRunner(env={"WHICHLIST_ALPHA": "2"}).invoke(main, ["--data", str(tmp_path), "playlists"])
    assert result.exit_code == ExitCode.USAGE
    assert "WHICHLIST_ALPHA" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("recommend",),
        ("recommend", "x", "--top", "0"),
        ("add-playlist", "x"),
        ("nonsense",),
        ("scan", "--as-playlists"),
    ],
)
def test_usage_errors(run: Run, arguments: tuple[str, ...]) -> None:
    run(*arguments, expect=ExitCode.USAGE)


def test_a_server_that_others_can_reach_needs_a_token(run: Run) -> None:
    result = run("serve", "--host", "0.0.0.0", expect=ExitCode.USAGE)
    assert "WHICHLIST_API_TOKEN" in result.stderr


def test_an_empty_folder_is_refused_with_the_reason(run: Run, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    result = run("add-playlist", "empty", empty, expect=ExitCode.FAILED)
    assert "holds no audio" in result.stderr
    assert run("playlists", "--json").stdout == ""


def test_bad_files_are_set_aside_and_named(run: Run, sounds: Sounds, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    shutil.copytree(sounds.library / "low", folder)
    (folder / "text.mp3").write_text("this is no music\n" * 50)
    (folder / "empty.flac").write_bytes(b"")
    result = run("add-playlist", "mixed", folder, expect=ExitCode.PARTLY)
    assert "2 files were set aside" in result.stderr
    [job] = read_lines(run("jobs", "--json", 1))
    assert {item["code"] for item in job["failed"]} == {"undecodable_audio"}  # type: ignore[attr-defined]
    shown = run("jobs", 1).stdout
    assert "text.mp3" in shown
    assert "empty.flac" in shown


def test_a_playlist_of_one_track_is_accepted_and_says_what_it_is_not_good_for(
    with_playlists: Run, sounds: Sounds, tmp_path: Path
) -> None:
    folder = tmp_path / "single"
    folder.mkdir()
    shutil.copy(sounds.outside / "Nobody - High news.wav", folder)
    with_playlists("add-playlist", "single", folder)
    [document] = read_lines(with_playlists("recommend", "--json", sounds.heard[0].path))
    single = next(p for p in document["playlists"] if p["name"] == "single")  # type: ignore[attr-defined]
    assert "one track" in single["note"]


def test_a_removed_playlist_is_in_no_answer(with_playlists: Run, sounds: Sounds, tmp_path: Path) -> None:
    third = tmp_path / "third"
    shutil.copytree(sounds.library / "low", third)
    with_playlists("add-playlist", "third", third)
    with_playlists("remove-playlist", "third")
    [document] = read_lines(with_playlists("recommend", "--json", sounds.heard[0].path))
    assert {p["name"] for p in document["playlists"]} == set(PLAYLISTS)  # type: ignore[attr-defined]
    result = with_playlists("remove-playlist", "third", expect=ExitCode.FAILED)
    assert "no playlist 'third'" in result.stderr


def test_lists(with_playlists: Run, sounds: Sounds) -> None:
    shown = with_playlists("playlists").stdout.splitlines()
    assert shown[0].split() == ["PLAYLIST", "GROUP", "TRACKS", "FOLDER"]
    assert [line.split()[:3] for line in shown[1:]] == [["high", "default", "6"], ["low", "default", "6"]]
    jobs = read_lines(with_playlists("jobs", "--json"))
    assert [job["kind"] for job in jobs if job["state"] == "succeeded"] == ["add_playlist"] * 2
    assert "succeeded" in with_playlists("jobs").stdout


def test_an_earlier_model_is_put_back(with_playlists: Run) -> None:
    models = read_lines(with_playlists("models", "list", "--json"))
    states = {model["id"]: model["state"] for model in models}
    assert list(states.values()) == ["champion", "retired"]
    newest, oldest = states
    with_playlists("models", "promote", oldest)
    again = {model["id"]: model["state"] for model in read_lines(with_playlists("models", "list", "--json"))}
    assert (again[oldest], again[newest]) == ("champion", "retired")
    assert oldest in with_playlists("models", "list").stdout
    assert json.loads(with_playlists("models", "report", oldest).stdout)["groups"]
    with_playlists("models", "promote", "2001-01-01-1", expect=ExitCode.FAILED)


def test_a_rescan_hears_nothing_twice(with_playlists: Run, sounds: Sounds) -> None:
    [document] = read_lines(with_playlists("scan", sounds.library / "low", "--json"))
    assert (document["result"]["n_files"], document["result"]["n_new"]) == (6, 0)  # type: ignore[index]


def test_the_doctor(with_playlists: Run) -> None:
    healthy = {check["name"]: check for check in read_lines(with_playlists("doctor", "--json"))}
    assert all(check["ok"] for check in healthy.values())
    assert set(healthy) == {
        *("encoder", "database", "library", "model", "decoders", "recognition", "disk", "versions")
    }
    assert "low" in str(healthy["model"]["found"])
    assert ("tensorflow missing" in str(healthy["versions"]["found"])) != can_train()
    assert "tiny" in str(healthy["model"]["found"])
    champion = read_lines(with_playlists("models", "list", "--json"))[0]
    (Path(str(champion["directory"])) / "encoder.tflite").unlink()
    sick = with_playlists("doctor", expect=ExitCode.FAILED)
    assert "BAD  model" in sick.stdout
    assert "Promote an earlier one" in sick.stdout


def test_the_doctor_of_an_empty_machine(tmp_path: Path) -> None:
    result = CliRunner(env={"WHICHLIST_DATABASE_URL": ""}).invoke(
        main, ["--data", str(tmp_path / "x"), "doctor"]
    )
    assert result.exit_code == ExitCode.FAILED
    assert "Run `whichlist migrate`" in result.stdout


def test_migrating_twice_changes_nothing(with_playlists: Run) -> None:
    before = with_playlists("playlists").stdout
    assert with_playlists("migrate").stdout == with_playlists("migrate").stdout
    assert with_playlists("playlists").stdout == before


def test_evaluating_a_folder_touches_no_database(run: Run, sounds: Sounds, tmp_path: Path) -> None:
    report, page = tmp_path / "report.json", tmp_path / "card.html"
    folder = tmp_path / "library"
    for name in PLAYLISTS:
        shutil.copytree(sounds.library / name, folder / name)
    result = run("evaluate", folder, "--folds", 3, "--json", report, "--html", page)
    found = json.loads(report.read_text())
    assert found["balanced_accuracy"] == 1.0  # low and high notes are easily told apart
    assert "balanced accuracy  1.000" in result.stdout
    assert found["labels"] == sorted(PLAYLISTS)
    assert "<title>Score card of library</title>" in page.read_text(encoding="utf-8")
    assert {track["file"] for track in found["tracks"]} == {
        f"{track.playlist}/{track.path.name}" for track in sounds.heard
    }
    for label in PLAYLISTS:
        assert label in result.stdout


def test_the_demo_is_prepared_once(run: Run, sounds: Sounds, tmp_path: Path) -> None:
    library = tmp_path / "library"
    for name in PLAYLISTS:
        shutil.copytree(sounds.library / name, library / name)
    run("demo", "--prepare-only", "--library", library)
    assert {playlist["name"] for playlist in read_lines(run("playlists", "--json"))} == set(PLAYLISTS)
    run("demo", "--prepare-only", "--library", library)
    assert len(read_lines(run("models", "list", "--json"))) == 1  # nothing was fitted again


def test_a_refused_source_is_one_sentence_and_no_traceback(run: Run, tmp_path: Path) -> None:
    """A process of its own: what a person sees at a terminal is more than what the command prints."""
    command = [sys.executable, "-m", "api.cli", "--data", str(tmp_path / "data")]
    done = subprocess.run(
        [*command, "add-playlist", "liked", "subsonic:starred"], capture_output=True, text=True, check=False
    )
    assert done.returncode == ExitCode.FAILED
    assert done.stderr.count("WHICHLIST_SUBSONIC_URL") == 1
    assert "Traceback" not in done.stderr
    assert "WARNING" not in done.stderr


def test_a_name_that_is_taken_is_never_replaced_in_silence(with_playlists: Run, sounds: Sounds) -> None:
    one, other = PLAYLISTS
    folder = sounds.library / other
    refused = with_playlists("add-playlist", one, folder, expect=ExitCode.FAILED)
    assert f"already has a playlist {one!r}" in refused.stderr
    with_playlists("add-playlist", one, sounds.library / one)  # the same folder is only looked at again
    sizes = {row["name"]: row["n_tracks"] for row in read_lines(with_playlists("playlists", "--json"))}
    with_playlists("add-playlist", one, folder, "--if-exists", "add")
    added = {row["name"]: row["n_tracks"] for row in read_lines(with_playlists("playlists", "--json"))}
    assert added[one] == sizes[one] + sizes[other]
    with_playlists("add-playlist", one, folder, "--if-exists", "replace")
    replaced = {row["name"]: row["n_tracks"] for row in read_lines(with_playlists("playlists", "--json"))}
    assert replaced[one] >= sizes[other]


def test_single_songs_are_put_in_and_taken_out(with_playlists: Run) -> None:
    one = PLAYLISTS[0]
    said = with_playlists("add-to", one, 12, 1)
    assert "1 of 2 songs put into" in said.stdout
    [taken] = read_lines(with_playlists("take-out", one, 12, "--json"))
    assert taken["n_changed"] == 1
