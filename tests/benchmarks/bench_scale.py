"""What grows with the library: made catalogues of several sizes with 50 playlists of 300, served, and asked.

``python -m tests.benchmarks.bench_scale --data DIRECTORY [--tracks 1000 10000 100000]``

DIRECTORY is a data folder with an encoder, as ``whichlist demo --prepare-only`` leaves it. A million tracks
(``--tracks 1000000``) take some 15 GB of disk. With ``--profile`` the first fit is profiled.
"""

import argparse
import cProfile
import http.client
import json
import os
import pstats
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from recommender.catalogue.database import migrate, open_database
from recommender.settings import load_settings
from tests.benchmarks.bench_recommend import memory_mb
from tests.benchmarks.made_catalogue import adopt_encoder, fill_catalogue
from training.groups.refit import refit

N_CLIENTS, N_NEW = 8, 7
PACED_PER_S = 50
ANSWERED_WITHIN_S = 900.0


@dataclass
class Table:
    """What was measured at each size: name -> a number for each."""

    sizes: Sequence[int]
    rows: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        self.rows.setdefault(name, []).append(value)
        say(f"    {name:<46}{value:>12,.2f}")

    def show(self) -> None:
        """A column for each size, and how much more the last is than the first."""
        say(f"\n{'':<46}" + "".join(f"{size:>12,}" for size in self.sizes) + f"{'growth':>10}")
        for name, values in self.rows.items():
            growth = f"{values[-1] / values[0]:>9.1f}x" if values[0] else ""
            say(f"{name:<46}" + "".join(f"{value:>12,.2f}" for value in values) + growth)


