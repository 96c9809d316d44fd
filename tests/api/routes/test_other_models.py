"""``/recommend?model=``: another bundle answers, with its own encoder, while the champion keeps serving."""

import shutil
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient

from api.services import Services
from api.terminal import ExitCode
from embeddings.encoder import Encoder, Standardisation
from embeddings.encoder_files import save_encoder_config
from recommender.catalogue.embeddings import store_embedding
from recommender.catalogue.models import add_bundle, retire_champion
from recommender.model import shelf as model_shelf
from recommender.model.bundle import BundleContents, read_bundle, write_bundle
from recommender.model.in_service import load_model
from recommender.model.shelf import ModelShelf
from tests.api.commands.test_cli import Run, prepared, read_lines, with_playlists
from tests.api.conftest import PLAYLISTS, TRACK_IDS, Filled
from tests.api.problems import assert_problem
from tests.databases import sqlite_only
from tests.recommender.model.tiny_bundles import CONFIG, DIM, TINY_ENCODER, fit_group

__all__ = ["prepared", "with_playlists"]  # fixtures

# Compresses loudness otherwise, so that what it hears is not what the tiny encoder hears.
OTHER = replace(CONFIG, name="tiny, other", mel=replace(CONFIG.mel, gain=10.0))


@pytest.fixture
def other(filled: Filled, tmp_path: Path) -> str:
    """A bundle fitted on what another encoder hears, which has stored none of it."""
    directory = tmp_path / "other"
    shutil.copytree(TINY_ENCODER, directory)
    save_encoder_config(OTHER, directory)
    encoder = Encoder.load(directory)
    raw = np.stack([encoder.listen(track.path).vector for track in filled.sounds.heard])
    membership = np.array([[track.playlist == name for name in PLAYLISTS] for track in filled.sounds.heard])
    standardisation = Standardisation.fit(raw, {"all": slice(0, DIM)}, {"all": 1.0})
    # Under names of its own, to be told apart.
    group = fit_group(TRACK_IDS, raw, membership, standardisation)
    contents = BundleContents(
        encoder_directory=directory,
        standardisation=standardisation,
        groups=(replace(group, playlist_names=("low, otherwise", "high, otherwise")),),
        report={},
        created_at=datetime.now(UTC),
    )
    place = write_bundle(filled.settings.bundles_directory, contents)
    with filled.database.session() as session:
        add_bundle(session, place.name, directory=place, fingerprint=OTHER.fingerprint, summary={})
    return place.name


def test_two_bundles_are_asked_side_by_side(client: FlaskClient, filled: Filled) -> None:
    first, second = filled.bundle_ids
    address = f"/recommend?track={filled.track_ids[0]}"
    by_second = client.get(f"{address}&model={second}").get_json()
    by_first, unasked = client.get(f"{address}&model={first}").get_json(), client.get(address).get_json()
    assert (by_first["model"], by_second["model"], unasked["model"]) == (first, second, first)
    for answer in (by_first, by_second):
        for name in ("model", "timing_ms"):
            answer.pop(name)
    assert by_first == by_second  # they were fitted on the same


def test_another_encoder_listens_for_its_own_bundle(client: FlaskClient, filled: Filled, other: str) -> None:
    track_id, place = filled.track_ids[0], filled.settings.bundles_directory / other
    answer = client.get(f"/recommend?track={track_id}&model={other}").get_json()
    assert (answer["model"], answer["encoder"]) == (other, "tiny, other")
    assert "decode" in answer["timing_ms"]  # nothing was stored, so its file was listened to
    [group] = read_bundle(place).groups
    vectors = [
        Encoder.load(directory).listen(filled.sounds.heard[0].path).vector
        for directory in (place, TINY_ENCODER)
    ]
    own, foreign = group.score(np.stack(vectors), exclude_ids=[[track_id]] * 2).nearest_similarity[:, 0]
    shown = [near["similarity"] for near in answer["playlists"][0]["nearest"]]
    assert answer["playlists"][0]["name"] == "low, otherwise"
    np.testing.assert_allclose(shown, own, atol=1e-3)
    assert np.abs(own - foreign).max() > 0.01  # the champion's encoder would have shown
    assert client.get(f"/recommend?track={track_id}").get_json()["encoder"] == "tiny"

    path = filled.sounds.outside / "Nobody - High news.wav"
    uploaded = client.post(
        f"/recommend?model={other}", data={"file": (path.open("rb"), path.name)}
    ).get_json()
    assert (uploaded["encoder"], uploaded["playlists"][0]["name"]) == ("tiny, other", "high, otherwise")


