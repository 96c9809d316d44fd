"""Trying a song and adding a playlist without a mouse."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit

FOCUSED = "document.activeElement.id || document.activeElement.textContent.trim()"
MOST_STEPS = 40


def _tab_to(page: Page, wanted: str) -> None:
    for _ in range(MOST_STEPS):
        if page.evaluate(FOCUSED) == wanted:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{wanted!r} is not reached by the Tab key")


def test_a_song_is_tried_and_judged(visit: Visit) -> None:
    page = visit.open("/app/ask")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == "file"
    _tab_to(page, "track")
    title = visit.site.ask("/tracks?limit=1")["tracks"][0]["title"]
    page.keyboard.type(title[:6])
    expect(page.locator("#track-list [role=option]").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".verdict")).to_be_visible()
    expect(page.locator(".waveform button").first).to_be_visible()
    assert page.evaluate(FOCUSED) == "asked"  # a reader goes on where the answer begins
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the first moment is heard
    expect(page.locator("#player")).to_contain_text(title)
    _tab_to(page, "Wrong …")
    page.keyboard.press("Enter")
    expect(page.get_by_label("The right playlist")).to_be_focused()


def test_a_playlist_is_asked_for(visit: Visit) -> None:
    page = visit.open("/app/playlists")
    for wanted in ("files", "folder-files", "source"):
        _tab_to(page, wanted)
    page.keyboard.type("/nowhere")
    _tab_to(page, "name")
    page.keyboard.type("by hand")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not under a library root")
    visit.expect_error("403")
