"""The bundle in service is judged on what the catalogue holds, and its card is kept for who asks."""

import json
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy.orm import Session

from recommender.catalogue.database import Database
from recommender.catalogue.embeddings import store_embedding
from recommender.catalogue.files import record_file
from recommender.catalogue.models import current_bundle
from recommender.catalogue.playlists import create_playlist, set_members
from recommender.model.in_service import NoModel
from recommender.model.scorecards import read_scorecard, read_scorecard_page
from recommender.records.tracks import TrackFacts
from recommender.settings import Settings
from tests.databases import sqlite_only
from tests.recommender.model.tiny_bundles import CONFIG, DIM, TINY_ENCODER
from tests.training.report.html_check import Page
from training.encoder.available import BASE_FILE
from training.groups.refit import refit
from training.judging.held_out_hearing import HeldOutHearing
from training.judging.scorecard import judge_champion

N_PER_PLAYLIST = 18
N_ARTISTS = 6


@pytest.fixture
def filled(database: Database, settings: Settings, rng: np.random.Generator) -> Database:
    """Three playlists told apart by the trunk view, a fourth alone in its group, and a bundle in service."""
    with database.session() as session:
        for number, name in enumerate(("calm", "loud", "odd")):
            ids = [
                _add_track(session, f"{name} {row}", f"{name} artist {row % N_ARTISTS}")
                for row in range(N_PER_PLAYLIST)
            ]
            for track_id in ids:
                vector = rng.normal(size=DIM) + 4.0 * np.eye(DIM)[number]
                _store(session, track_id, vector.astype(np.float32))
            set_members(session, create_playlist(session, name=name).id, ids)
        alone = create_playlist(session, name="liked", group="taste")
        set_members(session, alone.id, ids[:5])
    refit(database, settings, encoder_directory=TINY_ENCODER, reason="a test")
    return database


def _add_track(session: Session, title: str, artist: str) -> int:
    facts = TrackFacts(title=title, artist=artist)
    return record_file(session, Path(f"/music/{title}.ogg"), size=1, mtime_ns=1, facts=facts)


def _store(session: Session, track_id: int, vector: np.ndarray) -> None:
    store_embedding(
        session,
        track_id,
        fingerprint=CONFIG.fingerprint,
        vector=vector,
        patches=vector[None],
        start_s=np.zeros(1),
        patch_s=3.0,
    )


@pytest.fixture
def quick_map(monkeypatch: pytest.MonkeyPatch) -> None:
    """UMAP has tests of its own."""
    monkeypatch.setattr(
        "training.judging.findings.flatten_by_umap", lambda embeddings, *, seed: embeddings[:, :2]
    )


@sqlite_only
def test_the_card_and_its_page_are_kept(filled: Database, settings: Settings, quick_map: None) -> None:
    card = judge_champion(filled, settings)
    with filled.read_session() as session:
        bundle = current_bundle(session)
    assert bundle is not None
    assert card["bundle"] == bundle.id
    assert read_scorecard(settings, bundle.id) == json.loads(json.dumps(card))
    default, taste = card["groups"]
    assert (default["group"], taste["group"]) == ("default", "taste")
    assert default["balanced_accuracy"] > 0.9
    assert default["labels"] == ["calm", "loud", "odd"]
    assert {track["title"] for track in default["tracks"]} >= {"calm 0", "odd 17"}
    assert sorted(default["maps"]) == ["pca", "umap"]
    assert "nothing to tell it apart from" in taste["error"]
    written = read_scorecard_page(settings, bundle.id)
    assert written is not None
    page = Page(written)
    assert page.faults == []
    assert f"Score card of model {bundle.id}" in page.text


@sqlite_only
def test_an_encoder_that_has_heard_the_tracks_is_said_to_have(
    filled: Database, settings: Settings, quick_map: None
) -> None:
    assert "the figures are too good" in judge_champion(filled, settings)["about"][0]
    settings.encoders_directory.mkdir(parents=True, exist_ok=True)
    (settings.encoders_directory / BASE_FILE).write_text(json.dumps({"tiny": CONFIG.fingerprint}))
    assert judge_champion(filled, settings)["about"] == []


@sqlite_only
def test_what_was_heard_without_them_is_used(
    filled: Database, settings: Settings, quick_map: None, rng: np.random.Generator
) -> None:
    n_tracks = 3 * N_PER_PLAYLIST
    artist = np.arange(n_tracks) % N_ARTISTS
    directory = settings.encoders_directory / CONFIG.fingerprint
    directory.mkdir(parents=True)
    noise = rng.normal(size=(N_ARTISTS, n_tracks, DIM)).astype(np.float32)
    HeldOutHearing(np.arange(n_tracks) + 1, artist, noise).save(directory)
    card = judge_champion(filled, settings)
    assert "encoder trained without its artist" in card["about"][0]
    assert card["groups"][0]["balanced_accuracy"] < 0.6


@sqlite_only
def test_without_a_bundle_there_is_nothing_to_judge(database: Database, settings: Settings) -> None:
    with pytest.raises(NoModel):
        judge_champion(database, settings)
