"""Who decodes what: files are known by their bytes, and libav and ffmpeg's program cut where they are asked.

The ffmpeg program, which stands in where PyAV is not, is played by a small script that answers in its format;
the real one is tried where it is installed.
"""

import os
import shutil
import stat
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from embeddings.decoding import source, with_ffmpeg
from embeddings.decoding.formats import recognise_format
from embeddings.decoding.source import Source
from embeddings.decoding.with_ffmpeg import FfmpegDecoder
from embeddings.errors import MissingDecoder, UndecodableAudio
from tests.embeddings.reading import read

M4A = b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom\0\0\0\0" + b"\0" * 64
ADTS = b"\xff\xf1\x50\x80\x02\x1f\xfc" + b"\0" * 9
HEADS = {
    "m4a": M4A,
    "wma": bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + b"\0" * 64,
    "aac": ADTS * 8,
    "aac behind a tag": b"ID3\x04\x00\x00\x00\x00\x01\x48" + b"\0" * 200 + ADTS * 8,
    "mka": b"\x1a\x45\xdf\xa3" + b"\0" * 64,
    "ape": b"MAC \x96\x0f" + b"\0" * 64,
    "wv": b"wvpk" + b"\0" * 64,
}


@pytest.fixture
def no_optional_decoder(monkeypatch) -> None:
    monkeypatch.setattr(source, "has_libav", lambda: False)
    monkeypatch.setattr(shutil, "which", lambda name: None)


class TestRecognition:
    @pytest.mark.parametrize("kind", HEADS)
    def test_judged_by_the_first_bytes_whatever_the_name(self, kind, tmp_path) -> None:
        path = tmp_path / "anything.mp3"
        path.write_bytes(HEADS[kind])
        found = recognise_format(path)
        assert found is not None
        assert kind.split()[0] in found.format.title
        assert found.start == (210 if "tag" in kind else 0)

    @pytest.mark.parametrize(
        "head",
        [
            b"",
            b"\xff",
            b"\xff\xfb\x90\x64",
            b"ID3",
            b"ID3\x04\x00\x00\x00\x00\x00\x0a" + b"\0" * 10 + b"\xff\xfb\x90\x64",
            b"#EXTM3U\n",
            b"just text, no ftyp at the right place",
            b"\xff" * 5000,
            np.random.default_rng(440).bytes(2_000_000),
        ],
    )
    def test_what_nobody_reads_is_no_format(self, head, tmp_path) -> None:
        path = tmp_path / "anything.m4a"
        path.write_bytes(head)
        assert recognise_format(path) is None

    @pytest.mark.parametrize("n_junk", [1, 2_000, 70_000, 1_000_000])
    def test_mp3_is_found_behind_anything(self, n_junk, tmp_path, music, write_audio, rng) -> None:
        path = write_audio("a.mp3", music(4, sample_rate_hz=44_100), sample_rate_hz=44_100)
        data = path.read_bytes()
        path.write_bytes(rng.bytes(n_junk) + data)
        found = recognise_format(path)
        assert found is not None
        assert (found.format.demuxer, found.start) == ("mp3", n_junk)


class TestWithoutOne:
    @pytest.mark.parametrize("kind", HEADS)
    def test_the_message_says_what_to_install(self, kind, tmp_path, no_optional_decoder) -> None:
        path = tmp_path / "tune.m4a"
        path.write_bytes(HEADS[kind])
        with pytest.raises(MissingDecoder) as refusal:
            read(path)
        assert refusal.value.code == "missing_decoder"
        assert "tune.m4a" in str(refusal.value)
        assert "pip install av" in str(refusal.value)
        assert "ffmpeg on the PATH" in str(refusal.value)


