"""Stand-ins for what the handlers leave to others, and a worker to be killed.

``python -m tests.training.background.handling DATA DATABASE_URL LEASE_S`` runs a worker that listens slowly.
"""

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from embeddings.encoder_files import load_encoder_config
from recommender.catalogue.database import Database
from recommender.catalogue.models import add_bundle, promote_bundle
from recommender.jobs.worker import run_worker
from recommender.settings import Settings, load_settings
from tests.folders import TINY_ENCODER, listen_and_log, listen_slowly
from training.background.handlers import Tools, build_handler
from training.listening.listeners import MakeListen
from training.listening.scanning import Ears

N_PROCESSES = 2


@dataclass
class Recorder:
    """Fits nothing, but publishes a bundle row as a refit does, and notes what it was asked."""

    reasons: list[str] = field(default_factory=list)
    encoders: list[Path] = field(default_factory=list)

    def refit(
        self,
        database: Database,
        settings: Settings,
        *,
        encoder_directory: Path,
        reason: str,
        progress: Callable[[int, int, str], None],
    ) -> str:
        progress(1, 2, "fitting")
        fingerprint = load_encoder_config(encoder_directory).fingerprint
        with database.session() as session:
            # Two workers may come here at once; a real refit draws its id from the file system.
            bundle_id = f"2026-11-20-{uuid4().int}"
            add_bundle(session, bundle_id, directory=encoder_directory, fingerprint=fingerprint, summary={})
            promote_bundle(session, bundle_id)
        self.reasons.append(reason)
        self.encoders.append(encoder_directory)
        return bundle_id


def train_nothing(*_: object, **__: object) -> dict[str, Any]:
    """A training that changes nothing."""
    return {"verdict": "kept"}


def judge_nothing(*_: object, **__: object) -> dict[str, Any]:
    """A judgement without figures."""
    return {"bundle": None, "groups": []}


def make_tools(recorder: Recorder, *, make_listen: MakeListen = listen_and_log, **options: Any) -> Tools:
    """Tools around the tiny encoder."""

    def open_ears(_settings: Settings, directory: Path) -> Ears:
        return Ears(
            directory,
            load_encoder_config(directory).fingerprint,
            N_PROCESSES,
            make_listen=make_listen,
            listen_here=make_listen,
            **options,
        )

    return Tools(
        ensure_encoder=lambda _settings: TINY_ENCODER,
        open_ears=open_ears,
        refit=recorder.refit,
        renew=lambda *_, **__: None,
        train=train_nothing,
        judge=judge_nothing,
        draw=lambda _database, _settings: "nothing",
    )


def main(data: str, database_url: str, lease_s: str) -> None:
    """Work until killed."""
    overrides = {"data": data, "database_url": database_url, "lease_s": lease_s}
    settings = load_settings(overrides, environ={})
    handle = build_handler(settings, tools=make_tools(Recorder(), make_listen=listen_slowly))
    run_worker(settings, handle, threading.Event())


if __name__ == "__main__":
    main(*sys.argv[1:])
