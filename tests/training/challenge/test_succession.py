"""A training that ends after the catalogue has moved on: what it may serve, and what it must learn anew."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embeddings.encoder_files import save_encoder_config
from recommender.catalogue.database import Database
from recommender.catalogue.models import current_bundle, list_bundles, retire_champion
from recommender.catalogue.playlists import delete_playlist, set_members
from recommender.errors import ChampionChanged
from recommender.model.bundle import LoadedBundle, read_bundle
from recommender.settings import Settings
from tests.databases import sqlite_only
from tests.recommender.model.tiny_bundles import CONFIG, DIM, TINY_ENCODER
from tests.training.groups.test_refit import PLACES, add_playlist, add_tracks, store
from training.challenge import succession
from training.challenge.succession import Situation, contested_playlists, take_over
from training.groups.refit import read_learning_set, refit

TRAINED = replace(CONFIG, name="tiny, trained", mel=replace(CONFIG.mel, gain=10.0))
N_TRACKS = 8


class Training:
    """A library with a model in service, and a training that began then."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database, self.settings = database, settings
        self.tracks = {place: self.add_tracks(place) for place in PLACES}
        self.playlists = {
            place: add_playlist(database, place, self.tracks[place]) for place in ("calm", "loud")
        }
        self.refit()
        self.began = Situation(self.champion_id(), CONFIG.fingerprint, self.contested())
        self.directory = settings.encoders_directory / TRAINED.fingerprint
        shutil.copytree(TINY_ENCODER, self.directory)
        save_encoder_config(TRAINED, self.directory)

    def add_tracks(self, place: str) -> list[int]:
        """Tracks that both encoders have heard."""
        ids = add_tracks(self.database, place, N_TRACKS)
        with self.database.session() as session:
            for number, track_id in enumerate(ids):
                vector = 4.0 * np.eye(DIM)[PLACES[place]] + 0.1 * np.eye(DIM)[number % DIM]
                store(session, track_id, vector, fingerprint=TRAINED.fingerprint)
        return ids

    def contested(self) -> frozenset[int]:
        return contested_playlists(read_learning_set(self.database, self.settings, CONFIG))

    def refit(self, directory: Path = TINY_ENCODER) -> str:
        return refit(self.database, self.settings, encoder_directory=directory, reason="a test")

    def move(self, place: str, ids: list[int]) -> None:
        """As feedback does, which a quick fit then learns."""
        with self.database.session() as session:
            set_members(session, self.playlists[place], ids)
        self.refit()

    def end(self) -> str:
        """The training is over, and better."""
        return take_over(
            self.database,
            self.settings,
            self.directory,
            began=self.began,
            report={"reason": "trained"},
            progress=lambda *_: None,
        )

    def champion_id(self) -> str | None:
        with self.database.read_session() as session:
            champion = current_bundle(session)
        return None if champion is None else champion.id

    def served(self) -> LoadedBundle:
        with self.database.read_session() as session:
            champion = current_bundle(session)
        assert champion is not None
        return read_bundle(champion.directory)


@pytest.fixture
def training(database: Database, settings: Settings) -> Training:
    return Training(database, settings)


def test_feedback_meanwhile_is_learnt_and_nothing_trained_again(training: Training) -> None:
    training.move("calm", training.tracks["calm"] + training.tracks["odd"][:1])
    overtook = training.champion_id()
    bundle_id = training.end()
    served = training.served()
    assert (served.bundle_id, served.config.name) == (bundle_id, TRAINED.name)
    assert training.tracks["odd"][0] in served.groups[0].member_ids
    assert served.report["compared_with"] == training.began.champion_id
    assert served.report["replaced"] == overtook != training.began.champion_id


@sqlite_only
def test_nothing_happened_meanwhile(training: Training) -> None:
    assert training.end() == training.served().bundle_id


def add_a_rival(training: Training) -> None:
    add_playlist(training.database, "odd", training.tracks["odd"])
    training.refit()


def remove_a_rival(training: Training) -> None:
    with training.database.session() as session:
        delete_playlist(session, training.playlists["calm"])
    training.refit()


def remove_everything(training: Training) -> None:
    with training.database.session() as session:
        for playlist_id in training.playlists.values():
            delete_playlist(session, playlist_id)
        retire_champion(session)


def serve_another_encoder(training: Training) -> None:
    training.refit(training.directory)


@pytest.mark.parametrize(
    "happen",
    [add_a_rival, remove_a_rival, remove_everything, serve_another_encoder],
    ids=lambda f: f.__name__,
)
@sqlite_only
def test_what_the_training_does_not_know_it_has_to_learn(
    training: Training, happen: Callable[[Training], None]
) -> None:
    happen(training)
    before = training.champion_id()
    with training.database.read_session() as session:
        n_bundles = len(list_bundles(session))
    with pytest.raises(ChampionChanged, match="came or went"):
        training.end()
    assert training.champion_id() == before
    with training.database.read_session() as session:
        assert len(list_bundles(session)) == n_bundles


@sqlite_only
def test_a_playlist_without_a_rival_is_no_reason_to_train_again(training: Training) -> None:
    add_playlist(training.database, "liked", training.tracks["odd"][:1], group="taste")
    training.refit()
    training.end()
    assert {group.group_name for group in training.served().groups} == {"default", "taste"}


@sqlite_only
def test_a_playlist_that_waits_for_its_fit_is_served_at_once(training: Training) -> None:
    """Its own fit finds another encoder in service then, and is done again with that."""
    add_playlist(training.database, "odd", training.tracks["odd"])
    training.end()
    assert training.served().groups[0].playlist_names == ("calm", "loud", "odd")


@sqlite_only
def test_feedback_while_it_takes_over_is_not_lost(
    training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_fitted, published = succession.publish_fitted, []

    def publish_and_be_overtaken(*arguments: object) -> str:
        published.append(publish_fitted(*arguments))  # type: ignore[arg-type]
        if len(published) == 1:
            training.move("loud", training.tracks["loud"][1:])
        return published[-1]

    monkeypatch.setattr(succession, "publish_fitted", publish_and_be_overtaken)
    assert training.end() == published[1]
    assert training.tracks["loud"][0] not in training.served().groups[0].member_ids
