"""What goes wrong: too large, not audio, cut off, twice at once; a server, a model that changes meanwhile."""

import socket
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.browser.conftest import MAX_UPLOAD_MB, Visit

TWO_GB = """(kind) => {
  const file = new File([new Uint8Array(1)], "huge.wav");
  Object.defineProperty(file, "size", { value: 2e9 });
  const dropped = { files: [file], items: [] };
  document.dispatchEvent(Object.assign(new Event("drop"), { dataTransfer: dropped }));
}"""


def _song(visit: Visit) -> Path:
    return sorted(path for path in visit.site.demo.new_releases.iterdir() if path.suffix != ".json")[0]


def test_two_gigabytes_are_not_sent(visit: Visit) -> None:
    page = visit.open("/app/ask")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    ready = "main[aria-busy=false]"  # a file that is dropped before is the browser's
    page.locator(ready).wait_for()
    page.evaluate(TWO_GB)
    expect(page.get_by_role("alert")).to_contain_text(f"huge.wav is larger than {MAX_UPLOAD_MB} MB")
    page = visit.open("/app/playlists")
    page.locator(ready).wait_for()
    page.evaluate(TWO_GB)
    expect(page.locator("#chosen")).to_contain_text(f"Larger than {MAX_UPLOAD_MB} MB: huge.wav")
    assert "POST" not in sent


def test_the_server_refuses_what_the_page_let_through(visit: Visit, tmp_path: Path) -> None:
    large = tmp_path / "large.wav"
    large.write_bytes(b"RIFF" + bytes(MAX_UPLOAD_MB * 1_000_000))
    page = visit.open("/app/ask")
    page.evaluate("document.getElementById('drop').dataset.maxMb = 100")
    page.set_input_files("#file", large)
    expect(page.get_by_role("alert")).to_contain_text("too large")
    visit.expect_error("413")


def test_a_text_file_is_explained(visit: Visit, tmp_path: Path) -> None:
    path = tmp_path / "notes.mp3"
    path.write_text("not music")
    page = visit.open("/app/ask")
    page.set_input_files("#file", path)
    expect(page.get_by_role("alert")).to_contain_text("cannot be read as audio")
    visit.expect_error("422")


