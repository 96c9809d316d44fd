"""What holds on every page, in light and dark, wide and narrow: no serious barrier, a strict policy."""

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from api.pages import NAVIGATION
from tests.browser.conftest import Visit

PAGES = {
    "try": "/",
    "answer": "/?track=1",
    "playlists": "/app/playlists",
    "playlist": "/app/playlists/1",
    "map": "/app/map",
    "releases": "/app/releases",
    "models": "/app/models",
    "jobs": "/app/jobs",
}
# Where to put pictures of every page, for somebody to look at; then every look is taken.
PICTURES = os.environ.get("WHICHLIST_TEST_PICTURES")
LOOKS = [("light", 1280), ("dark", 360)] + ([("light", 360), ("dark", 1280)] if PICTURES else [])


@pytest.mark.parametrize(("scheme", "width"), LOOKS, indirect=True)
@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_use_it(visit: Visit, name: str, scheme: str, width: int) -> None:
    page = visit.open(PAGES[name])
    page.wait_for_load_state("networkidle")
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}-{scheme}-{width}.png", full_page=True)
    found = Axe().run(page).response["violations"]
    serious = [
        (violation["id"], [node["html"] for node in violation["nodes"]])
        for violation in found
        if violation["impact"] in ("serious", "critical")
    ]
    assert serious == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_every_page_is_listed() -> None:
    assert len(PAGES) > len(NAVIGATION)


def test_no_script_of_a_page_itself_runs(visit: Visit) -> None:
    response = visit.page.goto(visit.site.url + "/")
    assert response is not None
    policy = response.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
