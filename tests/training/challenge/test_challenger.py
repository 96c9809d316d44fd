"""The encoder is trained, judged without the artists it heard, and serves only if it is better."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embeddings.encoder_files import load_encoder_config
from recommender.catalogue.database import Database, open_database
from recommender.catalogue.embeddings import load_embeddings
from recommender.catalogue.models import current_bundle, get_bundle
from recommender.jobs.ledger import enqueue
from recommender.jobs.worker import run_job_here
from recommender.model.bundle import read_bundle
from recommender.records.jobs import JobKind
from recommender.settings import Settings
from tests.databases import sqlite_only
from training.background.handlers import build_handler
from training.challenge import challenger
from training.challenge.comparison import Comparison
from training.demo.library import DemoLibrary
from training.encoder.available import checkpoint_folder
from training.encoder.export import ensure_encoder
from training.learning.config import TrainingConfig

QUICK = TrainingConfig(mode="frozen", n_epochs=2, patience=1)

needs_weights = pytest.mark.skipif(
    checkpoint_folder() is None, reason="the pretrained weights are not installed (package musicnn)"
)


def _silent(_done: int, _total: int, _message: str) -> None:
    """Progress told to nobody."""


def _scan(database: Database, settings: Settings, folder: Path) -> None:
    with database.session() as session:
        job = enqueue(session, JobKind.SCAN, {"path": str(folder), "as_playlists": True})
    run_job_here(settings, job, build_handler(settings))


def _train(database: Database, settings: Settings) -> dict[str, Any]:
    return challenger.train_challenger(
        database,
        settings,
        encoder_directory=ensure_encoder(settings),
        progress=_silent,
        config=QUICK,
    )


@pytest.mark.slow
@needs_weights
@sqlite_only
def test_a_trained_encoder_is_published_and_kept_apart_from_the_one_in_service(
    database: Database, settings: Settings, demo_library: DemoLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    _scan(database, settings, demo_library.library)
    with database.read_session() as session:
        champion = current_bundle(session)
    assert champion is not None

    found = _train(database, settings)
    assert found["trained"]
    assert found["promoted"] == found["comparison"]["is_better"]
    assert found["replaced"] == (champion.id if found["promoted"] else None)
    with database.read_session() as session:
        in_service = current_bundle(session)
        bundle = get_bundle(session, found["bundle"])
        ids, raw = load_embeddings(session, bundle.fingerprint)
    assert in_service is not None
    assert in_service.id == (found["bundle"] if found["promoted"] else champion.id)
    loaded = read_bundle(bundle.directory)
    assert loaded.config.name == "msd_musicnn+dense"
    assert loaded.report["comparison"]["challenger"] == found["comparison"]["challenger"]
    assert set(loaded.groups[0].member_ids.tolist()) == set(ids.tolist())
    assert np.isfinite(raw).all()

    # The same training, were it better by more than its uncertainty, would serve.
    monkeypatch.setattr(
        challenger, "compare", lambda *_: Comparison(0.5, 0.9, 0.2, 0.6, 3, 3, beats_chance=True)
    )
    won = _train(database, settings)
    assert won["promoted"]
    with database.read_session() as session:
        in_service = current_bundle(session)
    assert in_service is not None
    assert in_service.id == won["bundle"]
    assert json.loads((in_service.directory / "report.json").read_text())["comparison"]["is_better"]


@needs_weights
@sqlite_only
def test_too_few_tracks_are_no_reason_to_train(
    database: Database, settings: Settings, demo_library: DemoLibrary, tmp_path: Path
) -> None:
    folder = tmp_path / "library" / "only one"
    folder.mkdir(parents=True)
    track = next(iter(sorted(demo_library.library.rglob("*.flac"))))
    (folder / track.name).write_bytes(track.read_bytes())
    _scan(database, settings, folder.parent)
    with database.read_session() as session:
        before = current_bundle(session)
    found = _train(database, settings)
    assert (found["trained"], found["promoted"]) == (False, False)
    assert "two playlists" in found["why"]
    with database.read_session() as session:
        assert current_bundle(session) == before
    assert load_encoder_config(ensure_encoder(settings)).name == "msd_musicnn"


@pytest.mark.slow
@sqlite_only
def test_without_the_pretrained_weights_a_small_network_is_trained_from_scratch(
    make_settings: Callable[..., Settings], demo_library: DemoLibrary
) -> None:
    settings = make_settings(pretrained="off")
    database = open_database(settings)
    _scan(database, settings, demo_library.library)
    # As wide as nothing that is in service, so that the two are never taken for each other.
    config = TrainingConfig(mode="scratch", n_epochs=1, n_units=24, patches_per_track=1)
    found = challenger.train_challenger(
        database, settings, encoder_directory=ensure_encoder(settings), progress=_silent, config=config
    )
    assert found["trained"]
    with database.read_session() as session:
        champion = current_bundle(session)
        bundle = get_bundle(session, found["bundle"])
    assert champion is not None
    assert read_bundle(champion.directory).config.name == "small_cnn"
    trained = read_bundle(bundle.directory).config
    assert trained.name == "small_cnn"
    assert trained.views[0].dim == 24
    assert trained.fingerprint != champion.fingerprint or found["promoted"]
    database.close()
