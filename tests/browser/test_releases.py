"""New releases on the page: a feed is added, scored and listed; and a list that was imported is settled."""

import shutil

from playwright.sync_api import expect

from tests.browser.conftest import Visit


def test_a_feed_is_scored_and_every_playlist_gets_its_list(visit: Visit) -> None:
    folder = visit.site.data / "music" / "incoming"
    shutil.copytree(visit.site.demo.new_releases, folder, dirs_exist_ok=True)
    page = visit.open("/app/releases")
    dropped = page.request.post(f"{visit.site.url}/sort", data={"name": "dropped"}).json()
    page.get_by_label("Where new music comes from").fill(str(folder))
    page.get_by_role("button", name="Add and score").click()
    expect(page.locator("#results h3")).to_have_count(2, timeout=60_000)
    expect(page.locator("#results")).to_contain_text("scored")
    page.get_by_label("How many may be wrong").select_option(label="at most 1 in 2 wrong")
    expect(page.locator("#results h3")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename.endswith(".csv")
    page.get_by_role("link", name=f"Sort {folder.name}").click()
    expect(page.locator(".song .place").first).to_be_visible()  # a feed is sorted as what is dropped is
    expect(page.locator("#counts")).to_contain_text(folder.name)
    page.go_back()
    page.get_by_role("button", name="Forget").click()
    expect(page.locator("#feeds")).to_contain_text("No feeds yet")  # what was dropped is no new release
    assert page.request.delete(f"{visit.site.url}/feeds/{dropped['id']}").ok
    shutil.rmtree(folder)


def test_a_source_that_cannot_be_read_is_explained(visit: Visit) -> None:
    page = visit.open("/app/releases")
    page.get_by_label("Where new music comes from").fill("/etc")
    page.get_by_role("button", name="Add and score").click()
    expect(page.get_by_role("alert")).to_contain_text("not under a library root")
    visit.errors.clear()


def test_a_playlist_file_is_imported_and_its_doubtful_row_settled(visit: Visit) -> None:
    known = visit.site.ask("/tracks?limit=3")["tracks"]
    rows = [f"{track['artist']} - {track['title']}" for track in known] + ["Nobody - Nowhere"]
    listed = visit.site.data / "mix.txt"
    listed.write_text("\n".join(rows))
    page = visit.open("/app/playlists")
    page.set_input_files("#files", listed)
    page.get_by_label("Name", exact=True).fill("mix")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#imported")).to_contain_text("3 of 4 rows found in the library (75 %)")
    expect(page.locator("#imported .warning")).to_contain_text("Nobody – Nowhere")
    page.get_by_role("link", name="See what was matched").click()
    report = page.get_by_role("region", name="Match report")
    expect(report).to_contain_text("not in the library")
    row = report.get_by_role("listitem").filter(has_text="Nowhere")
    row.get_by_text("Choose another").click()
    row.get_by_label("Another track for row 4").press_sequentially(known[0]["title"][:8])
    row.get_by_role("option").first.click()
    expect(row).to_contain_text(f"is {known[0]['artist']}")
    visit.site.wait_for_jobs()
    page.goto("about:blank")  # else the page would ask for the playlist that goes now
    playlist = next(p for p in visit.site.ask("/playlists")["playlists"] if p["name"] == "mix")
    visit.site.ask(f"/playlists/{playlist['id']}", method="DELETE")
    visit.site.wait_for_jobs()
