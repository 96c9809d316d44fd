"""A real beets, as ``make counterparts`` installs it: makes its library of a folder, and answers queries."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.counterparts.others import need_counterparts

_CONFIG = """
directory: {music}
library: {home}/library.db
plugins: [playlist]
playlist:
  playlist_dir: {playlists}
  relative_to: library
import: {{copy: no, write: no, autotag: no, quiet: yes}}
"""


@dataclass(frozen=True)
class Beets:
    """beets with a configuration of its own."""

    home: Path

    @property
    def library(self) -> Path:
        """Its library file."""
        return self.home / "library.db"

    @property
    def playlists(self) -> Path:
        """The folder of its playlist files."""
        return self.home / "playlists"

    def do(self, *arguments: str) -> str:
        """What one command prints."""
        beet = need_counterparts().with_name("beet")
        env = os.environ | {"BEETSDIR": str(self.home), "HOME": str(self.home), "LC_ALL": "C.UTF-8"}
        done = subprocess.run([str(beet), *arguments], capture_output=True, text=True, env=env, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def titles(self, query: str) -> list[str]:
        """The titles that its own query finds."""
        return sorted(self.do("ls", "-f", "$title", "--", *query.split()).splitlines())


def make_beets(home: Path, music: Path) -> Beets:
    """A library of all that is in a folder, its tags as they are."""
    beets = Beets(home)
    beets.playlists.mkdir(parents=True)
    (home / "config.yaml").write_text(_CONFIG.format(home=home, music=music, playlists=beets.playlists))
    beets.do("import", "-q", "-A", "-C", str(music))
    return beets
