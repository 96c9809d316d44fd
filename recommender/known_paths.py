"""Scanned files by the end of their paths: a playlist made on another machine names the same folders."""

from collections import defaultdict
from collections.abc import Iterable

from recommender.normalised_names import fold_key

_MAX_NAMESAKES = 20


class KnownPaths:
    """Finds the tracks whose files have the name of a file elsewhere."""

    def __init__(self, paths: Iterable[tuple[str, int]]) -> None:
        self._by_name: dict[str, list[tuple[list[str], int]]] = defaultdict(list)
        for path, track_id in paths:
            parts = _parts(path)
            if parts:
                self._by_name[parts[0]].append((parts, track_id))

    def find(self, path: str) -> list[tuple[int, int]]:
        """(track id, number of path parts shared, from the end) of those that share most; often nothing."""
        asked = _parts(path)
        namesakes = self._by_name.get(asked[0], []) if asked else []
        if len(namesakes) > _MAX_NAMESAKES * 10:
            return []
        shared = {track_id: _count_shared(asked, parts) for parts, track_id in namesakes}
        most = max(shared.values(), default=0)
        found = [(track_id, n) for track_id, n in shared.items() if n == most]
        return found[:_MAX_NAMESAKES]


def _parts(path: str) -> list[str]:
    """The parts of a path, the file's name first; with either kind of slash, whatever the case."""
    parts = path.replace("\\", "/").split("/")
    return [key for part in reversed(parts) if (key := fold_key(part))]


def _count_shared(asked: list[str], known: list[str]) -> int:
    n_shared = 0
    for mine, theirs in zip(asked, known, strict=False):
        if mine != theirs:
            break
        n_shared += 1
    return n_shared
