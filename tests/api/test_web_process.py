"""The web process as it really runs: what it imports, how soon it answers, how much memory it takes."""

import json
import subprocess
import sys
import tomllib
import urllib.request
from importlib import metadata
from pathlib import Path

import pytest

from api.version import _find_version
from tests.api.conftest import Filled
from tests.api.serving import REPOSITORY, environment, served

NEVER = ("tensorflow", "keras", "sklearn", "matplotlib", "librosa", "numba", "training")
MEMORY_MB = 400

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")


@pytest.fixture
def database_kind() -> str:
    """SQLite only: what is measured here is the process."""
    return "sqlite"


ANSWER_ONCE = """
import json, sys
from api.app import create_app
client = create_app().test_client()
stored = client.get("/recommend?track=1")
heard = client.get("/recommend?track=unscanned/Nobody - Low news.wav")
assert stored.status_code == heard.status_code == 200, (stored.get_json(), heard.get_json())
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_answering_imports_nothing_that_only_training_needs(filled: Filled) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ANSWER_ONCE],
        cwd=REPOSITORY,
        env=environment(filled),
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(json.loads(done.stdout)).isdisjoint(NEVER)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["recommend", "--help"], ["worker", "--help"], ["train", "--help"]]
)
def test_asking_for_help_imports_no_training(arguments: list[str]) -> None:
    code = f"""
import sys
from click.testing import CliRunner
from api.cli import main
assert CliRunner().invoke(main, {arguments!r}).exit_code == 0
print(*sorted(name.partition('.')[0] for name in sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()).isdisjoint(NEVER)


def test_the_server_stays_small_and_ends_when_told(filled: Filled, tmp_path: Path) -> None:
    with served(filled, tmp_path) as (url, pid):
        answer = json.load(urllib.request.urlopen(f"{url}/recommend?track={filled.track_ids[0]}"))
        assert answer["playlists"][0]["name"] == "low"
        assert json.load(urllib.request.urlopen(f"{url}/readyz"))["ready"]
        assert memory_mb(pid) < MEMORY_MB


def memory_mb(pid: int) -> float:
    line = next(
        line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")
    )
    return int(line.split()[1]) / 1024


def test_a_checkout_that_was_not_installed_knows_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_name: str) -> str:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(metadata, "version", unknown)
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert _find_version() == project["version"]
