"""The model in service: swapped without a pause, never taken from a damaged bundle."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from recommender.catalogue.database import Database
from recommender.catalogue.embeddings import store_embedding
from recommender.catalogue.models import add_bundle, promote_bundle, retire_champion
from recommender.catalogue.tracks import upsert_track
from recommender.model import in_service
from recommender.model.bundle import read_bundle, write_bundle
from recommender.model.in_service import ModelHolder, NoModel
from recommender.records.tracks import TrackFacts
from recommender.settings import Settings
from tests.recommender.model.tiny_bundles import CONFIG, World, contents_of, make_world

Publish = Callable[[], str]


@pytest.fixture(scope="module")
def world() -> World:
    return make_world()


@pytest.fixture
def publish(world: World, database: Database, settings: Settings) -> Publish:
    """Publish one more bundle of the world, not yet in service."""

    def publish() -> str:
        directory = write_bundle(settings.bundles_directory, contents_of(world, created_at=datetime.now(UTC)))
        with database.session() as session:
            add_bundle(
                session, directory.name, directory=directory, fingerprint=CONFIG.fingerprint, summary={}
            )
        return directory.name

    return publish


@pytest.fixture
def holder(database: Database) -> ModelHolder:
    return ModelHolder(database, encoder_threads=1, look_every_s=0.01)


def promote(database: Database, bundle_id: str) -> None:
    with database.session() as session:
        promote_bundle(session, bundle_id)


def serving(holder: ModelHolder) -> str:
    return holder.current().bundle.bundle_id


def test_before_anything_is_trained_there_is_no_model(holder: ModelHolder, publish: Publish) -> None:
    publish()  # a challenger alone is no model
    with pytest.raises(NoModel, match="add a playlist first"):
        holder.current()


def test_a_newly_promoted_bundle_is_noticed(
    holder: ModelHolder, publish: Publish, database: Database
) -> None:
    first, second = publish(), publish()
    promote(database, first)
    assert serving(holder) == first
    promote(database, second)
    assert serving(holder) == second
    promote(database, first)  # and back again
    holder.refresh()
    assert serving(holder) == first


def test_when_nothing_is_left_to_serve_nothing_is_served(
    holder: ModelHolder, publish: Publish, database: Database
) -> None:
    promote(database, publish())
    holder.current()
    with database.session() as session:
        retire_champion(session)
    holder.refresh()
    with pytest.raises(NoModel):
        holder.current()


def test_a_request_keeps_the_model_it_began_with(
    holder: ModelHolder, publish: Publish, database: Database, world: World
) -> None:
    first, second = publish(), publish()
    promote(database, first)
    model = holder.current()
    before = model.bundle.groups[0].score(world.raw).probability
    promote(database, second)
    holder.refresh()
    np.testing.assert_array_equal(model.bundle.groups[0].score(world.raw).probability, before)
    patches = np.zeros((1, CONFIG.patches.patch_frames, CONFIG.mel.n_mels), np.float32)
    assert model.encoder.encode_patches(patches).shape == (1, CONFIG.embedding_dim)


def test_the_next_call_is_answered_by_what_was_learnt(publish: Publish, database: Database) -> None:
    first, second = publish(), publish()
    promote(database, first)
    holders = [ModelHolder(database, encoder_threads=1) for _ in range(2)]  # as in two web processes
    assert [serving(holder) for holder in holders] == [first, first]
    promote(database, second)
    assert [serving(holder) for holder in holders] == [second, second]


def test_a_call_waits_for_the_next_model_but_not_for_ever(
    publish: Publish, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = ModelHolder(database, encoder_threads=1, longest_wait_s=0.01)
    first, second = publish(), publish()
    promote(database, first)
    holder.current()
    loading, go_on = threading.Event(), threading.Event()

    def slow_read(directory: Path) -> object:
        loading.set()
        assert go_on.wait(10)
        return read_bundle(directory)

    monkeypatch.setattr(in_service, "read_bundle", slow_read)
    promote(database, second)
    loader = threading.Thread(target=holder.refresh)
    loader.start()
    assert loading.wait(10)
    assert {serving(holder) for _ in range(5)} == {first}
    go_on.set()
    loader.join()
    assert serving(holder) == second


def test_a_watcher_loads_before_anybody_asks(publish: Publish, database: Database) -> None:
    holder = ModelHolder(database, encoder_threads=1, look_every_s=0.01)
    stop = holder.watch()
    first = publish()
    promote(database, first)
    deadline = time.monotonic() + 10
    while holder._model is None and time.monotonic() < deadline:
        time.sleep(0.01)
    stop.set()
    assert holder._model is not None
    assert holder._model.bundle.bundle_id == first


@pytest.mark.parametrize("damaged", ["groups/1.npz", "encoder.tflite", "manifest.json"])
def test_a_damaged_champion_leaves_the_previous_one_serving(
    holder: ModelHolder,
    *,
    publish: Publish,
    database: Database,
    settings: Settings,
    damaged: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, second = publish(), publish()
    promote(database, first)
    holder.current()
    path = settings.bundles_directory / second / damaged
    path.write_bytes(path.read_bytes()[:-20])  # half written
    promote(database, second)
    with caplog.at_level(logging.ERROR):
        holder.refresh()
        holder.refresh()
    assert serving(holder) == first
    said = [record.getMessage() for record in caplog.records]
    assert [message for message in said if f"bundle {second} cannot be served" in message] == said  # and once
    assert len(said) == 1


def test_a_new_process_serves_the_newest_bundle_that_can_be_read(
    publish: Publish, database: Database, settings: Settings
) -> None:
    first, second, third = publish(), publish(), publish()
    for bundle_id in (first, second, third):
        promote(database, bundle_id)
    for bundle_id in (third, first):
        (settings.bundles_directory / bundle_id / "report.json").unlink()
    assert serving(ModelHolder(database, encoder_threads=1)) == second
    (settings.bundles_directory / second / "report.json").unlink()
    with pytest.raises(NoModel):
        ModelHolder(database, encoder_threads=1).current()


def test_a_repaired_champion_is_served_again(
    holder: ModelHolder,
    publish: Publish,
    database: Database,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = publish(), publish()
    promote(database, first)
    holder.current()
    report = settings.bundles_directory / second / "report.json"
    content = report.read_bytes()
    report.unlink()
    promote(database, second)
    holder.refresh()
    assert serving(holder) == first
    report.write_bytes(content)
    monkeypatch.setattr(in_service, "RETRY_REFUSED_S", 0.0)
    holder.refresh()
    assert serving(holder) == second


@pytest.fixture
def tracks_in_database(world: World, database: Database) -> Iterator[dict[int, int]]:
    """The world's tracks in the database: id there -> row."""
    ids = {}
    for row, raw in enumerate(world.raw):
        facts = TrackFacts(f"title {row}", "artist", content_sha256=f"{row:064x}")
        with database.session() as session:
            track_id = upsert_track(session, facts)
            store_embedding(
                session,
                track_id,
                fingerprint=CONFIG.fingerprint,
                vector=raw,
                patches=raw[None],
                start_s=np.zeros(1),
                patch_s=3.0,
            )
        ids[track_id] = row
    yield ids


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-9])])
def test_a_missing_index_is_rebuilt_from_the_database(
    holder: ModelHolder,
    *,
    publish: Publish,
    database: Database,
    settings: Settings,
    world: World,
    tracks_in_database: dict[int, int],
    damage: Callable[[Path], None],
) -> None:
    promote(database, publish())
    ModelHolder(database, encoder_threads=1).current()
    path = settings.data / "indexes" / f"{CONFIG.fingerprint}.faiss"
    written = path.read_bytes()
    damage(path)
    for _ in range(2):  # the second time from the file that the first one put back
        index = ModelHolder(database, encoder_threads=1).current().bundle.index
        assert index is not None
        embeddings = world.standardisation.apply(world.raw)
        found, similarities = index.search(embeddings, 1)
        assert [tracks_in_database[track_id] for track_id in found[:, 0].tolist()] == list(
            range(len(embeddings))
        )
        np.testing.assert_allclose(similarities, 1, atol=1e-5)
    assert path.read_bytes() == written


def test_an_index_that_cannot_be_kept_still_serves(
    holder: ModelHolder,
    *,
    publish: Publish,
    database: Database,
    settings: Settings,
    tracks_in_database: dict[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    promote(database, publish())

    def read_only(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("recommender.model.index.TrackIndex.save", read_only)
    index = holder.current().bundle.index
    assert index is not None
    assert len(index) == len(tracks_in_database)


def test_a_database_that_does_not_answer_leaves_the_model_serving(
    holder: ModelHolder, publish: Publish, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    bundle_id = publish()
    promote(database, bundle_id)
    holder.current()
    working, holder._database = holder._database, None  # type: ignore[assignment]
    with caplog.at_level(logging.ERROR):
        deadline = time.monotonic() + 10
        while not caplog.records and time.monotonic() < deadline:
            assert serving(holder) == bundle_id
            time.sleep(0.02)
    assert "keeps serving" in caplog.text
    holder._database = working
    assert serving(holder) == bundle_id
