"""``whichlist identify``, from a scanned folder to ids, and what it says where it cannot."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.terminal import ExitCode
from recommender.catalogue.database import open_database
from recommender.catalogue.files import record_file
from recommender.records.tracks import TrackFacts
from recommender.settings import load_settings
from tests.api.commands.test_cli import Run, read_lines, runner_in
from tests.fakes import servers
from tests.fakes.fake_acoustid import KEY, FakeAcoustId, heard, install_fpcalc, mbid, recording, result


@pytest.fixture
def server() -> Iterator[FakeAcoustId]:
    with FakeAcoustId().running() as fake:
        fake.known["named.mp3"] = [result(1, 0.98, recording(1, "M83", "One"))]
        fake.known["other.mp3"] = [result(2, 0.96, recording(2, "Somebody", "Else"))]
        yield fake


@pytest.fixture
def program(tmp_path: Path) -> Path:
    return install_fpcalc(tmp_path / "bin")


@pytest.fixture
def run(tmp_path: Path, server: FakeAcoustId, program: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on a library of four files, with fpcalc on the PATH and a key."""
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("WHICHLIST_ACOUSTID_URL", server.url)
    monkeypatch.setenv("WHICHLIST_ACOUSTID_KEY", KEY)
    run = runner_in(tmp_path / "data")
    run("migrate")
    database = open_database(load_settings({"data": tmp_path / "data"}, environ={}))
    for name in ("named.mp3", "other.mp3", "broken.mp3", "unknown.mp3"):
        path = tmp_path / name
        path.write_bytes(name.encode())
        size, mtime_ns = path.stat().st_size, path.stat().st_mtime_ns
        facts = TrackFacts("One", "M83", duration_s=200.0, content_sha256=name)
        with database.session() as session:
            record_file(session, path, size=size, mtime_ns=mtime_ns, facts=facts)
    database.close()
    return run


def test_what_is_sure_is_kept_and_the_rest_is_listed(run: Run, program: Path) -> None:
    shown = run("identify", "--all", expect=ExitCode.PARTLY).stdout
    assert "4 of 4 tracks: 1 named, 1 other_names, 1 no_chromaprint, 1 unknown" in shown
    assert len(shown.splitlines()) == 4  # a title, and the two that there is something to say of
    assert "it sounds like Somebody - Else" in shown
    assert "no_chromaprint" in shown
    assert KEY not in shown
    again = run("identify", "--all").stdout
    assert again.splitlines() == [
        "3 tracks were asked about before: --again asks once more",
        "no other track is without a MusicBrainz id",
    ]
    assert len(heard(program)) == 4


def test_a_program_reads_the_same(run: Run) -> None:
    [found] = read_lines(run("identify", "--all", "--json", expect=ExitCode.PARTLY))
    tracks = {track["outcome"]: track for track in found["tracks"]}  # type: ignore[attr-defined]
    assert found["outcomes"] == {"named": 1, "other_names": 1, "no_chromaprint": 1, "unknown": 1}
    assert [entry["mbid"] for entry in tracks["named"]["recordings"]] == [mbid(1)]
    assert (tracks["named"]["score"], tracks["no_chromaprint"]["acoustid"]) == (0.98, "")
    assert json.dumps(found).count(KEY) == 0


def test_a_server_that_breaks_off_is_said_after_what_was_done(run: Run, server: FakeAcoustId) -> None:
    server.faults.append(servers.page())
    failed = run("identify", "--all", expect=ExitCode.FAILED)
    assert "sent a page" in failed.stderr
    server.known["other.mp3"] = [result(2, 0.96, recording(2, "M83", "One"))]
    server.faults.append(server.answer(server.asked[0]))
    server.faults.append(servers.page())
    partly = run("identify", "--all", expect=ExitCode.PARTLY)
    assert "1 of 4 tracks: 1 named" in partly.stdout
    assert "sent a page" in partly.stderr


def test_it_says_what_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run("identify", expect=ExitCode.USAGE)
    run("identify", "mine", "--all", expect=ExitCode.USAGE)
    assert "no playlist 'mine'" in run("identify", "mine", expect=ExitCode.FAILED).stderr
    monkeypatch.setenv("WHICHLIST_ACOUSTID_KEY", "another")
    assert "does not know the key" in run("identify", "--all", expect=ExitCode.USAGE).stderr
    monkeypatch.delenv("WHICHLIST_ACOUSTID_KEY")
    assert "set WHICHLIST_ACOUSTID_KEY" in run("identify", "--all", expect=ExitCode.USAGE).stderr
    assert "recognition: fpcalc, and no key" in run("doctor").stdout
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    said = run("identify", "--all", expect=ExitCode.FAILED).stderr
    assert "fpcalc is not on the PATH" in said
    assert "apt install libchromaprint-tools" in said
    assert "recognition: fpcalc is not there" in run("doctor").stdout
