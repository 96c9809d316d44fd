"""What holds on every page, in light and dark, wide and narrow: no serious barrier, a strict policy."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from api.pages.views import NAVIGATION
from tests.browser.conftest import Site, Visit
from training.demo.library import DemoLibrary

PAGES = {
    "sort": "/",
    "ask": "/app/ask",
    "answer": "/app/ask?track=1",
    "playlists": "/app/playlists",
    "playlist": "/app/playlists/1",
    "map": "/app/map",
    "releases": "/app/releases",
    "models": "/app/models",
    "jobs": "/app/jobs",
    "login": "/app/login",
}
# Chromium's makers call a page steady below this; ours come to a hundredth of it on a quiet machine.
MOST_SHIFT = 0.1
# Where to put pictures of every page, for somebody to look at; then every look is taken.
PICTURES = os.environ.get("WHICHLIST_TEST_PICTURES")
LOOKS = [("light", 1280), ("dark", 360)] + ([("light", 360), ("dark", 1280)] if PICTURES else [])


@pytest.mark.parametrize(("scheme", "width"), LOOKS, indirect=True)
@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_use_it(visit: Visit, name: str, scheme: str, width: int) -> None:
    page = visit.open(PAGES[name])
    page.wait_for_load_state("networkidle")
    shifted = page.evaluate("shifted")
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}-{scheme}-{width}.png", full_page=True)
    page.evaluate("document.querySelectorAll('details').forEach((box) => { box.open = true; })")
    assert serious_barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert shifted < MOST_SHIFT


LONG_WORD = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz" * 3


@pytest.fixture
def long_names(site: Site, demo_library: DemoLibrary) -> Iterator[None]:
    """A playlist and a track of it whose names are one word that no screen of a telephone holds."""
    song = next(
        path for path in sorted(demo_library.neither.iterdir()) if path.suffix in (".mp3", ".flac", ".ogg")
    )
    with tempfile.TemporaryDirectory() as folder:
        named = shutil.copy(song, Path(folder) / f"{LONG_WORD[:120]}{song.suffix}")
        site.ask("/playlists", method="POST", body={"name": LONG_WORD, "track_ids": []})
        made = next(p for p in site.ask("/playlists")["playlists"] if p["name"] == LONG_WORD)
        track = site.upload(named, playlist_id=made["id"])
        site.ask(f"/playlists/{made['id']}/tracks", method="POST", body={"track_ids": [1, track["id"]]})
    site.wait_for_jobs()
    yield
    site.ask(f"/playlists/{made['id']}", method="DELETE")
    site.wait_for_jobs()


@pytest.mark.parametrize("width", [320, 390], indirect=True)
def test_no_page_is_wider_than_a_telephone(visit: Visit, long_names: None, width: int) -> None:
    [made] = [p for p in visit.site.ask("/playlists")["playlists"] if p["name"] == LONG_WORD]
    addresses = PAGES | {"long": f"/app/playlists/{made['id']}", "long answer": "/app/ask?track=1"}
    for name, address in addresses.items():
        page = visit.open(address)
        page.wait_for_load_state("networkidle")
        page.evaluate("document.querySelectorAll('details').forEach((box) => { box.open = true; })")
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"{name}-{width}-long.png", full_page=True)
        found = page.evaluate("document.documentElement.scrollWidth")
        assert found <= width, f"{name} is {found} px wide"


def serious_barriers(page: Page) -> list[tuple[str, list[str]]]:
    """What axe-core finds on the page that keeps somebody from using it."""
    return [
        (violation["id"], [node["html"] for node in violation["nodes"]])
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


def test_a_dialog_keeps_nobody_out(visit: Visit) -> None:
    page = visit.open(PAGES["playlist"])
    page.get_by_text("Rename or remove").click()
    page.get_by_role("button", name="Remove …").click()
    assert serious_barriers(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_an_answer_with_everything_open_keeps_nobody_out(visit: Visit) -> None:
    page = visit.open(PAGES["answer"])
    page.locator(".near button").first.click()
    page.get_by_role("button", name="Wrong …").click()
    page.locator("#track").press_sequentially("er")
    expect(page.locator("#track-list [role=option]").first).to_be_visible()
    expect(page.locator("#player")).to_be_visible()
    assert serious_barriers(page) == []


@pytest.mark.parametrize("name", [name for name in PAGES if name not in ("answer", "playlist", "login")])
def test_before_there_is_anything_every_page_says_what_to_do(empty_visit: Visit, name: str) -> None:
    page = empty_visit.open(PAGES[name])
    page.wait_for_load_state("networkidle")
    expect(page.locator("main")).to_contain_text(re.compile("add|none|nothing", re.IGNORECASE))
    assert page.get_by_role("alert").count() == 0
    assert serious_barriers(page) == []


def test_every_page_is_listed() -> None:
    assert len(PAGES) > len(NAVIGATION)


def test_no_script_of_a_page_itself_runs(visit: Visit) -> None:
    response = visit.page.goto(visit.site.url + "/")
    assert response is not None
    policy = response.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
