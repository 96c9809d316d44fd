"""The cache of log-mels: heard once, named by content, sound or made again."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from embeddings.config import MelConfig, PatchConfig
from embeddings.errors import UndecodableAudio
from embeddings.patches import track_patches
from recommender.records.tracks import Place
from training.learning import mel_cache
from training.learning.mel_cache import CachedPatches, MelCache


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    path = tmp_path / "tone.wav"
    t = np.arange(8 * 16_000) / 16_000
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * 440 * t), samplerate=16_000)
    return path


@pytest.fixture
def cache(tmp_path: Path) -> MelCache:
    return MelCache(tmp_path / "cache", patches=PatchConfig(max_patches=3))


@pytest.fixture
def heard(monkeypatch) -> list[Path]:
    """The files that were listened to, in order."""
    paths: list[Path] = []

    def listen(path, mel, patches, *, stretch):
        paths.append(path)
        return track_patches(path, mel, patches, stretch=stretch)

    monkeypatch.setattr(mel_cache, "track_patches", listen)
    return paths


def test_a_track_is_heard_once_and_read_as_it_was(cache, tone, heard):
    first = cache.patches_of(tone)
    second = cache.patches_of(tone)

    expected = track_patches(tone, cache.mel, cache.patches).patches
    assert heard == [tone]
    assert second.dtype == np.float32
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(second, expected, rtol=1e-3, atol=1e-6)


def test_a_moved_file_is_not_heard_again(cache, tone, heard):
    cache.patches_of(tone)
    moved = tone.rename(tone.with_name("other name.wav"))

    cache.patches_of(moved)

    assert heard == [tone]


@pytest.mark.parametrize(
    "damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b[:5000] + b"X" + b[5001:]]
)
def test_a_damaged_entry_is_made_again(cache, tone, heard, damage):
    whole = cache.patches_of(tone)
    (entry,) = cache.directory.rglob("*.npz")
    entry.write_bytes(damage(entry.read_bytes()))

    np.testing.assert_array_equal(cache.patches_of(tone), whole)
    np.testing.assert_array_equal(cache.patches_of(tone), whole)
    assert heard == [tone, tone]


def test_an_interrupted_write_leaves_no_entry(cache, tone, monkeypatch):
    def full_disk(file, **arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(mel_cache.np, "savez", full_disk)
    with pytest.raises(OSError, match="No space left"):
        cache.patches_of(tone)

    assert list(cache.directory.rglob("*.npz")) == []


def test_another_front_end_has_other_entries(cache, tone, heard):
    other = MelCache(cache.directory, mel=MelConfig(n_fft=1024), patches=cache.patches)

    assert not np.allclose(cache.patches_of(tone), other.patches_of(tone))
    assert len(heard) == 2


def test_what_cannot_be_heard_raises_and_is_not_remembered(cache, tmp_path):
    text = tmp_path / "text.mp3"
    text.write_text("this is not audio")

    with pytest.raises(UndecodableAudio):
        cache.patches_of(text)

    assert not list(cache.directory.rglob("*.npz"))


def test_many_tracks_read_one_at_a_time(cache, tone, heard):
    tracks = CachedPatches(cache, [Place(tone), Place(tone)])

    assert len(tracks) == 2
    np.testing.assert_array_equal(tracks[1], cache.patches_of(tone))
    assert heard == [tone]