@sqlite_only
def test_what_another_encoder_has_stored_is_used(client: FlaskClient, filled: Filled, other: str) -> None:
    track_id = filled.track_ids[0]
    heard = Encoder.load(filled.settings.bundles_directory / other).listen(filled.sounds.heard[0].path)
    with filled.database.session() as session:
        store_embedding(
            session,
            track_id,
            fingerprint=heard.fingerprint,
            vector=heard.vector,
            patches=heard.patches,
            start_s=heard.start_s,
            patch_s=heard.patch_s,
        )
    answer = client.get(f"/recommend?track={track_id}&model={other}").get_json()
    assert set(answer["timing_ms"]) == {"look_up", "score"}
    assert answer["playlists"][0]["name"] == "low, otherwise"


@sqlite_only
def test_what_another_encoder_never_heard_and_cannot_hear_now(
    client: FlaskClient, filled: Filled, other: str
) -> None:
    track_id = filled.track_ids[0]
    with filled.database.engine.begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM audio_file WHERE track_id = {track_id}")
    body = assert_problem(
        client.get(f"/recommend?track={track_id}&model={other}"), 409, "track_without_audio"
    )
    assert f"by the encoder of model {other}" in body["detail"]
    assert client.get(f"/recommend?track={track_id}").status_code == 200


@sqlite_only
@pytest.mark.parametrize("model_id", ["2026-01-01-1", "..", "../../etc", "x" * 200])
def test_no_such_model(client: FlaskClient, filled: Filled, model_id: str) -> None:
    asked = client.get("/recommend", query_string={"track": filled.track_ids[0], "model": model_id})
    assert_problem(asked, 404, "model_not_found")


@sqlite_only
def test_a_name_that_cannot_be_one_is_refused(client: FlaskClient, filled: Filled) -> None:
    for model_id in ("", "x" * 201):
        asked = client.get("/recommend", query_string={"track": 1, "model": model_id})
        assert_problem(asked, 422, "invalid_request")


@sqlite_only
def test_a_damaged_model_says_so_and_the_champion_answers(client: FlaskClient, filled: Filled) -> None:
    _, second = filled.bundle_ids
    (filled.settings.bundles_directory / second / "encoder.tflite").write_bytes(b"half")
    address = f"/recommend?track={filled.track_ids[0]}"
    body = assert_problem(client.get(f"{address}&model={second}"), 409, "corrupt_bundle")
    assert "encoder.tflite" in body["detail"]
    assert str(filled.settings.data) not in body["detail"]
    assert client.get(address).status_code == 200


@sqlite_only
def test_a_model_can_be_asked_while_none_is_in_service(
    client: FlaskClient, filled: Filled, services: Services
) -> None:
    with filled.database.session() as session:
        retire_champion(session)
    services.holder.refresh()
    address = f"/recommend?track={filled.track_ids[0]}"
    assert_problem(client.get(address), 409, "no_model")
    answer = client.get(f"{address}&model={filled.bundle_ids[1]}").get_json()
    assert answer["model"] == filled.bundle_ids[1]


@sqlite_only
def test_the_last_few_are_kept_and_nobody_loads_twice(
    filled: Filled, services: Services, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def count(*arguments: object, **options: object) -> object:
        model = load_model(*arguments, **options)  # type: ignore[arg-type]
        loaded.append(model.bundle.bundle_id)
        return model

    monkeypatch.setattr(model_shelf, "load_model", count)
    shelf = ModelShelf(filled.database, services.holder, encoder_threads=1, n_kept=1)
    first, second = filled.bundle_ids
    assert shelf.get().bundle.bundle_id == shelf.get(first).bundle.bundle_id == first
    assert loaded == []  # the one in service is there already
    threads = [threading.Thread(target=shelf.get, args=(second,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loaded == [second]
    for model_id in (other, other, second):
        assert shelf.get(model_id).bundle.bundle_id == model_id
    assert loaded == [second, other, second]


def test_by_command(with_playlists: Run, tmp_path: Path) -> None:
    models = [str(model["id"]) for model in read_lines(with_playlists("models", "list", "--json"))]
    for model_id in models:
        [answer] = read_lines(with_playlists("recommend", "--json", "--model", model_id, 1))
        assert answer["model"] == model_id
    # The older one knows one playlist, so its answers must be its own.
    [oldest] = read_lines(with_playlists("recommend", "--json", "--model", models[-1], 1))
    assert len(oldest["playlists"]) == 1  # type: ignore[arg-type]
    result = with_playlists("recommend", "--model", "none", 1, expect=ExitCode.FAILED)
    assert "`whichlist models list` lists them" in result.stderr
