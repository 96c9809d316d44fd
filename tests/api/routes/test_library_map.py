"""The map over HTTP."""

import numpy as np
from flask.testing import FlaskClient

from recommender.answering.library_map import LibraryMap
from recommender.catalogue.database import Database
from recommender.catalogue.tracks import delete_track
from tests.api.conftest import N_PER_PLAYLIST, N_TRACKS, Filled
from tests.api.problems import assert_problem
from tests.recommender.model.tiny_bundles import CONFIG


def test_every_heard_track_is_on_the_map_with_its_playlist(client: FlaskClient, filled: Filled) -> None:
    shown = client.get("/map").get_json()
    assert shown["ids"] == list(filled.track_ids)
    assert (shown["group"], shown["method"]) == ("default", "pca")
    low, high = filled.playlist_ids
    assert shown["playlist_ids"] == [low] * N_PER_PLAYLIST + [high] * N_PER_PLAYLIST
    points = np.array([shown["x"], shown["y"]]).T
    assert np.abs(points).max() == 1.0
    centres = points[:N_PER_PLAYLIST].mean(axis=0), points[N_PER_PLAYLIST:].mean(axis=0)
    spread = points[:N_PER_PLAYLIST].std()
    assert np.linalg.norm(centres[0] - centres[1]) > spread  # what sounds alike lies together


def test_a_map_that_training_drew_is_shown(client: FlaskClient, filled: Filled) -> None:
    points = np.tile(np.array([[0.25, -0.5]], dtype=np.float32), (N_TRACKS, 1))
    LibraryMap(np.array(filled.track_ids), points, "umap", CONFIG.fingerprint).save(filled.settings)
    shown = client.get("/map").get_json()
    assert shown["method"] == "umap"
    assert set(zip(shown["x"], shown["y"], strict=True)) == {(0.25, -0.5)}


def test_a_map_of_another_encoder_is_not_shown(client: FlaskClient, filled: Filled) -> None:
    LibraryMap(np.array([1]), np.zeros((1, 2), np.float32), "umap", "ffffffffffff").save(filled.settings)
    assert client.get("/map").get_json()["method"] == "pca"


def test_a_removed_track_is_gone(client: FlaskClient, filled: Filled, database: Database) -> None:
    assert len(client.get("/map").get_json()["ids"]) == N_TRACKS
    with database.session() as session:
        delete_track(session, 3)
    assert 3 not in client.get("/map").get_json()["ids"]


def test_without_a_model_or_a_group_it_says_so(client: FlaskClient, filled: Filled) -> None:
    assert_problem(client.get("/map?group=nonsense"), 404, "group_not_found")


def test_before_anything_is_learnt(client: FlaskClient) -> None:
    assert_problem(client.get("/map"), 409, "no_model")
