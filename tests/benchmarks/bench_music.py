"""Print what a user would see of a folder of real playlists: every ninth file kept aside, and every loudness.

Run with `make scorecard`, or `python -m tests.benchmarks.bench_music [--music FOLDER] [--level DBFS]`; says
so where the folder is not there. ``--level`` brings tracks to another level; ``none``: as loud as they are.
"""

import argparse
import platform
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.audio import read_windows
from embeddings.config import EncoderConfig, LevelConfig
from embeddings.encoder import Encoder
from embeddings.encoder_files import load_encoder_config, save_encoder_config
from embeddings.patches import cut_patches, window_samples
from recommender.records.promises import DEFAULT_PROMISE
from recommender.settings import Settings, load_settings
from training.datasets.folder_tracks import HeardFolder, hear_folder
from training.datasets.playlist_folders import read_folder
from training.encoder.export import ensure_encoder
from training.groups.fit import FittedGroup, GroupLabels, fit_group, group_by_artist
from training.groups.fitting import FitContext, default_choice
from training.groups.labels import LabelledTracks
from training.judging.named_figures import describe_named
from training.judging.outer_folds import FoldAnswers
from training.judging.scorecard import label_folder

MUSIC = Path(__file__).resolve().parents[3] / "shared" / "music"
N_OFFSETS = 9
GAINS_DB = (-30, -24, -18, -12, -6, 0, 3, 6)
FULL_SCALE = 32_767.0


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--music", type=Path, default=MUSIC)
    parser.add_argument("--data", type=Path, default=Path("data/bench"))
    parser.add_argument("--level", help="in dB below a full-scale square wave, or none")
    chosen = parser.parse_args()
    if not chosen.music.is_dir():
        _print(f"skipped: no folder {chosen.music}")
        return
    _print(f"machine: {platform.processor() or platform.machine()}, Python {platform.python_version()}")
    settings = load_settings({"data": chosen.data})
    directory = ensure_encoder(settings)
    if chosen.level:
        level = None if chosen.level == "none" else LevelConfig(target_dbfs=float(chosen.level))
        directory = _with_level(settings, directory, level)
    heard = hear_folder(read_folder(chosen.music), settings, encoder_directory=directory)
    labels, tracks = label_folder(heard)
    _print(f"{len(tracks)} tracks in {len(labels.playlist_names)} playlists, heard by {heard.config.name}")
    keep_every_ninth_aside(labels, tracks, heard.config)
    change_loudness(labels, tracks, heard, directory)


def keep_every_ninth_aside(labels: GroupLabels, tracks: LabelledTracks, config: EncoderConfig) -> None:
    """At nine offsets, so that every track is asked about once, by a model that learnt the others."""
    answers, rows = FoldAnswers.empty(tracks.membership.shape), np.arange(len(tracks))
    _print("every ninth file kept aside, the rest learnt")
    _print("offset  tracks  first right  names one  right then  playlists named  right one named  strangers")
    for offset in range(N_OFFSETS):
        asked = rows[(rows - offset) % N_OFFSETS == 0]
        model = _fit(labels, tracks.rows(np.setdiff1d(rows, asked)), config).model
        answers.fill(asked, model, tracks.rows(asked), DEFAULT_PROMISE)
        _row(str(offset), answers.rows(asked), tracks.membership[asked])
    _row("all", answers, tracks.membership)


def change_loudness(labels: GroupLabels, tracks: LabelledTracks, heard: HeardFolder, directory: Path) -> None:
    """Every ninth file again, at 16 bits, louder and quieter, and with a constant offset."""
    asked = np.arange(0, len(tracks), N_OFFSETS)
    fitted = _fit(labels, tracks.rows(np.setdiff1d(np.arange(len(tracks)), asked)), heard.config)
    encoder = Encoder.load(directory)
    mel, patches = heard.config.mel, heard.config.patches
    window_s = window_samples(mel, patches) / mel.sample_rate_hz
    changes: dict[str, list[float]] = {}
    clipped: dict[str, list[float]] = {}
    for row in asked.tolist():
        windows = read_windows(
            heard.rows[row].file,
            window_s=window_s,
            max_windows=patches.max_patches,
            sample_rate_hz=mel.sample_rate_hz,
        )
        probabilities = {}
        for name, (gain_db, offset) in {
            **{f"{gain:+d} dB": (gain, 0.0) for gain in GAINS_DB},
            "offset 0.1": (0, 0.1),
        }.items():
            loud = windows.signals * 10 ** (gain_db / 20) + offset
            signals = np.round(np.clip(loud, -1, 1) * FULL_SCALE) / FULL_SCALE
            cut, _ = cut_patches(replace(windows, signals=signals.astype(np.float32)), mel, patches)
            raw = encoder.encode_patches(cut).mean(axis=0)[None]
            artist = [tracks.artists[row]]
            probabilities[name] = fitted.model.score(raw, artists=artist, n_nearest=0).probability[0]
            clipped.setdefault(name, []).append(float((np.abs(loud) > 1).mean()))
        for name, probability in probabilities.items():
            changes.setdefault(name, []).append(float(np.abs(probability - probabilities["+0 dB"]).max()))
    _print(f"{len(asked)} files louder and quieter: largest change of any probability, and samples clipped")
    for name, found in changes.items():
        _print(
            f"  {name:<12} {max(found):.3f}  median {np.median(found):.3f}  clipped {max(clipped[name]):.1%}"
        )


def _fit(labels: GroupLabels, tracks: LabelledTracks, config: EncoderConfig) -> FittedGroup:
    context = FitContext(config.view_slices(), tracks.raw[:0])
    grouping = group_by_artist(tracks, context, default_choice(context.views))
    return fit_group(labels, tracks, context, grouping)


def _with_level(settings: Settings, directory: Path, level: LevelConfig | None) -> Path:
    """Return the folder of the same network that hears tracks at another level."""
    config = load_encoder_config(directory)
    config = replace(config, patches=replace(config.patches, level=level))
    target = settings.encoders_directory / config.fingerprint
    if not target.exists():
        shutil.copytree(directory, target)
        save_encoder_config(config, target)
    return target


def _row(name: str, answers: FoldAnswers, membership: NDArray[np.bool_]) -> None:
    found = describe_named(answers, membership, DEFAULT_PROMISE)
    first = round(found["accuracy"] * found["n_tracks"])
    cells = (found["singletons"], found["singleton_accuracy"], found["mean_set_size"], found["coverage"])
    shown = "  ".join("    –" if value is None else f"{value:>11.3f}" for value in cells)
    _print(f"{name:<6}  {found['n_tracks']:>6}  {first:>11}  {shown}  {found['turned_away']:>9.3f}")


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
