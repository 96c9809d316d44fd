"""Whether an error means that a disk is full, whichever library met it."""

import errno
from collections.abc import Iterator

from recommender.errors import RecommenderError

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
