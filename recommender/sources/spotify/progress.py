"""What was read of a list before Spotify asked to wait, so that the next attempt goes on from there.

A file per list, one line per page, gone as soon as the list is whole: Spotify's terms allow no
longer keeping than is needed.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from recommender.sources.spotify.files import make_private_directory, open_private
from recommender.sources.spotify.rows import Slim

KEPT_S = 24 * 3600.0


class PageLog:
    """The entries of one list, in order; every page that is added is on the disk at once."""

    def __init__(self, directory: Path, key: str, *, clock: Callable[[], float] = time.time) -> None:
        self._path = directory / f"reading-{sha256(key.encode()).hexdigest()[:32]}.jsonl"
        self.entries: list[Slim | None] = []
        self.total: int | None = None
        if self._age(clock) > KEPT_S:
            self.clear()
        for offset, total, page in self._lines():
            if offset == len(self.entries):  # else another process wrote it as well
                self.entries += page
                self.total = total

    def add(self, page: Sequence[Slim | None], total: int | None) -> None:
        """Take a page."""
        make_private_directory(self._path.parent)
        line = json.dumps([len(self.entries), total, list(page)])
        descriptor = open_private(self._path, os.O_WRONLY | os.O_APPEND)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.write(f"\n{line}")  # a line before it that was cut off stays on its own
        self.entries += page
        self.total = total

    def clear(self) -> None:
        """Forget it all."""
        self._path.unlink(missing_ok=True)
        self.entries, self.total = [], None

    def _age(self, clock: Callable[[], float]) -> float:
        try:
            return abs(clock() - self._path.stat().st_mtime)
        except OSError:
            return 0.0

    def _lines(self) -> Iterator[tuple[int, int | None, list[Slim | None]]]:
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return
        for line in text.splitlines():
            try:
                offset, total, page = json.loads(line)
            except (ValueError, TypeError):  # cut off by a kill
                continue
            yield offset, total, page
