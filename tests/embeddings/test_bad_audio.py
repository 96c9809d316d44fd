"""Damaged files are heard as far as they go; what is not audio is refused in words that help."""

import os

import numpy as np
import pytest
import soundfile

from embeddings import audio
from embeddings.audio import AudioLimits
from embeddings.errors import EmbeddingError, MissingDecoder, TooLong, TooShort, UndecodableAudio
from tests.embeddings.reading import assert_windows_of, read, whole_track


class TestDamage:
    @pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.ogg", "a.wav"])
    def test_what_is_left_of_a_file_cut_off_is_used(self, name, music, write_audio) -> None:
        path = write_audio(name, music(60, sample_rate_hz=44_100), sample_rate_hz=44_100)
        y = whole_track(path)
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
        windows = read(path)
        assert len(windows.signals) == 8
        assert 24 < windows.duration_s < 36
        # Spread over what is left, not crowded into the first half of the plan.
        if name != "a.ogg":  # which has no header that tells its length
            assert windows.unheard is not None
            assert windows.unheard.whole_s == pytest.approx(60, abs=0.1)
        assert windows.start_s[-1] > 0.8 * windows.duration_s
        assert_windows_of(windows, y, atol=1e-5)

    def test_behind_a_hole_in_the_middle_the_track_goes_on(self, music, write_audio, rng) -> None:
        path = write_audio("a.mp3", music(60, sample_rate_hz=44_100), sample_rate_hz=44_100)
        data = bytearray(path.read_bytes())
        half = len(data) // 2
        data[half : half + 60_000] = rng.bytes(60_000)
        path.write_bytes(data)
        windows = read(path)
        lost_s = 60 * 60_000 / len(data)
        assert windows.duration_s == pytest.approx(60 - lost_s, abs=0.3)
        assert len(windows.signals) == 8
        assert windows.unheard is not None
        assert windows.unheard.whole_s == pytest.approx(60, abs=0.1)
        assert windows.unheard.reason == "heard 53 of 60 s: the rest is cut off or damaged"

    def test_a_length_that_the_header_does_not_tell_is_counted(self, music, write_audio) -> None:
        path = write_audio("stream.flac", music(20, sample_rate_hz=44_100), sample_rate_hz=44_100)
        known = read(path)
        data = bytearray(path.read_bytes())
        # The 36 bits of "total samples" in STREAMINFO; 0 says unknown, as live encoders write it.
        data[21] &= 0xF0
        data[22:26] = bytes(4)
        path.write_bytes(data)
        assert soundfile.info(path).frames > 2**40
        windows = read(path)
        assert windows.duration_s == 20
        assert windows.unheard is None
        np.testing.assert_allclose(windows.signals, known.signals, atol=1e-6)
        with pytest.raises(TooLong):
            read(path, limits=AudioLimits(longest_s=15))

    def test_a_file_that_changes_while_it_is_read_is_refused(self, music, write_audio, monkeypatch) -> None:
        path = write_audio("a.mp3", music(20, sample_rate_hz=44_100), sample_rate_hz=44_100)
        path.write_bytes(path.read_bytes()[:100_000])
        counted = audio._most_heard
        monkeypatch.setattr(audio, "_seek_windows", lambda *arguments: None)
        monkeypatch.setattr(audio, "_most_heard", lambda *arguments: (2 * counted(*arguments)[0], 0))
        with pytest.raises(UndecodableAudio, match="another length each time"):
            read(path)

    def test_nothing_but_a_header_is_refused(self, music, write_audio) -> None:
        path = write_audio("a.flac", music(20, sample_rate_hz=44_100), sample_rate_hz=44_100)
        path.write_bytes(path.read_bytes()[:9_000])
        with pytest.raises((UndecodableAudio, TooShort)):
            read(path)


class TestRefused:
    @pytest.mark.parametrize(
        "content",
        [
            b"These are the lyrics, and there is no sound in them.\n" * 500,
            b"\0" * 50_000,
            b"ID3\x03\x00\x00\x00\x00\x00\x10" + b"\0" * 16,
            b"RIFF\x24\x00\x00\x00WAVEfmt ",
            b"fLaC",
            np.random.default_rng(440).bytes(100_000),
        ],
        ids=["text", "zeros", "tag only", "half a header", "four bytes", "noise"],
    )
    @pytest.mark.parametrize("suffix", [".mp3", ".wav", ".raw", ""])
    def test_what_is_no_audio(self, content, suffix, tmp_path) -> None:
        path = tmp_path / f"lyrics{suffix}"
        path.write_bytes(content)
        with pytest.raises(UndecodableAudio, match="lyrics") as refusal:
            read(path)
        # Nobody is sent to install a decoder for a file that none can read.
        assert not isinstance(refusal.value, MissingDecoder)
        assert refusal.value.code == "undecodable_audio"

    def test_nothing_at_all(self, tmp_path) -> None:
        path = tmp_path / "nothing.mp3"
        path.touch()
        with pytest.raises(UndecodableAudio, match=r"nothing.mp3 is empty \(0 bytes\)"):
            read(path)

    def test_a_folder_a_missing_file_and_a_pipe(self, tmp_path) -> None:
        os.mkfifo(tmp_path / "pipe.mp3")
        for path in (tmp_path, tmp_path / "gone.mp3", tmp_path / "pipe.mp3"):
            with pytest.raises(UndecodableAudio, match="is not a file"):
                read(path)

    def test_a_name_that_the_file_system_refuses(self, tmp_path) -> None:
        with pytest.raises(UndecodableAudio, match="cannot be read: File name too long"):
            read(tmp_path / ("a" * 300))

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
    def test_samples_that_are_not_sound(self, bad, music, write_audio) -> None:
        y = music(10, sample_rate_hz=44_100).copy()
        y[5 * 44_100] = bad
        path = write_audio("broken.wav", y, sample_rate_hz=44_100, subtype="FLOAT")
        with pytest.raises(UndecodableAudio, match=r"broken.wav holds samples"):
            read(path, max_windows=1)

    @pytest.mark.parametrize(("sample_rate_hz", "n_channels"), [(8_000, 33), (1_000, 1), (1_000_000, 1)])
    def test_shapes_made_to_hurt(self, sample_rate_hz, n_channels, write_audio) -> None:
        y = np.zeros((2 * sample_rate_hz, n_channels), dtype=np.float32)
        path = write_audio("wide.wav", y, sample_rate_hz=sample_rate_hz)
        with pytest.raises(UndecodableAudio, match=f"{n_channels} channels at {sample_rate_hz} Hz"):
            read(path)


def test_the_message_for_a_name_of_any_bytes_can_be_printed(tmp_path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.mp3")
    path.write_bytes(b"text")
    with pytest.raises(EmbeddingError) as refusal:
        read(path)
    assert str(refusal.value).encode("utf-8").startswith("caf\N{REPLACEMENT CHARACTER}.mp3".encode())
