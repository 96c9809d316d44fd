"""A folder as a feed: files are taken once they have stopped changing."""

import time
from collections.abc import Iterable
from pathlib import Path

from recommender.records.feeds import FeedRow
from recommender.records.rows import SourceRow
from recommender.sources.cue.images import track_starts
from recommender.sources.folder import walk_audio

SETTLE_S = 1.0
YOUNG_S = 3.0


class FolderLook:
    """Looks at a folder again and again; a file counts once two looks found it the same."""

    def __init__(self, folder: Path, *, roots: Iterable[Path] = ()) -> None:
        self._folder, self._roots = folder, tuple(roots)
        self._before: dict[str, str] = {}

    def look(self) -> list[FeedRow]:
        """The files that have not changed since the last look, or are too old to be still written."""
        now = time.time()
        found, rows = dict[str, str](), list[FeedRow]()
        n_young = 0
        for file in walk_audio(self._folder, roots=self._roots):
            path, stamp = str(file.path), f"{file.size}:{file.mtime_ns}"
            found[path] = stamp
            n_young += 1
            is_young = abs(now - file.mtime_ns / 1e9) < YOUNG_S
            if self._before.get(path) == stamp or not is_young:
                # The tracks of a sheet in the file's tags are found when it is listened to.
                starts = track_starts(file.path)
                rows += [FeedRow(SourceRow(path=path, start_s=start_s), stamp=stamp) for start_s in starts]
                n_young -= 1
        self.is_settled = n_young == 0
        self._before = found
        return rows


def read_folder(folder: Path, *, roots: Iterable[Path] = ()) -> list[FeedRow]:
    """The audio files below a folder; one that is still being written is left out until the next time.

    Raises
    ------
    UnreadableFolder
    """
    look = FolderLook(folder, roots=roots)
    rows = look.look()
    if look.is_settled:
        return rows
    time.sleep(SETTLE_S)
    return look.look()
