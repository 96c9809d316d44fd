"""From windows to patches: silence, short tracks, start times, independence."""

import librosa
import numpy as np
import pytest
import soundfile

from embeddings.audio import Windows
from embeddings.config import MelConfig, PatchConfig
from embeddings.errors import EmbeddingError, SilentAudio, TooShort
from embeddings.level import level_dbfs
from embeddings.mel import log_mel
from embeddings.patches import cut_patches, track_patches, window_samples

MEL, PATCHES = MelConfig(), PatchConfig()
AS_IT_IS = PatchConfig(level=None)
N_WINDOW = 48_128


def windows_of(signals: np.ndarray) -> Windows:
    starts = 10.0 * np.arange(len(signals))
    return Windows(signals.astype(np.float32), starts, duration_s=10.0 * len(signals))


def test_a_window_has_exactly_the_samples_of_a_patch(rng) -> None:
    assert window_samples(MEL, PATCHES) == N_WINDOW
    assert log_mel(rng.uniform(-1, 1, N_WINDOW).astype(np.float32), MEL).shape == (187, 96)


def test_a_file_of_30_s_gives_eight_patches(music, write_audio) -> None:
    heard = track_patches(
        write_audio("a.flac", music(30, sample_rate_hz=44_100), sample_rate_hz=44_100), MEL, PATCHES
    )
    assert heard.patches.shape == (8, 187, 96)
    assert heard.patches.dtype == np.float32
    assert heard.start_s.shape == (8,)
    assert heard.duration_s == pytest.approx(30.0)
    assert set(heard.timing_ms) == {"decode", "mel"}