def main() -> None:
    """Measure each size and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tracks", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--playlists", type=int, default=50)
    parser.add_argument("--members", type=int, default=300)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--database", help="URL of an empty PostgreSQL database, for one size.")
    parser.add_argument("--place", type=Path, help="Where the made catalogues are put; kept afterwards.")
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    table = Table(arguments.tracks)
    with tempfile.TemporaryDirectory(prefix="wl-scale-") as folder:
        for n_tracks in arguments.tracks:
            say(f"{n_tracks:,} tracks")
            measure((arguments.place or Path(folder)) / str(n_tracks), n_tracks, arguments, table)
    table.show()


def say(line: str) -> None:
    """Print one line."""
    print(line, flush=True)  # noqa: T201


def measure(place: Path, n_tracks: int, arguments: argparse.Namespace, table: Table) -> None:
    """Fill, fit, serve and ask one catalogue."""
    overrides = {"data": place / "data"} | (
        {"database_url": arguments.database} if arguments.database else {}
    )
    settings = load_settings(overrides, environ={})
    encoder = adopt_encoder(settings, arguments.data)
    music = place / "music"
    if not music.exists():
        migrate(settings)
        database = open_database(settings)
        filled_s = seconds(
            lambda: fill_catalogue(
                database,
                encoder,
                n_tracks=n_tracks,
                n_playlists=arguments.playlists,
                n_members=arguments.members,
                music=music,
            )
        )
        table.add("filling, tracks/s", n_tracks / filled_s)
        profile = cProfile.Profile() if arguments.profile else None
        if profile:
            profile.enable()
        fitted_s = seconds(lambda: refit(database, settings, encoder_directory=encoder, reason="made"))
        if profile:
            profile.disable()
            pstats.Stats(profile).sort_stats("cumulative").print_stats(45)
        table.add("first fit of all, s", fitted_s)
        database.close()
    with served(settings.data, arguments.database) as (port, pid, ready_s):
        table.add("ready after, s", ready_s)
        ask_all(Client(port), table, pid=pid, music=music, n_tracks=n_tracks, arguments=arguments)


def ask_all(
    client: "Client", table: Table, *, pid: int, music: Path, n_tracks: int, arguments: argparse.Namespace
) -> None:
    """Ask a served catalogue everything."""
    rng = np.random.default_rng(1)
    tracks = (rng.integers(n_tracks, size=1_000) + 1).tolist()
    known = [f"/recommend?track={track}" for track in tracks]
    table.add("web memory after the first answer, MB", (client.get(known[0]), memory_mb(pid))[1])
    times_ms = client.paced(known, n_seconds=arguments.seconds)
    table.add(f"known track at {PACED_PER_S}/s, median ms", float(np.median(times_ms)))
    table.add(f"known track at {PACED_PER_S}/s, p99 ms", float(np.percentile(times_ms, 99)))
    table.add(f"answers/s with {N_CLIENTS} clients", together(client.port, known, arguments.seconds))
    table.add("/tracks?query= found early, ms", client.median_ms("/tracks?query=length+12"))
    table.add("/tracks?query= found nowhere, ms", client.median_ms("/tracks?query=nothing+is+called+so"))
    table.add("/map, first answer, ms", client.median_ms("/map", n=1))
    table.add("/map, again, ms", client.median_ms("/map", n=3))
    table.add("/map, MB", len(client.get("/map")) / 1e6)
    for path in ("/playlists", "/models", "/jobs", "/tracks"):
        table.add(f"{path}, ms", client.median_ms(path))
    tag = f"{time.time():.0f}"
    new = tracks[:N_NEW]
    add_playlist(client, table, "new group", new, {"name": f"Seven {tag}", "group": f"of seven {tag}"})
    add_playlist(client, table, "group of 50", new, {"name": f"Seven {tag}"})
    table.add("web memory at the end, MB", memory_mb(pid))
    scanned_s = seconds(lambda: client.follow(client.post("/tracks", {"path": str(music)})["job"]["id"]))
    table.add("scan of unchanged files, s", scanned_s)


def add_playlist(
    client: "Client", table: Table, where: str, track_ids: list[int], asked: dict[str, Any]
) -> None:
    """Make a playlist of tracks; how long until its job has ended, and until it is part of an answer."""
    group = f"&group={asked['group'].replace(' ', '+')}" if "group" in asked else ""
    started = time.perf_counter()
    job = client.post("/playlists", asked | {"track_ids": track_ids})["job"]
    ended_s: float | None = None
    while time.perf_counter() - started < ANSWERED_WITHIN_S:
        if ended_s is None and client.json(f"/jobs/{job['id']}")["state"] == "succeeded":
            ended_s = time.perf_counter() - started
        status, content = client.request("GET", f"/recommend?track={track_ids[0]}{group}")
        if status == 200 and any(row["name"] == asked["name"] for row in json.loads(content)["playlists"]):
            break
        time.sleep(0.05)
    table.add(f"seven tracks in a {where}: job ended, s", ended_s or time.perf_counter() - started)
    table.add(f"seven tracks in a {where}: answers, s", time.perf_counter() - started)


class Client:
    """One connection."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)

    def request(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        headers = {} if body is None else {"Content-Type": "application/json"}
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = self._connection.getresponse()
        return response.status, response.read()

    def get(self, path: str) -> bytes:
        status, content = self.request("GET", path)
        assert status == 200, content
        return content

    def json(self, path: str) -> Any:
        return json.loads(self.get(path))

    def post(self, path: str, body: Any) -> Any:
        status, content = self.request("POST", path, body)
        assert status == 202, content
        return json.loads(content)

    def median_ms(self, path: str, *, n: int = 9) -> float:
        return statistics.median(1e3 * seconds(lambda: self.get(path)) for _ in range(n))

    def paced(self, paths: Sequence[str], *, n_seconds: int) -> list[float]:
        """Milliseconds of requests at a steady pace; a late one delays no later start time."""
        times_ms, begin = [], time.perf_counter()
        for number in range(n_seconds * PACED_PER_S):
            time.sleep(max(begin + number / PACED_PER_S - time.perf_counter(), 0))
            path = paths[number % len(paths)]
            times_ms.append(1e3 * seconds(lambda path=path: self.get(path)))  # type: ignore[misc]
        return times_ms

    def follow(self, job_id: int) -> None:
        """Wait for a job to succeed."""
        while (job := self.json(f"/jobs/{job_id}"))["state"] in ("queued", "running"):
            time.sleep(0.1)
        assert job["state"] == "succeeded", job


def together(port: int, paths: Sequence[str], n_seconds: int) -> float:
    """Answers a second that several clients get, each asking as soon as it was answered."""
    until = time.perf_counter() + n_seconds
    counts = [0] * N_CLIENTS

    def ask(number: int) -> None:
        client = Client(port)
        while time.perf_counter() < until:
            client.get(paths[(counts[number] * N_CLIENTS + number) % len(paths)])
            counts[number] += 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(N_CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / n_seconds


@contextmanager
def served(data: Path, database_url: str | None) -> Iterator[tuple[int, int, float]]:
    """Run ``whichlist serve`` with its worker; port, process id, seconds until it was ready."""
    environment = os.environ | ({"WHICHLIST_DATABASE_URL": database_url} if database_url else {})
    command = [sys.executable, "-m", "api.cli", "--data", str(data), "serve", "--port", "0"]
    started = time.perf_counter()
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        try:
            lines = iter(process.stderr)
            port = next(int(found[1]) for line in lines if (found := re.search(r"listens on .*:(\d+)", line)))
            threading.Thread(target=lambda: list(lines), daemon=True).start()
            client = Client(port)
            while client.request("GET", "/readyz")[0] != 200:
                time.sleep(0.05)
            yield port, process.pid, time.perf_counter() - started
        finally:
            process.terminate()


def seconds(work: Callable[[], Any]) -> float:
    """Seconds that something took."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
