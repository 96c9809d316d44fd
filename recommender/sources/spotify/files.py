"""Files about a Spotify account in the data folder: only their owner may read them, and they are whole."""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_DIRECTORY_MODE = 0o700
_FILE_MODE = 0o600


def make_private_directory(directory: Path) -> None:
    """Make the directory, closed to other users of the machine, also when it was open before."""
    directory.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
    directory.chmod(_DIRECTORY_MODE)


def open_private(path: Path, flags: int) -> int:
    """A descriptor of a file that only its owner may read, from its first moment on."""
    return os.open(path, flags | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), _FILE_MODE)


def write_private(path: Path, values: Mapping[str, Any]) -> None:
    """Put values in the place of what the file held, in one step."""
    make_private_directory(path.parent)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = open_private(aside, os.O_WRONLY | os.O_EXCL)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(values, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def read_private(path: Path) -> dict[str, Any] | None:
    """The values in a file; None when there is none, or none that could be used."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None
