"""What fitting and asking cost as groups grow: seconds of processor time, medians.

``python -m tests.benchmarks.bench_fit [--tracks 1000 5000] [--playlists 20] [--repeats 3]``
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from training.folds import artist_folds, same_recordings
from training.groups.fit import GroupLabels, fit_group, group_by_artist
from training.groups.fitting import FitContext, default_choice
from training.groups.labels import LabelledTracks
from training.metrics import bootstrap_interval

DIM, TRUNK_DIM = 260, 200
N_ASKED = 100


def main() -> None:
    """Print a table, a row per number of tracks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tracks", type=int, nargs="+", default=[1000, 5000])
    parser.add_argument("--playlists", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    say("tracks  fit s  one answer ms  folds s  copies s  interval s")
    for n_tracks in arguments.tracks:
        rows = [measure(n_tracks, arguments.playlists, seed) for seed in range(arguments.repeats)]
        fit, ask, *rest = (statistics.median(column) for column in zip(*rows, strict=True))
        say(f"{n_tracks:6}  {fit:5.2f}  {1e3 * ask:13.2f}  " + "  ".join(f"{s:7.2f}" for s in rest))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def measure(n_tracks: int, n_playlists: int, seed: int) -> tuple[float, ...]:
    """Seconds of: fitting a group, one answer, artist folds, finding copies, a bootstrap interval."""
    rng = np.random.default_rng(seed)
    label = np.arange(n_tracks) % n_playlists
    raw = rng.normal(size=(n_tracks, DIM)) + 0.3 * rng.normal(size=(n_playlists, DIM))[label]
    tracks = LabelledTracks(
        track_ids=np.arange(n_tracks),
        raw=raw.astype(np.float32),
        membership=label[:, None] == np.arange(n_playlists),
        artists=tuple(f"{row // n_playlists // 2} of {row % n_playlists}" for row in range(n_tracks)),
        albums=("",) * n_tracks,
        durations_s=rng.uniform(60, 6000, n_tracks),
    )
    labels = GroupLabels(1, "default", np.arange(n_playlists), tuple(map(str, range(n_playlists))))
    context = FitContext({"trunk": slice(0, TRUNK_DIM), "timbre": slice(TRUNK_DIM, DIM)}, tracks.raw[:0])
    grouping = group_by_artist(tracks, context, default_choice(context.views))
    fit_s, fitted = timed(lambda: fit_group(labels, tracks, context, grouping))
    rows = [tracks.raw[row : row + 1] for row in range(min(N_ASKED, n_tracks))]
    ask_s, _ = timed(lambda: [fitted.model.score(row) for row in rows])
    folds_s, _ = timed(lambda: artist_folds(tracks.membership, grouping.keys, n_folds=5, seed=seed))
    unit = tracks.raw / np.linalg.norm(tracks.raw, axis=1, keepdims=True)
    copies_s, _ = timed(lambda: same_recordings(unit, tracks.durations_s))
    interval_s, _ = timed(lambda: bootstrap_interval(label, label, grouping.keys, n_playlists, rng))
    return fit_s, ask_s / len(rows), folds_s, copies_s, interval_s


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of processor time, and what came of it."""
    began = time.process_time()
    result = work()
    return time.process_time() - began, result


if __name__ == "__main__":
    main()
