"""One level for every track: the same answer however loud it was mastered, and silence stays silence."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from embeddings.audio import Windows
from embeddings.config import EncoderConfig, LevelConfig, MelConfig, PatchConfig
from embeddings.encoder import Encoder
from embeddings.level import level_dbfs, level_windows
from embeddings.patches import cut_patches
from tests.conftest import WriteAudio

LEVEL = LevelConfig()
N_WINDOW = 48_128


@pytest.fixture
def windows(music) -> NDArray[np.float32]:
    """(8, N_WINDOW): a quiet beginning, then a made tune that grows louder."""
    y = music(26, sample_rate_hz=16_000)[: 8 * N_WINDOW].reshape(8, N_WINDOW)
    return y * np.array([0.05, 0.5, 0.5, 0.7, 0.8, 1, 1, 1], dtype=np.float32)[:, None]


def test_the_loud_windows_come_to_the_level_and_the_gate_leaves_a_quiet_beginning_out(windows) -> None:
    levelled = level_windows(windows, LEVEL)
    power = 10 ** (level_dbfs(levelled) / 10)
    assert 10 * np.log10(power[1:].mean()) == pytest.approx(LEVEL.target_dbfs, abs=0.01)
    without = level_windows(windows[1:], LEVEL)
    np.testing.assert_allclose(levelled[1:], without, rtol=1e-5)


def test_all_windows_get_one_gain(windows) -> None:
    centred = windows - windows.mean(axis=1, keepdims=True)
    ratio = level_windows(windows, LEVEL)[np.abs(centred) > 1e-3] / centred[np.abs(centred) > 1e-3]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-3)


@pytest.mark.parametrize("gain_db", [-30, -24, -12, -6, 3, 6])
@pytest.mark.parametrize("offset", [0.0, 0.2, -0.05])
def test_gain_and_offset_change_nothing(windows, gain_db: float, offset: float) -> None:
    changed = (windows * 10 ** (gain_db / 20) + offset).astype(np.float32)
    np.testing.assert_allclose(level_windows(changed, LEVEL), level_windows(windows, LEVEL), atol=1e-4)


def test_silence_and_the_noise_of_16_bits_stay_silent(rng) -> None:
    for signals in (
        np.zeros((3, N_WINDOW)),
        np.full((3, N_WINDOW), 0.3),
        rng.integers(-1, 2, (3, N_WINDOW)) / 32768,
    ):
        assert not level_windows(signals.astype(np.float32), LEVEL).any()


def test_noise_between_music_is_not_measured(windows, rng) -> None:
    noisy = windows.copy()
    noisy[0] = rng.integers(-1, 2, N_WINDOW) / 32768
    np.testing.assert_allclose(level_windows(noisy, LEVEL)[1:], level_windows(windows[1:], LEVEL), rtol=1e-5)


def test_the_argument_is_only_read(windows) -> None:
    before = windows.copy()
    level_windows(windows, LEVEL)
    np.testing.assert_array_equal(windows, before)


def test_a_track_is_levelled_as_a_whole_so_quiet_windows_stay_quieter(windows) -> None:
    heard, _ = cut_patches(Windows(windows, np.arange(8.0), 26.0), MelConfig(), PatchConfig())
    loudness = heard.mean(axis=(1, 2))
    assert loudness[0] == loudness.min()
    alone, _ = cut_patches(Windows(windows[:1], np.arange(1.0), 26.0), MelConfig(), PatchConfig())
    assert alone.mean() > loudness[0] + 0.5


@pytest.mark.parametrize("gain_db", [-30, -12, 6])
def test_an_encoder_hears_the_same_at_every_loudness(
    tiny_encoder: Encoder, music, write_audio: WriteAudio, gain_db: float
) -> None:
    """As files, at 16 bits; a peak of 0.5 leaves room for 6 dB."""
    y = 0.8 * music(20, sample_rate_hz=44_100)
    y = y / np.abs(y).max() / 2
    as_it_is = tiny_encoder.listen(write_audio("a.wav", y, sample_rate_hz=44_100)).vector
    changed = y * 10 ** (gain_db / 20)
    vector = tiny_encoder.listen(write_audio("b.wav", changed, sample_rate_hz=44_100)).vector
    np.testing.assert_allclose(vector, as_it_is, atol=0.02)
    old = Encoder(
        replace(tiny_encoder.config, patches=PatchConfig(level=None), front_end=1),
        tiny_encoder._content,
        n_threads=1,
    )
    vectors = [
        old.listen(write_audio(name, s, sample_rate_hz=44_100)).vector
        for name, s in (("c.wav", y), ("d.wav", changed))
    ]
    assert np.abs(vectors[0] - vectors[1]).max() > 0.1


def test_a_config_without_a_level_is_that_of_the_first_front_end_to_the_byte() -> None:
    first = EncoderConfig(
        name="tiny", views=(), network_sha256="0" * 64, patches=PatchConfig(level=None), front_end=1
    )
    assert "level" not in first.to_dict()["patches"]
    assert EncoderConfig.from_dict(first.to_dict()) == first
    now = replace(first, patches=PatchConfig(), front_end=2)
    assert EncoderConfig.from_dict(now.to_dict()) == now
    assert now.fingerprint != first.fingerprint
