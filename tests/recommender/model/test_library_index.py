"""The index of all that an encoder has heard: follows the database, whoever writes its file or dies at it."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embeddings.encoder import Standardisation
from recommender.catalogue.database import Database
from recommender.catalogue.embeddings import store_embedding
from recommender.catalogue.tracks import delete_track, upsert_track
from recommender.model import library_index
from recommender.model.index import TrackIndex
from recommender.model.library_index import LibraryIndex, LibraryIndexes, forget_indexes, index_path
from recommender.records.tracks import TrackFacts
from recommender.settings import Settings
from tests.databases import sqlite_only
from tests.recommender.model.tiny_bundles import CONFIG, DIM

SPACE = Standardisation(np.full(DIM, 0.1, np.float32), np.linspace(0.5, 1, DIM).astype(np.float32))
RNG = np.random.default_rng(440)


def add(database: Database, raw: np.ndarray, *, after: int = 0) -> list[int]:
    """New tracks that were heard so."""
    with database.session() as session:
        ids = [
            upsert_track(session, TrackFacts(f"title {after + row}", "artist", duration_s=100.0))
            for row in range(len(raw))
        ]
        for track_id, vector in zip(ids, raw, strict=True):
            hear(session, track_id, vector)
    return ids


def hear(session: object, track_id: int, vector: np.ndarray) -> None:
    vector = vector.astype(np.float32)
    about = {"patches": vector[None], "start_s": np.zeros(1), "patch_s": 3.0}
    store_embedding(session, track_id, fingerprint=CONFIG.fingerprint, vector=vector, **about)  # type: ignore[arg-type]


def draw(n_tracks: int) -> np.ndarray:
    return RNG.normal(size=(n_tracks, DIM)).astype(np.float32)


def bundle_directory(settings: Settings) -> Path:
    return settings.bundles_directory / "2026-11-27-1"


def get(
    indexes: LibraryIndexes, database: Database, settings: Settings, space: Standardisation = SPACE
) -> LibraryIndex:
    return indexes.get(database, bundle_directory(settings), CONFIG, space)


def assert_holds(found: LibraryIndex, ids: list[int], raw: np.ndarray) -> None:
    """Each track is found first by its own vector, and nothing else is there."""
    assert len(found.index) == len(ids)
    nearest, similarities = found.index.search(found.space.apply(raw), 1)
    assert nearest[:, 0].tolist() == ids
    np.testing.assert_allclose(similarities, 1, atol=0.1)  # a byte a column, where clustered


def test_it_follows_the_database(database: Database, settings: Settings) -> None:
    indexes, raw = LibraryIndexes(), draw(8)
    assert len(get(indexes, database, settings).index) == 0  # nothing was heard yet
    ids = add(database, raw)
    first = get(indexes, database, settings)
    assert_holds(first, ids, raw)
    more = draw(3)
    ids += add(database, more, after=8)
    raw = np.concatenate([raw, more])
    raw[2] = draw(1)[0]
    with database.session() as session:
        delete_track(session, ids[1])
        hear(session, ids[2], raw[2])  # heard again, as a file that was cut off before
    kept = [row for row in range(len(ids)) if row != 1]
    second = get(indexes, database, settings)
    assert_holds(second, [ids[row] for row in kept], raw[kept])
    assert len(first.index) == 8  # what is in use is never changed
    other_process = get(LibraryIndexes(), database, settings)
    assert_holds(other_process, [ids[row] for row in kept], raw[kept])


@sqlite_only
def test_where_nothing_changed_nothing_is_read_or_written(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(database, draw(5))
    indexes = LibraryIndexes()
    first = get(indexes, database, settings)

    def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(library_index, "load_embeddings", never)
    monkeypatch.setattr(TrackIndex, "save", never)
    assert get(indexes, database, settings) is first
    assert len(get(LibraryIndexes(), database, settings).index) == 5  # by the file alone


@sqlite_only
def test_another_space_is_another_index_and_the_file_that_of_the_last(
    database: Database, settings: Settings
) -> None:
    raw = draw(6)
    ids = add(database, raw)
    other = replace(SPACE, mean=SPACE.mean + 0.01)
    for space in (SPACE, other, SPACE):
        found = get(LibraryIndexes(), database, settings, space)
        np.testing.assert_array_equal(found.space.mean, space.mean)
        assert_holds(found, ids, raw)


@sqlite_only
def test_a_large_library_keeps_its_space_while_that_of_models_is_near(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_index, "EXACT_MAX_TRACKS", 50)
    raw = draw(300)
    ids = add(database, raw)
    first = get(LibraryIndexes(), database, settings)
    more = draw(2)
    ids += add(database, more, after=300)
    near = replace(SPACE, mean=SPACE.mean + 0.001)
    second = get(LibraryIndexes(), database, settings, near)
    assert (second.n_made, second.n_unsaved) == (300, 2)  # added to, and too little to write again
    np.testing.assert_array_equal(second.space.mean, SPACE.mean)
    assert_holds(second, ids, np.concatenate([raw, more]))
    assert len(first.index) == 300
    far = replace(SPACE, mean=SPACE.mean + 1)
    assert get(LibraryIndexes(), database, settings, far).n_made == 302
    ids += add(database, draw(310), after=302)
    assert get(LibraryIndexes(), database, settings, far).n_made == 612  # twice as many: made for as many


@sqlite_only
@pytest.mark.parametrize("content", [b"", b"not an index", None])
def test_a_file_that_is_lost_or_damaged_is_made_again(
    database: Database, settings: Settings, content: bytes | None
) -> None:
    raw = draw(5)
    ids = add(database, raw)
    get(LibraryIndexes(), database, settings)
    path = index_path(bundle_directory(settings), CONFIG.fingerprint)
    assert path == settings.data.resolve() / "indexes" / f"{CONFIG.fingerprint}.faiss"
    whole = path.read_bytes()
    path.write_bytes(whole[:-9] if content is None else content)
    assert_holds(get(LibraryIndexes(), database, settings), ids, raw)
    assert_holds(get(LibraryIndexes(), database, settings), ids, raw)  # from what was put back


@sqlite_only
def test_a_writer_that_is_killed_leaves_a_whole_file_for_many_readers(
    database: Database, settings: Settings
) -> None:
    raw = draw(400)
    ids = add(database, raw)
    found = get(LibraryIndexes(), database, settings)
    path = index_path(bundle_directory(settings), CONFIG.fingerprint)
    program = (
        "import sys; from pathlib import Path; from recommender.model.library_index import LibraryIndex;"
        "from tests.recommender.model.tiny_bundles import CONFIG\n"
        "path = Path(sys.argv[1]); index = LibraryIndex.load(path, CONFIG); print('ready', flush=True)\n"
        "while True: index.save(path)"
    )
    read: list[int] = []
    stop = threading.Event()

    def read_on() -> None:
        while not stop.is_set():
            loaded = LibraryIndex.load(path, CONFIG)
            read.append(-1 if loaded is None else len(loaded.index))

    readers = [threading.Thread(target=read_on) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
            time.sleep(0.2)
            writer.send_signal(signal.SIGKILL)
    stop.set()
    for reader in readers:
        reader.join()
    assert set(read) == {400}
    assert_holds(get(LibraryIndexes(), database, settings), ids, raw)
    assert found.index.search(SPACE.apply(raw[:1]), 1)[0][0, 0] == ids[0]
    for left in path.parent.glob(".*"):
        os.utime(left, (0, 0))
    forget_indexes(settings.bundles_directory, {CONFIG.fingerprint})
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@sqlite_only
def test_the_index_of_an_encoder_that_no_model_has_is_forgotten(
    database: Database, settings: Settings
) -> None:
    add(database, draw(3))
    get(LibraryIndexes(), database, settings)
    path = index_path(bundle_directory(settings), CONFIG.fingerprint)
    forget_indexes(settings.bundles_directory, set())
    assert path.exists()  # a model may be about to be published
    os.utime(path, (0, 0))
    forget_indexes(settings.bundles_directory, {CONFIG.fingerprint})
    assert path.exists()
    forget_indexes(settings.bundles_directory, set())
    assert not path.exists()


@sqlite_only
def test_a_track_without_direction_is_in_no_index(database: Database, settings: Settings) -> None:
    raw = draw(3)
    raw[1] = SPACE.mean
    ids = add(database, raw)
    found = get(LibraryIndexes(), database, settings)
    assert_holds(found, [ids[0], ids[2]], raw[[0, 2]])
    assert found.track_ids.tolist() == ids
