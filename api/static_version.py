"""Where browsers find the styles and scripts: an address that changes with them, so that they may be kept."""

import hashlib
from pathlib import Path

FOLDER = Path(__file__).with_name("static")
MAX_AGE_S = 365 * 24 * 3600
_N_DIGITS = 10


def static_url_path(folder: Path = FOLDER) -> str:
    """Return ``/static/<digest>``, the digest over every file below ``folder``.

    Scripts name each other relative to themselves, so all of them move when one of them changes.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.*")):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return f"/static/{digest.hexdigest()[:_N_DIGITS]}"
