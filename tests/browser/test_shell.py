"""One shell for all pages: music and sending go on from page to page, and each page is whole by itself."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit

HEARD = "document.querySelector('#player audio').currentTime"
# A document of its own would not know this any more.
MARK = "document.documentElement.dataset.same = 'yes'"
IS_SAME = "document.documentElement.dataset.same === 'yes'"


def test_music_goes_on_from_page_to_page(visit: Visit) -> None:
    page = visit.open("/app/ask?track=1")
    page.get_by_role("button", name=re.compile("^Play ")).first.click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.evaluate(MARK)
    title = page.locator("#player .title").inner_text()
    for link, heading in (
        ("Playlists", "Playlists"),
        ("Map", "Map of the library"),
        ("Jobs", "Jobs and health"),
    ):
        before = page.evaluate(HEARD)
        page.get_by_role("navigation", name="Pages").get_by_role("link", name=link).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        expect(page).to_have_title(re.compile(link))
        assert page.evaluate(IS_SAME)
        assert page.evaluate(HEARD) >= before
        expect(page.locator("#player .title")).to_have_text(title)
    expect(page.get_by_role("link", name="Jobs")).to_have_attribute("aria-current", "page")
    assert page.evaluate("document.activeElement.id") == "main"  # a reader begins where the page begins
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Map of the library")
    page.go_back()
    page.go_back()
    expect(page.locator(".verdict")).to_be_visible()
    assert page.evaluate(IS_SAME)


def test_a_page_that_was_left_hears_no_keys(visit: Visit) -> None:
    [song] = sorted(path for path in visit.site.demo.new_releases.glob("*.flac"))[:1]
    page = visit.open("/")
    page.set_input_files("#files", song)
    expect(page.locator(".song")).to_have_count(1)
    page.locator(".song").first.focus()
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Jobs").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Jobs and health")
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Sort").click()
    expect(page.locator(".song")).to_have_count(1)
    [batch] = visit.site.ask("/sort")["batches"]
    [row] = visit.site.ask(f"/sort/{batch['id']}")["rows"]
    assert row["decision"] is None
    page.goto("about:blank")
    visit.site.ask(f"/tracks/{row['track']}", method="DELETE")
    visit.site.ask(f"/feeds/{batch['id']}", method="DELETE")
    visit.site.wait_for_jobs()


def test_sending_goes_on_while_one_looks_elsewhere(visit: Visit) -> None:
    songs = sorted(
        path for path in visit.site.demo.new_releases.iterdir() if path.suffix in (".flac", ".mp3")
    )
    page = visit.open("/")
    page.route("**/files", lambda route: (page.wait_for_timeout(300), route.continue_()))
    page.set_input_files("#files", songs)
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Map").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Map of the library")
    page.get_by_role("link", name="Sort").click()
    expect(page.locator(".song")).to_have_count(len(songs))
    [batch] = visit.site.ask("/sort")["batches"]
    page.goto("about:blank")
    for row in visit.site.ask(f"/sort/{batch['id']}")["rows"]:
        visit.site.ask(f"/tracks/{row['track']}", method="DELETE")
    visit.site.ask(f"/feeds/{batch['id']}", method="DELETE")
    visit.site.wait_for_jobs()


def test_what_is_no_page_of_ours_is_left_to_the_browser(visit: Visit) -> None:
    page = visit.open("/app/playlists/1")
    page.evaluate(MARK)
    with page.expect_download():
        page.get_by_role("link", name="M3U8").click()
    assert page.evaluate(IS_SAME)
    page.evaluate("document.querySelector('.rail a.brand').href = '/docs'")
    page.locator(".rail a.brand").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("API")
    assert not page.evaluate(IS_SAME)
