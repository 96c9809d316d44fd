"""How soon each page is seen and how much is sent for it, and how smoothly a map of 20,000 tracks moves.

``python -m tests.benchmarks.bench_pages --data DIRECTORY [--tracks 20000] [--visits 5]``

DIRECTORY is a data folder with a model, as ``whichlist demo --prepare-only`` leaves it; it is not changed.
Needs Chromium; without one it says so and ends.
"""

import argparse
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from recommender.catalogue.database import open_database
from recommender.catalogue.embeddings import load_embeddings, store_embedding
from recommender.catalogue.models import current_bundle
from recommender.catalogue.playlists import create_playlist, set_members
from recommender.catalogue.tracks import upsert_track
from recommender.records.playlists import EDITED
from recommender.records.tracks import TrackFacts
from recommender.settings import load_settings
from tests.browser.conftest import find_chromium, free_port

PAGES = (
    *("/", "/app/ask", "/app/ask?track=1", "/app/playlists", "/app/playlists/1", "/app/map", "/app/releases"),
    *("/app/models", "/app/jobs"),
)
N_PLAYLISTS = 8
# Moves the map as a hand does, a little in every frame, and notes when each frame came.
MOVE = """async (kind) => {
  const canvas = document.getElementById("canvas");
  const box = canvas.getBoundingClientRect();
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  const send = (name, at) => canvas.dispatchEvent(new PointerEvent(
    name, { pointerId: 1, clientX: at, clientY: y, bubbles: true }));
  const frame = () => new Promise((resolve) => { requestAnimationFrame(resolve); });
  if (kind === "drag") send("pointerdown", x);
  const times = [await frame()];
  for (let n = 1; n <= 120; n += 1) {
    if (kind === "drag") send("pointermove", x + 150 * Math.sin(n / 12));
    else canvas.dispatchEvent(new WheelEvent("wheel", {
      deltaY: n <= 60 ? -12 : 12, clientX: x, clientY: y, bubbles: true, cancelable: true }));
    times.push(await frame());
  }
  if (kind === "drag") send("pointerup", x);
  return times.slice(1).map((at, n) => at - times[n]);
}"""
SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


@dataclass(frozen=True)
class Visited:
    """One visit of a page: when something was first seen, what was sent, how much moved by itself."""

    paint_ms: float
    n_bytes: int
    n_requests: int
    shift: float


def main() -> None:
    """Measure and print two tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tracks", type=int, default=20_000)
    parser.add_argument("--visits", type=int, default=5)
    arguments = parser.parse_args()
    program = find_chromium()
    if program is None:
        say(
            "The pages are not measured: there is no Chromium on the PATH (Debian: apt-get install chromium)."
        )
        return
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as place:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        data = copy_data(arguments.data, Path(place) / "data")
        with served(data) as url:
            say(f"{'page':<22}{'first paint':>14}{'sent at first':>24}{'sent again':>20}{'shift':>8}")
            for path in PAGES if arguments.visits else ():
                bench_page(browser, url, path, n_visits=arguments.visits)
        grow_library(data, arguments.tracks)
        with served(data) as url:
            bench_map(browser, url, arguments.tracks)
        browser.close()


def say(line: str) -> None:
    """Print one line of a table."""
    print(line, flush=True)  # noqa: T201


def bench_page(browser: Browser, url: str, path: str, *, n_visits: int) -> None:
    """Visit a page with an empty browser, and once more with what that one kept."""
    first, again = [], []
    for _ in range(n_visits):
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.add_init_script(SHIFTS)
        first.append(visit(context, url + path))
        again.append(visit(context, url + path))
        context.close()
    say(
        f"{path:<22}{statistics.median(v.paint_ms for v in first):>11,.0f} ms"
        f"{first[0].n_bytes / 1000:>11,.1f} kB in {first[0].n_requests:>2} calls"
        f"{again[0].n_bytes / 1000:>17,.1f} kB{max(v.shift for v in first):>8.3f}"
    )


def visit(context: BrowserContext, address: str) -> Visited:
    """Open a page and wait until it is at rest."""
    page = context.new_page()
    sent: list[int] = []
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: sent.append(int(event["encodedDataLength"])))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    shift = page.evaluate("shifted")
    page.close()
    return Visited(paint, sum(sent), len([n for n in sent if n]), shift)


def bench_map(browser: Browser, url: str, n_tracks: int) -> None:
    """Load the map, then move and zoom it, frame by frame."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    urllib.request.urlopen(url + "/map").close()  # the server draws it once and keeps it
    started = time.perf_counter()
    n_bytes = len(urllib.request.urlopen(url + "/map").read())
    answered_s = time.perf_counter() - started
    page.goto(url + "/app/map")
    page.locator("#about", has_text=" tracks. ").wait_for()
    loaded_ms = page.evaluate("performance.now()")
    say(
        f"map of {n_tracks:,} tracks: {n_bytes / 1e6:.2f} MB in {answered_s:.2f} s,"
        f" shown after {loaded_ms:,.0f} ms"
    )
    for kind in ("drag", "zoom"):
        report_frames(page, kind)
    context.close()


