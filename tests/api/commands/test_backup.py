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
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

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
from tests.databases import postgresql_only, sqlite_only
from tests.nearly_right import damaged

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


def _member(name: str, kind: bytes = tarfile.REGTYPE, **fields: Any) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type = kind
    for field, value in fields.items():
        setattr(entry, field, value)
    return entry


UNSAFE = {
    "a path that climbs": [_member("../../evil")],
    "a path that climbs below a known folder": [_member("bundles/../../../evil")],
    "an absolute path": [_member("/tmp/evil")],
    "an absolute path below a known folder": [_member("bundles//tmp/evil")],
    "a path of Windows": [_member("bundles/..\\..\\evil")],
    "a file that no backup holds": [_member("evil")],
    "a folder that no backup holds": [_member("evil/evil")],
    "a file where a folder stands": [_member("bundles")],
    "a symbolic link": [_member("bundles/1", tarfile.SYMTYPE, linkname="../../..")],
    "a file through a symbolic link": [
        _member("bundles/1", tarfile.SYMTYPE, linkname="../../.."),
        _member("bundles/1/evil"),
    ],
    "a hard link": [_member("database.sqlite", tarfile.LNKTYPE, linkname="/etc/passwd")],
    "a link to a member": [
        _member("database.sqlite"),
        _member("bundles/1", tarfile.LNKTYPE, linkname="database.sqlite"),
    ],
    "a device": [_member("bundles/1", tarfile.CHRTYPE, devmajor=1, devminor=5)],
    "a pipe": [_member("bundles/1", tarfile.FIFOTYPE)],
    "a folder": [_member("bundles/1", tarfile.DIRTYPE)],
    "a file twice": [_member("database.sqlite"), _member("database.sqlite")],
    "a file below a file": [_member("bundles/1"), _member("bundles/1/2")],
    "a time that no clock shows": [_member("database.sqlite", pax_headers={"mtime": "1e300"})],
}


@pytest.mark.parametrize("unsafe", UNSAFE.values(), ids=UNSAFE)
def test_a_made_up_one_writes_nothing_anywhere(
    elsewhere: Settings, tmp_path: Path, unsafe: list[tarfile.TarInfo]
) -> None:
    path = tmp_path / "evil.backup"
    manifest = b'{"format": "whichlist-backup", "version": 1, "created_at": 0, "data": "/", "files": {}}'
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for entry in unsafe:
            tar.addfile(entry, io.BytesIO())
        tar.addfile(_member(MANIFEST, size=len(manifest)), io.BytesIO(manifest))
    before = {found for found in tmp_path.parent.rglob("*") if found.is_relative_to(tmp_path)}
    with pytest.raises(BadBackup, match=r"evil\.backup"):
        restore_backup(elsewhere, path)
    after = {found for found in tmp_path.parent.rglob("*") if found.is_relative_to(tmp_path)}
    assert after - before <= {elsewhere.data}
    assert not Path("/tmp/evil").exists()


def test_what_the_manifest_does_not_name_is_refused(backup: Path, elsewhere: Settings) -> None:
    with tarfile.open(backup, "a") as tar:
        tar.addfile(_member("bundles/extra", size=2), io.BytesIO(b"{}"))
    with pytest.raises(BadBackup, match=r"bundles/extra .* is not as it was written"):
        restore_backup(elsewhere, backup)


@pytest.mark.parametrize("manifest", [b"{}", b"[]", b"7", b'{"format": "whichlist-backup", "version": 2}'])
def test_a_manifest_of_another_kind_is_refused(elsewhere: Settings, tmp_path: Path, manifest: bytes) -> None:
    path = tmp_path / "other.backup"
    with tarfile.open(path, "w") as tar:
        tar.addfile(_member(MANIFEST, size=len(manifest)), io.BytesIO(manifest))
    with pytest.raises(BadBackup):
        restore_backup(elsewhere, path)


def test_times_and_modes_outlast_it(filled: Filled, backup: Path, elsewhere: Settings) -> None:
    """A scan knows a kept upload by its time; a settings file may hold passwords."""
    restore_backup(elsewhere, backup)
    for path in filled.settings.bundles_directory.rglob("*"):
        restored = elsewhere.bundles_directory / path.relative_to(filled.settings.bundles_directory)
        if path.is_file() and restored.exists():
            assert restored.stat().st_mtime == pytest.approx(path.stat().st_mtime, abs=1e-3)
            assert stat.S_IMODE(restored.stat().st_mode) == stat.S_IMODE(path.stat().st_mode) & 0o644 | 0o600
    assert [path for path in elsewhere.bundles_directory.rglob("*") if path.is_file()]


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


@sqlite_only
def test_a_damaged_backup_is_refused_or_whole_and_leaves_nothing_half_done(
    filled: Filled, backup: Path, tmp_path: Path
) -> None:
    whole = backup.read_bytes()
    place = tmp_path / "damaged"

    @hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(damaged(whole))
    def holds(data: bytes) -> None:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        (place / "backup").write_bytes(data)
        settings = dataclasses.replace(
            filled.settings, data=place / "data", database_url=f"sqlite:///{place / 'restored.sqlite'}"
        )
        try:
            restore_backup(settings, place / "backup")
        except BadBackup as refusal:
            assert str(refusal).strip()
            assert not (place / "restored.sqlite").exists()
            assert not any(settings.data.iterdir())
        else:
            assert len(list(settings.bundles_directory.iterdir())) == len(filled.bundle_ids)

    holds()
