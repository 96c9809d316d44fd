"""How well rows of playlists find the right files: on a damaged library of 5,000, and how fast on 100,000.

``python -m tests.benchmarks.bench_matching [--tracks 5000] [--rows 14000] [--seed 1] [--large 100000]``

The recipe of library and playlists is that of :mod:`tests.benchmarks.damaged_library`; the rows are written
as playlist files of seven kinds and read again before they are matched.
"""

import argparse
import os
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import insert

from recommender.catalogue.database import Database, migrate, open_database
from recommender.catalogue.tables.library import Artist, AudioFile, Identity, Track
from recommender.matching.identity import match_rows
from recommender.records.matches import Match, Strength
from recommender.records.tracks import UNKNOWN_ARTIST
from recommender.settings import load_settings
from tests.benchmarks.damaged_library import AskedRow, DamagedLibrary, make_library
from tests.benchmarks.playlist_forms import pass_through_files

LARGE_ROWS = 5000


@dataclass
class Outcome:
    """Rows by what became of them; ``wrong`` ones are used with another recording than they mean."""

    n_rows: int = 0
    n_present: int = 0
    right: int = 0
    wrong: int = 0
    proposed: int = 0
    proposed_absent: int = 0
    missed: int = 0
    unmatched_absent: int = 0
    methods: Counter[str] = field(default_factory=Counter)

    @property
    def wrong_rate(self) -> float:
        """Share of all rows that are used with the wrong track."""
        return self.wrong / self.n_rows

    @property
    def missed_rate(self) -> float:
        """Share of the rows whose recording is there that neither use it nor propose it."""
        return self.missed / self.n_present

    @property
    def used_rate(self) -> float:
        """Share of the rows whose recording is there that use it."""
        return self.right / self.n_present


def main() -> None:
    """Measure and print tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tracks", type=int, default=5000)
    parser.add_argument("--rows", type=int, default=14_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--large", type=int, default=100_000)
    parser.add_argument("--show", type=int, default=0, help="Print so many wrong and missed rows.")
    arguments = parser.parse_args()
    library = make_library(n_tracks=arguments.tracks, seed=arguments.seed)
    rows = pass_through_files(list(library.rows(arguments.rows)))
    matches, _, _ = match_in_new_catalogue(library, rows)
    print_outcomes(library, rows, matches)
    show_faults(library, rows, matches, arguments.show)
    if arguments.large:
        large = make_library(n_tracks=arguments.large, seed=arguments.seed)
        asked = pass_through_files(list(large.rows(LARGE_ROWS)))
        _, seconds, cpu_seconds = match_in_new_catalogue(large, asked)
        say(
            f"{len(asked)} rows, {len(large.tracks)} tracks",
            f"{seconds:.1f} s",
            f"{cpu_seconds:.1f} s of one core",
        )


def say(*cells: str) -> None:
    """Print one line of a table."""
    print(f"{cells[0]:<30}", *(f"{cell:>10}" for cell in cells[1:]))  # noqa: T201


def match_in_new_catalogue(
    library: DamagedLibrary, rows: Sequence[AskedRow]
) -> tuple[list[Match], float, float]:
    """Fill a SQLite catalogue and match the rows in it; return matches, seconds, and seconds of processor."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings({"data": Path(folder)}, environ={})
        migrate(settings)
        database = open_database(settings)
        fill(database, library)
        started, busy = time.perf_counter(), time.process_time()
        with database.read_session() as session:
            matches = match_rows(session, [asked.row for asked in rows])
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - busy
        database.close()
    return matches, seconds, cpu_seconds


