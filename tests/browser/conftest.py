"""The pages in a real browser, before a real server and worker on the small demo library.

Without Chromium every test here is skipped and says so; on Debian, ``apt-get install chromium`` brings it.
"""

import json
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
from playwright.sync_api import Browser, Page, sync_playwright

from training.demo_library import DemoLibrary

WHICHLIST = [sys.executable, "-m", "api.cli"]
REPOSITORY = Path(__file__).parents[2]
# Chromium would otherwise talk to its makers, and wait for them where there is no network.
_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--autoplay-policy=no-user-gesture-required"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
_START_S = 120.0


@dataclass(frozen=True)
class Site:
    """A running Whichlist."""

    url: str
    data: Path
    demo: DemoLibrary

    def ask(self, path: str, *, method: str = "GET", body: Any = None) -> Any:
        """Send JSON to the API and return its answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if data else {}
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)

    def wait_for_jobs(self) -> None:
        """Return once nothing is queued or running but trainings, which nobody has to wait for."""
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            jobs = [job for job in self.ask("/jobs?limit=50")["jobs"] if not job["finished_at"]]
            if all(job["kind"] == "train" for job in jobs):
                return
            time.sleep(0.2)
        raise TimeoutError(f"still at work: {[(job['id'], job['kind']) for job in jobs]}")


@dataclass
class Visit:
    """A page and what went wrong on it: errors on the console, requests to other hosts."""

    page: Page
    site: Site
    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Go to a page of the site."""
        self.page.goto(self.site.url + path)
        return self.page


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on the PATH (on Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_FLAGS))
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


def serve(data: Path, library: Path | None, demo: DemoLibrary) -> Iterator[Site]:
    """Prepare ``data`` from a folder of playlists, or leave it empty, and serve it until closed."""
    command = [*WHICHLIST, "--data", str(data)]
    prepare = ["demo", "--library", str(library), "--prepare-only"] if library else ["migrate"]
    subprocess.run([*command, *prepare], cwd=REPOSITORY, check=True, capture_output=True)
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    with (data / "server.log").open("wb") as log:
        processes = [
            subprocess.Popen([*command, *arguments], cwd=REPOSITORY, stdout=log, stderr=log)
            for arguments in (["serve", "--port", str(port)], ["worker"])
        ]
    try:
        _wait_until_up(url, processes)
        yield Site(url, data, demo)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_up(url: str, processes: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        assert all(process.poll() is None for process in processes), "the server or the worker ended"
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
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": width, "height": 800}
    )
    page = context.new_page()
    made = Visit(page, site)
    page.on("console", lambda message: made.errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: made.errors.append(str(error)))
    page.on("request", lambda request: _note_stranger(made, request.url))
    yield made
    context.close()
    assert made.errors == []
    assert made.strangers == []


def _note_stranger(visit: Visit, url: str) -> None:
    if not url.startswith((visit.site.url, "data:", "blob:")):
        visit.strangers.append(url)
