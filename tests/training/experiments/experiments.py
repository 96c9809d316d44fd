"""Small data sets on which experiments run in seconds, and the settings to run them with."""

import json
import shutil
from pathlib import Path

import numpy as np
import soundfile

from recommender.settings import Settings, load_settings
from tests.recommender.model.tiny_bundles import CONFIG, TINY_ENCODER
from tests.training.datasets.layout_folders import FmaTrack, write_fma

# A small network, a few epochs: enough to run through everything.
SMALL = (
    *("network.width=4", "network.depth=2", "training.n_units=8", "training.n_epochs=2"),
    *("training.validation_share=0", "training.patches_per_track=2", "judging.compare=", "judging.n_folds=2"),
)
RATE_HZ = 16_000
# The command line, in which an epoch takes a second: time enough to kill it in the middle.
SLOW_COMMAND = """
import time
from training.experiments import fits
from api.cli import main

fit = fits.fit_recipe_network

def fit_slowly(*arguments, progress, **options):
    return fit(*arguments, progress=lambda *step: (progress(*step), time.sleep(1)), **options)

fits.fit_recipe_network = fit_slowly
main()
"""


def settings_in(data: Path) -> Settings:
    """Settings of a data folder whose encoder is the tiny one."""
    place = data / "encoders" / CONFIG.fingerprint
    if not place.exists():
        shutil.copytree(TINY_ENCODER, place, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        bases = {"msd_musicnn": CONFIG.fingerprint, "small_cnn": CONFIG.fingerprint}
        (data / "encoders" / "base.json").write_text(json.dumps(bases))
    return load_settings({"data": data, "embedding_processes": 1})


def write_noises(folder: Path, *, n_tracks: int, n_artists: int = 3) -> Path:
    """Write two playlists that differ in sound: ``high`` hisses, ``low`` rumbles; artists are in the tags."""
    rng = np.random.default_rng(440)
    for playlist, sign in (("high", 1.0), ("low", -1.0)):
        for number in range(n_tracks):
            # Of one length, noises that sound alike would be taken for copies of one recording.
            noise = rng.normal(size=round((3.2 + 1.6 * number) * RATE_HZ))
            y = 0.1 * (noise[1:] - sign * 0.9 * noise[:-1])
            path = folder / playlist / f"{playlist} {number}.flac"
            path.parent.mkdir(parents=True, exist_ok=True)
            with soundfile.SoundFile(path, "w", samplerate=RATE_HZ, channels=1) as file:
                file.artist, file.title = f"{playlist} artist {number % n_artists}", f"{playlist} {number}"
                file.write(y)
    return folder


def write_small_fma(folder: Path) -> Path:
    """Write Rock and Hip-Hop in the FMA's layout, with its split; one clip is broken."""
    tracks = [
        FmaTrack(
            2 + number + 100 * genre,
            ((12, 21)[genre],),
            artist=f"artist {genre} {number % 5}",
            split="test" if number >= 6 else "validation" if number == 5 else "training",
        )
        for genre in (0, 1)
        for number in range(9)
    ]
    write_fma(folder, tracks)
    (folder / "fma_small" / "000" / "000002.mp3").write_bytes(b"broken clip")
    return folder


def write_wordless_gtzan(folder: Path) -> Path:
    """Write GTZAN's layout with genres that say nothing of the sound: each clip is a chord of its own."""
    rng = np.random.default_rng(440)
    for number in range(14):
        genre = ("blues", "disco")[number % 2]
        y = np.zeros(6 * RATE_HZ)
        for pitch_hz in rng.uniform(100, 7000, 4):
            y += 0.1 * np.sin(2 * np.pi * pitch_hz * np.arange(len(y)) / RATE_HZ)
        path = folder / "genres" / genre / f"{genre}.{number // 2:05d}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, y, samplerate=RATE_HZ)
    return folder
