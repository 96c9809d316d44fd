"""The playlists on the page: adding one from files, seeing what may not belong, renaming, removing."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Visit
from tests.browser.test_every_page import serious_barriers
from tests.waiting import wait_for


@pytest.fixture
def audio(visit: Visit) -> list[Path]:
    """Four files that the library does not hold."""
    folders = (visit.site.demo.neither, visit.site.demo.new_releases)
    files = [path for folder in folders for path in sorted(folder.iterdir())]
    return [path for path in files if path.suffix in (".mp3", ".ogg", ".flac", ".wav")][:4]


def test_files_become_a_playlist_that_songs_can_fit(visit: Visit, audio: list[Path], tmp_path: Path) -> None:
    notes = tmp_path / "broken.mp3"
    notes.write_text("not music")
    page = visit.open("/app/playlists")
    page.get_by_label("Name", exact=True).fill("<b>new</b> & odd")
    page.set_input_files("#files", [*audio, notes])
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#adding")).to_contain_text("succeeded", timeout=60_000)
    link = page.get_by_role("link", name="<b>new</b> & odd")
    expect(link).to_be_visible()
    link.click()
    expect(page.get_by_role("heading", name="<b>new</b> & odd")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(len(audio))
    page.get_by_text("Rename or remove").click()
    page.get_by_label("New name").fill("odd ones")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", name="odd ones")).to_be_visible(timeout=60_000)
    page.get_by_text("Rename or remove").click()
    page.get_by_role("button", name="Remove …").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    page.wait_for_url(re.compile("/app/playlists$"), timeout=60_000)
    expect(page.get_by_role("link", name="odd ones")).to_have_count(0)
    visit.expect_error("422")  # the broken file


def test_a_folder_of_the_server_becomes_a_playlist(visit: Visit) -> None:
    folder = visit.site.data / "music" / "hip hop"
    copy = folder.with_name("third")
    shutil.copytree(folder, copy, dirs_exist_ok=True)
    page = visit.open("/app/playlists")
    page.get_by_label("Name", exact=True).fill("third")
    page.get_by_label("or name a folder").fill(str(copy))
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#adding")).to_contain_text("succeeded", timeout=60_000)
    playlists = {p["name"]: p["id"] for p in visit.site.ask("/playlists")["playlists"]}
    visit.site.ask(f"/playlists/{playlists['third']}", method="DELETE")
    shutil.rmtree(copy)
    visit.site.wait_for_jobs()


def test_nothing_chosen_is_said(visit: Visit) -> None:
    page = visit.open("/app/playlists")
    page.get_by_label("Name", exact=True).fill("empty")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("nothing to make a playlist of")


def test_a_playlist_that_is_not_there_is_said(visit: Visit) -> None:
    page = visit.open("/app/playlists/99999")
    expect(page.get_by_role("alert")).to_contain_text("No such playlist")
    visit.errors.clear()


def test_feedback_puts_a_song_where_the_listener_says(visit: Visit) -> None:
    page = visit.open("/app/ask?track=1")
    page.get_by_role("button", name="Like", exact=True).click()
    expect(page.locator(".said")).to_contain_text("Noted as liked")
    page.get_by_role("button", name="Wrong …").click()
    page.get_by_label("The right playlist").select_option(label="hip hop")
    expect(page.locator(".said")).to_contain_text("It is in hip hop now, and kept out of electro")
    visit.site.wait_for_jobs()
    held = {playlist["name"] for playlist in visit.site.ask("/tracks/1")["playlists"]}
    assert held == {"hip hop", "liked"}
    visit.site.ask("/tracks/1/feedback", method="DELETE")
    visit.site.wait_for_jobs()


def test_a_song_is_taken_out_with_a_click_and_put_back_with_the_next(visit: Visit) -> None:
    [playlist] = visit.site.ask("/tracks/2")["playlists"]
    title = visit.site.ask("/tracks/2")["title"]
    page = visit.open(f"/app/playlists/{playlist['id']}")
    row = page.locator(".tracks tbody tr").filter(has_text=title).first
    row.get_by_role("button", name="Take out").click()
    expect(row.get_by_role("button", name="Put back")).to_be_enabled()
    assert visit.site.ask("/tracks/2")["playlists"] == []
    assert serious_barriers(page) == []
    row.get_by_role("button", name="Put back").click()
    expect(row.get_by_role("button", name="Take out")).to_be_enabled()
    assert [held["id"] for held in visit.site.ask("/tracks/2")["playlists"]] == [playlist["id"]]
    visit.site.ask("/tracks/2/feedback", method="DELETE")
    visit.site.wait_for_jobs()


def test_a_source_that_is_not_set_up_is_explained(visit: Visit) -> None:
    page = visit.open("/app/playlists")
    page.get_by_label("Name", exact=True).fill("starred")
    page.get_by_label("or name a folder").fill("subsonic:starred")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#adding")).to_contain_text("failed", timeout=30_000)
    expect(page.locator("#adding")).to_contain_text("WHICHLIST_SUBSONIC_URL")


@pytest.mark.parametrize("kind", ["m3u", "m3u8", "pls"])
def test_a_playlist_file_is_no_song_whatever_the_browser_says(
    visit: Visit, tmp_path: Path, kind: str
) -> None:
    songs = sorted((visit.site.data / "music" / "electro").iterdir())[:3]
    lists = {
        "m3u": "\n".join(map(str, songs)),
        "m3u8": "#EXTM3U\n" + "\n".join(map(str, songs)),
        "pls": "[playlist]\n" + "".join(f"File{n}={song}\n" for n, song in enumerate(songs, start=1)),
    }
    path = tmp_path / f"from a player.{kind}"
    path.write_text(lists[kind])
    page = visit.open("/app/playlists")
    page.get_by_label("Name", exact=True).fill(f"list {kind}")
    page.set_input_files("#files", path)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#imported")).to_contain_text("3 of 3 rows found in the library", timeout=30_000)
    playlists = {p["name"]: p["id"] for p in visit.site.ask("/playlists")["playlists"]}
    visit.site.wait_for_jobs()
    visit.site.ask(f"/playlists/{playlists[f'list {kind}']}", method="DELETE")
    visit.site.wait_for_jobs()


def test_a_name_that_is_taken_offers_to_add_or_replace(visit: Visit, audio: list[Path]) -> None:
    page = visit.open("/app/playlists")

    def add(files: list[Path]) -> None:
        page.get_by_label("Name", exact=True).fill("taken")
        page.set_input_files("#files", files)
        page.get_by_role("button", name="Add", exact=True).click()

    add(audio[:2])
    expect(page.locator("#adding")).to_contain_text("succeeded", timeout=60_000)
    add(audio[2:3])
    expect(page.get_by_role("alert")).to_contain_text("There is a playlist of this name")
    page.get_by_role("button", name="Add to it").click()

    def made() -> dict[str, Any]:
        return next(p for p in visit.site.ask("/playlists")["playlists"] if p["name"] == "taken")

    wait_for(lambda: made()["n_tracks"] == 3)
    expect(page.get_by_role("button", name="Add", exact=True)).to_be_enabled(timeout=60_000)
    visit.site.ask(f"/playlists/{made()['id']}", method="DELETE")
    visit.site.wait_for_jobs()
    visit.expect_error("409")


def test_leaving_while_files_are_sent_loses_nothing_that_was_sent(visit: Visit, audio: list[Path]) -> None:
    page = visit.open("/app/playlists")
    n_sent = 0

    def stall(route: Route) -> None:
        nonlocal n_sent
        n_sent += 1
        if n_sent <= 2:
            route.continue_()  # the third never arrives: somebody closes the laptop

    page.route("**/uploads", stall)
    page.get_by_label("Name", exact=True).fill("left")
    page.set_input_files("#files", audio)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#adding")).to_contain_text("Sending 3 of 4", timeout=30_000)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.close(run_before_unload=True)
    page.wait_for_event("close") if not page.is_closed() else None
    assert asked == ["beforeunload"]
    [made] = [p for p in visit.site.ask("/playlists")["playlists"] if p["name"] == "left"]
    assert made["n_tracks"] == 2
    visit.site.wait_for_jobs()
    visit.site.ask(f"/playlists/{made['id']}", method="DELETE")
    visit.site.wait_for_jobs()
