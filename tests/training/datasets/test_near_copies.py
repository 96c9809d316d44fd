"""Files that hold one recording under two names."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.datasets.layout_folders import write_tone, write_tune
from training.datasets.near_copies import find_recordings


def test_a_copy_is_known_by_its_sound(tmp_path):
    paths = [write_tune(tmp_path / f"{seed}.wav", seed=seed) for seed in range(5)]
    copies = [
        write_tune(tmp_path / "softer.wav", seed=1, gain=0.3),
        write_tune(tmp_path / "coarser.wav", seed=1, rate_hz=22_050),
        write_tune(tmp_path / "packed.mp3", seed=3),
    ]

    found = find_recordings([*paths, *copies]).tolist()

    assert len(set(found[:5])) == 5
    assert found[5:] == [found[1], found[1], found[3]]


def test_real_recordings_are_no_copies_of_each_other_and_their_encoded_selves_are(
    shared_music: Path, tmp_path
):
    import soundfile

    paths = sorted(shared_music.glob("hiphop/*.ogg"))  # all by one artist
    y, sample_rate_hz = soundfile.read(paths[2])
    soundfile.write(tmp_path / "copy.mp3", 0.5 * y, samplerate=sample_rate_hz)

    found = find_recordings([*paths, tmp_path / "copy.mp3"]).tolist()

    assert len(set(found)) == len(paths)
    assert found[-1] == found[2]


def test_what_cannot_be_heard_is_like_nothing_else(tmp_path):
    paths = [tmp_path / name for name in ("a.mp3", "b.mp3", "missing.mp3")]
    for path in paths[:2]:
        path.write_bytes(b"no music")
    silent = write_tone(tmp_path / "silent.wav", pitch_hz=0)

    assert len(set(find_recordings([*paths, silent, write_tune(tmp_path / "c.wav", seed=1)]).tolist())) == 5


def test_another_length_is_another_recording(tmp_path):
    short = write_tone(tmp_path / "short.wav", pitch_hz=440, duration_s=3)
    long = write_tone(tmp_path / "long.wav", pitch_hz=440, duration_s=5)

    assert len(set(find_recordings([short, long]).tolist())) == 2


def test_progress_is_told(tmp_path):
    said: list[tuple[int, int]] = []
    paths = [write_tune(tmp_path / f"{seed}.wav", seed=seed) for seed in range(3)]

    find_recordings(paths, progress=lambda n_done, n_total, _: said.append((n_done, n_total)))

    assert said == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("n_paths", [0, 1])
def test_few_files_are_no_trouble(tmp_path, n_paths):
    paths = [write_tune(tmp_path / "one.wav", seed=1)][:n_paths]

    assert np.array_equal(find_recordings(paths), np.arange(n_paths))
