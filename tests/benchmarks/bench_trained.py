"""Judge the trained modes beside the frozen network on artist-conditional folds of four genres.

Run with `make trained`, or `python -m tests.benchmarks.bench_trained`, whose --help names the options. An
interrupted run goes on from the folder that it keeps.
"""

import argparse
import platform
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from embeddings.config import MelConfig, PatchConfig
from embeddings.patches import track_patches
from tests.benchmarks.plain_heads import answer_logistic
from tests.benchmarks.research_sets import BENCH, FloatArray, IdArray, read_four_genres, read_patches
from training.datasets.playlist_folders import read_folder
from training.folds import artist_folds
from training.learning.config import MODES, TrainingConfig
from training.learning.targets import softmax
from training.learning.trainer import TrainedEncoder, fit_encoder, pooled_features
from training.metrics import balanced_accuracy, bootstrap_interval, paired_interval

N_FOLDS = 5
# The service's own settings but for the time they take: half the patches an epoch, and fewer epochs.
CONFIGS = {
    "frozen": TrainingConfig(mode="frozen"),
    "finetune": TrainingConfig(mode="finetune", n_epochs=15, patience=5, patches_per_track=2),
    "scratch": TrainingConfig(mode="scratch", n_epochs=40, patience=12, patches_per_track=3),
}


@dataclass(frozen=True, eq=False)
class Trial:
    """Out-of-fold answers, (n_tracks,) labels each; -1 where a fold was left out."""

    head: IdArray
    own_softmax: IdArray
    averaged: IdArray
    seconds: float
    epochs: tuple[int, ...]


