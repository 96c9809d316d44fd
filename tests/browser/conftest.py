"""The pages in a real browser, before a real server and worker on the small demo library.

Without Chromium every test here is skipped and says so; on Debian, ``apt-get install chromium`` brings it.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from training.demo.library import DemoLibrary

WHICHLIST = [sys.executable, "-m", "api.cli"]
REPOSITORY = Path(__file__).parents[2]
# Chromium would otherwise talk to its makers, and wait for them where there is no network.
CHROMIUM_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--autoplay-policy=no-user-gesture-required"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
_START_S = 120.0
_PATIENCE_MS = 20_000  # for machines with much else to do
MAX_UPLOAD_MB = 5
# Sums up what moved on the page without anybody having pressed something (Chromium's layout shift).
_MEASURE_SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


class Site:
    """A running Whichlist."""

    def __init__(self, data: Path, demo: DemoLibrary) -> None:
        self.data, self.demo = data, demo
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._server: subprocess.Popen[bytes] | None = None
        self.n_deleted = 0

    def start(self) -> None:
        """Serve, on the same port each time, and wait until it answers."""
        self._server = self.run("serve", "--without-worker", "--port", str(self._port))
        _wait_until_up(self.url, self._server)

    def stop(self) -> None:
        """End the server; the worker goes on."""
        assert self._server is not None
        _end(self._server)

    def run(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Run a command on this site's data in the background."""
        with (self.data / "server.log").open("ab") as log:
            return subprocess.Popen(
                [*WHICHLIST, "--data", str(self.data), *arguments],
                cwd=REPOSITORY,
                stdout=log,
                stderr=log,
                env=os.environ | {"WHICHLIST_MAX_UPLOAD_MB": str(MAX_UPLOAD_MB)},
            )

    def ask(self, path: str, *, method: str = "GET", body: Any = None) -> Any:
        """Send JSON to the API and return its answer."""
        data = None if body is None else json.dumps(body).encode()
        self.n_deleted += method == "DELETE"
        headers = {"Content-Type": "application/json"} if data else {}
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)

    def upload(self, path: Path, **fields: Any) -> Any:
        """Send a file to be kept; the track that it is now."""
        with path.open("rb") as file:
            answer = requests.post(self.url + "/uploads", files={"file": file}, data=fields, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def wait_for_jobs(self) -> None:
        """Return once nothing is queued or running but trainings, which no worker takes here."""
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            jobs = [job for job in self.ask("/jobs?limit=50")["jobs"] if not job["finished_at"]]
            if all(job["kind"] == "train" for job in jobs):
                return
            time.sleep(0.1)
        raise TimeoutError(f"still at work: {[(job['id'], job['kind']) for job in jobs]}")


@dataclass
class Visit:
    """A page and what went wrong on it: errors on the console, requests to other hosts."""

    page: Page
    site: Site
    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    has_deleted: bool = False

    def open(self, path: str) -> Page:
        """Go to a page of the site."""
        self.page.goto(self.site.url + path)
        return self.page

    def open_tab(self, path: str) -> Page:
        """Go there in another tab."""
        page = self.page.context.new_page()
        self.watch(page)
        page.goto(self.site.url + path)
        return page

    def watch(self, page: Page) -> None:
        """Note what goes wrong on a page."""
        page.on("console", self._note_error)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._note_request)

    def expect_error(self, status: str) -> None:
        """The browser itself notes refusals on the console: these were meant."""
        self.errors = [error for error in self.errors if status not in error.partition(" at ")[0]]

    def _note_error(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.errors.append(f"{said.text} at {said.location['url']}")

    def _note_request(self, request: Request) -> None:
        self.has_deleted |= request.method == "DELETE"
        if not request.url.startswith((self.site.url, "data:", "blob:")):
            self.strangers.append(request.url)


def find_chromium() -> str | None:
    """The browser of this machine."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((program for name in names if (program := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium on the PATH (on Debian: apt-get install chromium)")
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(
    browser: Browser, demo_library: DemoLibrary, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The demo library, served, with a worker behind it."""
    data = tmp_path_factory.mktemp("site")
    library = data / "music"
    shutil.copytree(demo_library.library, library)
    yield from serve(data, library, demo_library)


@pytest.fixture(scope="session")
def empty_site(
    browser: Browser, demo_library: DemoLibrary, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A site as it is before anything was added, and without a worker."""
    yield from serve(tmp_path_factory.mktemp("empty"), None, demo_library)


def serve(data: Path, library: Path | None, demo: DemoLibrary) -> Iterator[Site]:
    """Prepare ``data`` from a folder of playlists, or leave it empty, and serve it until closed."""
    prepare = ["demo", "--library", str(library), "--prepare-only"] if library else ["migrate"]
    site = Site(data, demo)
    assert site.run(*prepare).wait(timeout=_START_S) == 0, (data / "server.log").read_text()
    # Trainings would take the processor from the browser.
    worker = site.run("worker", "--without-training") if library else None
    try:
        site.start()
        yield site
    finally:
        site.stop()
        if worker is not None:
            _end(worker)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(timeout=30)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_up(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended"
        try:
            urllib.request.urlopen(url + "/healthz", timeout=5).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"{url} does not come up")


@pytest.fixture(params=["light"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Light or dark."""
    return str(request.param)


@pytest.fixture(params=[1280])
def width(request: pytest.FixtureRequest) -> int:
    """Width of the window in pixels."""
    return int(request.param)


@pytest.fixture
def visit(browser: Browser, site: Site, scheme: str, width: int) -> Iterator[Visit]:
    """A visitor with an empty browser; the test fails on console errors and requests to other hosts."""
    yield from _visit(browser, site, scheme, width)


@pytest.fixture
def empty_visit(browser: Browser, empty_site: Site, scheme: str, width: int) -> Iterator[Visit]:
    """The same where there is nothing yet."""
    yield from _visit(browser, empty_site, scheme, width)


def _visit(browser: Browser, site: Site, scheme: str, width: int) -> Iterator[Visit]:
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": width, "height": 800}
    )
    context.add_init_script(_MEASURE_SHIFTS)
    made = Visit(context.new_page(), site)
    made.watch(made.page)
    n_deleted = site.n_deleted
    yield made
    context.close()
    if made.has_deleted or site.n_deleted > n_deleted:
        made.expect_error("404")  # an open page may ask once more for what was deleted meanwhile
    assert made.errors == []
    assert made.strangers == []
