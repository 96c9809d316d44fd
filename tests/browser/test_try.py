"""Trying a song on the page: by file, by search, by reference; hearing why, and saying what is right."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit


def _new_release(visit: Visit, playlist: str) -> Path:
    folder = visit.site.demo.new_releases
    return sorted(path for path in folder.iterdir() if path.suffix in (".ogg", ".mp3", ".flac", ".wav"))[0]


def test_a_dropped_file_is_answered_in_one_picture(visit: Visit) -> None:
    page = visit.open("/")
    page.set_input_files("#file", _new_release(visit, "hip hop"))
    expect(page.locator(".verdict")).to_contain_text("fit")
    expect(page.locator(".ranked > li")).to_have_count(2)
    expect(page.locator(".waveform button").first).to_be_enabled()
    expect(page.get_by_role("button", name="Keep this track")).to_be_visible()


def test_search_finds_a_track_and_its_moments_can_be_heard(visit: Visit) -> None:
    page = visit.open("/")
    track = visit.site.ask("/tracks?limit=1")["tracks"][0]
    page.get_by_role("combobox", name="Or a track").press_sequentially(track["title"][:6])
    page.get_by_role("option").filter(has_text=track["title"]).first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#asked")).to_contain_text(track["title"])
    page.locator(".waveform button").nth(1).click()
    audio = page.locator("#player audio")
    expect(audio).to_be_visible()
    expect(page.locator(".needle")).to_be_visible()
    assert page.evaluate("document.querySelector('#player audio').currentTime") > 1
    # A neighbour is heard next to it, and one button leads back.
    page.locator(".near button").first.click()
    page.get_by_role("button", name="Back to the asked track").click()
    expect(page.locator("#player")).to_contain_text(track["title"])


def test_the_address_holds_the_question(visit: Visit) -> None:
    page = visit.open("/?track=1")
    expect(page.locator(".verdict")).to_be_visible()
    page.reload()
    expect(page.locator(".verdict")).to_be_visible()


def test_an_unknown_track_is_explained(visit: Visit) -> None:
    page = visit.open("/?track=99999")
    expect(page.get_by_role("alert")).to_contain_text("No such track")
    assert any("404" in error for error in visit.errors)  # the browser itself notes the status
    visit.errors.clear()


def test_a_text_file_is_explained(visit: Visit, tmp_path: Path) -> None:
    path = tmp_path / "notes.mp3"
    path.write_text("not music")
    page = visit.open("/")
    page.set_input_files("#file", path)
    expect(page.get_by_role("alert")).to_contain_text("cannot be read as audio")
    visit.errors.clear()


def test_a_file_beyond_the_limit_is_not_sent(visit: Visit) -> None:
    page = visit.open("/")
    page.evaluate(
        """() => {
          const file = new File([new Uint8Array(1)], "huge.wav");
          Object.defineProperty(file, "size", { value: 2e9 });
          const files = { files: [file] };
          document.dispatchEvent(Object.assign(new Event("drop"), { dataTransfer: files }));
        }"""
    )
    expect(page.get_by_role("alert")).to_contain_text("huge.wav is larger than")


def test_names_are_text_and_never_markup(visit: Visit, tmp_path: Path) -> None:
    source = _new_release(visit, "electro")
    path = tmp_path / f"<img src=x onerror=alert(1)>{source.suffix}"
    path.write_bytes(source.read_bytes())
    page = visit.open("/")
    page.set_input_files("#file", path)
    expect(page.locator(".verdict")).to_be_visible()
    assert page.locator("main img").count() == 0


def test_a_server_that_went_away_is_said_and_asked_again(visit: Visit) -> None:
    page = visit.open("/")
    page.context.set_offline(True)
    page.locator("#track").fill("1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".verdict")).to_be_visible()
    visit.errors.clear()


@pytest.mark.parametrize("width", [360], indirect=True)
def test_nothing_is_wider_than_a_small_screen(visit: Visit) -> None:
    page = visit.open("/?track=1")
    expect(page.locator(".verdict")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
