"""A backup made while others write brings back the same answers on either database, or says what is wrong."""

import dataclasses
import io
import os
import shutil
import stat
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from api.services import find_services
from recommender.catalogue.backup import MANIFEST, BadBackup, restore_backup, write_backup
from recommender.catalogue.copying import NotEmpty
from recommender.catalogue.database import Database
from recommender.catalogue.playlists import list_playlists
from recommender.catalogue.tracks import find_track, upsert_track
from recommender.records.tracks import TrackFacts
from recommender.settings import Settings
from tests.api.conftest import Filled
from tests.databases import postgresql_only

ASKED = [f"/recommend?track={track}" for track in (1, 5, 9)] + ["/playlists", "/tracks?limit=100", "/models"]


def _answers(settings: Settings) -> list[Any]:
    app = create_app(settings)
    client = app.test_client()
    found = [client.get(path).get_json() for path in ASKED]
    find_services(app).database.close()
    for answer in found:
        answer.pop("timing_ms", None)
    return found


@pytest.fixture
def elsewhere(filled: Filled, tmp_path: Path, empty_database_url: str) -> Settings:
    """Another data folder and an empty database of the same kind."""
    return dataclasses.replace(filled.settings, data=tmp_path / "restored", database_url=empty_database_url)


@pytest.fixture
def backup(filled: Filled, tmp_path: Path) -> Path:
    path = tmp_path / "whichlist.backup"
    write_backup(filled.settings, path)
    return path


def test_the_answers_are_the_same_elsewhere(filled: Filled, backup: Path, elsewhere: Settings) -> None:
    before = _answers(filled.settings)
    shutil.rmtree(filled.settings.bundles_directory)  # nothing of the old place is needed
    restore_backup(elsewhere, backup)
    assert _answers(elsewhere) == before


@postgresql_only
def test_it_moves_from_one_kind_of_database_to_the_other(
    filled: Filled, backup: Path, tmp_path: Path
) -> None:
    light = dataclasses.replace(
        filled.settings, data=tmp_path / "light", database_url=f"sqlite:///{tmp_path / 'light.sqlite'}"
    )
    restore_backup(light, backup)
    assert _answers(light) == _answers(filled.settings)


def test_new_rows_get_new_ids_after_it(filled: Filled, backup: Path, elsewhere: Settings) -> None:
    restore_backup(elsewhere, backup)
    app = create_app(elsewhere)
    database = find_services(app).database
    with database.session() as session:
        new = upsert_track(session, TrackFacts(title="New", artist="New"))
        assert new not in filled.track_ids
    database.close()


def test_others_write_meanwhile_and_each_change_is_in_it_wholly_or_not(
    filled: Filled, database: Database, tmp_path: Path, elsewhere: Settings
) -> None:
    is_over = threading.Event()
    n_written = 0

    def write() -> None:
        nonlocal n_written
        while not is_over.is_set():
            with database.session() as session:
                for half in ("first", "second"):
                    upsert_track(session, TrackFacts(title=f"{half} {n_written}", artist="Pair"))
            n_written += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        write_backup(filled.settings, tmp_path / "busy.backup")
    finally:
        is_over.set()
        writer.join()
    assert n_written
    restore_backup(elsewhere, tmp_path / "busy.backup")
    app = create_app(elsewhere)
    tracks = app.test_client().get("/tracks?query=Pair&limit=500").get_json()["tracks"]
    assert len(tracks) % 2 == 0
    find_services(app).database.close()


def test_only_its_owner_may_read_it(backup: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600


def test_nothing_is_restored_over_something(filled: Filled, backup: Path) -> None:
    before = _answers(filled.settings)
    with pytest.raises(NotEmpty):
        restore_backup(filled.settings, backup)
    other = dataclasses.replace(filled.settings, data=filled.settings.data / "other")
    with pytest.raises(NotEmpty):
        restore_backup(other, backup)
    assert _answers(filled.settings) == before


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _flip(data: bytes) -> bytes:
    at = data.index(b"SQLite format 3") + 5000
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


@pytest.mark.parametrize("damage", [_cut, _flip, lambda _data: b"not a backup", lambda _data: b""])
def test_a_damaged_one_is_refused_and_leaves_nothing(
    backup: Path, elsewhere: Settings, damage: Callable[[bytes], bytes]
) -> None:
    backup.write_bytes(damage(backup.read_bytes()))
    with pytest.raises(BadBackup):
        restore_backup(elsewhere, backup)
    assert not (elsewhere.data / "bundles").exists()
    assert list(elsewhere.data.glob(".restore-*")) == []


def test_a_made_up_one_cannot_write_elsewhere(elsewhere: Settings, tmp_path: Path) -> None:
    path = tmp_path / "evil.backup"
    with tarfile.open(path, "w") as tar:
        for name in ("../../evil", MANIFEST):
            entry = tarfile.TarInfo(name)
            entry.size = 2
            tar.addfile(entry, io.BytesIO(b"{}"))
    with pytest.raises(BadBackup):
        restore_backup(elsewhere, path)
    assert not (tmp_path / "evil").exists()
    assert not (tmp_path.parent / "evil").exists()


def test_a_full_disk_leaves_the_earlier_backup(
    filled: Filled, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = backup.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("recommender.catalogue.backup.os.fsync", full)
    with pytest.raises(OSError, match="space"):
        write_backup(filled.settings, backup)
    assert backup.read_bytes() == before
    assert [path.name for path in backup.parent.iterdir() if path.name.startswith(".")] == []


def test_playlists_and_tracks_are_all_there(filled: Filled, backup: Path, elsewhere: Settings) -> None:
    restore_backup(elsewhere, backup)
    app = create_app(elsewhere)
    with find_services(app).database.read_session() as session:
        assert {playlist.name for playlist in list_playlists(session)} == {"low", "high"}
        assert find_track(session, 1).path
    find_services(app).database.close()
