"""Scoring a feed in one batch that may be killed at any moment: each recording is scored exactly once.

What is found out about an item is written in one transaction with its score, the job's progress and the
proof that this run still holds the job. So a kill loses only what was in flight, and the next run goes on.
"""

import os
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recommender.answering.ranking import choose_group
from recommender.catalogue.embeddings import heard_tracks, load_embeddings
from recommender.catalogue.feed_items import (
    count_pending,
    mark_scored,
    pending_items,
    set_duplicates_aside,
    settle_items,
)
from recommender.catalogue.feeds import get_feed, read_clock, record_reading, record_reading_error
from recommender.catalogue.files import known_files_at, list_library_roots
from recommender.catalogue.models import current_bundle
from recommender.catalogue.scores import scored_tracks, store_scores
from recommender.catalogue.tracks import tracks_by_id
from recommender.errors import SettingsError, SourceError, UnreadableFolder
from recommender.feeds.albums import expand_albums
from recommender.feeds.batch import take_rows
from recommender.feeds.digest import sentence
from recommender.feeds.resolving import ALBUM, Found, Resolver, settle_heard
from recommender.feeds.scoring import score_tracks
from recommender.jobs import ledger
from recommender.jobs.run import JobRun
from recommender.jobs.sharing import share_steps
from recommender.jobs.steps import add_items, failed_items
from recommender.model.bundle import read_bundle
from recommender.model.group import GroupModel
from recommender.model.in_service import NoModel
from recommender.records.feeds import FeedItemInfo, FeedState, Question, Settled
from recommender.settings import Settings
from recommender.sources.feeds.reading import FeedSource
from training.background.feed_audio import N_FETCHED, FeedTools, fetch_audio, forget_fetched, originals_folder
from training.encoder.available import encoder_of
from training.listening.plan import item_key, item_path
from training.listening.scanning import Ears, listen_to_items

# How many items are worked on at a time: a feed of any length needs the memory of this many.
WINDOW = 4096
FLUSH_ITEMS = 64
FLUSH_S = 2.0
TELL_S = 0.5
MANY_FAILURES = 100_000


@dataclass(frozen=True, eq=False)
class _Model:
    """The model in service, and what it is asked about the feed's tracks."""

    group: GroupModel
    question: Question
    ears: Ears
    resolver: Resolver


def score_feed(run: JobRun, settings: Settings, tools: FeedTools) -> dict[str, Any]:
    """Payload ``feed_id``, ``read_source``: read the source if asked, then score whatever needs it.

    When another model comes into service meanwhile, the feed is scored by that one.

    Raises
    ------
    NoModel, GroupNotFitted
        There is nothing to score with.
    SourceError, UnreadableFolder
        The source cannot be read, and never was.
    """
    batch = FeedBatch(run, settings, tools)
    if run.job.payload.get("read_source", True):
        batch.read_source()
    while batch.score_all():
        pass
    return batch.describe()


