"""Waiting for what arrives in a source: a folder is looked at every second, a server four times an hour."""

import threading
from pathlib import Path
from typing import Protocol

from recommender.catalogue.database import Database
from recommender.errors import UnreadableFolder
from recommender.feeds.batch import take_rows
from recommender.records.feeds import FeedRow
from recommender.sources.feeds.reading import FOLDER, FeedSource
from recommender.sources.feeds.watched_folder import FolderLook

LOOK_EVERY_S = 1.0
ASK_EVERY_S = 900.0


class Score(Protocol):
    """Scores what the feed holds; reads the source first if told to."""

    def __call__(self, *, read_source: bool) -> None: ...


def watch_for_rows(
    database: Database, feed_id: int, source: FeedSource, *, stop: threading.Event, score: Score
) -> None:
    """Score what is there, then whatever arrives, until told to stop."""
    if source.kind == FOLDER:
        _watch_folder(database, feed_id, Path(source.reference), stop=stop, score=score)
        return
    seen: object = None
    while not stop.is_set():
        now = _stamp(source.path)
        if source.path is None or now != seen:
            score(read_source=True)
        seen = now
        stop.wait(ASK_EVERY_S if source.path is None else LOOK_EVERY_S)


def _watch_folder(
    database: Database, feed_id: int, folder: Path, *, stop: threading.Event, score: Score
) -> None:
    """Files are taken when two looks found them the same: a half-written one is waited for."""
    look, taken = FolderLook(folder), dict[str | None, str]()
    score(read_source=False)  # what an earlier run left
    while not stop.is_set():
        rows = [row for row in _look(look) if taken.get(row.row.path) != row.stamp]
        if rows:
            with database.session() as session:
                take_rows(session, feed_id, rows)
            taken |= {row.row.path: row.stamp for row in rows}
            score(read_source=False)
        stop.wait(LOOK_EVERY_S)


def _look(look: FolderLook) -> list[FeedRow]:
    try:
        return look.look()
    except UnreadableFolder:  # unplugged; it may come back
        return []


def _stamp(path: Path | None) -> tuple[int, int] | None:
    try:
        status = path.stat() if path is not None else None
    except OSError:
        return None
    return None if status is None else (status.st_size, status.st_mtime_ns)
