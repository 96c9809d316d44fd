"""Sorting new songs: what is dropped is placed as it is heard, decided by keys or clicks, and taken back."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.test_every_page import serious_barriers

SONGS = (".ogg", ".mp3", ".flac", ".wav")


@pytest.fixture
def songs(visit: Visit) -> list[Path]:
    """Songs that no playlist holds."""
    return sorted(path for path in visit.site.demo.new_releases.iterdir() if path.suffix in SONGS)[:4]


@pytest.fixture(autouse=True)
def nothing_is_left(visit: Visit) -> Iterator[None]:
    """Whatever a test dropped and decided is gone when it ends."""
    yield
    visit.page.goto("about:blank")
    for batch in visit.site.ask("/sort")["batches"]:
        for row in visit.site.ask(f"/sort/{batch['id']}")["rows"]:
            if row["track"] is not None and not (row["member_of"] and row["decision"] is None):
                visit.site.ask(f"/tracks/{row['track']}", method="DELETE")
        visit.site.ask(f"/feeds/{batch['id']}", method="DELETE")
    visit.site.wait_for_jobs()


def _drop(visit: Visit, *paths: Path, selector: str = "#files") -> Page:
    page = visit.open("/")
    page.set_input_files(selector, list(paths))
    return page


def _batch(visit: Visit) -> list[dict[str, Any]]:
    [batch] = visit.site.ask("/sort")["batches"]
    rows: list[dict[str, Any]] = visit.site.ask(f"/sort/{batch['id']}")["rows"]
    return rows


def _serving(visit: Visit) -> str:
    return next(str(model["id"]) for model in visit.site.ask("/models")["models"] if model["serving"])


def test_what_is_dropped_is_there_when_one_comes_back(visit: Visit, songs: list[Path]) -> None:
    page = _drop(visit, *songs)
    expect(page.locator(".song")).to_have_count(len(songs))
    expect(page.locator("#sending progress")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Sort {len(songs)} new songs")
    assert serious_barriers(page) == []
    assert [row["title"] for row in _batch(visit)] == page.locator(".song .title").all_inner_texts()
    page = visit.open("/app/jobs")
    expect(page.locator("#waiting")).to_contain_text(str(len(songs)))
    page = visit.open("/")
    expect(page.locator(".song")).to_have_count(len(songs))


def test_a_batch_is_sorted_by_keys_alone_and_taken_back(visit: Visit, songs: list[Path]) -> None:
    page = _drop(visit, *songs)
    expect(page.locator(".song")).to_have_count(len(songs))
    page.keyboard.press("J")
    page.keyboard.press("K")
    first = page.locator(".song").nth(0)
    expect(first).to_be_focused()
    page.keyboard.press("1")  # into the first playlist by name
    expect(first).to_contain_text("sorted")
    second = page.locator(".song").nth(1)
    expect(second).to_be_focused()  # the next one is meant at once
    page.keyboard.press("n")
    expect(second).to_contain_text("none of yours")
    page.keyboard.press("l")
    like = page.locator(".song").nth(2).get_by_role("button", name=re.compile("^Like"))
    expect(like).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Enter")
    expect(page.locator(".song").nth(2)).to_contain_text("sorted")
    names = [playlist["name"] for playlist in visit.site.ask("/playlists?group=default")["playlists"]]
    decided = [row["decision"] for row in _batch(visit)]
    assert decided[0]["playlist"]["name"] == names[0]
    assert decided[1]["kind"] == "none"
    assert decided[2] is not None
    for n in (2, 1, 0):
        page.keyboard.press("z")
        opened = page.locator(".song").nth(n)
        expect(opened.get_by_role("button", name=re.compile("^None of mine"))).to_be_visible()
    assert [row["decision"] for row in _batch(visit)] == [None] * len(songs)


def test_what_is_taught_places_the_rest_before_ones_eyes(visit: Visit, songs: list[Path]) -> None:
    page = _drop(visit, *songs)
    expect(page.locator(".song")).to_have_count(len(songs))
    before = _serving(visit)
    page.locator(".song").nth(0).get_by_role("button", name=re.compile("^Put .* into")).nth(1).click()
    expect(page.locator("#said")).to_contain_text("It is being learnt")
    visit.site.wait_for_jobs()
    assert _serving(visit) != before
    [batch] = visit.site.ask("/sort")["batches"]
    shown = visit.site.ask(f"/sort/{batch['id']}")
    for row in shown["rows"][1:]:
        proposed = page.locator(f"#song-{row['item']} .place").first
        expect(proposed).to_have_text(row["places"][0]["name"])


def test_all_clear_ones_are_added_at_once_and_taken_back_at_once(visit: Visit, songs: list[Path]) -> None:
    page = _drop(visit, *songs)
    expect(page.locator(".song")).to_have_count(len(songs))
    n_clear = sum(row["sureness"] == "clear" for row in _batch(visit))
    assert n_clear > 0
    button = page.get_by_role("button", name=re.compile("^Add the .*clear one"))
    expect(button).to_contain_text("clear one" if n_clear == 1 else f"{n_clear} clear ones")
    [batch] = visit.site.ask("/sort")["batches"]
    says = visit.site.ask(f"/sort/{batch['id']}")["promise"]
    expect(page.locator("#promise")).to_have_text(says)
    button.click()
    expect(page.locator(".song.done")).to_have_count(n_clear)
    assert sum(row["decision"] is not None for row in _batch(visit)) == n_clear
    page.keyboard.press("z")
    expect(page.locator(".song.done")).to_have_count(0)


def test_a_new_playlist_is_made_on_the_way(visit: Visit, songs: list[Path]) -> None:
    page = _drop(visit, songs[0])
    expect(page.locator(".song")).to_have_count(1)
    page.locator(".song").first.focus()
    page.keyboard.press("p")
    page.get_by_label("Where does").fill("night drive")
    assert serious_barriers(page) == []
    page.keyboard.press("Enter")
    expect(page.locator(".song").first).to_contain_text("night drive")
    expect(page.get_by_role("heading", level=1)).to_have_text("All sorted")
    made = next(p for p in visit.site.ask("/playlists")["playlists"] if p["name"] == "night drive")
    assert made["n_tracks"] == 1
    # A playlist that is removed meanwhile leaves the song open, and says so.
    visit.site.ask(f"/playlists/{made['id']}", method="DELETE")
    expect(page.locator(".song").first).to_contain_text("“night drive” was removed")
    visit.site.wait_for_jobs()


def test_broken_files_copies_and_what_is_no_song_are_told(
    visit: Visit, songs: list[Path], tmp_path: Path
) -> None:
    broken, copy, cover = tmp_path / "broken.mp3", tmp_path / "copy.ogg", tmp_path / "cover.jpg"
    broken.write_text("no music")
    cover.write_bytes(b"\xff\xd8")
    shutil.copyfile(songs[0], copy.with_suffix(songs[0].suffix))
    page = _drop(visit, songs[0], broken, cover)
    expect(page.locator(".song")).to_have_count(2)
    expect(page.locator(".song").filter(has_text="broken.mp3")).to_contain_text("Cannot be sorted")
    expect(page.locator("#sending")).to_contain_text("no songs: cover.jpg")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sort 1 new song")
    page.set_input_files("#files", copy.with_suffix(songs[0].suffix))
    expect(page.locator("#sending")).to_contain_text("1 song was in this batch already")
    expect(page.locator(".song")).to_have_count(2)


def test_a_server_that_goes_meanwhile_gets_the_rest_when_it_is_back(visit: Visit, songs: list[Path]) -> None:
    page = visit.open("/")
    page.route("**/files", lambda route: route.abort("connectionreset"), times=1)
    page.set_input_files("#files", songs)
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    expect(page.locator(".song")).to_have_count(len(songs))  # by itself
    expect(page.get_by_role("alert")).to_have_count(0)
    visit.expect_error("ERR_CONNECTION_RESET")


def test_two_tabs_sort_one_batch(visit: Visit, songs: list[Path]) -> None:
    page = _drop(visit, *songs[:2])
    expect(page.locator(".song")).to_have_count(2)
    expect(page.locator("#sending progress")).to_have_count(0)
    other = visit.open_tab("/")
    expect(other.locator(".song")).to_have_count(2)
    page.locator(".song").nth(0).get_by_role("button", name=re.compile("^None of mine")).click()
    expect(page.locator(".song").nth(0)).to_contain_text("sorted")
    # The other tab did not hear of it yet, or has: in neither case is anything overruled.
    expect(other.locator(".song").nth(0)).to_contain_text("sorted")
    assert _batch(visit)[0]["decision"]["kind"] == "none"


def test_songs_are_played_through_with_one_button(visit: Visit, songs: list[Path]) -> None:
    page = _drop(visit, *songs[:2])
    expect(page.locator(".song")).to_have_count(2)
    page.get_by_role("button", name="Play through").click()
    title = page.locator("#player .title")
    first, second = page.locator(".song .title").all_inner_texts()
    expect(title).to_contain_text(first)
    expect(page.locator(".song").nth(0)).to_have_class(re.compile("heard"))
    page.evaluate("document.querySelector('#player audio').currentTime = 1e6")
    expect(title).to_contain_text(second)
    page.get_by_role("button", name="Previous").click()
    expect(title).to_contain_text(first)
    page.get_by_role("slider", name="Where in the track").press("ArrowRight")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()


def test_a_question_of_before_leads_to_its_answer(visit: Visit) -> None:
    page = visit.open("/?track=1")
    expect(page).to_have_url(re.compile(r"/app/ask\?track=1"))
    expect(page.locator(".verdict")).to_be_visible()
