"""Takes the picture of the README: the page that answers, on the demo library. Run with ``make picture``.

``python -m tests.browser.picture --data DIRECTORY --out FILE.png``, after ``whichlist demo --prepare-only``.
"""

import argparse
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.benchmarks.bench_pages import served
from tests.browser.conftest import CHROMIUM_FLAGS, find_chromium

WIDTH, HEIGHT = 1200, 900


def main() -> None:
    """Ask the page about a new release of the demo, and keep what it shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    track = sorted((arguments.data / "demo" / "new-releases").glob("*.mp3"))[-1]
    with served(arguments.data) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_FLAGS))
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(f"{url}/app/ask")
        page.locator("input[type=file]").first.set_input_files(track)
        page.get_by_role("heading", level=2).first.wait_for()
        page.wait_for_load_state("networkidle")
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=arguments.out)
        browser.close()


if __name__ == "__main__":
    main()
