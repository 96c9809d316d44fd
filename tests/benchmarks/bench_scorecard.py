"""Print the learning figures on the research sets beside the project; says so when they are not there.

Run with `make scorecard`, or `python -m tests.benchmarks.bench_scorecard [--bench FOLDER]`.
"""

import argparse
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from recommender.records.promises import DEFAULT_PROMISE
from tests.benchmarks.plain_heads import answer_logistic
from tests.benchmarks.research_sets import BENCH, Bench, FloatArray, IdArray, read_four_genres, read_gtzan
from training.groups.fitting import FitContext
from training.judging.named_figures import describe_known, describe_named, describe_strangers
from training.judging.outer_folds import FoldAnswers, judge_group
from training.judging.strangers import standardised_closeness
from training.metrics import auroc, balanced_accuracy, expected_calibration_error


def main() -> None:
    """Print every figure that the data at hand allow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", type=Path, default=BENCH)
    chosen = parser.parse_args()
    _print(f"machine: {platform.processor() or platform.machine()}, Python {platform.python_version()}")
    for name, judge in (("gtzan_taggrams", judge_gtzan), ("four_genres", judge_four_genres)):
        folder = chosen.bench / name
        if folder.is_dir():
            judge(folder)
        else:
            _print(f"skipped: {name}, no folder {folder}")


def judge_gtzan(folder: Path) -> None:
    """Everything is chosen on the training part; its artists are not labelled, so folds go by track."""
    known, asked = read_gtzan(folder / "training.npz"), read_gtzan(folder / "evaluation.npz")
    fitted = known.fit()
    scores = fitted.model.score(asked.raw, n_nearest=0)
    predicted = scores.probability.argmax(axis=1)
    right = predicted == asked.label
    _print("GTZAN, fault-filtered, 50-d taggrams; everything chosen on the 443 training tracks")
    _line("accuracy over the evaluation tracks", f"{right.mean():.3f}", "0.80")
    _line("ECE", f"{expected_calibration_error(scores.probability.max(axis=1), right):.3f}", "<= 0.05")
    answers = FoldAnswers.empty((len(asked.label), len(asked.names)))
    answers.fill(np.arange(len(asked.label)), fitted.model, asked.labelled()[1], DEFAULT_PROMISE)
    _named(
        "", describe_named(answers, asked.labelled()[1].membership, DEFAULT_PROMISE), goals=("<= 1.25", "")
    )
    left_out = [_gtzan_without(known, asked, label) for label in range(len(known.names))]
    _line("none fits AUROC, mean", f"{np.mean(left_out):.3f}", "0.90")
    _line("none fits AUROC, worst", f"{np.min(left_out):.3f}", "0.80")
    few = [_gtzan_few(known, asked, draw) for draw in range(50)]
    ten = _mean([_gtzan_ten(known, asked, draw) for draw in range(10)])
    _named("ten playlists of ten, 10 draws: ", ten)
    _line("5 tracks a genre, mean of 50 draws", f"{np.mean(few):.3f} (sd {np.std(few):.3f})", "0.76")


def judge_four_genres(folder: Path) -> None:
    """Real artists, so folds are artist-conditional."""
    bench = read_four_genres(folder)
    _print("four genres, 400 real tracks of 138 artists; artist-conditional 5 folds")
    labels, tracks = bench.labelled()
    accuracies, frozen, new, known, strangers = [], [], [], [], []
    for seed in range(3):
        judged = judge_group(labels, tracks, FitContext(bench.views, bench.raw[:0], seed), n_folds=5)
        accuracies.append(balanced_accuracy(bench.label, judged.probability.argmax(axis=1), 4))
        frozen.append(_plain_logistic(bench, judged.folds))
        new.append(describe_named(judged, tracks.membership, DEFAULT_PROMISE))
        known.append(describe_known(judged, tracks.membership, DEFAULT_PROMISE) or {})
        strangers.append(describe_strangers(judged.strangers, DEFAULT_PROMISE) or {})
    _named("new artists: ", _mean(new), goals=("<= 1.40", ">= 0.62"))
    _named("known artists: ", _mean(known))
    _line(
        "strangers, mean AUROC of seeds 0 to 2",
        f"{np.mean([found['auroc']['mean'] for found in strangers]):.3f}",
        "0.795",
    )
    caught = _mean(
        [{name: found[name] for name in ("strangers_caught", "members_turned_away")} for found in strangers]
    )
    _line(
        "  caught where members are turned away",
        f"{caught['strangers_caught']:.3f} where {caught['members_turned_away']:.3f}",
        "",
    )
    _line(
        "balanced accuracy, mean of seeds 0 to 2",
        f"{np.mean(accuracies):.4f} {np.round(accuracies, 3)}",
        "0.80",
    )
    _line("  plain logistic head on the same folds", f"{np.mean(frozen):.4f} {np.round(frozen, 3)}", "")
    few, with_library, plain = zip(*_four_genres_few(bench), strict=True)
    _line("5 tracks a playlist, 40 draws", f"{np.mean(few):.4f} (sd {np.std(few):.3f})", "0.74")
    text = f"{np.mean(with_library):.4f} (sd {np.std(with_library):.3f})"
    _line("  half of the other artists as library", text, "0.74")
    _line("  plain logistic head on the same draws", f"{np.mean(plain):.4f} (sd {np.std(plain):.3f})", "")
    likes = _judge_likes(folder, bench)
    error = np.std(likes) / np.sqrt(len(likes))
    text = f"{np.mean(likes):.3f} +- {1.96 * error:.3f} over {len(likes)} listener groups"
    _line("liked against disliked, mean AUROC", text, "")


def _mean(found: list[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([figures[name] for figures in found])) for name in found[0]}


def _named(kind: str, found: dict[str, float], *, goals: tuple[str, str] = ("", "")) -> None:
    """Print the figures of named playlists, with the goals of set size and of answers that name one."""
    _line(f"{kind}first answer right", f"{found['accuracy']:.3f}", "")
    _line(f"{kind}called strangers", f"{found['turned_away']:.3f}", "<= 0.05")
    _line(f"{kind}right one among those named", f"{found['coverage']:.3f}", ">= 0.88")
    _line(f"{kind}playlists named", f"{found['mean_set_size']:.3f}", goals[0])
    text = f"{found['singletons']:.3f}, right in {found['singleton_accuracy']:.3f}"
    _line(f"{kind}names one", text, goals[1])
    _line(f"{kind}ECE", f"{found['ece']:.3f}", "")


def _gtzan_without(known: Bench, asked: Bench, label: int) -> float:
    fitted = known.rows(np.flatnonzero(known.label != label)).fit()
    scores = standardised_closeness(fitted.model, fitted.model.score(asked.raw, n_nearest=0).closeness)
    return auroc(scores[asked.label != label], scores[asked.label == label])


def _gtzan_ten(known: Bench, asked: Bench, draw: int) -> dict[str, float]:
    """Ten playlists of ten tracks, asked about the whole evaluation part."""
    rng = np.random.default_rng(draw)
    rows = np.concatenate(
        [rng.choice(np.flatnonzero(known.label == g), 10, replace=False) for g in range(10)]
    )
    answers = FoldAnswers.empty((len(asked.label), len(asked.names)))
    tracks = asked.labelled()[1]
    answers.fill(np.arange(len(tracks)), known.rows(rows).fit().model, tracks, DEFAULT_PROMISE)
    return describe_named(answers, tracks.membership, DEFAULT_PROMISE)


def _gtzan_few(known: Bench, asked: Bench, draw: int) -> float:
    rng = np.random.default_rng(draw)
    rows = np.concatenate([rng.choice(np.flatnonzero(known.label == g), 5, replace=False) for g in range(10)])
    rest = known.raw[np.setdiff1d(np.arange(len(known.label)), rows)]
    model = known.rows(rows).fit(unlabelled=rest).model
    return float((model.score(asked.raw, n_nearest=0).probability.argmax(axis=1) == asked.label).mean())


def _four_genres_few(bench: Bench) -> Iterator[tuple[float, float, float]]:
    """Yield (ours, ours with a library, plain logistic) per draw; the artists drawn are not asked about.

    The library is the tracks of half of the other artists, unlabelled, while the other half is asked about.
    """
    rng, split = np.random.default_rng(0), np.random.default_rng(1)
    for _ in range(40):
        rows = np.concatenate([rng.permutation(np.flatnonzero(bench.label == g))[:5] for g in range(4)])
        test = np.flatnonzero(~np.isin(bench.artist, bench.artist[rows]))
        artists = split.permutation(np.unique(bench.artist[test]))
        half = np.isin(bench.artist[test], artists[: len(artists) // 2])
        ours, with_library = _predict(bench, rows, test), np.zeros(len(test), dtype=np.int64)
        for part in (half, ~half):
            with_library[part] = _predict(bench, rows, test[part], library=test[~part])
        plain = _logistic(bench.raw[rows], bench.label[rows], bench.raw[test])
        truth = bench.label[test]
        yield (
            balanced_accuracy(truth, ours, 4),
            balanced_accuracy(truth, with_library, 4),
            balanced_accuracy(truth, plain, 4),
        )


def _predict(bench: Bench, known: IdArray, asked: IdArray, library: IdArray | None = None) -> IdArray:
    unlabelled = None if library is None else bench.raw[library]
    model = bench.rows(known).fit(unlabelled=unlabelled).model
    answer: IdArray = model.score(bench.raw[asked], n_nearest=0).probability.argmax(axis=1)
    return answer


def _plain_logistic(bench: Bench, folds: IdArray) -> float:
    predicted = np.zeros(len(folds), dtype=np.int64)
    for fold in np.unique(folds):
        train, test = folds != fold, folds == fold
        predicted[test] = _logistic(bench.raw[train], bench.label[train], bench.raw[test])
    return balanced_accuracy(bench.label, predicted, 4)


def _logistic(known: FloatArray, label: IdArray, asked: FloatArray) -> IdArray:
    """The plain head on the trunk view alone."""
    trunk = slice(0, 200)
    answer: IdArray = answer_logistic(known[:, trunk], label, asked[:, trunk]).argmax(axis=1)
    return answer


def _judge_likes(folder: Path, bench: Bench) -> list[float]:
    """AUROC of liked against disliked, out of fold, for every listener group with ten tracks of each."""
    likes = np.load(folder / "likes.npz")
    found = []
    for group in np.unique(likes["listener_group"]):
        mine = likes["listener_group"] == group
        rows, margin = likes["track_row"][mine], (likes["n_liked"] - likes["n_disliked"].astype(int))[mine]
        rows, liked = rows[margin != 0].astype(np.int64), margin[margin != 0] > 0
        if min(liked.sum(), (~liked).sum()) < 10:
            continue
        taste = Bench(
            bench.raw[rows], liked.astype(np.int64), bench.artist[rows], ("disliked", "liked"), bench.views
        )
        labels, tracks = taste.labelled()
        judged = judge_group(labels, tracks, FitContext(bench.views, bench.raw[:0], 0), n_folds=5)
        found.append(auroc(judged.probability[liked, 1], judged.probability[~liked, 1]))
    return found


def _line(name: str, value: str, goal: str) -> None:
    _print(f"  {name:<42} {value}" + (f"   (goal {goal})" if goal else ""))


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
