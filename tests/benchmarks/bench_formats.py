"""Reads a file of every program, made of one small library, and prints rows read, matched and wrong.

Run with ``python -m tests.benchmarks.bench_formats``; the same files are in the tests.
"""

import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from recommender.catalogue.database import Database, migrate, open_database
from recommender.matching.identity import match_rows
from recommender.playlists.library_hints import LibraryHints
from recommender.records.matches import Strength
from recommender.records.rows import SourcePlaylist
from recommender.settings import load_settings
from recommender.sources.files.reading import read_playlists
from tests.playlist_exports import Export, exports, write_library
from tests.scanned import scan_names


def judge(database: Database, export: Export, track_of: dict[str, int]) -> tuple[int, int, int]:
    """(rows read, rows used with the right track, rows used with a wrong one)."""
    [playlist, *_] = read_playlists(export.data, name=export.name, hints=LibraryHints(database))
    return count_uses(database, playlist, [track_of[track.place] for track in export.tracks])


def count_uses(database: Database, playlist: SourcePlaylist, wanted: Sequence[int]) -> tuple[int, int, int]:
    """(rows read, rows used with the track that is wanted of them, rows used with another)."""
    with database.read_session() as session:
        matches = match_rows(session, playlist.rows)
    used = [match.track_id if match.strength is Strength.STRONG else None for match in matches]
    n_right = sum(a == b for a, b in zip(used, wanted, strict=False))
    return len(playlist.rows), n_right, sum(track_id is not None for track_id in used) - n_right


def show(name: str, n_rows: int, found: tuple[int, ...]) -> None:
    """Print the figures of one file."""
    n_read, n_right, n_wrong = found
    sys.stdout.write(f"{name:<42}{n_rows:>6}{n_read:>6}{n_right:>7}{n_wrong:>7}\n")


def main() -> None:
    """Print a line a program."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings({"data": Path(folder) / "data"}, environ={})
        settings.data.mkdir()
        migrate(settings)
        music = Path(folder) / "music"
        write_library(music)
        with closing(open_database(settings)) as database:
            track_of = {
                path.relative_to(music).as_posix(): track_id
                for path, track_id in scan_names(database, music).items()
            }
            sys.stdout.write(f"{'written by':<42}{'rows':>6}{'read':>6}{'right':>7}{'wrong':>7}\n")
            judged = [(export, judge(database, export, track_of)) for export in exports()]
        for export, found in judged:
            show(export.written_by, len(export.tracks), found)
        n_rows = sum(len(export.tracks) for export, _ in judged)
        show(
            f"{len(judged)} files", n_rows, tuple(map(sum, zip(*(found for _, found in judged), strict=True)))
        )


if __name__ == "__main__":
    main()
