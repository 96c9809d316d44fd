"""The map: what is under the pointer, moving and zooming by mouse and keyboard, finding, hearing."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.folders import write_track


def _loaded(visit: Visit, path: str = "/app/map") -> Page:
    page = visit.open(path)
    expect(page.locator("#about")).to_contain_text(" tracks. ")
    return page


def _picture(page: Page) -> str:
    return str(page.evaluate("document.getElementById('canvas').toDataURL()"))


def _wait_for_picture(page: Page, is_right: Callable[[str], bool]) -> str:
    for _ in range(100):
        picture = _picture(page)
        if is_right(picture):
            return picture
        page.wait_for_timeout(50)
    raise AssertionError("the picture does not become what it should")


def _find(page: Page, title: str) -> None:
    page.get_by_label("Find a track").press_sequentially(title[:8])
    page.get_by_role("option").filter(has_text=title).first.click()
    expect(page.get_by_role("heading", level=2)).to_contain_text(title)


def test_a_found_track_is_in_the_middle_and_can_be_heard(visit: Visit) -> None:
    page = _loaded(visit)
    shown = visit.site.ask("/map")
    _find(page, shown["titles"][2])
    expect(page.locator("#chosen .near li")).to_have_count(8)
    page.locator("#chosen button").first.click()
    expect(page.locator("#player")).to_contain_text(shown["titles"][2])


def test_pointing_names_a_track_and_clicking_plays_it(visit: Visit) -> None:
    page = _loaded(visit)
    shown = visit.site.ask("/map")
    box = page.locator("#frame").bounding_box()
    assert box is not None
    half = min(box["width"], box["height"]) / 2 - 12
    x = box["x"] + box["width"] / 2 + shown["x"][0] * half
    y = box["y"] + box["height"] / 2 - shown["y"][0] * half
    page.mouse.move(x, y)
    expect(page.locator("#tip")).to_be_visible()
    page.mouse.click(x, y)
    expect(page.locator("#player")).to_be_visible()


def test_it_is_moved_and_zoomed_by_the_keyboard(visit: Visit) -> None:
    page = _loaded(visit)
    page.locator("#frame").focus()
    before = _picture(page)
    page.keyboard.press("+")
    zoomed = _wait_for_picture(page, lambda picture: picture != before)
    page.keyboard.press("ArrowLeft")
    _wait_for_picture(page, lambda picture: picture not in (before, zoomed))
    page.keyboard.press("0")
    _wait_for_picture(page, lambda picture: picture == before)


def test_a_playlist_can_be_hidden(visit: Visit) -> None:
    page = _loaded(visit)
    before = _picture(page)
    button = page.get_by_role("button", name="electro", exact=True)
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    _wait_for_picture(page, lambda picture: picture != before)


def test_a_song_that_is_not_on_it_stands_amid_its_nearest(visit: Visit) -> None:
    # Made here: of a demo track another test may have kept the sound, and what is known by it is on the map.
    folder = visit.site.data / "music" / "hip hop"
    copy = write_track(folder / "unheard.flac", tone_hz=523.0, duration_s=12.0, title="Unheard")
    n_before = len(visit.site.ask("/map")["ids"])
    page = _loaded(visit, f"/app/map?track={copy}")
    expect(page.locator("#chosen")).to_contain_text("amid the tracks")
    assert len(visit.site.ask("/map")["ids"]) == n_before
    copy.unlink()


def test_a_song_that_is_not_kept_is_shown_where_it_falls(visit: Visit) -> None:
    first, second = visit.site.ask("/map")["ids"][:2]
    page = _loaded(visit, f"/app/map?near={first},{second}&artist=Nobody&title=Unheard")
    expect(page.locator("#chosen")).to_contain_text("Nobody – Unheard")
    expect(page.locator("#chosen")).to_contain_text("sounds most like")
    expect(page.get_by_role("button", name="your song")).to_be_visible()


def test_two_fingers_zoom(visit: Visit) -> None:
    page = _loaded(visit)
    before = _picture(page)
    page.evaluate(
        """() => {
          const canvas = document.getElementById("canvas");
          const box = canvas.getBoundingClientRect();
          const send = (kind, pointerId, x) => canvas.dispatchEvent(new PointerEvent(
            kind, { pointerId, clientX: box.left + x, clientY: box.top + 200, bubbles: true }));
          send("pointerdown", 1, 200); send("pointerdown", 2, 300);
          send("pointermove", 2, 400); send("pointerup", 1, 200); send("pointerup", 2, 400);
        }"""
    )
    _wait_for_picture(page, lambda picture: picture != before)


def test_twenty_thousand_points_can_be_drawn_and_pointed_at(visit: Visit) -> None:
    page = _loaded(visit)
    row = page.evaluate(
        """async () => {
          const entry = document.querySelector("script[type=module]").src;
          const { MapView } = await import(new URL("map_view.js", entry));
          const frame = document.getElementById("frame");
          const view = new MapView(frame, document.getElementById("canvas"), { onHover() {}, onChoose() {} });
          const n = 20000;
          const column = (by) => Array.from({ length: n }, (_, row) => ((row * by) % n) / n * 2 - 1);
          const kinds = Array.from({ length: n }, (_, row) => row % 8);
          const colours = Array.from({ length: 8 }, (_, kind) => `var(--series-${kind})`);
          view.resize();
          view.show({ x: column(1), y: column(7919), kinds, colours });
          view.mark(10000);
          view.paint();
          return view.nearest(frame.clientWidth / 2, frame.clientHeight / 2);
        }"""
    )
    assert row == 10_000
