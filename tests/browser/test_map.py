"""The map: what is under the pointer, moving and zooming by mouse and keyboard, finding, hearing."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit


def _loaded(visit: Visit, path: str = "/app/map") -> Page:
    page = visit.open(path)
    expect(page.locator("#about")).to_contain_text("tracks;")
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
    new = next(path for path in sorted(visit.site.demo.new_releases.iterdir()) if path.suffix != ".json")
    copy = visit.site.data / "music" / "hip hop" / f"unheard{new.suffix}"
    copy.write_bytes(new.read_bytes())
    n_before = len(visit.site.ask("/map")["ids"])
    page = _loaded(visit, f"/app/map?track={copy}")
    expect(page.locator("#chosen")).to_contain_text("in no playlist")
    assert len(visit.site.ask("/map")["ids"]) == n_before
    copy.unlink()


def test_twenty_thousand_points_can_be_drawn(visit: Visit) -> None:
    page = visit.open("/app/map")
    drawn = page.evaluate(
        """async () => {
          const { MapView } = await import("/static/js/map_view.js");
          const frame = document.getElementById("frame");
          const view = new MapView(frame, document.getElementById("canvas"), { onHover() {}, onChoose() {} });
          const n = 20000;
          const column = () => Array.from({ length: n }, () => 2 * Math.random() - 1);
          view.resize();
          const colours = Array.from({ length: n }, (_, row) => `var(--series-${row % 8})`);
          view.show({ x: column(), y: column(), colours });
          view.paint();
          return view.points.x.length;
        }"""
    )
    assert drawn == 20_000
