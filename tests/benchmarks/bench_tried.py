"""Print the table of what was tried on the frozen network, on artist-conditional folds of four genres.

Run with `make tried`, or `python -m tests.benchmarks.bench_tried`, whose --help names the options. Each line
has balanced accuracy with all tracks and with five a playlist, and the difference to the plain head on the
same folds and draws, with two standard errors over seeds and over draws.
"""

import argparse
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from tests.benchmarks.research_sets import BENCH
from tests.benchmarks.tried_heads import HEADS, Candidate
from tests.benchmarks.tried_networks import NETWORKS
from tests.benchmarks.tried_tasks import N_LABELS, FourGenres, Task, few_tasks, fold_tasks
from training.metrics import balanced_accuracy

PLAIN = "plain logistic, penultimate layer"


def main() -> None:
    """Print one line per candidate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", type=Path, default=BENCH)
    parser.add_argument("--seeds", type=int, default=8, help="seeds of the folds, from 0 on")
    parser.add_argument("--draws", type=int, default=40, help="draws of five tracks a playlist")
    parser.add_argument("--only", default="", help="candidates whose names hold this")
    chosen = parser.parse_args()
    folder = chosen.bench / "four_genres"
    if not folder.is_dir():
        _print(f"skipped: no folder {folder}")
        return
    data = FourGenres.read(folder)
    folds = [list(fold_tasks(data, seed)) for seed in range(chosen.seeds)]
    draws = list(few_tasks(data, chosen.draws))
    _print(
        f"four genres, {chosen.seeds} seeds of five artist-conditional folds, {chosen.draws} draws of five "
        f"tracks; {platform.machine()}, Python {platform.python_version()}"
    )
    _print(f"{'candidate':<38} {'all':<7}{'against plain':<17} {'five':<7}{'against plain':<17} seconds")
    with threadpool_limits(limits=1):
        plain = [judge(HEADS[PLAIN], tasks) for tasks in (folds, draws)]
        for name, candidate in (HEADS | NETWORKS).items():
            if chosen.only.casefold() not in name.casefold():
                continue
            start = time.perf_counter()
            texts = []
            for tasks, reference in zip((folds, draws), plain, strict=True):
                found = judge(candidate, tasks)
                texts.append(f"{found.mean():.3f}  {_difference(found - reference):<17}")
            _print(f"{name:<38} {' '.join(texts)} {time.perf_counter() - start:.0f}")


def judge(candidate: Candidate, groups: Sequence[Sequence[Task]]) -> NDArray[np.float64]:
    """Balanced accuracy over all tasks of each group together."""
    found = []
    for tasks in groups:
        predicted = np.concatenate([candidate(task).argmax(axis=1) for task in tasks])
        asked = np.concatenate([task.asked for task in tasks])
        found.append(balanced_accuracy(tasks[0].set.label[asked], predicted, N_LABELS))
    return np.array(found)


def _difference(values: NDArray[np.float64]) -> str:
    error = 2 * values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else float("nan")
    return f"{values.mean():+.3f} +- {error:.3f}"


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
