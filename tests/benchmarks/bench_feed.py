"""How fast feeds are scored, and in how much memory.

``python -m tests.benchmarks.bench_feed --data DIRECTORY [--music FOLDER] [--files 200] [--stubs 1000 10000]``

DIRECTORY is a data folder with a model, as ``whichlist demo --prepare-only`` leaves it; it is not changed.
The files are those below FOLDER, else those of the demo, repeated under other names, each another recording.
"""

import argparse
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from threadpoolctl import threadpool_limits

from recommender.sources.folder import walk_audio
from tests.benchmarks.feed_worlds import N_MEMBERS, N_PLAYLISTS, copy_files, draw_tracks, make_group

N_SCORED = 61_440
N_REPEATS = 5


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--music", type=Path)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--stubs", type=int, nargs="*", default=[1_000, 10_000])
    arguments = parser.parse_args()
    bench_heads()
    files = [found.path for found in walk_audio(arguments.music or arguments.data / "demo")]
    for n_workers in (1, 2):
        bench_files(arguments.data, files, n_files=arguments.files, n_workers=n_workers)
    for n_items in arguments.stubs:
        bench_memory(n_items)


def say(*cells: str) -> None:
    """Print one line of the table."""
    print(f"{cells[0]:<44}", *(f"{cell:>26}" for cell in cells[1:]), flush=True)  # noqa: T201


def bench_heads() -> None:
    """Heads and index from stored embeddings: wall time on all cores, and the time of one core."""
    group, raw = make_group(), draw_tracks(N_SCORED, seed=3)
    n_cores = os.cpu_count() or 1
    with threadpool_limits(limits=1):
        group.score(raw[:2048])
        for n_threads in dict.fromkeys((1, n_cores)):
            wall_s, core_s = [], []
            for _ in range(N_REPEATS):
                started, used = time.perf_counter(), time.process_time()
                group.score(raw, n_threads=n_threads)
                wall_s.append(time.perf_counter() - started)
                core_s.append(time.process_time() - used)
            say(
                f"{N_MEMBERS} members, {N_PLAYLISTS} playlists, {n_threads} threads",
                f"{N_SCORED / min(wall_s):,.0f} tracks/s",
                f"{1e6 * min(core_s) / N_SCORED:.1f} us of a core each",
            )


def bench_files(data: Path, files: list[Path], *, n_files: int, n_workers: int) -> None:
    """Files that were never heard, through the whole command."""
    with tempfile.TemporaryDirectory() as place:
        folder, copy = Path(place) / "new", Path(place) / "data"
        copy_files(files, folder, n_files=n_files)
        copy.mkdir()
        for name in ("whichlist.sqlite", "queue.sqlite"):
            if (data / name).exists():
                with (
                    closing(sqlite3.connect(data / name)) as one,
                    closing(sqlite3.connect(copy / name)) as other,
                ):
                    one.backup(other)
        for name in ("bundles", "encoders"):
            shutil.copytree(data / name, copy / name)
        command = [sys.executable, "-m", "api.cli", "--data", str(copy), "score-feed", str(folder), "--json"]
        environment = os.environ | {"WHICHLIST_EMBEDDING_PROCESSES": str(n_workers)}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.returncode in (0, 4), done.stderr
        result = json.loads(done.stdout.splitlines()[0])["result"]
        with closing(sqlite3.connect(copy / "whichlist.sqlite")) as database:
            [(wall_s,)] = database.execute(
                "SELECT finished_at - claimed_at FROM job WHERE kind = 'score_feed' ORDER BY id DESC LIMIT 1"
            )
        core_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        say(
            f"{n_files} files, {n_workers} workers: {result['n_items']['scored']} scored",
            f"{n_files / wall_s:.1f} tracks/s",
            f"{1000 * core_s / n_files:.0f} ms of a core each",
            f"{after.ru_maxrss / 1024:.0f} MB largest process",
        )


def bench_memory(n_items: int) -> None:
    """A long feed whose files are heard in no time, and the same again under another model."""
    place = tempfile.mkdtemp()
    # Not as a program of its own: the processes that listen import its functions by name.
    code = "from tests.benchmarks.feed_worlds import main; main()"
    command = [sys.executable, "-c", code, place, str(n_items)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    say(
        f"{n_items} stubs, listened to by 2 workers",
        f"{found['tracks_per_s']:,.0f} tracks/s",
        f"{found['before_mb']:.0f} -> {found['peak_mb']:.0f} MB peak",
        f"{found['listener_mb']:.0f} MB a worker",
    )
    say(
        f"{n_items} stubs, scored again by another model",
        f"{found['rescored_per_s']:,.0f} tracks/s",
        f"{found['rescored_peak_mb']:.0f} MB peak",
    )


if __name__ == "__main__":
    main()
