"""Windows of audio files hold what decoding everything gives there, whatever the format, length and name."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from embeddings.audio import AudioLimits
from embeddings.errors import TooLong, TooShort
from tests.embeddings.reading import N_WINDOW, RATE_HZ, WINDOW_S, assert_windows_of, read, whole_track


class TestSameAsDecodingEverything:
    @pytest.mark.parametrize(
        "sample_rate_hz", [8_000, 11_025, 16_000, 22_050, 44_099, 44_100, 48_000, 96_000]
    )
    def test_at_every_sample_rate(self, sample_rate_hz, music, write_audio) -> None:
        path = write_audio(
            "a.wav", music(20, sample_rate_hz=sample_rate_hz), sample_rate_hz=sample_rate_hz, subtype="FLOAT"
        )
        windows = read(path)
        assert windows.signals.shape == (6, N_WINDOW)
        assert windows.signals.dtype == np.float32
        assert windows.duration_s == pytest.approx(20.0)
        assert_windows_of(windows, whole_track(path))

    @pytest.mark.parametrize(
        ("name", "sample_rate_hz"),
        [
            ("a.flac", 44_100),
            ("a.wav", 44_100),
            ("a.aiff", 44_100),
            ("a.mp3", 44_100),
            ("a.mp3", 22_050),
            ("a.ogg", 44_100),
            ("a.ogg", 16_000),
            ("a.opus", 48_000),
        ],
    )
    def test_in_every_format(self, name, sample_rate_hz, music, write_audio) -> None:
        y = music(40, sample_rate_hz=sample_rate_hz, n_channels=2)
        path = write_audio(name, y, sample_rate_hz=sample_rate_hz)
        windows = read(path)
        assert windows.duration_s == pytest.approx(40.0, abs=0.1)
        assert_windows_of(windows, whole_track(path), atol=1e-5)

    def test_a_click_is_heard_when_it_sounds(self, write_audio) -> None:
        y = np.zeros(60 * 44_100, dtype=np.float32)
        y[:: 2 * 44_100] = 0.9  # every two seconds
        windows = read(write_audio("clicks.flac", y, sample_rate_hz=44_100))
        for signal, start_s in zip(windows.signals, windows.start_s, strict=True):
            click_s = start_s + np.abs(signal).argmax() / RATE_HZ
            assert click_s == pytest.approx(2 * round(click_s / 2), abs=1 / RATE_HZ)


class TestChannels:
    def test_two_equal_channels_are_mono(self, music, write_audio) -> None:
        y = music(8, sample_rate_hz=44_100)
        mono = read(write_audio("mono.wav", y, sample_rate_hz=44_100, subtype="FLOAT"))
        stereo = read(
            write_audio("stereo.wav", np.stack([y, y], axis=1), sample_rate_hz=44_100, subtype="FLOAT")
        )
        np.testing.assert_array_equal(stereo.signals, mono.signals)

    def test_surround_at_96_khz_is_the_mean_of_its_channels(self, rng, write_audio) -> None:
        t = np.arange(7 * 96_000) / 96_000
        levels = np.array([0.3, 0.3, 0.1, 0.0, 0.2, 0.6])
        y = np.sin(2 * np.pi * 440 * t)[:, None] * levels
        windows = read(write_audio("surround.wav", y, sample_rate_hz=96_000, subtype="PCM_24"))
        assert windows.signals.shape == (2, N_WINDOW)
        assert np.abs(windows.signals).max() == pytest.approx(levels.mean(), rel=1e-3)

    def test_channels_that_cancel_are_not_silence(self, music, write_audio) -> None:
        y = music(8, sample_rate_hz=44_100)
        windows = read(write_audio("wired.flac", np.stack([y, -y], axis=1), sample_rate_hz=44_100))
        alone = read(write_audio("alone.flac", y, sample_rate_hz=44_100))
        np.testing.assert_array_equal(windows.signals, alone.signals)


class TestLength:
    def test_half_a_second_is_too_short(self, music, write_audio) -> None:
        path = write_audio("short.wav", music(0.5, sample_rate_hz=44_100), sample_rate_hz=44_100)
        with pytest.raises(TooShort, match=r"short.wav lasts 0.50 s, at least 1 s"):
            read(path)

    def test_a_track_shorter_than_a_window_comes_whole(self, music, write_audio) -> None:
        path = write_audio("short.flac", music(2, sample_rate_hz=44_100), sample_rate_hz=44_100)
        windows = read(path)
        assert windows.signals.shape == (1, 2 * RATE_HZ)
        assert_windows_of(windows, whole_track(path))

    def test_a_header_without_samples_is_too_short(self, write_audio) -> None:
        with pytest.raises(TooShort):
            read(write_audio("empty.wav", np.zeros(0, dtype=np.float32), sample_rate_hz=8_000))

    def test_three_hours_cost_no_more_than_three_minutes(self, tmp_path, monkeypatch) -> None:
        path = three_hours_of_noise(tmp_path / "set.wav")
        n_read = count_reads(monkeypatch)
        windows = read(path)
        assert windows.duration_s == pytest.approx(3 * 3600)
        np.testing.assert_allclose(windows.start_s, (np.arange(8) + 0.5) * 1350 - 1.5, atol=0.1)
        assert sum(n_read) / 8_000 < 8 * (WINDOW_S + 0.13)

    def test_past_the_limit_is_refused_before_anything_is_read(self, tmp_path, monkeypatch) -> None:
        path = three_hours_of_noise(tmp_path / "set.wav")
        n_read = count_reads(monkeypatch)
        with pytest.raises(TooLong, match=r"set.wav lasts 3.0 hours, the limit is 2"):
            read(path, limits=AudioLimits(longest_s=2 * 3600))
        assert n_read == []


def three_hours_of_noise(path: Path) -> Path:
    """8 kHz, 8 bits, written from one second of noise again and again."""
    second = np.random.default_rng(440).integers(64, 192, 8_000, dtype=np.uint8).tobytes()
    n_bytes = 3 * 3600 * 8_000
    with path.open("wb") as file:
        file.write(b"RIFF" + struct.pack("<I", 36 + n_bytes) + b"WAVEfmt ")
        file.write(
            struct.pack("<IHHIIHH", 16, 1, 1, 8_000, 8_000, 1, 8) + b"data" + struct.pack("<I", n_bytes)
        )
        for _ in range(3 * 36):
            file.write(second * 100)
    return path


def count_reads(monkeypatch) -> list[int]:
    """Samples per channel of every read, as libsndfile is asked for them from now on."""
    n_read: list[int] = []
    original = soundfile.SoundFile.read

    def counting(self, frames=-1, **options):
        samples = original(self, frames, **options)
        n_read.append(len(samples))
        return samples

    monkeypatch.setattr(soundfile.SoundFile, "read", counting)
    return n_read


@pytest.mark.parametrize(
    "name",
    [
        b"with spaces and 'quotes' \"of\" both kinds.flac",
        "каталог 音楽 🎧🔥.flac".encode(),
        b"-o --option=1.flac",
        b"latin-1 caf\xe9.flac",
        b"line\nbreak.flac",
        b"upper.FLAC",
        b"not what it says.mp3",
        b"no suffix",
    ],
)
def test_names_of_any_bytes(name, music, write_audio, tmp_path) -> None:
    path = write_audio("plain.flac", music(4, sample_rate_hz=22_050), sample_rate_hz=22_050)
    expected = read(path)
    odd = tmp_path / os.fsdecode(name)
    path.rename(odd)
    np.testing.assert_array_equal(read(odd).signals, expected.signals)