def test_patches_are_stretches_of_librosas_spectrogram_of_the_whole_track(music, write_audio) -> None:
    """At 16 kHz, where a window that begins on a frame needs no resampling: frames agree one by one."""
    path = write_audio("a.wav", music(60, sample_rate_hz=16_000), sample_rate_hz=16_000, subtype="FLOAT")
    y, _ = soundfile.read(path, dtype="float32")
    heard = track_patches(path, MEL, AS_IT_IS)
    for patch, start_s in zip(heard.patches, heard.start_s, strict=True):
        first = round(start_s * 16_000)
        S = librosa.feature.melspectrogram(
            y=y[first % 256 :], sr=16_000, n_fft=512, hop_length=256, n_mels=96
        )
        rows = slice(first // 256, first // 256 + 187)
        np.testing.assert_allclose(patch, np.log10(1 + 10_000 * S.T)[rows], atol=1e-5)


def test_the_spectrogram_hardly_depends_on_the_sample_rate_of_the_file(music, write_audio) -> None:
    y = music(12, sample_rate_hz=44_100)
    high = track_patches(write_audio("44.flac", y, sample_rate_hz=44_100), MEL, PATCHES)
    y = librosa.resample(y, orig_sr=44_100, target_sr=22_050)
    low = track_patches(write_audio("22.flac", y, sample_rate_hz=22_050), MEL, PATCHES)
    np.testing.assert_allclose(low.start_s, high.start_s, atol=0.02)
    assert np.abs(low.patches.mean(axis=(0, 1)) - high.patches.mean(axis=(0, 1))).max() < 0.05


def test_a_tone_begins_in_the_patch_and_frame_where_it_begins_in_the_track(write_audio) -> None:
    onset_s = 21.5
    t = np.arange(60 * 22_050) / 22_050
    y = np.where(t >= onset_s, 0.5 * np.sin(2 * np.pi * 440 * t), 0.0)
    heard = track_patches(write_audio("late.flac", y, sample_rate_hz=22_050), MEL, PATCHES)
    frame_s = heard.start_s[:, None] + np.arange(187) * 256 / 16_000
    sounding_s = frame_s[heard.patches.max(axis=2) > 3.0]
    assert sounding_s.min() == pytest.approx(max(onset_s, heard.start_s[0]), abs=0.02)
    silent_s = frame_s[heard.patches.max(axis=2) < 1.0]
    assert (silent_s < onset_s + 0.02).all()


class TestSilence:
    def test_silence_is_refused_by_name(self, write_audio) -> None:
        path = write_audio("hush.flac", np.zeros(20 * 44_100), sample_rate_hz=44_100)
        with pytest.raises(SilentAudio, match=r"hush.flac: every part listened to is silent"):
            track_patches(path, MEL, PATCHES)

    def test_so_is_the_dither_of_a_cd(self, rng, write_audio) -> None:
        y = rng.integers(-1, 2, 20 * 44_100).astype(np.int16)
        with pytest.raises(SilentAudio):
            track_patches(write_audio("dither.flac", y, sample_rate_hz=44_100), MEL, PATCHES)

    def test_silent_windows_are_left_out_and_the_others_keep_their_times(self, rng) -> None:
        signals = rng.uniform(-0.1, 0.1, (4, N_WINDOW))
        signals[[0, 2]] = 1e-5
        patches, start_s = cut_patches(windows_of(signals), MEL, AS_IT_IS)
        np.testing.assert_allclose(start_s, np.array([10.0, 30.0]) + 256 / 16_000)
        np.testing.assert_array_equal(patches[1], log_mel(signals[3].astype(np.float32), MEL))

    def test_a_quiet_passage_is_music(self, music) -> None:
        quiet = music(4, sample_rate_hz=16_000)[:N_WINDOW] * 10 ** (-50 / 20)
        patches, _ = cut_patches(windows_of(quiet[None]), MEL, PATCHES)
        assert patches.max() > 0.5

    def test_level_is_rms_against_a_full_scale_square_wave(self) -> None:
        square = np.sign(np.sin(np.arange(16_000) + 0.5))
        sine = np.sin(2 * np.pi * 100 * np.arange(16_000) / 16_000)
        signals = np.stack([square, 0.1 * square, sine, 0 * sine]).astype(np.float32)
        np.testing.assert_allclose(level_dbfs(signals), [0.0, -20.0, -3.01, -200.0], atol=0.01)


class TestShortTracks:
    def test_under_three_seconds_is_repeated_until_it_fills_a_patch(self, music, write_audio) -> None:
        y = music(1.5, sample_rate_hz=16_000)
        once = track_patches(
            write_audio("once.wav", y, sample_rate_hz=16_000, subtype="FLOAT"), MEL, AS_IT_IS
        )
        assert once.patches.shape == (1, 187, 96)
        assert once.duration_s == pytest.approx(1.5)
        repeated = np.tile(y, 3)[:N_WINDOW]
        np.testing.assert_allclose(once.patches[0], log_mel(repeated, MEL), atol=1e-6)
        # No stretch of it is the silence that padding would have left.
        assert once.patches[0].max(axis=1).min() > 2.0

    def test_under_one_second_is_refused(self, music, write_audio) -> None:
        path = write_audio("blip.wav", music(0.9, sample_rate_hz=16_000), sample_rate_hz=16_000)
        with pytest.raises(TooShort, match=r"blip.wav"):
            track_patches(path, MEL, PATCHES)


def test_a_patch_alone_equals_the_same_patch_among_others(rng) -> None:
    signals = rng.uniform(-1, 1, (8, N_WINDOW)) * 10.0 ** -np.arange(8)[:, None] * 3
    signals = np.maximum(signals, 0.01 * rng.uniform(-1, 1, signals.shape))
    together, _ = cut_patches(windows_of(signals), MEL, AS_IT_IS)
    for row in range(8):
        alone, _ = cut_patches(windows_of(signals[row : row + 1]), MEL, AS_IT_IS)
        np.testing.assert_array_equal(alone[0], together[row])


@pytest.mark.parametrize("shape", [(N_WINDOW,), (1, 0), (1, N_WINDOW + 1)])
def test_windows_of_another_shape_are_refused(shape) -> None:
    with pytest.raises(EmbeddingError, match="got shape"):
        cut_patches(Windows(np.zeros(shape, np.float32), np.zeros(1), 1.0), MEL, PATCHES)
