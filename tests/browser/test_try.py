"""Trying a song on the page: by file, by search, by reference; hearing why, and saying what is right."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Visit


def _new_release(visit: Visit) -> Path:
    folder = visit.site.demo.new_releases
    return sorted(path for path in folder.iterdir() if path.suffix in (".ogg", ".mp3", ".flac", ".wav"))[0]


def test_a_dropped_file_is_answered_in_one_picture(visit: Visit) -> None:
    page = visit.open("/app/ask")
    page.set_input_files("#file", _new_release(visit))
    expect(page.locator(".verdict")).to_contain_text(re.compile("Put it in|Probably|None of yours|or "))
    expect(page.locator(".ranked > li")).to_have_count(2)
    expect(page.locator(".waveform button").first).to_be_enabled()
    link = page.get_by_role("link", name="Show it on the map")
    # By its neighbours, or by its own point where another test has kept it.
    expect(link).to_have_attribute("href", re.compile(r"(near|track)=\d+"))


def test_search_finds_a_track_and_its_moments_can_be_heard(visit: Visit) -> None:
    page = visit.open("/app/ask")
    track = visit.site.ask("/tracks?limit=1")["tracks"][0]
    page.get_by_role("combobox", name="or name a track").press_sequentially(track["title"][:6])
    page.get_by_role("option").filter(has_text=track["title"]).first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#asked")).to_contain_text(track["title"])
    page.locator(".waveform button").nth(1).click()
    expect(page.locator("#player")).to_contain_text(track["title"])
    expect(page.locator(".needle")).to_be_visible()
    assert page.evaluate("document.querySelector('#player audio').currentTime") > 1
    # A neighbour is heard next to it, and one button leads back.
    page.locator(".near button").first.click()
    page.get_by_role("button", name="Back to the asked track").click()
    expect(page.locator("#player")).to_contain_text(track["title"])


def test_the_address_holds_the_question(visit: Visit) -> None:
    page = visit.open("/app/ask?track=1")
    expect(page.locator(".verdict")).to_be_visible()
    page.reload()
    expect(page.locator(".verdict")).to_be_visible()


def test_an_unknown_track_is_explained(visit: Visit) -> None:
    page = visit.open("/app/ask?track=99999")
    expect(page.get_by_role("alert")).to_contain_text("No such track")
    assert any("404" in error for error in visit.errors)  # the browser itself notes the status
    visit.errors.clear()


def test_names_are_text_and_never_markup(visit: Visit, tmp_path: Path) -> None:
    source = _new_release(visit)
    path = tmp_path / f"<img src=x onerror=alert(1)>{source.suffix}"
    path.write_bytes(source.read_bytes())
    page = visit.open("/app/ask")
    page.set_input_files("#file", path)
    expect(page.locator(".verdict")).to_be_visible()
    assert page.locator("main img").count() == 0


def test_a_server_that_went_away_is_said_and_asked_again(visit: Visit) -> None:
    page = visit.open("/app/ask")
    page.context.set_offline(True)
    page.locator("#track").fill("1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    page.context.set_offline(False)
    expect(page.locator(".verdict")).to_be_visible()  # by itself
    visit.errors.clear()


def test_one_click_on_an_unkept_file_keeps_it_and_is_learnt(visit: Visit) -> None:
    page = visit.open("/app/ask")
    page.set_input_files("#file", sorted(visit.site.demo.neither.glob("*.*"))[-1])
    like = page.get_by_role("button", name="Like", exact=True)
    like.click()
    expect(like).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".said")).to_contain_text("Noted as liked")
    page.get_by_role("button", name="Learnt: ask again").click()
    expect(page).to_have_url(re.compile(r"\?track=\d+"))
    kept = int(page.url.partition("track=")[2].partition("&")[0])
    expect(like).to_have_attribute("aria-pressed", "true")  # as the server remembers it
    like.click()
    expect(like).to_have_attribute("aria-pressed", "false")
    assert visit.site.ask(f"/tracks/{kept}/feedback")["feedback"] == []
    visit.site.ask(f"/tracks/{kept}", method="DELETE")
    visit.site.wait_for_jobs()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("isrc:USXXX0000001", "No such track"),
        ("/etc/passwd", "not under a library root"),
        ("https://music.example/one.mp3", "the address of a song is not taken here"),
        ("no song is called that", "Nothing in the library is called that"),
    ],
)
def test_what_cannot_be_asked_is_explained(visit: Visit, typed: str, said: str) -> None:
    page = visit.open("/app/ask")
    page.locator("#track").fill(typed)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text(said)
    visit.errors.clear()


def test_words_that_several_tracks_hold_ask_which(visit: Visit) -> None:
    artist = visit.site.ask("/tracks?limit=1")["tracks"][0]["artist"]
    page = visit.open("/app/ask")
    page.locator("#track").fill(artist)
    page.get_by_role("button", name="Ask").click()
    page.locator("#answer .near button").first.click()
    expect(page.locator("#asked")).to_contain_text(artist)


def test_where_nothing_fits_no_share_stands_beside_a_playlist(visit: Visit) -> None:
    """95 % of what is left when it had to be one of them is no sign that it fits."""

    def make_a_stranger(route: Route) -> None:
        answer = route.fetch().json()
        for playlist in answer["playlists"]:
            playlist["fits"] = playlist["model_fits"] = False
        answer |= {"verdict": "none_fits", "headline": "None of yours. The nearest is this."}
        route.fulfill(json=answer)

    page = visit.open("/app/playlists")
    page.route(re.compile(r"/recommend\?"), make_a_stranger)
    page.goto(f"{visit.site.url}/app/ask?track=2")
    expect(page.locator(".verdict")).to_have_text("None of yours. The nearest is this.")
    first = page.locator(".ranked > li").first
    expect(first).to_contain_text("does not fit")
    expect(first.locator("> .bar")).to_have_count(0)
    expect(first.locator("> .row .number")).to_have_count(0)
    first.locator("summary").click()
    expect(first).to_contain_text("if it had to be one of yours")
