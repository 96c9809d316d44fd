"""A real Subsonic server: supysonic, where Debian's package of it is installed."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from recommender.settings import Settings, load_settings
from recommender.sources.servers.subsonic_log_in import SubsonicServer
from tests.folders import write_track

USER, PASSWORD = "ada", "open sesame"
PYTHON = "/usr/bin/python3"  # the one that the package belongs to
N_SECONDS_TO_START = 30.0
_SERVE = """
import sys
from supysonic.web import create_application
from werkzeug.serving import run_simple
run_simple("127.0.0.1", int(sys.argv[1]), create_application(), threaded=True)
"""


@dataclass
class Supysonic:
    """A server that runs, with a user of its own; ``kill`` is what a power cut does."""

    url: str
    process: subprocess.Popen[bytes]
    home: Path

    @property
    def server(self) -> SubsonicServer:
        """Address and log-in, with a memory of its own."""
        return SubsonicServer(self.url, USER, PASSWORD)

    def settings(self, data: Path) -> Settings:
        """What an operator would set."""
        named = {"subsonic_url": self.url, "subsonic_user": USER, "subsonic_password": PASSWORD}
        return load_settings({"data": data, **named}, environ={})

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()

    def scan(self) -> None:
        """Let it find what is new in its folders."""
        _command(self.home, "folder", "scan", "-f")


def need_supysonic() -> None:
    """Skip the test where there is none."""
    if shutil.which("supysonic-cli") is None or not Path(PYTHON).exists():
        pytest.skip("needs supysonic, a Subsonic server of Debian's (apt-get install supysonic)")


def write_library(folder: Path, n_tracks: int, *, per_album: int = 10, duration_s: float = 1.2) -> None:
    """Write tagged tracks: ten to an album, five albums to an artist."""
    for number in range(n_tracks):
        album, artist = number // per_album, number // (5 * per_album)
        name = folder / f"Artist {artist}" / f"Album {album}" / f"{number:04}.flac"
        names = {"title": f"Piece {number}", "artist": f"Artist {artist}", "album": f"Album {album}"}
        write_track(name, tone_hz=200 + number % 900, duration_s=duration_s, **names)


@contextmanager
def supysonic_of(music: Path, home: Path) -> Iterator[Supysonic]:
    """Let a server serve a folder."""
    conf = home / ".config" / "supysonic" / "supysonic.conf"
    conf.parent.mkdir(parents=True)
    conf.write_text(
        f"[base]\ndatabase_uri = sqlite:///{home}/db.sqlite\n"
        f"[webapp]\ncache_dir = {home}/cache\nlog_file = {home}/log\nmount_webui = off\n"
        f"[daemon]\nsocket = {home}/socket\n"
    )
    _command(home, "user", "add", USER, "-p", PASSWORD)
    _command(home, "folder", "add", "music", str(music))
    _command(home, "folder", "scan", "-f")
    port = _free_port()
    with (home / "out").open("wb") as out:
        process = subprocess.Popen(
            [PYTHON, "-c", _SERVE, str(port)], env=_environment(home), stdout=out, stderr=out
        )
    try:
        _wait_for(port, process)
        yield Supysonic(f"http://127.0.0.1:{port}", process, home)
    finally:
        process.kill()
        process.wait()


def _command(home: Path, *arguments: str) -> None:
    subprocess.run(
        ["supysonic-cli", *arguments], env=_environment(home), check=True, capture_output=True, cwd=home
    )


def _environment(home: Path) -> dict[str, str]:
    """Nothing of the tests' own Python may reach the system's."""
    return {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    ends_at = time.monotonic() + N_SECONDS_TO_START
    while time.monotonic() < ends_at and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("supysonic does not answer")
