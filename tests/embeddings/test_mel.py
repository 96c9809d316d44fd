"""Log-mel spectrograms against librosa, and what a front end must never do."""

import librosa
import numpy as np
import pytest

from embeddings.config import MelConfig, PatchConfig
from embeddings.errors import EmbeddingError
from embeddings.mel import log_mel, mel_filter_bank

CONFIGS = [
    MelConfig(),
    MelConfig(sample_rate_hz=12_000, n_mels=48),
    MelConfig(sample_rate_hz=22_050, n_fft=2048, hop_length=512, n_mels=128, gain=100.0),
    # Wholly inside the linear part of the mel scale.
    MelConfig(sample_rate_hz=1_600, n_fft=256, hop_length=64, n_mels=24),
    # So many bands that some cover no bin of the FFT.
    MelConfig(n_fft=256, hop_length=128, n_mels=96),
]


def librosa_log_mel(y: np.ndarray, config: MelConfig, *, center: bool) -> np.ndarray:
    S = librosa.feature.melspectrogram(
        y=y,
        sr=config.sample_rate_hz,
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        n_mels=config.n_mels,
        center=center,
    )
    return np.log10(1.0 + config.gain * S).T


@pytest.mark.filterwarnings("ignore:Empty filters")
@pytest.mark.parametrize("config", CONFIGS)
def test_filter_bank_is_librosas_to_the_bit(config: MelConfig) -> None:
    expected = librosa.filters.mel(sr=config.sample_rate_hz, n_fft=config.n_fft, n_mels=config.n_mels)
    np.testing.assert_array_equal(mel_filter_bank(config), expected)


@pytest.mark.filterwarnings("ignore:Empty filters")
@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("level", [1e-4, 0.1, 1.0])
def test_equals_librosa(config: MelConfig, level: float, rng: np.random.Generator) -> None:
    y = (level * rng.standard_normal(3 * config.sample_rate_hz)).astype(np.float32)
    S = log_mel(y, config)
    assert S.dtype == np.float32
    np.testing.assert_allclose(S, librosa_log_mel(y, config, center=False), atol=1e-5)


def test_frames_are_those_of_librosas_default_away_from_the_edges(rng: np.random.Generator) -> None:
    """The pretrained network was trained on centred frames: frame i of a window is frame i + 1 there."""
    config = MelConfig()
    y = rng.uniform(-1, 1, 16_000).astype(np.float32)
    centred = librosa_log_mel(y, config, center=True)
    S = log_mel(y, config)
    np.testing.assert_allclose(S, centred[1 : len(S) + 1], atol=1e-5)


def test_a_tone_sounds_in_its_own_band() -> None:
    config = MelConfig()
    edges_hz = librosa.mel_frequencies(n_mels=config.n_mels + 2, fmax=8_000)
    for band in (20, 50, 90):
        t = np.arange(16_000) / config.sample_rate_hz
        y = np.sin(2 * np.pi * edges_hz[band + 1] * t).astype(np.float32)
        loudest = log_mel(y, config).argmax(axis=1)
        assert set(loudest.tolist()) == {band}


def test_a_delay_of_one_hop_moves_every_frame_by_one(rng: np.random.Generator) -> None:
    config = MelConfig()
    y = rng.uniform(-1, 1, 16_000).astype(np.float32)
    delayed = np.concatenate([np.zeros(config.hop_length, dtype=np.float32), y])
    np.testing.assert_allclose(log_mel(delayed, config)[1:], log_mel(y, config), atol=1e-6)


def test_does_not_depend_on_how_loud_the_rest_of_the_signal_is(rng: np.random.Generator) -> None:
    """A reference taken from the loudest frame would move these by tens of dB."""
    config = MelConfig()
    quiet = (0.01 * rng.standard_normal(8_000)).astype(np.float32)
    loud = rng.standard_normal(8_000).astype(np.float32)
    alone, together = log_mel(quiet, config), log_mel(np.concatenate([quiet, loud]), config)
    np.testing.assert_allclose(together[: len(alone)], alone, atol=1e-6)


def test_silence_is_zero() -> None:
    assert not log_mel(np.zeros(16_000, dtype=np.float32), MelConfig()).any()


def test_below_the_silence_level_next_to_nothing_is_left() -> None:
    """The reason given for the level in PatchConfig."""
    config = MelConfig()
    t = np.arange(16_000) / config.sample_rate_hz
    for frequency_hz in (60.0, 440.0, 3_000.0):
        tone = np.sqrt(2) * np.sin(2 * np.pi * frequency_hz * t)
        y = (10 ** (PatchConfig().silence_dbfs / 20) * tone).astype(np.float32)
        assert log_mel(y, config).max() < 0.35
        assert log_mel(tone.astype(np.float32), config).max() > 4.0


def test_arguments_are_only_read(rng: np.random.Generator) -> None:
    y = rng.uniform(-1, 1, 4_000).astype(np.float32)
    before = y.copy()
    log_mel(y, MelConfig())[:] = 0
    np.testing.assert_array_equal(y, before)
    with pytest.raises(ValueError, match="read-only"):
        mel_filter_bank(MelConfig())[0] = 1


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros((2, 16_000), dtype=np.float32), r"got shape \(2, 16000\)"),
        (np.zeros(511, dtype=np.float32), r"got shape \(511,\)"),
        (np.full(600, np.nan, dtype=np.float32), "not finite"),
        (np.full(600, np.inf, dtype=np.float32), "not finite"),
    ],
)
def test_bad_signals_are_refused_at_the_door(y: np.ndarray, message: str) -> None:
    with pytest.raises(EmbeddingError, match=message):
        log_mel(y, MelConfig())