FAKE_FFMPEG = '''#!{python}
"""Answers like ffmpeg about a file that is a stereo ramp at 44.1 kHz: its sample n is n / 2**23."""
import struct, sys
import numpy as np
options = dict(zip(sys.argv[1:], sys.argv[2:]))
assert "-nostdin" in sys.argv and options["-protocol_whitelist"] == "file,pipe"
assert options["-f"] == "au" and options["-c:a"] == "pcm_f32be"
assert sys.argv.index("mov") < sys.argv.index("-i")
assert open(options["-i"].removeprefix("file:"), "rb").read(8)[4:] == b"ftyp"
sys.stderr.write("Input #0, mov, from 'x':\\n  Duration: {claim}, start: 0.000000, bitrate: 128 kb/s\\n")
start = round(float(options["-ss"]) * 44100)
stop = min(start + round(float(options["-t"]) * 44100), round({seconds} * 44100))
if stop > start:
    ramp = np.arange(start, stop) / 2**23
    sys.stdout.buffer.write(struct.pack(">4s5I", b".snd", 28, 0xFFFFFFFF, 6, 44100, 2) + b"abcd")
    sys.stdout.buffer.write(np.stack([ramp, ramp], axis=1).astype(">f4").tobytes())
'''


class TestFfmpegProgram:
    @pytest.fixture
    def install(self, tmp_path, monkeypatch):
        def put_on_path(*, seconds: float, claim: str) -> Path:
            program = tmp_path / "bin" / "ffmpeg"
            program.parent.mkdir()
            program.write_text(FAKE_FFMPEG.format(python=sys.executable, seconds=seconds, claim=claim))
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
            monkeypatch.setenv("PATH", str(program.parent))
            monkeypatch.setattr(source, "has_libav", lambda: False)
            path = tmp_path / os.fsdecode(b"-caf\xe9 \xf0\x9f\x8e\xa7.m4a")
            path.write_bytes(M4A)
            return path

        return put_on_path

    def test_windows_are_cut_where_they_belong(self, install) -> None:
        path = install(seconds=40, claim="00:00:40.00")
        windows = read(path)
        assert windows.duration_s == pytest.approx(40.0)
        assert windows.signals.shape == (8, 48_128)
        for signal, start_s in zip(windows.signals, windows.start_s, strict=True):
            expected = (start_s + np.arange(48_128) / 16_000) * 44_100 / 2**23
            np.testing.assert_allclose(signal[100:-100], expected[100:-100], atol=1e-5)

    def test_a_length_in_hours_is_understood(self, install) -> None:
        path = install(seconds=7384.5, claim="02:03:04.50")
        decoder = next(Source(path).seekers())
        assert decoder.n_samples == round(7384.5 * 44_100)
        assert (decoder.sample_rate_hz, decoder.n_channels) == (44_100, 2)

    @pytest.mark.parametrize("claim", ["N/A", "00:01:30.00"])
    def test_a_length_that_is_unknown_or_wrong_is_counted(self, claim, install) -> None:
        windows = read(install(seconds=40, claim=claim))
        assert windows.duration_s == pytest.approx(40.0)
        assert len(windows.signals) == 8

    def test_a_file_without_sound_is_refused(self, install) -> None:
        with pytest.raises(UndecodableAudio, match="could not be read as MPEG-4"):
            read(install(seconds=0, claim="N/A"))

    def test_a_program_that_hangs_is_given_up(self, install, monkeypatch) -> None:
        path = install(seconds=40, claim="00:00:40.00")
        monkeypatch.setattr(with_ffmpeg, "_TIMEOUT_S", 0.001)
        with pytest.raises(UndecodableAudio):
            read(path)


