"""A stretch of a file is heard as if it were a file of its own."""

import numpy as np
import pytest
import soundfile
import soxr

from embeddings.audio import Windows, read_windows
from embeddings.errors import TooShort
from embeddings.stretch import WHOLE, Stretch
from embeddings.waveform import read_waveform, write_stretch

RATE_HZ = 44_100


def read(path, stretch=WHOLE) -> Windows:
    return read_windows(path, window_s=2.0, max_windows=4, sample_rate_hz=16_000, stretch=stretch)


@pytest.fixture
def album(rng) -> np.ndarray:
    """(n_samples,) noise in [-0.5, 0.5]: no second is like another."""
    return rng.uniform(-0.5, 0.5, size=30 * RATE_HZ)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
@pytest.mark.parametrize("stretch", [Stretch(0.0, 9.0), Stretch(9.0 + 7 / 75, 20.0), Stretch(20.5, None)])
def test_it_is_heard_as_a_file_of_its_own(write_audio, album, suffix, stretch) -> None:
    whole = write_audio(f"album{suffix}", album, sample_rate_hz=RATE_HZ, subtype="PCM_16")
    first, stop = stretch.samples(len(album), RATE_HZ)
    alone = write_audio(f"track{suffix}", album[first:stop], sample_rate_hz=RATE_HZ, subtype="PCM_16")
    heard, expected = read(whole, stretch), read(alone)
    np.testing.assert_array_equal(heard.start_s, expected.start_s)
    np.testing.assert_allclose(heard.signals, expected.signals, atol=2e-6)
    assert heard.duration_s == pytest.approx(expected.duration_s)
    assert heard.unheard is None


def test_it_is_heard_where_the_file_must_be_read_through(write_audio, album) -> None:
    """Chained Ogg cannot be sought in."""
    links = [
        write_audio(f"{n}.ogg", album[n * 15 * RATE_HZ :][: 15 * RATE_HZ], sample_rate_hz=RATE_HZ)
        for n in (0, 1)
    ]
    chained = links[0].with_name("chained.ogg")
    chained.write_bytes(links[0].read_bytes() + links[1].read_bytes())
    heard = read(chained, Stretch(10.0, 20.0))
    assert heard.duration_s == pytest.approx(10.0)
    through = read(chained)
    assert through.duration_s == pytest.approx(30.0, abs=0.01)
    # The window in the middle of the stretch is the file's from there.
    y, _ = soundfile.read(write_audio("same.wav", album, sample_rate_hz=RATE_HZ))
    at = round((10.0 + heard.start_s[0]) * RATE_HZ)
    expected = soxr.resample(y[at : at + 2 * RATE_HZ], RATE_HZ, 16_000)
    assert np.corrcoef(heard.signals[0], expected[: len(heard.signals[0])])[0, 1] > 0.8


def test_one_that_reaches_beyond_the_file_is_heard_in_part(write_audio, album) -> None:
    path = write_audio("album.wav", album, sample_rate_hz=RATE_HZ)
    heard = read(path, Stretch(25.0, 60.0))
    assert heard.duration_s == pytest.approx(5.0)
    assert heard.unheard is not None
    assert heard.unheard.reason == "heard 5 of 35 s: the rest is cut off or damaged"


def test_one_behind_the_end_says_so(write_audio, album) -> None:
    path = write_audio("album.wav", album, sample_rate_hz=RATE_HZ)
    with pytest.raises(TooShort, match="ends after 30 s, before a track that is said to begin at 40 s"):
        read(path, Stretch(40.0, None))


def test_one_of_no_length_is_too_short(write_audio, album) -> None:
    path = write_audio("album.wav", album, sample_rate_hz=RATE_HZ)
    with pytest.raises(TooShort, match=r"lasts 0\.50 s"):
        read(path, Stretch(10.0, 10.5))


def test_it_is_played_and_drawn_alone(write_audio, album, tmp_path) -> None:
    quiet = np.concatenate((album[: 10 * RATE_HZ], 0.1 * album[: 10 * RATE_HZ]))
    path = write_audio(
        "album.wav", np.stack((quiet, quiet), axis=1), sample_rate_hz=RATE_HZ, subtype="PCM_16"
    )
    stretch = Stretch(9.75, 12.5)
    write_stretch(path, stretch, tmp_path / "out.wav")
    y, rate_hz = soundfile.read(tmp_path / "out.wav", dtype="int16")
    expected, _ = soundfile.read(path, dtype="int16", start=round(9.75 * RATE_HZ), stop=round(12.5 * RATE_HZ))
    assert rate_hz == RATE_HZ
    assert y.shape == expected.shape
    assert np.abs(y.astype(int) - expected.astype(int)).max() <= 1
    peaks, duration_s = read_waveform(path, 11, stretch=stretch)
    assert duration_s == pytest.approx(2.75)
    assert peaks[0] == pytest.approx(0.5, abs=0.01)
    assert peaks[-1] == pytest.approx(0.05, abs=0.01)
