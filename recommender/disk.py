"""Files that are whole after a power cut and can be checked later, and whether an error means a full disk."""

import errno
import hashlib
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from recommender.errors import RecommenderError


def measure(path: Path) -> dict[str, Any]:
    """Return size and SHA-256 of a file, for a manifest."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return {"size": path.stat().st_size, "sha256": sha256}


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write plain values; NaN is refused, because other readers would refuse it."""
    path.write_text(json.dumps(values, indent=1, sort_keys=True, allow_nan=False) + "\n")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of ``path`` in one step; when that fails, as on a full disk, it goes.

    So what was there before stays whole, and no half of a file keeps the disk full.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        with aside.open("wb") as file:
            yield file
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


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


_NUMBERS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# SQLite, PostgreSQL and TensorFlow pass the reason on in words only.
_WORDS = ("no space left on device", "database or disk is full", "disk quota exceeded", "file too large")
_SENTENCE = (
    "the disk is full, so nothing was published and what was in service stays: make room where the data"
    " folder lies, then do it again"
)


class DiskFull(RecommenderError):
    """Something could not be written for want of room."""

    code = "disk_full"

    def __init__(self) -> None:
        super().__init__(_SENTENCE)


def is_disk_full(error: BaseException) -> bool:
    """Return whether the error, or what it came from, says that there is no room."""
    return any(_says_full(found) for found in _chain(error))


def _says_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in _NUMBERS:
        return True
    text = str(error).lower()
    return any(words in text for words in _WORDS)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
