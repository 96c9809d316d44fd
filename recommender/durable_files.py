"""Files that are whole after a power cut, and that can be checked later."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def measure(path: Path) -> dict[str, Any]:
    """Return size and SHA-256 of a file, for a manifest."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return {"size": path.stat().st_size, "sha256": sha256}


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write plain values; NaN is refused, because other readers would refuse it."""
    path.write_text(json.dumps(values, indent=1, sort_keys=True, allow_nan=False) + "\n")


def flush_tree(directory: Path) -> None:
    """Make every file and directory below ``directory`` reach the disk."""
    for path in (*directory.rglob("*"), directory):
        flush(path)


def flush(path: Path) -> None:
    """Make a file, or the names in a directory, reach the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
