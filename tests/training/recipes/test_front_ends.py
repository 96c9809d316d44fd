"""What networks of experiments are shown of a track."""

import numpy as np
import pytest

from embeddings.config import MelConfig, PatchConfig
from embeddings.errors import SilentAudio, UndecodableAudio
from embeddings.patches import track_patches
from training.recipes.front_ends import FRONT_ENDS, FrontEndError, front_end

RATE_HZ = 16_000


@pytest.fixture
def song(write_audio, rng):
    """Twelve seconds of a beat over a low note."""
    t = np.arange(12 * RATE_HZ) / RATE_HZ
    y = 0.3 * np.sin(2 * np.pi * 55.3 * t) * (1 + np.sin(2 * np.pi * 2 * t)) / 2
    return write_audio("song.flac", y + rng.normal(scale=0.02, size=len(t)), sample_rate_hz=RATE_HZ)


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_images_have_the_shape_that_was_promised(song, name):
    chosen = front_end(name)

    images = chosen.hear(song)

    assert chosen.name == name
    assert images.shape[1:] == chosen.shape
    assert images.dtype == np.float32
    assert np.isfinite(images).all() and images.min() >= 0
    assert np.array_equal(images, front_end(name).hear(song))


def test_mel_images_are_the_patches_of_the_service(song):
    images = front_end("mel").hear(song)

    patches = track_patches(song, MelConfig(), PatchConfig()).patches
    assert np.array_equal(images[..., 0], patches)


def test_a_whole_clip_is_one_image(song):
    chosen = front_end("mel", clip_s=12)

    images = chosen.hear(song)

    assert len(images) == 1
    assert chosen.shape[0] == pytest.approx(12 * RATE_HZ / 512, abs=2)
    assert front_end("mel", clip_s=5).hear(song).shape[:2] == (2, 311)
    assert front_end("mel", clip_s=5, max_images=1).hear(song).shape[0] == 1
    # Of an image of 24 s, what a track of twelve seconds lacks is its beginning again.
    longer = front_end("mel", clip_s=24).hear(song)[0]
    assert np.allclose(longer[:300], longer[375:675], atol=1e-4)


def test_channels_stand_beside_the_spectrogram(song):
    plain, both = front_end("mel").hear(song), front_end("mel", channels=["centroid", "harmonic"]).hear(song)

    assert both.shape == (*plain.shape[:3], 3)
    assert np.array_equal(both[..., 0], plain[..., 0])
    assert 0 < both[..., 1].max() <= 1
    assert both[..., 2].mean() < plain.mean()


def test_a_song_is_cut_into_samples_of_four_seconds(song, write_audio, rng):
    assert front_end("waveform").hear(song).shape == (3, 256, 64, 1)
    short = write_audio("short.wav", rng.normal(scale=0.1, size=2 * RATE_HZ), sample_rate_hz=RATE_HZ)
    assert front_end("waveform").hear(short).shape == (1, 256, 64, 1)
    long = write_audio("long.wav", rng.normal(scale=0.1, size=30 * RATE_HZ), sample_rate_hz=RATE_HZ)
    assert front_end("waveform").hear(long).shape[0] == 7
    first, *_, last = front_end("waveform").hear(long)
    some = front_end("waveform", max_images=3).hear(long)
    assert len(some) == 3
    assert np.array_equal(some[0], first) and np.array_equal(some[-1], last)


def test_the_line_is_what_is_left_of_the_signal_after_the_moving_average(write_audio):
    t = np.arange(8 * RATE_HZ) / RATE_HZ
    for level in (0.002, -0.002):
        y = 0.4 * np.sin(2 * np.pi * 100 * t) + level
        path = write_audio(f"{level}.wav", y, sample_rate_hz=RATE_HZ, subtype="FLOAT")
        # Over a second a tone of 100 Hz vanishes, and the level is left: drawn if positive, else cut off.
        picture = front_end("waveform", top=0.004).hear(path)[0, 64:192, :, 0]
        if level > 0:
            assert np.allclose((picture * (np.arange(64) + 0.5)).sum(axis=1), 32, atol=1.5)
        else:
            assert picture.max() == 0


def test_silent_stretches_are_not_shown(write_audio, rng):
    y = np.zeros(12 * RATE_HZ)
    y[: 4 * RATE_HZ] = rng.normal(scale=0.1, size=4 * RATE_HZ)
    path = write_audio("fades.flac", y, sample_rate_hz=RATE_HZ)
    silent = write_audio("silent.flac", np.zeros(4 * RATE_HZ), sample_rate_hz=RATE_HZ)

    assert len(front_end("waveform").hear(path)) == 1
    for name in FRONT_ENDS:
        with pytest.raises(SilentAudio, match=r"silent\.flac: every part"):
            front_end(name).hear(silent)


def test_what_is_no_audio_raises_the_error_of_every_other_listener(tmp_path):
    (tmp_path / "text.wav").write_text("not audio")
    for name in FRONT_ENDS:
        with pytest.raises(UndecodableAudio):
            front_end(name).hear(tmp_path / "text.wav")


def test_every_choice_has_its_own_fingerprint():
    chosen = [
        *(front_end("mel"), front_end("mel", clip_s=30), front_end("mel", clip_s=30, hop_length=256)),
        *(front_end("mel", channels=("chroma",)), front_end("mel", channels=("rolloff",))),
        *(front_end("mel", max_images=3), front_end("mel", n_mels=64), front_end("waveform")),
        *(front_end("waveform", smooth_s=0.5), front_end("waveform", top=0.01)),
    ]

    assert len({made.fingerprint for made in chosen}) == len(chosen)
    assert (
        front_end("mel", clip_s=30).fingerprint == front_end("mel", clip_s=30.0, hop_length=512).fingerprint
    )


@pytest.mark.parametrize(
    ("name", "options", "complaint"),
    [
        ("cqt", {}, "no front end 'cqt'; there are: mel, waveform"),
        ("mel", {"smooth_s": 1}, "mel has no option smooth_s; allowed: clip_s, channels"),
        ("mel", {"channels": ("tempo",)}, "tempo is unknown; allowed: chroma, rolloff, centroid"),
        ("mel", {"channels": ("chroma", "chroma")}, "named twice"),
        ("mel", {"clip_s": -1.0}, "clip_s must be a number between 0 and 600, got -1.0"),
        ("mel", {"clip_s": float("nan")}, "clip_s must be a number"),
        ("mel", {"clip_s": 0.01}, "clip_s must be at least one frame"),
        ("mel", {"max_images": 2.5}, "max_images must be a whole number"),
        ("waveform", {"top": 0.0}, "top must be a number between 1e-09 and 10"),
        ("waveform", {"clip_s": 1.0, "width": 4096, "sample_rate_hz": 2000}, "width must be at most 2000"),
    ],
)
def test_choices_that_cannot_be_are_refused(name, options, complaint):
    with pytest.raises(FrontEndError, match=complaint):
        front_end(name, **options)
