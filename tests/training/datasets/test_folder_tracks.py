"""Folders are heard once: what was heard is kept by the audio's hash, and what fails is named."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embeddings.encoder import Encoder
from embeddings.encoder_files import load_encoder_config
from recommender.settings import Settings, load_settings
from tests.folders import TINY_ENCODER, write_track
from training.datasets import folder_tracks
from training.datasets.folder_tracks import HeardFolder, hear_folder
from training.datasets.playlist_folders import TrackRow

CONFIG = load_encoder_config(TINY_ENCODER)


@pytest.fixture
def local_settings(tmp_path: Path) -> Settings:
    """One process that listens, and nothing on this machine but the test's own folder."""
    return load_settings({"data": tmp_path / "data", "embedding_processes": "1"}, environ={})


def row(path: Path, *, playlist: str = "tones") -> TrackRow:
    return TrackRow(file=path, playlist=playlist, artist="somebody", title=path.stem, album="")


def hear(
    rows: list[TrackRow], settings: Settings, told: list[tuple[int, int, str]] | None = None
) -> HeardFolder:
    def note(done: int, total: int, message: str) -> None:
        if told is not None:
            told.append((done, total, message))

    return hear_folder(rows, settings, encoder_directory=TINY_ENCODER, progress=note)


def no_listening(*_: object, **__: object) -> None:
    raise AssertionError("a process was started to listen")


def test_what_was_heard_once_is_kept_and_what_fails_is_named(
    tmp_path: Path, local_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    low = write_track(tmp_path / "a" / "low.flac", tone_hz=200)
    high = write_track(tmp_path / "b" / "high.flac", tone_hz=2000, duration_s=5)
    text = tmp_path / "a" / "text.mp3"
    text.write_text("this is no music")
    silence = write_track(tmp_path / "a" / "short.wav", tone_hz=300, duration_s=0.2)
    copy = tmp_path / "b" / "copy of low.flac"
    shutil.copyfile(low, copy)
    rows = [row(path) for path in (low, tmp_path / "gone.flac", text, high, silence, copy)]
    told: list[tuple[int, int, str]] = []
    heard = hear(rows, local_settings, told)

    assert heard.config == CONFIG
    assert [found.file for found in heard.rows] == [low, high, copy]
    encoder = Encoder.load(TINY_ENCODER, n_threads=1)
    for path, vector, duration_s in zip((low, high, low), heard.raw, heard.durations_s, strict=True):
        alone = encoder.listen(path)
        np.testing.assert_allclose(vector, alone.vector, atol=1e-5)
        assert duration_s == pytest.approx(alone.duration_s)
    np.testing.assert_array_equal(heard.raw[0], heard.raw[2])
    failed = {found.file.name: (code, error) for found, code, error in heard.failed}
    assert list(failed) == ["gone.flac", "text.mp3", "short.wav"]
    assert failed["gone.flac"][0] == "unreadable_file"
    assert all(error for _, error in failed.values())
    assert told[-1] == (6, 6, "listening")
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)

    # The second time nothing is listened to, wherever the files are and whatever they are called now.
    monkeypatch.setattr(folder_tracks, "Listeners", no_listening)
    moved = tmp_path / "c" / "other.flac"
    moved.parent.mkdir()
    low.rename(moved)
    again = hear([row(moved), row(high)], local_settings)
    np.testing.assert_array_equal(again.raw, heard.raw[:2])
    np.testing.assert_array_equal(again.durations_s, heard.durations_s[:2])
    assert again.failed == ()


@pytest.mark.parametrize("damage", [b"", b"no archive", None], ids=["empty", "text", "truncated"])
def test_what_was_kept_and_is_damaged_is_heard_again(
    tmp_path: Path, local_settings: Settings, damage: bytes | None
) -> None:
    rows = [row(write_track(tmp_path / "a" / "low.flac", tone_hz=200))]
    heard = hear(rows, local_settings)
    (kept,) = (local_settings.cache_directory / "vectors" / CONFIG.fingerprint).glob("*.npz")
    whole = kept.read_bytes()
    kept.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    again = hear(rows, local_settings)
    np.testing.assert_array_equal(again.raw, heard.raw)
    assert kept.read_bytes() == whole


def test_another_encoder_hears_for_itself(tmp_path: Path, local_settings: Settings) -> None:
    """What one encoder heard is never taken for what another one would."""
    path = write_track(tmp_path / "a" / "low.flac", tone_hz=200)
    hear([row(path)], local_settings)
    vectors = local_settings.cache_directory / "vectors"
    assert [folder.name for folder in vectors.iterdir()] == [CONFIG.fingerprint]
    other = vectors / "0123456789ab"
    shutil.copytree(vectors / CONFIG.fingerprint, other)
    for file in other.iterdir():
        np.savez(file, vector=np.full(CONFIG.embedding_dim, 7, np.float32), duration_s=1.0)
    assert hear([row(path)], local_settings).raw.max() < 7


def test_nothing_to_hear_is_an_empty_table(local_settings: Settings, tmp_path: Path) -> None:
    heard = hear([], local_settings)
    assert heard.raw.shape == (0, CONFIG.embedding_dim)
    assert (heard.rows, heard.failed) == ((), ())
    gone = hear([row(tmp_path / "gone.flac")], local_settings)
    assert gone.raw.shape == (0, CONFIG.embedding_dim)
    assert len(gone.failed) == 1


def test_rows_keep_their_order_whoever_is_done_first(tmp_path: Path, local_settings: Settings) -> None:
    rows = [
        row(
            write_track(tmp_path / "a" / f"{n}.flac", tone_hz=200 + 300 * n, duration_s=6 - n),
            playlist=str(n % 2),
        )
        for n in range(4)
    ]
    heard = hear(rows, replace(local_settings, embedding_processes=2))
    assert heard.rows == tuple(rows)
    np.testing.assert_allclose(heard.durations_s, [6, 5, 4, 3], atol=0.01)
