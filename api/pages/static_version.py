"""Styles and scripts for browsers: an address that changes with them, and which scripts a page needs."""

import hashlib
import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("static")
MAX_AGE_S = 365 * 24 * 3600
_N_DIGITS = 10
_IMPORT = re.compile(r'^import .*?from "\./([\w-]+\.js)";$', re.MULTILINE)


def static_url_path(folder: Path = FOLDER) -> str:
    """Return ``/static/<digest>``, the digest over every file below ``folder``.

    Scripts name each other relative to themselves, so all of them move when one of them changes.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.*")):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return f"/static/{digest.hexdigest()[:_N_DIGITS]}"


@cache
def imported_scripts(name: str) -> tuple[str, ...]:
    """Return every script that ``name`` imports, and they, so that browsers fetch all of them at once."""
    found: dict[str, None] = {}
    waiting = [name]
    while waiting:
        text = (FOLDER / "js" / waiting.pop()).read_text(encoding="utf-8")
        new = [other for other in _IMPORT.findall(text) if other not in found and other != name]
        found |= dict.fromkeys(new)
        waiting += new
    return tuple(found)
