"""The same network behind a newer front end: another folder, another fingerprint, the old one untouched."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embeddings.config import FRONT_END_VERSION, LevelConfig, PatchConfig
from embeddings.encoder import Encoder
from embeddings.encoder_files import is_up_to_date, load_encoder_config, renew_encoder, save_encoder_config
from embeddings.errors import EmbeddingError, FingerprintMismatch
from tests.folders import TINY_ENCODER


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A folder as the first release wrote it."""
    config = replace(load_encoder_config(TINY_ENCODER), patches=PatchConfig(level=None), front_end=1)
    directory = tmp_path / config.fingerprint
    shutil.copytree(TINY_ENCODER, directory)
    save_encoder_config(config, directory)
    return directory


def test_what_the_first_release_wrote_has_the_fingerprint_that_it_stated(old: Path) -> None:
    assert json.loads((old / "encoder.json").read_text())["fingerprint"] == "5f8f6ff7af2d"
    assert not is_up_to_date(load_encoder_config(old))
    assert is_up_to_date(load_encoder_config(TINY_ENCODER))


def test_a_renewed_encoder_is_the_same_network_behind_the_front_end_of_now(old: Path, tmp_path: Path) -> None:
    before = (old / "encoder.json").read_bytes()
    renewed = renew_encoder(old, tmp_path / "encoders")
    config = load_encoder_config(renewed)
    assert renewed == tmp_path / "encoders" / config.fingerprint
    assert (config.front_end, config.patches.level) == (FRONT_END_VERSION, LevelConfig())
    assert config.fingerprint == load_encoder_config(TINY_ENCODER).fingerprint
    patches = np.random.default_rng(440).uniform(0, 5, (2, 187, 96)).astype(np.float32)
    ours, theirs = (Encoder.load(folder, n_threads=1).encode_patches(patches) for folder in (old, renewed))
    np.testing.assert_array_equal(ours, theirs)
    assert (old / "encoder.json").read_bytes() == before


def test_a_second_time_it_is_found(old: Path, tmp_path: Path) -> None:
    first = renew_encoder(old, tmp_path)
    changed = (first / "encoder.json").stat().st_mtime_ns
    assert renew_encoder(old, tmp_path) == first
    assert (first / "encoder.json").stat().st_mtime_ns == changed
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_broken_folder_leaves_nothing_behind(old: Path, tmp_path: Path) -> None:
    (old / "encoder.tflite").unlink()
    with pytest.raises(FileNotFoundError):
        renew_encoder(old, tmp_path / "encoders")
    assert list((tmp_path / "encoders").iterdir()) == []
    (old / "encoder.json").write_text("{}")
    with pytest.raises(EmbeddingError):
        renew_encoder(old, tmp_path / "encoders")


def test_the_front_end_of_a_later_program_is_refused(old: Path) -> None:
    save_encoder_config(replace(load_encoder_config(TINY_ENCODER), front_end=FRONT_END_VERSION + 1), old)
    with pytest.raises(FingerprintMismatch, match=f"has up to {FRONT_END_VERSION}"):
        load_encoder_config(old)
