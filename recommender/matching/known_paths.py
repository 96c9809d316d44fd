"""Scanned files by the end of their paths: a playlist made on another machine names the same folders."""

import re
from collections import defaultdict
from collections.abc import Iterable

from recommender.matching.normalised_names import fold_key

# "01 Track.mp3" tells nothing.
_MAX_NAMESAKES = 200
_NAME = re.compile(r"[/\\]")


class KnownPaths:
    """Finds the tracks whose files have the name of a file elsewhere."""

    def __init__(self, paths: Iterable[tuple[str, int]]) -> None:
        self._by_name: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for path, track_id in paths:
            self._by_name[fold_key(_NAME.split(path)[-1])].append((path, track_id))

    def find(self, path: str) -> list[tuple[int, int]]:
        """(track id, number of path parts shared, from the end) of those that share most; often nothing."""
        asked = _parts(path)
        namesakes = self._by_name.get(asked[0], []) if asked else []
        if len(namesakes) > _MAX_NAMESAKES:
            return []
        shared = {track_id: _count_shared(asked, _parts(known)) for known, track_id in namesakes}
        most = max(shared.values(), default=0)
        return [(track_id, n) for track_id, n in shared.items() if n == most]


def _parts(path: str) -> list[str]:
    """The parts of a path, the file's name first; with either kind of slash, whatever the case."""
    return [fold_key(part) for part in reversed(_NAME.split(path))]


def _count_shared(asked: list[str], known: list[str]) -> int:
    n_shared = 0
    for mine, theirs in zip(asked, known, strict=False):
        if mine != theirs or not mine:
            break
        n_shared += 1
    return n_shared
