"""What the worker does for each kind of job."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from embeddings.encoder_files import load_encoder_config
from embeddings.errors import EmbeddingError
from recommender.catalogue.database import Database
from recommender.catalogue.files import folder_tracks, list_library_roots
from recommender.catalogue.models import current_bundle, retire_champion
from recommender.catalogue.playlists import ensure_playlist, list_playlists
from recommender.errors import ChampionChanged, NoAudio, RecommenderError
from recommender.jobs import ledger
from recommender.jobs.run import Handle, JobRun
from recommender.jobs.steps import add_items, item_counts
from recommender.playlists.members import IfExists, add_tracks, find_filled
from recommender.records.jobs import JobKind
from recommender.records.playlists import DEFAULT_GROUP
from recommender.settings import Settings
from recommender.sources.folder import PassedOver
from training.background.feed_audio import FeedTools
from training.background.feed_batch import score_feed
from training.background.feed_help import help_listening
from training.background.following import sync_playlists
from training.background.heavy import draw_apart, export_encoder_apart, judge_apart, renew_apart, train_apart
from training.background.server_import import import_source
from training.encoder.available import encoder_of
from training.listening.outcome import (
    Outcome,
    adopt_folders,
    describe,
    follow_folders,
    is_refit_due,
    mirror,
    sentence,
)
from training.listening.plan import find_files, plan_scan, readable_paths
from training.listening.scanning import Ears, listen_to_items, open_ears

Progress = Callable[[int, int, str], None]


class Refit(Protocol):
    """Fits heads and calibration on the current encoder and publishes a bundle; its id comes back."""

    def __call__(
        self,
        database: Database,
        settings: Settings,
        *,
        encoder_directory: Path,
        reason: str,
        progress: Progress,
    ) -> str: ...


class Train(Protocol):
    """Fits the encoder anew and judges it against the one in service; what came of it comes back."""

    def __call__(
        self, database: Database, settings: Settings, *, encoder_directory: Path, progress: Progress
    ) -> dict[str, Any]: ...


class Renew(Protocol):
    """Hears the library again if an earlier program heard it; None where there was nothing to do."""

    def __call__(
        self, database: Database, settings: Settings, *, progress: Progress
    ) -> dict[str, Any] | None: ...


class Judge(Protocol):
    """Judges a bundle, that in service unless one is named, and keeps its score card, which comes back."""

    def __call__(
        self, database: Database, settings: Settings, *, progress: Progress, bundle_id: str | None = None
    ) -> dict[str, Any]: ...


def _refit(
    database: Database, settings: Settings, *, encoder_directory: Path, reason: str, progress: Progress
) -> str:
    from training.groups.refit import refit

    return refit(database, settings, encoder_directory=encoder_directory, reason=reason, progress=progress)


@dataclass(frozen=True)
class Tools:
    """What the handlers leave to others, so that each can be tried without the rest."""

    ensure_encoder: Callable[[Settings], Path] = export_encoder_apart
    open_ears: Callable[[Settings, Path], Ears] = open_ears
    refit: Refit = _refit
    renew: Renew = renew_apart
    train: Train = train_apart
    judge: Judge = judge_apart
    draw: Callable[[Database, Settings], str] = draw_apart
    feed: FeedTools = field(default_factory=FeedTools)


def build_handler(settings: Settings, *, tools: Tools | None = None) -> Handle:
    """The function that run_worker and run_job_here call with each job."""
    handlers = _Handlers(settings, tools or Tools())
    by_kind: dict[JobKind, Callable[[JobRun], dict[str, Any]]] = {
        JobKind.SCAN: handlers.scan,
        JobKind.ADD_PLAYLIST: handlers.add_playlist,
        JobKind.IMPORT_PLAYLIST: partial(import_source, settings, handlers._listen, handlers._publish),
        JobKind.SYNC: partial(sync_playlists, settings, handlers._listen, handlers._publish),
        JobKind.REFIT: handlers.refit,
        JobKind.TRAIN: handlers.train,
        JobKind.SCORE_FEED: lambda run: score_feed(run, settings, handlers._tools.feed),
    }

    def handle(_database: Database, run: JobRun) -> dict[str, Any]:
        if run.claim.is_helper:
            return help_listening(run, settings, handlers._tools.feed.open_ears)
        return by_kind[run.job.kind](run)

    return handle


class _Handlers:
    """One method for each kind of job."""

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._settings, self._tools = settings, tools

    def add_playlist(self, run: JobRun) -> dict[str, Any]:
        """Payload ``name``, ``folder``, ``group``: the folder's tracks are the playlist, or added to it.

        ``if_exists`` is ``add`` where a playlist of the name keeps what it holds.
        """
        name, group = run.job.payload["name"], run.job.payload.get("group") or DEFAULT_GROUP
        folder = Path(run.job.payload["folder"]).resolve()
        # Asked for by name, so it is fitted even if nothing is new: an earlier fit may have failed.
        outcome = Outcome(paths=(folder,), is_changed=True)
        encoder = self._listen(run, outcome)
        with run.database.session() as session:
            tracks = folder_tracks(session, folder)
            if not tracks:
                raise NoAudio(f"none of the {outcome.n_files} files in {str(folder)!r} could be listened to")
            filled = find_filled(session, name, group=group)
            if run.job.payload.get("if_exists") == IfExists.ADD and filled is not None:
                add_tracks(session, filled.id, tracks)
                outcome.playlists.append(filled.id)
            else:
                playlist = ensure_playlist(session, name=name, group=group, folder=folder)
                mirror(session, playlist.id, tracks, outcome)
        return self._publish(run, outcome, encoder, reason=f"playlist {name!r} was added")

    def scan(self, run: JobRun) -> dict[str, Any]:
        """Payload ``path`` (else every library root), ``as_playlists``, ``group``, ``retry_failed``.

        Playlists that mirror a folder follow it. With ``as_playlists``, each folder directly below the
        path becomes a playlist of the group, or each of those that the payload's ``folders`` names.
        """
        payload = run.job.payload
        paths, unreadable = readable_paths(self._scan_paths(run))
        outcome = Outcome(paths=tuple(paths), unreadable=tuple(unreadable))
        encoder = self._listen(run, outcome, retry_failed=bool(payload.get("retry_failed")))
        with run.database.session() as session:
            if payload.get("as_playlists"):
                names = payload.get("folders")
                adopt_folders(session, outcome, group=payload.get("group") or DEFAULT_GROUP, names=names)
            follow_folders(session, outcome)
            outcome.is_changed |= is_refit_due(session)
        return self._publish(run, outcome, encoder, reason="the library was scanned")

    def refit(self, run: JobRun) -> dict[str, Any]:
        """Payload ``reason``: fit heads and calibration again, on what the catalogue holds now.

        When nothing is left to learn from, nothing is served: not a playlist that was removed.
        """
        from training.groups.refit import NothingToLearn

        reason = str(run.job.payload.get("reason") or "it was asked for")
        try:
            current = partial(self._current_encoder, run.database)
            bundle_id = self._refit(run, current(), hear_again=current, reason=reason)
        except NothingToLearn as error:
            with run.database.session() as session:
                retire_champion(session)
            run.progress(1, 1, f"no model is in service: {error}")
            return {"bundle": None, "why": str(error)}
        run.progress(1, 1, f"model {bundle_id} is in service")
        return {"bundle": bundle_id}

    def train(self, run: JobRun) -> dict[str, Any]:
        """Fit the encoder again on everything; it serves only if it is better.

        A library that an earlier program heard is heard again first: in this lane, where nobody waits for it.
        """
        renewal = self._tools.renew(run.database, self._settings, progress=run.progress)
        if renewal is not None and renewal["bundle_id"] is None:
            run.progress(1, 1, renewal["why"])
            return {"trained": False, "promoted": False, "renewal": renewal, "why": renewal["why"]}
        encoder = self._current_encoder(run.database)
        try:
            result = self._tools.train(
                run.database, self._settings, encoder_directory=encoder, progress=run.progress
            )
        except ChampionChanged as error:
            # The trained encoder does not know the playlists of now: once more, with them.
            result = {"trained": True, "promoted": False, "why": str(error)}
            next_job: JobKind | None = JobKind.TRAIN
        else:
            # What is in no playlist has not been heard by a new encoder yet.
            next_job = JobKind.SCAN if result.get("promoted") else None
        if next_job:
            with run.database.session() as session:
                ledger.enqueue(session, next_job, {})
        if next_job is not JobKind.TRAIN:
            result = result | {"scorecard": self._judge(run)}
            if result.get("promoted") and result.get("replaced"):
                # On the same folds, to be compared.
                result["replaced_scorecard"] = self._judge(run, bundle_id=result["replaced"])
        run.progress(1, 1, str(result.get("why", "")))
        return result if renewal is None else result | {"renewal": renewal}

    def _judge(self, run: JobRun, *, bundle_id: str | None = None) -> dict[str, Any]:
        """Return the figures of a bundle, or why it has none: a training stands without them."""
        try:
            card = self._tools.judge(run.database, self._settings, progress=run.progress, bundle_id=bundle_id)
        except (RecommenderError, EmbeddingError) as error:
            return {"error": str(error)}
        run.progress(0, 1, "drawing the map of the library")
        self._tools.draw(run.database, self._settings)
        figures = {group["group"]: group.get("balanced_accuracy") for group in card["groups"]}
        return {"bundle": card["bundle"], "balanced_accuracy": figures}

    def _scan_paths(self, run: JobRun) -> tuple[Path, ...]:
        path = run.job.payload.get("path")
        return (Path(path).resolve(),) if path else self._library_roots(run.database)

    def _library_roots(self, database: Database) -> tuple[Path, ...]:
        with database.read_session() as session:
            return tuple(dict.fromkeys((*self._settings.library_roots, *list_library_roots(session))))

    def _current_encoder(self, database: Database) -> Path:
        """Directory of the encoder in service; before anything is in service, of the one to begin with."""
        with database.read_session() as session:
            bundle = current_bundle(session)
        found = None if bundle is None else encoder_of(self._settings, bundle)
        return found or self._tools.ensure_encoder(self._settings)

    def _listen(self, run: JobRun, outcome: Outcome, *, retry_failed: bool = False) -> Path:
        """Bring the catalogue up to date with the outcome's paths; directory of the encoder that listened."""
        roots = self._library_roots(run.database)
        while True:
            directory = self._current_encoder(run.database)
            ears = self._tools.open_ears(self._settings, directory)
            outcome.n_files, outcome.passed_over = 0, PassedOver()
            for path in outcome.paths:
                found = find_files(path, roots=roots, passed_over=outcome.passed_over)
                outcome.n_files += len(found)
                with run.database.session() as session:
                    keys = plan_scan(
                        session, path, found, fingerprint=ears.fingerprint, retry_failed=retry_failed
                    )
                    add_items(session, run.claim, keys)
            outcome.n_new += listen_to_items(run, self._settings, ears)
            with run.database.read_session() as session:
                outcome.is_changed |= item_counts(session, run.job.id).n_done > 0
            # A training may have put another encoder in service meanwhile: it has to hear the files too.
            if load_encoder_config(self._current_encoder(run.database)).fingerprint == ears.fingerprint:
                return directory

    def _publish(self, run: JobRun, outcome: Outcome, encoder: Path, *, reason: str) -> dict[str, Any]:
        """Serve what has changed, and have it learnt properly in the background."""
        result = describe(run.database, run.job.id, outcome)
        with run.database.read_session() as session:
            has_playlists = bool(list_playlists(session))
        if outcome.is_changed and has_playlists:
            hear_again = partial(self._listen, run, outcome)
            result["bundle"] = self._refit(run, encoder, hear_again=hear_again, reason=reason)
            with run.database.session() as session:
                result["train_job"] = ledger.enqueue(session, JobKind.TRAIN, {})
        run.progress(outcome.n_files, outcome.n_files, sentence(result))
        return result

    def _refit(self, run: JobRun, encoder: Path, *, hear_again: Callable[[], Path], reason: str) -> str:
        """Fit and serve; once more, with the encoder of then, when another model overtook this one."""
        while True:
            try:
                return self._tools.refit(
                    run.database,
                    self._settings,
                    encoder_directory=encoder,
                    reason=reason,
                    progress=run.progress,
                )
            except ChampionChanged:
                encoder = hear_again()
