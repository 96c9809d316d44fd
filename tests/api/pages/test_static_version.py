"""Styles and scripts are kept by browsers for a year, under an address that changes with any of them."""

from pathlib import Path

from flask.testing import FlaskClient

from api.pages.static_version import FOLDER, imported_scripts, static_url_path
from tests.databases import sqlite_only


def test_any_change_changes_the_address(tmp_path: Path) -> None:
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "one.js").write_text("1")
    (tmp_path / "style.css").write_text("")
    first = static_url_path(tmp_path)
    assert static_url_path(tmp_path) == first
    (tmp_path / "js" / "one.js").write_text("2")
    second = static_url_path(tmp_path)
    (tmp_path / "js" / "one.js").rename(tmp_path / "js" / "two.js")
    assert len({first, second, static_url_path(tmp_path)}) == 3


@sqlite_only
def test_every_page_names_that_address_and_browsers_may_keep_what_is_there(client: FlaskClient) -> None:
    address = static_url_path(FOLDER)
    assert f'href="{address}/whichlist.css"' in client.get("/app/jobs").text
    kept = client.get(f"{address}/whichlist.css")
    assert kept.status_code == 200
    assert "max-age=31536000" in kept.headers["Cache-Control"]
    assert client.get("/static/before/whichlist.css").status_code == 404


def test_every_script_that_a_page_needs_is_named() -> None:
    needed = imported_scripts("playlists.js")
    assert {"add_playlist.js", "dom.js", "http.js", "dropped.js"} <= set(needed)
    assert "playlists.js" not in needed
    for script in (FOLDER / "js").glob("*.js"):
        n_imports = script.read_text(encoding="utf-8").count('from "./')
        assert len(imported_scripts(script.name)) >= n_imports - 1, f"an import of {script.name} is not seen"
