"""The jobs on the page: what runs, what failed and why; cancel, try again."""

from playwright.sync_api import expect

from tests.browser.conftest import Visit


def test_a_job_that_fails_while_watched_says_why_and_can_be_tried_again(visit: Visit) -> None:
    folder = visit.site.data / "music" / "silence"
    folder.mkdir()
    page = visit.open("/app/jobs")
    asked = {"name": "silence", "folder": str(folder)}
    job = visit.site.ask("/playlists", method="POST", body=asked)["job"]
    row = page.get_by_role("listitem").filter(has_text=f"#{job['id']},")
    expect(row).to_contain_text("failed", timeout=30_000)
    expect(row).to_contain_text("no audio")
    row.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("listitem").filter(has_text=f"#{job['id'] + 1},")).to_be_visible()
    visit.site.wait_for_jobs()
    folder.rmdir()


def test_what_was_set_aside_is_listed(visit: Visit) -> None:
    broken = visit.site.data / "music" / "hip hop" / "broken.mp3"
    broken.write_text("not music")
    job = visit.site.ask("/tracks", method="POST", body={"path": str(broken.parent)})["job"]
    visit.site.wait_for_jobs()
    page = visit.open("/app/jobs")
    row = page.get_by_role("listitem").filter(has_text=f"#{job['id']},")
    row.get_by_text("1 step set aside").click()
    expect(row).to_contain_text("broken.mp3")
    broken.unlink()


def test_waiting_work_can_be_cancelled_and_asked_for_again(visit: Visit) -> None:
    # No worker takes trainings here: one that waits since another test may be older than all that is listed.
    for waiting in visit.site.ask("/jobs?state=queued")["jobs"]:
        visit.site.ask(f"/jobs/{waiting['id']}/cancel", method="POST")
    job = visit.site.ask("/models", method="POST")["job"]
    page = visit.open("/app/jobs")
    row = page.get_by_role("listitem").filter(has_text=f"#{job['id']},")
    expect(row).to_contain_text("queued")
    row.get_by_role("button", name="Cancel").click()
    expect(row).to_contain_text("cancelled")
    row.get_by_role("button", name="Try again").click()
    again = page.get_by_role("listitem").filter(has_text="queued").filter(has_text="Train")
    expect(again).to_have_count(1)
