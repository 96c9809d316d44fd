"""Listen to files that a scan found, one job item each, and keep what was heard.

Everything about one file is recorded in one transaction with its job item, so that a killed worker
leaves nothing half done: the next run goes on with the items that are left.
"""

import os
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic, sleep
from typing import Protocol

from sqlalchemy.orm import Session

from embeddings.decoder_processes import DecoderProcesses, RunApart, run_here
from embeddings.encoder import Encoder
from embeddings.encoder_files import load_encoder_config
from embeddings.errors import MissingDecoder
from recommender.catalogue.embeddings import has_embedding
from recommender.catalogue.files import (
    keep_only_stretches,
    track_of_content,
)
from recommender.catalogue.tracks import tracks_in_part
from recommender.errors import CannotHelp
from recommender.jobs.run import JobRun
from recommender.jobs.sharing import take_lost_steps, take_reports
from recommender.jobs.steps import Item, claim_items, item_counts, item_crashed, item_done, item_failed
from recommender.settings import Settings
from training.listening.listeners import (
    LONGEST_LISTEN_S,
    Heard,
    Listen,
    Listeners,
    ListenHere,
    MakeListen,
    make_encoder,
)
from training.listening.open_file import OpenFile, keep_track, open_file, record_track
from training.listening.plan import item_path

FEW_FILES = 4
COLLECT_S = 0.5
REPORTS_S = 0.5
# Tags are read in milliseconds; a slow disk with a picture of 20 MB takes seconds.
LONGEST_READ_S = 30.0
MESSAGE = "listening"


@dataclass(frozen=True)
class Ears:
    """How files are listened to: with which encoder, in how many processes."""

    directory: Path
    fingerprint: str
    n_processes: int
    make_listen: MakeListen = make_encoder
    longest_listen_s: float = LONGEST_LISTEN_S
    listen_here: Callable[[Path], Listen] | None = None


def open_ears(settings: Settings, directory: Path) -> Ears:
    """The ears for an encoder: a process for each core, as the settings allow."""
    n_processes = max(1, min(settings.embedding_processes, os.cpu_count() or 1))
    return Ears(directory, load_encoder_config(directory).fingerprint, n_processes)


class Follower(Protocol):
    """Somebody who wants to know of every item that is over, as soon as it is."""

    def over(self, path: Path) -> None:
        """What became of this file is recorded."""

    def tell(self) -> None:
        """Called several times a second: tells how far the job is, and raises when it must stop."""


def listen_to_items(
    run: JobRun,
    settings: Settings,
    ears: Ears,
    *,
    follower: Follower | None = None,
    is_shared: bool = False,
) -> int:
    """Work on the job's items until none is left; how many new embeddings this run has kept.

    A ``follower`` takes over telling how far the job is. When other workers may take some of the items
    (``is_shared``), what they brought to an end is told to it as well, and what they have is waited for.

    Raises
    ------
    JobCancelled, LeaseLost, WorkerStopping
        Between two files; what was heard until then is kept.
    CannotHelp
        A helper cannot hear what the job's own worker may.
    """
    with closing(_Listening(run, settings, ears, follower, is_shared=is_shared)) as listening:
        return listening.go()


