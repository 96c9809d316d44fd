"""How fast the web process answers, in one run: start, memory, a known track at 50 requests/s, new files.

``python -m tests.benchmarks.bench_recommend --data DIRECTORY [--repeats 50] [--seconds 20]``

DIRECTORY is a data folder with a model, as ``whichlist demo --prepare-only`` leaves it.
"""

import argparse
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import numpy as np

from tests.benchmarks.bench_listen import write_tracks

REQUESTS_PER_S = 50


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=20)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        served(arguments.data, roots=folder) as (server, pid, ready_s),
    ):
        say("ready after", f"{ready_s:.2f} s", f"{memory_mb(pid):.0f} MB")
        track_id = ask(server, "/tracks?limit=1")["tracks"][0]["id"]
        known = paced(server, f"/recommend?track={track_id}", seconds=arguments.seconds)
        say(f"known track, {REQUESTS_PER_S}/s", *percentiles(known))
        for path in write_tracks(Path(folder)):
            address = f"/recommend?{urlencode({'track': path})}"
            times_ms = [time_ms(server, address) for _ in range(arguments.repeats)]
            say(f"new {path.name}", *percentiles(times_ms))
        say("memory at the end", f"{memory_mb(pid):.0f} MB")


def say(*cells: str) -> None:
    """Print one line of the table."""
    print(f"{cells[0]:<28}", *(f"{cell:>18}" for cell in cells[1:]))  # noqa: T201


def percentiles(times_ms: list[float]) -> tuple[str, str]:
    """Return median and p99 in words."""
    return f"median {np.median(times_ms):.1f} ms", f"p99 {np.percentile(times_ms, 99):.1f} ms"


@contextmanager
def served(data: Path, *, roots: str) -> Iterator[tuple[http.client.HTTPConnection, int, float]]:
    """Run ``whichlist serve``; yield a connection, the process id and the seconds until it was ready."""
    command = [
        sys.executable,
        "-m",
        "api.cli",
        "--data",
        str(data),
        "serve",
        "--without-worker",
        "--port",
        "0",
    ]
    started = time.perf_counter()
    environment = os.environ | {"WHICHLIST_LIBRARY_ROOTS": roots}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        try:
            port = next(
                int(found[1])
                for line in process.stderr
                if (found := re.search(r"listens on .*:(\d+)", line)) is not None
            )
            connection = http.client.HTTPConnection("127.0.0.1", port)
            ask(connection, "/readyz")
            yield connection, process.pid, time.perf_counter() - started
        finally:
            process.terminate()


def ask(connection: http.client.HTTPConnection, address: str) -> dict[str, list[dict[str, int]]]:
    """Return the answer to a request; fail unless it is 200."""
    connection.request("GET", address)
    response = connection.getresponse()
    content = response.read()
    assert response.status == 200, content
    answer: dict[str, list[dict[str, int]]] = json.loads(content)
    return answer


def time_ms(connection: http.client.HTTPConnection, address: str) -> float:
    """Return how long one request took."""
    started = time.perf_counter()
    ask(connection, address)
    return 1e3 * (time.perf_counter() - started)


def paced(connection: http.client.HTTPConnection, address: str, *, seconds: int) -> list[float]:
    """Return the times of requests sent at a steady pace; a late one delays no later start time."""
    times_ms, begin = [], time.perf_counter()
    for number in range(seconds * REQUESTS_PER_S):
        due = begin + number / REQUESTS_PER_S
        time.sleep(max(due - time.perf_counter(), 0))
        times_ms.append(time_ms(connection, address))
    return times_ms


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


if __name__ == "__main__":
    main()
