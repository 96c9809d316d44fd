"""Programs of other people's in an environment of their own, which ``make counterparts`` makes."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

PYTHON = Path(__file__).parents[2] / ".venv" / "counterparts" / "bin" / "python"
_READERS = Path(__file__).with_name("readers.py")
Playlists = dict[str, list[list[str]]]


def need_counterparts() -> Path:
    """The Python of the counterparts; the test is skipped where there is none."""
    if not PYTHON.exists():
        pytest.skip("needs other people's programs, which `make counterparts` installs")
    return PYTHON


def read_elsewhere(kind: str, path: Path) -> Playlists:
    """What a reader of another make sees in a file: playlist -> [artist, title, path] of its rows."""
    done = _run("read", kind, str(path))
    found: dict[str, Playlists] = json.loads(done)
    return found["playlists"]


def write_elsewhere(kind: str, path: Path, playlists: Playlists) -> None:
    """Let a writer of another make write a file."""
    _run("write", kind, str(path), playlists=playlists)


def _run(*arguments: str, playlists: Any = None) -> str:
    done = subprocess.run(
        [str(need_counterparts()), str(_READERS), *arguments],
        input=json.dumps({"playlists": playlists}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