def fill(database: Database, library: DamagedLibrary) -> None:
    """Put a library into an empty catalogue at once; its track ids count from 1 in the library's order."""
    names = [track.facts.artist or UNKNOWN_ARTIST for track in library.tracks]
    keys = {name: unicodedata.normalize("NFKC", name).casefold() for name in names}
    ids = {key: number for number, key in enumerate(dict.fromkeys(keys.values()), start=1)}
    artists = [{"id": ids[key], "key": key, "name": name} for name, key in reversed(keys.items())]
    tracks, files, identities = [], [], []
    for number, (track, name) in enumerate(zip(library.tracks, names, strict=True), start=1):
        facts = track.facts
        named = {"title": facts.title, "artist_id": ids[keys[name]], "album": facts.album}
        heard = {"content_sha256": f"{number:064x}", "duration_s": facts.duration_s}
        fixed = {"source": "file", "licence": "", "trainable": True, "created_at": 0.0}
        tracks.append({"id": number, **named, **heard, **fixed})
        place = {"path": os.fsencode(track.path), "path_text": track.path, "track_id": number}
        files.append(place | {"size": 1, "mtime_ns": 1, "seen_at": 0.0})
        for scheme, value in facts.identities:
            identities.append({"track_id": number, "scheme": scheme, "value": value})
    with database.session() as session:
        session.execute(insert(Artist), list({row["id"]: row for row in artists}.values()))
        for table, rows in ((Track, tracks), (AudioFile, files), (Identity, identities)):
            session.execute(insert(table), rows)


def judge_outcome(library: DamagedLibrary, rows: Iterable[AskedRow], matches: Iterable[Match]) -> Outcome:
    """What became of rows, by the truth behind them."""
    outcome = Outcome()
    for asked, match in zip(rows, matches, strict=True):
        outcome.n_rows += 1
        is_present = asked.recording.id in library.by_recording
        outcome.n_present += is_present
        named = [match.track_id, *(entry.track_id for entry in match.alternatives)]
        is_right = [is_recording(library, track_id, asked) for track_id in named]
        if match.strength is Strength.STRONG:
            outcome.right += is_right[0]
            outcome.wrong += not is_right[0]
            outcome.methods[match.method] += 1
        elif not is_present:
            outcome.proposed_absent += match.strength is Strength.MEDIUM
            outcome.unmatched_absent += match.strength is Strength.NONE
        else:
            outcome.proposed += any(is_right)
            outcome.missed += not any(is_right)
    return outcome


def is_recording(library: DamagedLibrary, track_id: int | None, asked: AskedRow) -> bool:
    """Whether a track of the catalogue is the recording that a row means."""
    return track_id is not None and library.tracks[track_id - 1].recording.id == asked.recording.id


def print_outcomes(library: DamagedLibrary, rows: Sequence[AskedRow], matches: Sequence[Match]) -> None:
    """One line per kind of playlist, and one for all."""
    say("kind", "rows", "present", "used", "wrong", "review", "missed", "absent:", "review", "none")
    kinds = dict.fromkeys(asked.kind for asked in rows)
    for kind in (*kinds, None):
        chosen = [pair for pair in zip(rows, matches, strict=True) if kind in (None, pair[0].kind)]
        o = judge_outcome(library, [a for a, _ in chosen], [m for _, m in chosen])
        counts = (o.right, o.wrong, o.proposed, o.missed, "", o.proposed_absent, o.unmatched_absent)
        say(kind or "all", str(o.n_rows), str(o.n_present), *map(str, counts))
    say("used, of the present", f"{o.used_rate:.2%}")
    say("wrong, of all rows", f"{o.wrong_rate:.2%}")
    say("missed, of the present", f"{o.missed_rate:.2%}")
    say("methods", *(f"{method} {n}" for method, n in o.methods.most_common()))


def show_faults(
    library: DamagedLibrary, rows: Sequence[AskedRow], matches: Sequence[Match], n_shown: int
) -> None:
    """Print rows that went wrong, and some of those that were missed or left for review."""
    shown: Counter[str] = Counter()
    for asked, match in zip(rows, matches, strict=True):
        present = library.by_recording.get(asked.recording.id, [])
        right = is_recording(library, match.track_id, asked)
        listed = right or any(is_recording(library, entry.track_id, asked) for entry in match.alternatives)
        fault = "wrong" if match.strength is Strength.STRONG and not right else ""
        if match.strength is not Strength.STRONG and present:
            fault = "review" if listed else "missed"
        shown[fault] += 1
        if fault and shown[fault] <= n_shown:
            got = library.tracks[match.track_id - 1].facts if match.track_id else None
            row = asked.row
            print(f"{fault}: {row.artist!r} {row.title!r} {row.album!r} {row.duration_s} {row.path or ''}")  # noqa: T201
            print(f"    true {asked.recording.version} {[t.facts for t in present]}")  # noqa: T201
            print(f"    got {match.method} {match.score} {match.note!r} {got}")  # noqa: T201


if __name__ == "__main__":
    main()