def write_with_pyav(path: Path, y: np.ndarray, *, codec: str, sample_rate_hz: int) -> None:
    """Encode stereo (n_samples, 2) with PyAV, the container chosen by the name."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=sample_rate_hz, layout="stereo")
        stream.bit_rate = 192_000
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(y.T.astype(np.float32)), format="fltp", layout="stereo"
        )
        frame.sample_rate = sample_rate_hz
        for converted in [*av.AudioResampler(stream.format, "stereo", sample_rate_hz).resample(frame), None]:
            container.mux(stream.encode(converted))


@pytest.fixture(params=["PyAV", "ffmpeg"])
def real_decoder(request, monkeypatch) -> type:
    if request.param == "PyAV":
        return object
    if shutil.which("ffmpeg") is None:
        pytest.skip("no ffmpeg on the PATH")
    monkeypatch.setattr(source, "has_libav", lambda: False)
    return FfmpegDecoder


class TestRealDecoders:
    @pytest.mark.parametrize(
        ("name", "codec"), [("a.m4a", "aac"), ("a.aac", "aac"), ("a.wma", "wmav2"), ("b.m4a", "alac")]
    )
    def test_windows_hold_what_was_encoded(self, name, codec, tmp_path, real_decoder) -> None:
        sweep = made_sweep(duration_s=40, sample_rate_hz=44_100)
        path = tmp_path / name
        write_with_pyav(path, np.stack([sweep, sweep], axis=1), codec=codec, sample_rate_hz=44_100)
        assert isinstance(next(Source(path).seekers()), real_decoder)
        windows = read(path)
        # Raw AAC does not tell its length; libav estimates it.
        assert windows.duration_s == pytest.approx(40, abs=1.5 if name == "a.aac" else 0.1)
        assert len(windows.signals) == 8
        expected = made_sweep(duration_s=40, sample_rate_hz=16_000)
        for signal, start_s in zip(windows.signals, windows.start_s, strict=True):
            lag_s, correlation = best_lag(signal, expected, round(start_s * 16_000))
            # Encoders put up to two blocks of silence in front, and not every container says so.
            assert abs(lag_s) < 0.06
            assert correlation > 0.99

    def test_odd_names(self, tmp_path, music, real_decoder) -> None:
        path = tmp_path / "plain.m4a"
        write_with_pyav(
            path, music(5, sample_rate_hz=44_100, n_channels=2), codec="aac", sample_rate_hz=44_100
        )
        expected = read(path)
        odd = path.rename(tmp_path / os.fsdecode(b"-i caf\xe9 \xf0\x9f\x8e\xa7"))
        np.testing.assert_array_equal(read(odd).signals, expected.signals)

    def test_a_file_cut_off(self, tmp_path, music, real_decoder) -> None:
        path = tmp_path / "a.aac"
        write_with_pyav(
            path, music(60, sample_rate_hz=44_100, n_channels=2), codec="aac", sample_rate_hz=44_100
        )
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        windows = read(path)
        assert windows.duration_s == pytest.approx(30, abs=1.5)
        assert len(windows.signals) == 8

    @pytest.mark.parametrize("kind", ["m4a", "wma", "mka"])
    def test_a_header_with_nothing_behind_it(self, kind, tmp_path, real_decoder) -> None:
        path = tmp_path / "broken"
        path.write_bytes(HEADS[kind])
        with pytest.raises(UndecodableAudio, match="broken could not be read as"):
            read(path)

    def test_a_playlist_of_other_files_is_never_followed(
        self, tmp_path, music, write_audio, real_decoder
    ) -> None:
        secret = write_audio("secret.wav", music(5, sample_rate_hz=44_100), sample_rate_hz=44_100)
        path = tmp_path / "innocent.m4a"
        path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5.0,\nfile://{secret}\n#EXT-X-ENDLIST\n")
        with pytest.raises(UndecodableAudio):
            read(path)


def made_sweep(*, duration_s: float, sample_rate_hz: int) -> np.ndarray:
    """From 200 to 600 Hz: no two stretches are alike, so that a window shows where it was cut."""
    t = np.arange(round(duration_s * sample_rate_hz)) / sample_rate_hz
    return 0.5 * np.sin(2 * np.pi * (200 * t + 0.5 * (400 / duration_s) * t**2))


def best_lag(signal: np.ndarray, whole: np.ndarray, start: int) -> tuple[float, float]:
    """Lag (s) at which the middle of a 16 kHz window fits the whole best, and the correlation there."""
    middle, n_around = signal[20_000:28_000], 4_000
    first = start + 20_000 - n_around
    around = np.lib.stride_tricks.sliding_window_view(whole[first : first + 8_000 + 2 * n_around], 8_000)
    products = around @ middle / (np.linalg.norm(around, axis=1) * np.linalg.norm(middle))
    best = int(products.argmax())
    return (best - n_around) / 16_000, float(products[best])