def test_an_upload_that_is_cut_off_is_sent_again_and_does_the_server_no_harm(visit: Visit) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(visit.site.url).port or 0)) as connection:
        head = b"POST /recommend HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n"
        connection.sendall(head + b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n")
    page = visit.open("/app/ask")
    page.route("**/recommend*", lambda route: route.abort("connectionreset"), times=1)
    page.set_input_files("#file", _song(visit))
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    expect(page.locator(".verdict")).to_be_visible()
    visit.expect_error("ERR_CONNECTION_RESET")


def test_files_of_a_playlist_that_were_sent_are_not_sent_again(visit: Visit) -> None:
    files = sorted(visit.site.demo.neither.glob("*.*"))[:2]
    page = visit.open("/app/playlists")
    sent: list[str] = []
    page.on("requestfinished", lambda request: sent.append(request.url) if "uploads" in request.url else None)
    page.set_input_files("#files", files)
    page.get_by_label("Name", exact=True).fill("cut off")
    page.route("**/playlists", lambda route: route.abort("connectionreset"), times=1)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#adding").get_by_role("alert")).to_contain_text("does not answer")
    expect(page.get_by_role("link", name="cut off")).to_be_visible(timeout=30_000)
    assert len(sent) == len(files)
    visit.site.wait_for_jobs()
    _remove(visit, "cut off")
    visit.expect_error("ERR_CONNECTION_RESET")


def test_two_tabs_add_the_same_name_and_only_one_is_made(visit: Visit) -> None:
    files = sorted(visit.site.demo.neither.glob("*.*"))[:2]
    tabs = [visit.open("/app/playlists"), visit.open_tab("/app/playlists")]
    for page in tabs:
        page.set_input_files("#files", files)
        page.get_by_label("Name", exact=True).fill("twice")
    for page in tabs:
        page.get_by_role("button", name="Add", exact=True).click()
    refused = [_outcome(page) for page in tabs]
    assert sorted(refused) == [False, True]
    visit.site.wait_for_jobs()
    assert [p["name"] for p in visit.site.ask("/playlists")["playlists"]].count("twice") == 1
    _remove(visit, "twice")
    visit.expect_error("409")
    visit.expect_error("404")  # an open tab may ask once more for what was deleted behind its back


def _outcome(page: Page) -> bool:
    """Whether the playlist was refused; False when it was made."""
    settled = page.locator("#adding .problem, #adding [role=status]:has-text('succeeded')")
    settled.first.wait_for(timeout=60_000)
    refused = page.locator("#adding .problem")
    return refused.count() > 0 and "There is a playlist of this name" in refused.inner_text()


def test_two_tabs_give_feedback_and_show_what_was_said_last(visit: Visit) -> None:
    tabs = [visit.open("/app/ask?track=2"), visit.open_tab("/app/ask?track=2")]
    for page, name in zip(tabs, ("Like", "Dislike"), strict=True):
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator(".said")).to_contain_text("Noted")
    held = [row["playlist"]["name"] for row in visit.site.ask("/tracks/2/feedback")["feedback"]]
    tabs[0].reload()
    for name, verdict in (("Like", "liked"), ("Dislike", "disliked")):
        button = tabs[0].get_by_role("button", name=name, exact=True)
        expect(button).to_have_attribute("aria-pressed", str(verdict in held).lower())
    assert "disliked" in held
    visit.site.ask("/tracks/2/feedback", method="DELETE")
    visit.site.wait_for_jobs()


def test_a_page_goes_on_when_the_server_was_restarted(empty_visit: Visit) -> None:
    page = empty_visit.open("/app/jobs")
    expect(page.locator("#health")).to_contain_text("Everything answers")
    models = empty_visit.open_tab("/app/models")
    expect(models.locator("#models")).to_contain_text("There is none yet")
    empty_visit.site.stop()
    try:
        expect(page.locator("#health")).to_contain_text("does not answer", timeout=15_000)
    finally:
        empty_visit.site.start()
    expect(page.locator("#health")).to_contain_text("Everything answers", timeout=15_000)
    empty_visit.expect_error("ERR_CONNECTION_REFUSED")


def test_a_model_that_is_swapped_while_answering_drops_no_question(visit: Visit) -> None:
    visit.site.ask("/tracks/3/feedback", method="PUT", body={"verdict": "liked"})
    visit.site.wait_for_jobs()
    visit.site.ask("/tracks/3/feedback", method="DELETE")
    visit.site.wait_for_jobs()
    models = [model["id"] for model in visit.site.ask("/models")["models"]][:2]
    assert len(models) == 2
    page = visit.open("/app/ask?track=1")
    expect(page.locator(".verdict")).to_be_visible()
    page.evaluate(
        """() => {
          window.answers = [];
          window.asking = (async () => {
            while (!window.enough) {
              const response = await fetch("/recommend?track=1&segments=false");
              window.answers.push([response.status, (await response.json()).model]);
            }
          })();
        }"""
    )
    for model in models * 3:
        visit.site.ask(f"/models/{model}/promote", method="POST")
    answers = page.evaluate(
        "async () => { window.enough = true; await window.asking; return window.answers; }"
    )
    assert answers
    assert {status for status, _ in answers} == {200}
    assert {model for _, model in answers} <= set(models)


def _remove(visit: Visit, name: str) -> None:
    found = next(p for p in visit.site.ask("/playlists")["playlists"] if p["name"] == name)
    visit.site.ask(f"/playlists/{found['id']}", method="DELETE")
    visit.site.wait_for_jobs()