class FeedBatch:
    """One run of the job that scores a feed."""

    def __init__(self, run: JobRun, settings: Settings, tools: FeedTools) -> None:
        self._run, self._settings, self._tools = run, settings, tools
        with run.database.read_session() as session:
            self._feed = get_feed(session, run.job.payload["feed_id"])
            self._roots = tuple(dict.fromkeys((*settings.library_roots, *list_library_roots(session))))
        self._n_new = 0
        self._n_done = self._n_total = run.job.n_done
        self._waiting: dict[Path, list[FeedItemInfo]] = {}
        self._over: list[Path] = []
        self._flushed_at = self._told_at = time.monotonic()

    def read_source(self) -> None:
        """Take over what the source says now; one that cannot be read leaves the feed as it was."""
        feed = self._feed
        self._run.progress(self._n_done, self._n_total, "reading the source")
        try:
            reading = self._tools.read_source(
                FeedSource(feed.kind, feed.reference), self._settings, feed.cursor, self._roots
            )
        except (SourceError, SettingsError, UnreadableFolder) as error:
            with self._run.database.session() as session:
                record_reading_error(session, feed.id, code=error.code, error=str(error))
            if not feed.n_items:
                raise
            return
        with self._run.database.session() as session:
            ledger.heartbeat(session, self._run.claim)
            if reading.rows is not None:
                self._n_new = take_rows(session, feed.id, expand_albums(session, reading.rows))
            record_reading(session, feed.id, cursor=reading.cursor)

    def score_all(self) -> bool:
        """Score what needs it with the model in service; whether to do it again, with the next one."""
        self._model = self._open_model()
        question = self._model.question
        with self._run.database.read_session() as session:
            self._n_total = self._n_done + count_pending(session, self._feed.id, question=question)
        self._tell("scoring")
        after_id = 0
        while True:
            with self._run.database.read_session() as session:
                items = pending_items(
                    session, self._feed.id, question=question, after_id=after_id, limit=WINDOW
                )
            if not items:
                break
            after_id = items[-1].id
            self._work_on(items)
        with self._run.database.read_session() as session:
            champion = current_bundle(session)
        return champion is not None and champion.id != question.bundle_id

    def describe(self) -> dict[str, Any]:
        """The job's result: how many items there are in each state, and by which model."""
        with self._run.database.read_session() as session:
            feed = get_feed(session, self._feed.id)
        n_items = {state.value: feed.n_items.get(state, 0) for state in FeedState}
        self._run.progress(self._n_done, self._n_total, sentence(n_items, self._model.question.bundle_id))
        return {
            "feed": feed.id,
            "n_new": self._n_new,
            "n_items": n_items,
            "group": self._model.question.group_name,
            "bundle": self._model.question.bundle_id,
            "source_error": feed.error,
        }

    def _open_model(self) -> _Model:
        with self._run.database.read_session() as session:
            champion = current_bundle(session)
        if champion is None:
            raise NoModel("there is no trained model yet: add a playlist first")
        bundle = read_bundle(champion.directory)
        group = choose_group(bundle.groups, self._feed.group)
        ears = self._tools.open_ears(self._settings, encoder_of(self._settings, champion) or bundle.directory)
        roots = (*self._roots, originals_folder(self._settings))
        return _Model(
            group=group,
            question=Question(group.group_name, bundle.bundle_id),
            ears=ears,
            resolver=Resolver(ears.fingerprint, roots, self._tools.match),
        )

    def _work_on(self, items: Sequence[FeedItemInfo]) -> None:
        """Bring items to an end: what was heard before is scored at once, the rest found and heard."""
        known = [item for item in items if item.track_id is not None and item.state in _HEARD_STATES]
        with self._run.database.read_session() as session:
            ids = [item.track_id for item in known if item.track_id is not None]
            heard = heard_tracks(session, ids, self._model.ears.fingerprint)
            ready = {item.id: item for item in known if item.track_id in heard}
            rest = [item for item in items if item.id not in ready]
            found = self._model.resolver.find(session, rest, now=read_clock(session)) if rest else []
        self._record(ready.values())
        self._settle([one.settled for one in found if one.settled is not None])
        self._listen([one for one in found if one.listen is not None])
        to_fetch = [one for one in found if one.fetch]
        for start in range(0, len(to_fetch), N_FETCHED):
            chunk = to_fetch[start : start + N_FETCHED]
            fetched, missing = fetch_audio(chunk, self._settings, self._tools.fetch)
            self._run.check()
            self._settle(missing)
            self._listen(fetched)
            forget_fetched(self._run.database, fetched)

    def _listen(self, found: Sequence[Found]) -> None:
        """Listen to files; each is settled and scored soon after it was heard."""
        if not found:
            return
        for one in found:
            assert one.listen is not None
            self._waiting.setdefault(one.listen, []).append(one.item)
        with self._run.database.session() as session:
            add_items(session, self._run.claim, [item_key(path) for path in self._waiting])
            share_steps(session, self._run.claim, {"fingerprint": self._model.ears.fingerprint})
        listen_to_items(self._run, self._settings, self._model.ears, follower=self, is_shared=True)
        self._over = list(self._waiting)
        self._flush()

    def over(self, path: Path) -> None:
        """What became of this file is recorded."""
        self._over.append(path)

    def tell(self) -> None:
        """Settle what was heard lately, and say how far the feed is."""
        now = time.monotonic()
        if len(self._over) >= FLUSH_ITEMS or (self._over and now - self._flushed_at > FLUSH_S):
            self._flush()
        if now - self._told_at > TELL_S:
            self._tell("listening")
        self._run.check()

    def _flush(self) -> None:
        paths, self._over = self._over, []
        self._flushed_at = time.monotonic()
        items = [item for path in paths for item in self._waiting.pop(path, ())]
        with self._run.database.read_session() as session:
            found = self._model.resolver.find(session, items, now=read_clock(session))
            unheard = [one.listen for one in found if one.listen is not None]
            failures: dict[Path, tuple[str, str]] = {}
            if unheard:
                listed = failed_items(session, self._run.job.id, limit=MANY_FAILURES)
                failures = {item_path(item.key): (item.code, item.error) for item in listed}
            for (path, start_s), known in known_files_at(session, unheard).items():
                if start_s is not None:
                    failures.setdefault(path, ALBUM)
                elif known.error_code is not None:
                    failures[path] = (known.error_code, known.error or "")
        self._settle([settle_heard(one, failures) for one in found])

    def _settle(self, settled: Sequence[Settled]) -> None:
        """Record what became of items, and the scores of those that were heard."""
        self._record(settled, changed=settled)

    def _record(
        self, items: Collection[FeedItemInfo] | Collection[Settled], *, changed: Sequence[Settled] = ()
    ) -> None:
        """Keep the items' scores, what changed about them and how far the job is, all or nothing."""
        if not items:
            return
        question = self._model.question
        heard = sorted({item.track_id for item in items if item.track_id is not None})
        with self._run.database.read_session() as session:
            known = scored_tracks(session, heard, question)
            missing = [track_id for track_id in heard if track_id not in known]
            track_ids, raw = load_embeddings(session, self._model.ears.fingerprint, missing)
            tracks = tracks_by_id(session, track_ids.tolist())
        artists = [tracks[track_id].artist for track_id in track_ids.tolist()]
        scores = self._score(track_ids.tolist(), raw, artists) if len(track_ids) else []
        n_done = self._n_done + len(items)
        with self._run.database.session() as session:
            self._record_progress(session, n_done)
            settle_items(session, changed)
            store_scores(session, scores, question)
            set_duplicates_aside(session, self._feed.id, heard)
            mark_scored(session, self._feed.id, [*known, *np.asarray(track_ids).tolist()])
        self._n_done = n_done

    def _score(
        self, track_ids: list[int], raw: NDArray[np.float32], artists: list[str]
    ) -> list[tuple[int, dict[str, Any]]]:
        # On busy cores the threads of BLAS mostly wait for each other.
        with threadpool_limits(limits=1):
            return score_tracks(
                self._model.group,
                track_ids,
                raw,
                artists=artists,
                promise=self._settings.promise,
                n_threads=os.cpu_count() or 1,
            )

    def _record_progress(self, session: Any, n_done: int) -> None:
        """Refuses when this run does not hold the job any more."""
        self._n_total = max(self._n_total, n_done)
        ledger.progress(session, self._run.claim, n_done=n_done, n_total=self._n_total, message="listening")

    def _tell(self, message: str) -> None:
        self._told_at = time.monotonic()
        self._run.progress(self._n_done, self._n_total, message)


_HEARD_STATES = (FeedState.RESOLVED, FeedState.SCORED)