class _Listening:
    """One pass over a job's items: files wait, are prepared, are listened to, are recorded."""

    def __init__(
        self, run: JobRun, settings: Settings, ears: Ears, follower: Follower | None, *, is_shared: bool
    ) -> None:
        self._is_shared, self._is_helped = is_shared, False
        self._asked_at = monotonic()
        self._run, self._settings, self._ears, self._follower = run, settings, ears, follower
        self._waiting: deque[Item] = deque()
        self._prepared: deque[OpenFile] = deque()
        self._listened_to: dict[int, OpenFile] = {}
        self._n_new = 0
        with run.database.read_session() as session:
            counts = item_counts(session, run.job.id)
        self._n_over, self._n_total = counts.n_over, counts.n_total
        self._readers = DecoderProcesses(longest_call_s=LONGEST_READ_S)
        # As for listening: of a few files, a process takes longer to start than to read.
        is_here = run.is_expendable and counts.n_total - counts.n_over <= FEW_FILES
        self._apart: RunApart = run_here if is_here else self._readers

    def go(self) -> int:
        self._tell()
        self._claim()
        while self._waiting or self._is_helped:
            if self._waiting:
                self._listen()
            else:
                sleep(COLLECT_S)
                self._tell()
            if self._is_shared:
                self._claim()
        self._take_reports()
        return self._n_new

    def close(self) -> None:
        self._readers.close()

    def _listen(self) -> None:
        with self._choose_ears() as ears:
            while self._prepare(n_wanted=self._ears.n_processes) or self._listened_to:
                while self._prepared and ears.n_idle:
                    file = self._prepared.popleft()
                    self._listened_to[file.item.id] = file
                    ears.submit(file.item.id, file.path, file.next_track.stretch)
                # The next files are hashed while these are listened to.
                self._prepare(n_wanted=self._ears.n_processes)
                for heard in ears.collect(COLLECT_S) if self._listened_to else ():
                    self._record(self._listened_to.pop(heard.key), heard)
                self._tell()

    def _choose_ears(self) -> ListenHere | Listeners:
        """Processes that a bad file may kill; for a few files on their first try this one, if expendable."""
        is_few = self._n_total - self._n_over <= FEW_FILES and all(item.tries == 1 for item in self._waiting)
        if is_few and self._run.is_expendable and self._follower is None:
            here = self._ears.listen_here or self._load_here
            return ListenHere(here(self._ears.directory))
        return Listeners(
            self._ears.directory,
            n_processes=self._ears.n_processes,
            make_listen=self._ears.make_listen,
            longest_listen_s=self._ears.longest_listen_s,
        )

    def _load_here(self, directory: Path) -> Listen:
        return Encoder.load(directory, n_threads=self._settings.encoder_threads).listen

    def _claim(self) -> None:
        # Few at a time: only what is in flight is tried again after a crash.
        n_wanted = max(FEW_FILES, 2 * self._ears.n_processes)
        with self._run.database.session() as session:
            if self._is_shared:
                self._is_helped = take_lost_steps(session, self._run.claim)
            self._waiting.extend(claim_items(session, self._run.claim, n_wanted))

    def _prepare(self, *, n_wanted: int) -> bool:
        """Open the next files, until enough of them turn out to need listening; False when there is none."""
        while len(self._prepared) < n_wanted:
            if not self._waiting:
                self._claim()
            if not self._waiting:
                break
            self._open(self._waiting.popleft())
            self._run.check()
        return bool(self._prepared)

    def _open(self, item: Item) -> None:
        """Read tags and content; a recording that was heard before only gets its file's new place."""
        path = item_path(item.key)
        try:
            file = open_file(item, apart=self._apart)
        except OSError as error:
            self._fail_unread(item, path, error)
            return
        unheard = []
        with self._run.database.session() as session:
            keep_only_stretches(session, path, [track.stretch for track in file.tracks])
            for track in file.tracks:
                track_id = track_of_content(session, track.facts.content_sha256 or "")
                if track_id is not None and self._is_heard(session, track_id):
                    # What the tags say of the length is less than what listening found out.
                    known = replace(track, facts=replace(track.facts, duration_s=None))
                    record_track(session, file, known)
                else:
                    unheard.append(track)
            if not unheard:
                item_done(session, self._run.claim, item.id)
        if unheard:
            self._prepared.append(replace(file, tracks=tuple(unheard)))
        else:
            self._count(path)

    def _is_heard(self, session: Session, track_id: int) -> bool:
        """Whether this encoder has heard the whole track; of a part, another file may hold the rest."""
        has_it = has_embedding(session, track_id, self._ears.fingerprint)
        return has_it and not tracks_in_part(session, [track_id])

    def _record(self, file: OpenFile, heard: Heard) -> None:
        """Go on with the file's next track; behind the last, keep what came of all in one go."""
        if self._run.claim.is_helper and heard.code == MissingDecoder.code:
            raise CannotHelp(heard.error)
        file = replace(file, heard=(*file.heard, heard))
        if not heard.crashed and len(file.heard) < len(file.tracks):
            self._prepared.appendleft(file)
            return
        with self._run.database.session() as session:
            item, claim = file.item, self._run.claim
            failures = [one for one in file.heard if one.embedding is None]
            if heard.crashed and item_crashed(session, claim, item.id, code=heard.code, error=heard.error):
                return
            # After a crash, what lies behind it in the file was not listened to, and counts as that.
            outcomes = (*file.heard, *[heard] * (len(file.tracks) - len(file.heard)))
            for track, one in zip(file.tracks, outcomes, strict=True):
                keep_track(session, file, track, one)
                self._n_new += one.embedding is not None
            if len(failures) < len(file.heard):
                item_done(session, claim, item.id)
            elif not heard.crashed:  # of a crash, item_crashed() has taken note
                item_failed(session, claim, item.id, code=failures[0].code, error=failures[0].error)
        self._count(file.path)

    def _fail_unread(self, item: Item, path: Path, error: OSError) -> None:
        """The file went away, or may not be read; the next scan looks again."""
        sentence = f"{os.fspath(path)!r} cannot be read: {error.strerror}"
        if self._run.claim.is_helper:
            raise CannotHelp(f"{sentence} (its folder must have the same name on every machine)")
        with self._run.database.session() as session:
            item_failed(session, self._run.claim, item.id, code="unreadable_file", error=sentence)
        self._count(path)

    def _count(self, path: Path) -> None:
        self._n_over += 1
        if self._follower is not None:
            self._follower.over(path)

    def _take_reports(self) -> None:
        """Count what helpers have brought to an end."""
        self._asked_at = monotonic()
        with self._run.database.session() as session:
            keys = take_reports(session, self._run.claim) if self._is_shared else []
        for key in keys:
            self._count(item_path(key))

    def _tell(self) -> None:
        if self._is_shared and monotonic() - self._asked_at > REPORTS_S:
            self._take_reports()
        if self._follower is not None:
            self._follower.tell()
        else:
            self._run.progress(self._n_over, self._n_total, MESSAGE)
