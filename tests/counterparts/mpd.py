"""A real MPD, where Debian's package of it is installed: it scans a folder, queues, and saves playlists."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.waiting import wait_for

_CONFIG = """
music_directory "{music}"
playlist_directory "{home}/playlists"
db_file "{home}/database"
log_file "{home}/log"
bind_to_address "{home}/socket"
audio_output {{
  type "null"
  name "none"
}}
"""
PATIENCE_S = 30.0


@dataclass
class Mpd:
    """A server on a socket of its own."""

    home: Path

    @property
    def playlists(self) -> Path:
        """The folder of the playlists that it saves."""
        return self.home / "playlists"

    def ask(self, *commands: str) -> str:
        """What it answers to commands of its protocol, one after the other.

        https://mpd.readthedocs.io/en/stable/protocol.html: lines, and ``OK`` or ``ACK`` at the end of each.
        """
        said = ""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE_S)
            connection.connect(str(self.home / "socket"))
            lines = connection.makefile("rw", encoding="utf-8", newline="\n")
            assert lines.readline().startswith("OK MPD")
            for command in commands:
                lines.write(command + "\n")
                lines.flush()
                while (line := lines.readline()) != "OK\n":
                    assert line, f"{command}: the connection ended"
                    assert not line.startswith("ACK"), line
                    said += line
        return said

    def update(self) -> None:
        """Let it look at its music folder, and wait for that."""
        self.ask("update")
        wait_for(lambda: "updating_db" not in self.ask("status"), what="MPD's look at its folder")


@contextmanager
def running_mpd(home: Path, music: Path) -> Iterator[Mpd]:
    """Start one that plays to nobody; the test is skipped where there is none."""
    program = shutil.which("mpd")
    if program is None:
        pytest.skip("needs MPD (apt-get install mpd)")
    (home / "playlists").mkdir(parents=True)
    config = home / "mpd.conf"
    config.write_text(_CONFIG.format(home=home, music=music))
    process = subprocess.Popen([program, "--no-daemon", "--stderr", str(config)], stderr=subprocess.PIPE)
    try:
        wait_for(lambda: (home / "socket").exists() or process.poll() is not None, what="MPD's start")
        if process.poll() is not None:
            raise AssertionError(process.communicate()[1])
        yield Mpd(home)
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)