def report_frames(page: Page, kind: str) -> None:
    """Print how long frames took: 16.7 ms is as smooth as a screen of 60 Hz can be."""
    frames = np.array(page.evaluate(MOVE, kind))
    middle, late = np.percentile(frames, [50, 95])
    say(f"  {kind:<6} {middle:.1f} ms a frame, 95 % within {late:.1f} ms, slowest {frames.max():.1f} ms")


def copy_data(data: Path, copy: Path) -> Path:
    """Return a copy of what is served, without the audio."""
    copy.mkdir(parents=True)
    for name in ("whichlist.sqlite", "queue.sqlite"):
        with closing(sqlite3.connect(data / name)) as one, closing(sqlite3.connect(copy / name)) as other:
            one.backup(other)
    for name in ("bundles", "encoders", "scorecards", "maps"):
        if (data / name).exists():
            shutil.copytree(data / name, copy / name)
    return copy


def grow_library(data: Path, n_tracks: int) -> None:
    """Add tracks that sound like those that are there, with noise, in playlists of equal size."""
    settings = load_settings({"data": data}, environ={})
    database = open_database(settings)
    rng = np.random.default_rng(0)
    with database.read_session() as session:
        champion = current_bundle(session)
        assert champion is not None
        _, known = load_embeddings(session, champion.fingerprint)
    spread = known.std(axis=0)
    ids: list[int] = []
    with database.session() as session:
        for number in range(n_tracks - len(known)):
            facts = TrackFacts(
                title=f"A title of usual length {number}", artist=f"Artist number {number // 10}"
            )
            track_id = upsert_track(session, facts)
            vector = known[number % len(known)] + spread * rng.normal(size=len(spread)) / 2
            about: dict[str, Any] = {
                "fingerprint": champion.fingerprint,
                "start_s": np.zeros(1),
                "patch_s": 3.0,
            }
            store_embedding(
                session,
                track_id,
                vector=vector.astype(np.float32),
                patches=vector[None].astype(np.float32),
                **about,
            )
            ids.append(track_id)
        for number in range(N_PLAYLISTS):
            playlist = create_playlist(session, name=f"Playlist {number}", source=EDITED)
            set_members(session, playlist.id, ids[number::N_PLAYLISTS], source=EDITED)
    database.close()


@contextmanager
def served(data: Path) -> Iterator[str]:
    """Serve a data folder; the address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        sys.executable,
        "-m",
        "api.cli",
        "--data",
        str(data),
        "serve",
        "--without-worker",
        "--port",
        str(port),
    ]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        while server.poll() is None:
            try:
                urllib.request.urlopen(url + "/readyz", timeout=5).close()
                break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
