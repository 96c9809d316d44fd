"""The first minutes: folders are looked at and asked about, before anything becomes a playlist."""

from pathlib import Path

from playwright.sync_api import expect

from recommender.catalogue.database import open_database
from recommender.catalogue.files import add_library_root
from recommender.settings import load_settings
from tests.browser.conftest import Visit
from tests.folders import write_track


def test_folders_are_asked_about_and_the_ticked_ones_are_made(empty_visit: Visit, tmp_path: Path) -> None:
    places = [("gym", "Ada"), ("gym", "Ben"), ("Cy/X", "Cy"), ("Cy/Y", "Cy")]
    for number, (folder, artist) in enumerate(places):
        write_track(tmp_path / folder / f"{number}.flac", tone_hz=200.0 + number, artist=artist)
    database = open_database(load_settings({"data": empty_visit.site.data}, environ={}))
    with database.session() as session:
        add_library_root(session, tmp_path)
    page = empty_visit.open("/")
    expect(page.get_by_role("heading", name="Which of your folders are playlists?")).to_be_visible()
    expect(page.get_by_label("gym")).to_be_checked()
    expect(page.get_by_label("Cy")).not_to_be_checked()
    expect(page.locator("#folders")).to_contain_text("2 songs; looks like an artist")
    page.get_by_role("button", name="Make these playlists").click()
    expect(page.locator("#folders progress")).to_be_visible()
    [job] = empty_visit.site.ask("/jobs?limit=1")["jobs"]
    assert (job["kind"], job["payload"]["folders"]) == ("scan", ["gym"])
    empty_visit.site.ask(f"/jobs/{job['id']}/cancel", method="POST")
