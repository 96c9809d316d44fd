"""The directory format of a trained model: whole or not there, and never believed unchecked."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from recommender.model import bundle as bundle_module
from recommender.model.bundle import (
    CorruptBundle,
    read_bundle,
    read_report,
    write_bundle,
)
from recommender.model.heads import Head
from tests.recommender.model.tiny_bundles import CONFIG, DIM, World, contents_of, make_world, publish_world


@pytest.fixture(scope="module")
def world() -> World:
    return make_world()


@pytest.fixture
def directory(world: World, tmp_path: Path) -> Path:
    return publish_world(world, tmp_path / "bundles")


def test_what_is_read_scores_as_what_was_written(world: World, directory: Path) -> None:
    loaded = read_bundle(directory)
    assert loaded.bundle_id == directory.name == "2026-11-20-1"
    assert loaded.created_at == datetime(2026, 11, 20, tzinfo=UTC)
    assert loaded.config == CONFIG
    assert loaded.report == {"balanced_accuracy": 1.0}
    assert loaded.groups[0].playlist_names == ("hip hop", "electro")
    for ours, theirs in (
        (world.groups[0].score(world.raw), loaded.groups[0].score(world.raw)),
        (world.groups[0].score(world.raw, n_nearest=0), loaded.groups[0].score(world.raw, n_nearest=0)),
    ):
        for name, values in vars(ours).items():
            np.testing.assert_array_equal(values, getattr(theirs, name))
    assert loaded.index is None  # it is no part of a bundle


def test_bundles_of_one_day_are_numbered_and_numbers_never_come_back(world: World, tmp_path: Path) -> None:
    contents = contents_of(world)
    names = [write_bundle(tmp_path, contents).name for _ in range(2)]
    assert names == ["2026-11-20-1", "2026-11-20-2"]
    shutil.rmtree(tmp_path / "2026-11-20-2")
    assert write_bundle(tmp_path, contents, used_ids=names).name == "2026-11-20-3"
    next_day = replace(contents, created_at=datetime(2026, 11, 21, tzinfo=UTC))
    assert write_bundle(tmp_path, next_day).name == "2026-11-21-1"


def test_a_name_taken_meanwhile_is_not_overwritten(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = publish_world(world, tmp_path)
    monkeypatch.setattr(bundle_module, "_number", lambda name, day: 0)  # as if the other were not seen yet
    second = publish_world(world, tmp_path)
    assert second.name == "2026-11-20-2"
    assert read_bundle(first).bundle_id == "2026-11-20-1"
    assert read_bundle(second).bundle_id == "2026-11-20-2"


def test_a_failed_write_leaves_nothing_behind(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundle_module, "write_json", no_space)
    with pytest.raises(OSError, match="No space left"):
        publish_world(world, tmp_path / "bundles")
    assert list((tmp_path / "bundles").iterdir()) == []


def test_the_manifest_names_every_file(directory: Path) -> None:
    manifest = json.loads((directory / "manifest.json").read_text())
    found = {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}
    assert found - set(manifest["files"]) == {"manifest.json"}
    assert manifest["encoder"] == {"name": "tiny", "fingerprint": CONFIG.fingerprint, "dim": DIM}
    assert manifest["library_versions"]["numpy"] == np.__version__


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


@pytest.mark.parametrize("damage", [flip_a_byte, truncate, Path.unlink])
@pytest.mark.parametrize(
    "name",
    ["encoder.tflite", "encoder.json", "standardisation.npz", "groups/1.npz", "groups/1.json", "report.json"],
)
def test_a_damaged_file_is_named(directory: Path, name: str, damage: object) -> None:
    damage(directory / name)  # type: ignore[operator]
    with pytest.raises(CorruptBundle, match=Path(name).name.replace(".", r"\.")):
        read_bundle(directory)


@pytest.mark.parametrize(
    "manifest",
    ["", "{", "[]", "{}", '{"format_version": 1}', '{"format_version": 1, "files": {}, "groups": []}'],
)
def test_a_half_written_manifest_is_refused(directory: Path, manifest: str) -> None:
    (directory / "manifest.json").write_text(manifest)
    with pytest.raises(CorruptBundle):
        read_bundle(directory)


def test_a_later_format_is_refused_naming_both(directory: Path) -> None:
    path = directory / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format_version": 3}))
    with pytest.raises(CorruptBundle, match="format version 3, expected up to 2"):
        read_bundle(directory)


def test_arrays_that_do_not_fit_together_are_refused(world: World, tmp_path: Path) -> None:
    group = world.groups[0]
    lame = replace(group, head=Head(group.head.weights[:, :-1], group.head.bias))
    with pytest.raises(CorruptBundle, match="ValueError"):
        read_bundle(publish_world(replace(world, groups=(lame,)), tmp_path))


def test_a_missing_directory_is_a_corrupt_bundle(tmp_path: Path) -> None:
    with pytest.raises(CorruptBundle, match="nowhere"):
        read_bundle(tmp_path / "nowhere")
    with pytest.raises(CorruptBundle, match="nowhere"):
        read_report(tmp_path / "nowhere")


def test_a_bundle_of_an_earlier_program_with_an_index_of_its_own_is_read(directory: Path) -> None:
    (directory / "index.faiss").write_bytes(b"not looked at")
    assert read_bundle(directory).index is None