def main() -> None:
    """Print one line per mode and way of answering."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", type=Path, default=BENCH)
    parser.add_argument("--modes", default=",".join(MODES))
    parser.add_argument("--folds", type=int, default=N_FOLDS, help="how many of the five are run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--music", type=Path, help="folder of playlists to time one whole training on")
    parser.add_argument("--keep", type=Path, help="folder for checkpoints, logs and projections")
    chosen = parser.parse_args()
    if chosen.music:
        time_training(chosen.music, chosen.modes.split(","))
        return
    folder = chosen.bench / "four_genres"
    if not folder.is_dir():
        _print(f"skipped: no folder {folder}")
        return
    study = Study.of(folder, seed=chosen.seed, n_folds=chosen.folds, keep=chosen.keep)
    _print(
        f"four genres, {len(study.label)} tracks, artist-conditional folds (seed {chosen.seed}, "
        f"{chosen.folds} of {N_FOLDS} run); {platform.machine()}, Python {platform.python_version()}"
    )
    with threadpool_limits(limits=1):
        frozen = study.pretrained()
        study.report("pretrained penultimate, logistic head", frozen.head)
        for mode in chosen.modes.split(","):
            trial = study.train(mode)
            _print(f"{mode}: {trial.seconds:.0f} s, best epochs {trial.epochs}")
            study.report(f"  {mode}, logistic head on its layer", trial.head, frozen.head)
            study.report(f"  {mode}, its own softmax", trial.own_softmax, frozen.head)
            study.report(f"  {mode} softmax and pretrained head, mean", trial.averaged, frozen.head)


def time_training(folder: Path, modes: list[str]) -> None:
    """Print how long one training on a folder of playlists takes, from log-mel patches, as users have it."""
    rows = read_folder(folder)
    patches = [track_patches(row.file, MelConfig(), PatchConfig()).patches for row in rows]
    names, label = np.unique([row.playlist for row in rows], return_inverse=True)
    membership = (label[:, None] == np.arange(len(names))).astype(np.float32)
    for mode in modes:
        wall, cpu = time.perf_counter(), time.process_time()
        config = TrainingConfig(mode=mode)
        artists = [row.artist for row in rows]
        trained = fit_encoder(patches, {"default": membership}, artists=artists, config=config)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        report = trained.report
        _print(
            f"{mode} on {len(rows)} tracks: {wall:.0f} s, {cpu:.0f} s of processor time, "
            f"{len(report.history)} epochs, stopped by {report.stopped}"
        )


@dataclass(frozen=True, eq=False)
class Study:
    """The tracks, their folds, and what the pretrained network hears in them."""

    label: IdArray
    artist: IdArray
    folds: IdArray
    n_folds: int
    patches: FloatArray
    penultimate: FloatArray
    seed: int
    keep: Path | None

    @classmethod
    def of(cls, folder: Path, *, seed: int, n_folds: int, keep: Path | None) -> "Study":
        """Read the set and deal out its artists."""
        bench = read_four_genres(folder)
        membership = bench.label[:, None] == np.arange(4)
        folds = artist_folds(membership, bench.artist, n_folds=N_FOLDS, seed=seed)
        patches = read_patches(folder)
        return cls(bench.label, bench.artist, folds, n_folds, patches, bench.raw[:, :200], seed, keep)

    def pretrained(self) -> Trial:
        """The network as it came, which has no softmax of its own."""
        head = np.full(len(self.label), -1)
        for fold in range(self.n_folds):
            test = self.folds == fold
            head[test] = self._head(self.penultimate, test).argmax(axis=1)
        return Trial(head, head, head, 0.0, ())

    def train(self, mode: str) -> Trial:
        """Train on each fold's training side, of which whole artists decide when to stop."""
        head, own, averaged = (np.full(len(self.label), -1) for _ in range(3))
        epochs, start = [], time.perf_counter()
        features = self._features() if mode == "frozen" else None
        for fold in range(self.n_folds):
            test = self.folds == fold
            trained = self._fit(mode, fold, features)
            vectors, logits = self._hear(trained)
            answers = np.stack([softmax(track).mean(axis=0) for track in logits])[test]
            head[test] = self._head(vectors, test).argmax(axis=1)
            own[test] = answers.argmax(axis=1)
            averaged[test] = (answers + self._head(self.penultimate, test)).argmax(axis=1)
            epochs.append(trained.report.best_epoch + 1)
            figures = [balanced_accuracy(self.label[test], a[test], 4) for a in (head, own, averaged)]
            _print(f"    {mode} fold {fold}: {np.round(figures, 3)}, {trained.report.seconds:.0f} s")
        return Trial(head, own, averaged, time.perf_counter() - start, tuple(epochs))

    def report(self, name: str, predicted: IdArray, frozen: IdArray | None = None) -> None:
        """Print balanced accuracy with its interval over artists, and the paired difference."""
        rows = np.flatnonzero(predicted >= 0)
        true, artist = self.label[rows], self.artist[rows]
        rng = np.random.default_rng(0)
        low, high = bootstrap_interval(true, predicted[rows], artist, 4, rng)
        text = f"{balanced_accuracy(true, predicted[rows], 4):.3f} ({low:.3f} to {high:.3f})"
        if frozen is not None:
            low, high = paired_interval(true, (predicted[rows], frozen[rows]), artist, 4, rng)
            text += f"   against pretrained: {low:+.3f} to {high:+.3f}"
        _print(f"{name:<44} {text}")

    def _fit(self, mode: str, fold: int, features: list[FloatArray] | None) -> TrainedEncoder:
        membership = (self.label[:, None] == np.arange(4)) & (self.folds != fold)[:, None]
        return fit_encoder(
            list(self.patches),
            {"default": membership.astype(np.float32)},
            artists=self.artist.tolist(),
            config=CONFIGS[mode],
            features=features,
            directory=self.keep / f"{mode}-{self.seed}-{fold}" if self.keep else None,
        )

    def _features(self) -> list[FloatArray]:
        from training.encoder.pretrained import pretrained_encoder

        return pooled_features(pretrained_encoder(), list(self.patches))

    def _hear(self, trained: TrainedEncoder) -> tuple[FloatArray, list[FloatArray]]:
        """(n_tracks, n_units) means over patches, and each track's logits."""
        trunk = trained.graph.trunk_model()
        trunk.compile(jit_compile=False)
        heard = [np.asarray(trunk.predict_on_batch(track)) for track in self.patches]
        logits = [np.asarray(trained.heads(track, training=False)) for track in heard]
        return np.stack([track.mean(axis=0) for track in heard]), logits

    def _head(self, vectors: FloatArray, test: NDArray[np.bool_]) -> FloatArray:
        return answer_logistic(vectors[~test], self.label[~test], vectors[test])


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
