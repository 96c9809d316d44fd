"""Playlist files on the page: a table that nobody knows is shown, and a person says what it holds."""

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Visit


def test_a_table_of_unknown_columns_is_explained_once(visit: Visit, tmp_path: Path) -> None:
    [known] = visit.site.ask("/tracks?limit=1")["tracks"]
    # One name alone that the library knows does not say what a column holds.
    rows = [f"1;{known['title']};x;{known['artist']}", "2;Unheard of;y;Somebody", "3;Never seen;z;Nobody"]
    path = tmp_path / "werke.csv"
    path.write_text("\n".join(["Nr;Werk;Ort;Wer", *rows]), encoding="utf-8")
    page = visit.open("/app/playlists")
    page.set_input_files("#files", [path])
    page.get_by_role("button", name="Add", exact=True).click()
    asked = page.get_by_role("group", name="What the columns hold")
    expect(asked).to_contain_text("Which column is which?")
    expect(asked.locator("tbody tr")).to_have_count(3)
    for choice in asked.get_by_role("combobox").all():
        choice.select_option("")
    asked.get_by_role("button", name="Use these columns").click()
    expect(asked.get_by_role("alert")).to_contain_text("which column holds the title")
    asked.get_by_label("Column 2, Werk, is").select_option("title")
    asked.get_by_label("Column 3, Ort, is").select_option("title")
    asked.get_by_role("button", name="Use these columns").click()
    expect(asked.get_by_role("alert")).to_contain_text("one column only")
    asked.get_by_label("Column 3, Ort, is").select_option("")
    asked.get_by_label("Column 4, Wer, is").select_option("artist")
    asked.get_by_role("button", name="Use these columns").click()
    expect(page.locator("#imported")).to_contain_text("werke: 1 of 3 rows found in the library")
    visit.expect_error("422")
    expect(page.locator("#adding")).to_contain_text("succeeded", timeout=60_000)
    page = visit.open("/app/playlists")
    page.get_by_label("Name", exact=True).fill("again")
    page.set_input_files("#files", [path])
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#imported")).to_contain_text("again: 1 of 3 rows")
    visit.site.wait_for_jobs()
    ids = {playlist["name"]: playlist["id"] for playlist in visit.site.ask("/playlists")["playlists"]}
    for name in ("werke", "again"):
        visit.site.ask(f"/playlists/{ids[name]}", method="DELETE")
    visit.site.wait_for_jobs()
    visit.expect_error("404")  # the open page may ask once more for what was deleted behind its back
