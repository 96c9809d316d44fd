"""Never a part for the whole: lengths are compared, other decoders are asked, and what is missing is said."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from embeddings.audio import Windows
from tests.embeddings.reading import read

RATE_HZ = 44_100


@pytest.fixture
def ffmpeg() -> str:
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("no ffmpeg on the PATH")
    return program


def encode(ffmpeg: str, source: Path, name: str, *options: str) -> Path:
    """Another file of the same sound, beside it."""
    path = source.with_name(name)
    command = [ffmpeg, "-v", "error", "-y", "-i", str(source), "-fflags", "+bitexact", *options, str(path)]
    subprocess.run(command, check=True)
    return path


@pytest.fixture
def tune(music, write_audio) -> Path:
    """20 s whose pitch never repeats, in a quiet half and a loud one: no constant bit rate suits both."""
    y = music(20, sample_rate_hz=RATE_HZ, n_channels=2)
    noise = np.random.default_rng(440).standard_normal(y.shape)
    y[len(y) // 2 :] += 0.2 * noise[len(y) // 2 :]
    return write_audio("tune.wav", y, sample_rate_hz=RATE_HZ)


def assert_whole(windows: Windows, duration_s: float) -> None:
    assert windows.duration_s == pytest.approx(duration_s, abs=0.15)
    assert windows.unheard is None
    share_s = windows.duration_s / len(windows.signals)
    assert windows.start_s[-1] > windows.duration_s - share_s


class TestLengthsThatAreWrong:
    @pytest.mark.parametrize("quality", [("-q:a", "4"), ("-abr", "1", "-b:a", "96k")])
    def test_mp3_of_a_varying_rate_without_its_header(self, quality, tune, ffmpeg) -> None:
        path = encode(ffmpeg, tune, "vbr.mp3", *quality, "-write_xing", "0", "-id3v2_version", "0")
        assert b"Xing" not in path.read_bytes()[:4096]
        assert_whole(read(path), 20)

    @pytest.mark.parametrize("suffix", ["mp3", "ogg", "opus", "aac"])
    def test_two_recordings_in_one_file(self, suffix, tune, ffmpeg) -> None:
        one = encode(ffmpeg, tune, f"one.{suffix}", "-t", "8").read_bytes()
        two = encode(ffmpeg, tune, f"two.{suffix}", "-ss", "8").read_bytes()
        path = tune.with_name(f"both.{suffix}")
        path.write_bytes(one + two)
        assert_whole(read(path), 20)

    def test_mono_behind_stereo_and_another_rate_behind_that(self, tune, ffmpeg) -> None:
        options = ("-write_xing", "0", "-id3v2_version", "0")
        parts = [
            encode(ffmpeg, tune, "1.mp3", "-t", "7", *options),
            encode(ffmpeg, tune, "2.mp3", "-ss", "7", "-t", "7", "-ac", "1", *options),
            encode(ffmpeg, tune, "3.mp3", "-ss", "14", "-ar", "22050", *options),
        ]
        path = tune.with_name("joined.mp3")
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
        assert_whole(read(path), 20)

    def test_raw_aac_claims_a_guess(self, tune, ffmpeg) -> None:
        assert_whole(read(encode(ffmpeg, tune, "a.aac")), 20)

    @pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
    def test_a_recorder_that_was_switched_off(self, size, tune) -> None:
        data = bytearray(tune.read_bytes())
        at = data.index(b"data") + 4
        data[at : at + 4] = data[4:8] = size.to_bytes(4, "little")
        tune.write_bytes(data)
        assert_whole(read(tune), 20)

    def test_opus_from_vorbis_has_packets_that_libsndfile_refuses(self, tune, ffmpeg) -> None:
        vorbis = encode(ffmpeg, tune, "a.ogg")
        assert_whole(read(encode(ffmpeg, vorbis, "a.opus", "-c:a", "libopus")), 20)

    def test_opus_cut_out_of_a_longer_file(self, tune, ffmpeg) -> None:
        opus = encode(ffmpeg, tune, "a.opus", "-c:a", "libopus")
        assert_whole(read(encode(ffmpeg, opus, "cut.opus", "-ss", "7.3", "-c", "copy")), 12.7)


class TestDamage:
    @pytest.mark.parametrize("at", [0.1, 0.3, 0.5, 0.7, 0.9])
    @pytest.mark.parametrize("what", ["noise", "a second tag"])
    def test_between_mp3_frames_it_matters_nowhere(self, at, what, tune, ffmpeg, rng) -> None:
        path = encode(ffmpeg, tune, "a.mp3")
        data = path.read_bytes()
        junk = rng.bytes(5_000) if what == "noise" else b"ID3\x03\0\0\0\0\x10\0" + bytes(2048)
        cut = int(at * len(data))
        path.write_bytes(data[:cut] + junk + data[cut:])
        assert_whole(read(path), 20)

    @pytest.mark.parametrize("suffix", ["flac", "m4a", "ogg", "mka"])
    def test_a_hole_leaves_the_rest(self, suffix, tune, ffmpeg, rng) -> None:
        path = encode(ffmpeg, tune, f"a.{suffix}")
        data = bytearray(path.read_bytes())
        third = len(data) // 3
        data[third : third + 2_000] = rng.bytes(2_000)
        path.write_bytes(data)
        windows = read(path)
        # Matroska goes on with its next cluster only, and these last up to 5 s.
        assert windows.duration_s > (14 if suffix == "mka" else 18.5)
        assert (windows.unheard is None) == (windows.duration_s > 19)
        assert windows.start_s[-1] > 0.75 * windows.duration_s

    @pytest.mark.parametrize("suffix", ["mp3", "flac", "m4a", "wav", "wma", "tta"])
    def test_of_a_file_cut_off_it_is_said_how_much_was_heard(self, suffix, tune, ffmpeg) -> None:
        # A WAV tells its length, an m4a only where its tables come first.
        options = ("-movflags", "+faststart") if suffix == "m4a" else ()
        path = tune if suffix == "wav" else encode(ffmpeg, tune, f"a.{suffix}", *options)
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * 0.6)])
        windows = read(path)
        assert windows.unheard is not None
        assert windows.unheard.whole_s == pytest.approx(20, abs=0.2)
        assert 5 < windows.duration_s < 17
        assert windows.unheard.reason.startswith(f"heard {windows.duration_s:.0f} of 20 s")

    @pytest.mark.parametrize(
        ("suffix", "options"),
        [
            *((suffix, ()) for suffix in ("w64", "aiff", "caf", "au")),
            ("wav", ("-rf64", "always")),
            ("aiff", ("-c:a", "pcm_s24be")),
            ("au", ("-c:a", "pcm_alaw")),
        ],
    )
    def test_what_a_header_promises_and_the_file_has_not(self, suffix, options, tune, ffmpeg) -> None:
        path = encode(ffmpeg, tune, f"cut.{suffix}", *options)
        assert_whole(read(path), 20)
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
        windows = read(path)
        assert windows.duration_s == pytest.approx(12, abs=0.1)
        assert windows.unheard is not None
        assert windows.unheard.whole_s == pytest.approx(20, abs=0.1)

    @pytest.mark.parametrize("suffix", ["ogg", "opus", "oga", "aac", "ac3", "eac3", "mp2", "mp3"])
    def test_a_file_that_does_not_know_its_length_and_ends_in_a_frame(self, suffix, tune, ffmpeg) -> None:
        options = ("-write_xing", "0", "-id3v2_version", "0") if suffix == "mp3" else ()
        path = encode(ffmpeg, tune, f"cut.{suffix}", *options)
        assert read(path).unheard is None
        # Frames of a constant length end at many round places.
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10 + 300])
        windows = read(path)
        assert windows.unheard is not None
        assert windows.unheard.reason == (
            f"heard {windows.duration_s:.0f} s: the file is cut off, and does not say how long it was"
        )

    @pytest.mark.parametrize("suffix", ["mp3", "aac", "ac3", "ogg"])
    def test_one_that_ends_with_a_frame_and_a_tag_is_whole(self, suffix, tune, ffmpeg) -> None:
        options = ("-write_xing", "0", "-id3v2_version", "0") if suffix == "mp3" else ()
        path = encode(ffmpeg, tune, f"tagged.{suffix}", *options)
        path.write_bytes(path.read_bytes() + b"TAG" + b"a title".ljust(125, b"\0"))
        assert_whole(read(path), 20)

    @pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
    def test_a_tag_that_says_more_than_is_there(self, encoding, tune, ffmpeg) -> None:
        path = encode(ffmpeg, tune, "a.mp3", "-id3v2_version", "0")
        sound = path.read_bytes()
        for length_ms, is_missed in (("40000", True), ("20100", False), ("5000", False), ("0", False)):
            text = bytes([encoding == "utf-16"]) + length_ms.encode(encoding)
            frame = b"TLEN" + len(text).to_bytes(4, "big") + b"\0\0" + text
            path.write_bytes(b"ID3\x03\0\0\0\0\0" + bytes([len(frame)]) + frame + sound)
            windows = read(path)
            assert windows.duration_s == pytest.approx(20, abs=0.1)
            assert (windows.unheard is not None) == is_missed
            if windows.unheard is not None:
                assert windows.unheard.whole_s == windows.duration_s
                assert windows.unheard.reason == (
                    "heard 20 s, and its tag says 40 s: the rest is gone, or the tag is wrong"
                )


class TestAsAPlayerWould:
    @pytest.mark.parametrize("n_junk", [5_000, 70_000])
    def test_noise_in_front(self, n_junk, tune, ffmpeg, rng) -> None:
        path = encode(ffmpeg, tune, "a.mp3", "-id3v2_version", "0")
        path.write_bytes(rng.bytes(n_junk) + path.read_bytes())
        assert_whole(read(path), 20)

    def test_a_tag_that_is_larger_than_the_file(self, tune, ffmpeg) -> None:
        path = encode(ffmpeg, tune, "a.mp3", "-id3v2_version", "0")
        path.write_bytes(b"ID3\x03\0\0\x7f\x7f\x7f\x7f" + path.read_bytes())
        assert_whole(read(path), 20)

    @pytest.mark.parametrize("suffix", ["flac", "m4a", "wav", "ogg", "wma"])
    def test_a_tag_and_a_wrong_name_in_front_of_anything(self, suffix, tune, ffmpeg) -> None:
        path = tune if suffix == "wav" else encode(ffmpeg, tune, f"a.{suffix}")
        expected = read(path)
        odd = path.with_suffix(".mp3" if suffix != "wav" else ".aif")
        odd.write_bytes(b"ID3\x03\0\0\0\0\x10\0" + bytes(2048) + path.read_bytes())
        windows = read(odd)
        assert windows.duration_s == expected.duration_s
        np.testing.assert_allclose(windows.signals, expected.signals, atol=2e-3)

    @pytest.mark.parametrize(
        ("name", "options"),
        [
            ("flac.oga", ("-c:a", "flac")),
            ("speex.ogg", ("-c:a", "libspeex", "-ar", "16000")),
            ("alac.caf", ("-c:a", "alac")),
            ("ac3.wav", ("-c:a", "ac3")),
            ("mp3.wav", ("-c:a", "libmp3lame")),
            ("a.ac3", ()),
            ("a.mka", ()),
            ("a.webm", ()),
            ("a.tta", ()),
            ("a.wv", ()),
            ("a.w64", ()),
            ("a.mp2", ()),
            ("a.m4b", ()),
            ("a.m4r", ("-f", "ipod")),
            ("a.alac", ("-c:a", "alac", "-f", "ipod")),
            ("a.eac3", ()),
            ("a.dts", ("-strict", "-2")),
            ("rf64.wav", ("-rf64", "always")),
            ("a.caf", ()),
            ("a.au", ()),
            ("a.aifc", ("-f", "aiff")),
            ("a.mp4", ("-f", "lavfi", "-i", "color=s=64x64:d=20", "-shortest")),
        ],
    )
    def test_formats_that_libsndfile_alone_refuses_or_not(self, name, options, tune, ffmpeg) -> None:
        assert_whole(read(encode(ffmpeg, tune, name, *options)), 20)


class TestChannelsThatCancel:
    @pytest.mark.parametrize("suffix", ["opus", "ogg", "m4a"])
    def test_one_wired_the_wrong_way_round_after_a_codec(self, suffix, music, write_audio, ffmpeg) -> None:
        y = music(12, sample_rate_hz=RATE_HZ)
        wav = write_audio("w.wav", np.stack([y, -y], axis=1), sample_rate_hz=RATE_HZ)
        plain = read(write_audio("alone.wav", y, sample_rate_hz=RATE_HZ))
        heard = read(encode(ffmpeg, wav, f"w.{suffix}", *(("-c:a", "libopus") if suffix == "opus" else ())))
        for signal, alone in zip(heard.signals, plain.signals, strict=True):
            spectra = [np.abs(np.fft.rfft(row))[:10_000] for row in (signal, alone)]
            assert np.corrcoef(*spectra)[0, 1] > 0.95
            assert np.std(signal) == pytest.approx(np.std(alone), rel=0.1)

    def test_almost_the_wrong_way_round(self, music, write_audio) -> None:
        y = music(8, sample_rate_hz=RATE_HZ)
        windows = read(write_audio("w.wav", np.stack([y, -0.97 * y], axis=1), sample_rate_hz=RATE_HZ))
        alone = read(write_audio("alone.wav", y, sample_rate_hz=RATE_HZ))
        np.testing.assert_allclose(windows.signals, alone.signals, atol=1e-4)

    def test_channels_without_anything_in_common_are_still_mixed(self, rng, write_audio) -> None:
        y = 0.1 * rng.standard_normal((8 * RATE_HZ, 6))
        windows = read(write_audio("six.wav", y, sample_rate_hz=RATE_HZ, subtype="FLOAT"))
        alone = read(write_audio("one.wav", y[:, 0], sample_rate_hz=RATE_HZ, subtype="FLOAT"))
        assert windows.signals.std() == pytest.approx(alone.signals.std() / np.sqrt(6), rel=0.05)
