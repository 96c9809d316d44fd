"""Reads a playlist of every track from the servers that are installed here; prints what became of its rows.

``python -m tests.benchmarks.bench_servers [--tracks 500]`` makes a library of tagged tracks, lets supysonic,
MPD and beets each serve it with one playlist of everything, and matches the rows with the scanned library.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from _pytest.outcomes import Skipped

from recommender.catalogue.database import migrate, open_database
from recommender.records.rows import SUBSONIC, SourcePlaylist
from recommender.settings import load_settings
from recommender.sources.beets.library import read_beets
from recommender.sources.files.reading import read_playlist_file
from recommender.sources.servers.subsonic import (
    read_subsonic_library,
    read_subsonic_playlist,
    write_subsonic_playlist,
)
from recommender.sources.web.reading import Web
from tests.benchmarks.bench_formats import count_uses
from tests.counterparts.beets import make_beets
from tests.counterparts.mpd import running_mpd
from tests.counterparts.supysonic import need_supysonic, supysonic_of, write_library
from tests.scanned import scan_names

NAME = "everything"


def from_supysonic(home: Path, music: Path) -> SourcePlaylist:
    """A playlist of every track, which we write there first."""
    need_supysonic()
    web = Web("Whichlist/bench")
    with supysonic_of(music, home) as running:
        ids = [row.identity(SUBSONIC) or "" for row in read_subsonic_library(web, running.server).rows]
        write_subsonic_playlist(web, running.server, NAME, ids)
        return read_subsonic_playlist(web, running.server, NAME)


def from_mpd(home: Path, music: Path) -> SourcePlaylist:
    """The playlist file that it saves."""
    with running_mpd(home, music) as server:
        server.update()
        server.ask("clear", 'add "/"', f'save "{NAME}"')
        return read_playlist_file(server.playlists / f"{NAME}.m3u")[0]


def from_beets(home: Path, music: Path) -> SourcePlaylist:
    """Everything in its library."""
    library = make_beets(home, music).library
    return read_beets(load_settings({"data": home, "beets_library": library}, environ={}), "*")


def main() -> None:
    """Print a line a server."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tracks", type=int, default=500)
    n_tracks = parser.parse_args().tracks
    readers: dict[str, Callable[[Path, Path], SourcePlaylist]] = {
        "supysonic": from_supysonic,
        "MPD": from_mpd,
        "beets": from_beets,
    }
    with tempfile.TemporaryDirectory(prefix="wl-") as folder:
        settings = load_settings({"data": Path(folder) / "data"}, environ={})
        settings.data.mkdir()
        migrate(settings)
        music = Path(folder) / "music"
        write_library(music, n_tracks)
        with closing(open_database(settings)) as database:
            wanted = {}
            for path, track_id in scan_names(database, music).items():
                wanted[path.stem] = wanted[f"Piece {int(path.stem)}"] = track_id
            sys.stdout.write(
                f"{'server':<12}{'tracks':>8}{'read':>8}{'right':>8}{'wrong':>8}{'seconds':>9}\n"
            )
            for name, read in readers.items():
                home = Path(folder) / name
                home.mkdir()
                started = time.monotonic()
                try:
                    playlist = read(home, music)
                except Skipped as skipped:
                    sys.stdout.write(f"{name:<12}{skipped}\n")
                    continue
                asked = [wanted.get(Path(row.path or "").stem) or wanted[row.title] for row in playlist.rows]
                found = count_uses(database, playlist, asked)
                figures = "".join(f"{n:>8}" for n in found)
                sys.stdout.write(f"{name:<12}{n_tracks:>8}{figures}{time.monotonic() - started:>9.1f}\n")


if __name__ == "__main__":
    main()
