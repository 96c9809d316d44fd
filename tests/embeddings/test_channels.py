"""What is shown beside a log-mel, on signals whose answer is known."""

import numpy as np
import pytest

from embeddings.channels import CHANNELS, mel_channels
from embeddings.config import MelConfig
from embeddings.errors import EmbeddingError
from embeddings.mel import log_mel

CONFIG = MelConfig()
RATE_HZ = CONFIG.sample_rate_hz


def tone(frequency_hz: float, *, duration_s: float = 1.0) -> np.ndarray:
    t = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    return (0.4 * np.sin(2 * np.pi * frequency_hz * t)).astype(np.float32)


def clicks(*, duration_s: float = 1.0) -> np.ndarray:
    y = np.zeros(round(duration_s * RATE_HZ), np.float32)
    y[800 :: RATE_HZ // 8] = 0.9
    return y


def test_without_channels_it_is_the_log_mel_and_first_with_them(rng):
    y = rng.normal(scale=0.1, size=RATE_HZ).astype(np.float32)

    alone, beside = mel_channels(y, CONFIG, ()), mel_channels(y, CONFIG, CHANNELS)

    assert np.array_equal(alone[..., 0], log_mel(y, CONFIG))
    assert np.array_equal(beside[..., 0], alone[..., 0])
    assert beside.shape == (*alone.shape[:2], 1 + len(CHANNELS))
    assert beside.dtype == np.float32


def test_chroma_is_the_pitch_class_whatever_the_octave():
    for frequency_hz in (440.0, 880.0):
        chroma = mel_channels(tone(frequency_hz), CONFIG, ("chroma",))[..., 1]
        band = chroma.mean(axis=0).argmax()
        assert band * 12 // CONFIG.n_mels == 9  # A, counted from C


@pytest.mark.parametrize(("name", "tolerance"), [("centroid", 0.03), ("rolloff", 0.02)])
def test_the_frequency_of_a_tone_is_its_centroid_and_roll_off(name, tolerance):
    for frequency_hz in (1000.0, 4000.0):
        shown = mel_channels(tone(frequency_hz), CONFIG, (name,))[..., 1]
        assert np.allclose(shown, frequency_hz / (RATE_HZ / 2), atol=tolerance)
        assert np.ptp(shown, axis=1).max() == 0  # the same in every band


def test_what_lasts_is_harmonic_and_what_strikes_percussive():
    for y, strong, weak in ((tone(440.0), 1, 2), (clicks(), 2, 1)):
        shown = mel_channels(y, CONFIG, ("harmonic", "percussive"))
        assert shown[..., strong].sum() > 10 * shown[..., weak].sum()


def test_both_parts_together_are_the_whole():
    y = tone(440.0) + clicks()
    whole, harmonic, percussive = np.moveaxis(mel_channels(y, CONFIG, ("harmonic", "percussive")), 2, 0)

    power = [(10**S - 1) / CONFIG.gain for S in (whole, harmonic, percussive)]
    magnitude = np.sqrt(power[1]).sum() + np.sqrt(power[2]).sum()
    assert magnitude == pytest.approx(np.sqrt(power[0]).sum(), rel=0.1)


def test_silence_within_a_clip_gives_numbers():
    y = np.concatenate([np.zeros(RATE_HZ, np.float32), tone(440.0)])

    shown = mel_channels(y, CONFIG, CHANNELS)

    assert np.isfinite(shown).all()
    assert shown.min() >= 0


def test_an_unknown_channel_is_refused_with_those_that_are_known():
    with pytest.raises(EmbeddingError, match="no channel tempo; there are: chroma, rolloff"):
        mel_channels(tone(440.0), CONFIG, ("chroma", "tempo"))
