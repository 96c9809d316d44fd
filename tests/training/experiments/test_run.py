"""Whole experiments on small made data sets: the report, what is left out, going on after a kill."""

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.experiments.experiments import (
    SLOW_COMMAND,
    SMALL,
    settings_in,
    write_noises,
    write_small_fma,
    write_wordless_gtzan,
)
from tests.training.report.html_check import Page
from training.experiments.report_folder import OutExists, recipe_for
from training.experiments.run import run_experiment
from training.recipes.recipe import load_recipe, read_recipe
from training.recipes.trainer import vote

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the tiny encoder, whose cache the tests share."""
    return tmp_path_factory.mktemp("experiments") / "data"


@pytest.fixture(scope="module")
def noises(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_noises(tmp_path_factory.mktemp("noises") / "lists", n_tracks=6)


@pytest.fixture(scope="module")
def fma_report(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    """The report of the FMA's recipe on a data set in its layout."""
    folder = tmp_path_factory.mktemp("fma")
    recipe = load_recipe("fma", settings=(*SMALL, "judging.compare=network.kind=heads"))
    run_experiment(recipe, write_small_fma(folder / "fma"), folder / "out", settings=settings_in(data))
    return folder / "out"


def metrics(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "metrics.json").read_text())
    return found


def test_the_published_split_is_used_and_broken_clips_are_counted(fma_report: Path) -> None:
    found = metrics(fma_report)
    assert found["layout"] == "fma"
    assert found["split"] == "the training and test parts of the data set"
    assert found["labels"] == ["Hip-Hop", "Rock"]
    # Of 9 tracks a genre 3 are the test part; the broken clip belonged to the training part.
    assert found["n_tracks"] == 17
    assert sum(map(sum, found["confusion"])) == found["n_asked"] == 6
    assert [(file["file"], file["code"]) for file in found["skipped"]] == [
        ("fma_small/000/000002.mp3", "undecodable_audio")
    ]
    (training,) = found["trainings"]
    assert (training["n_tracks"], training["n_validation_tracks"]) == (9, 2)
    right = sum(found["confusion"][row][row] for row in (0, 1))
    assert found["accuracy"] == pytest.approx(right / 6, abs=1e-4)
    assert [rival["choice"] for rival in found["compared"]] == ["network.kind=heads"]


def test_the_report_folder_holds_everything(fma_report: Path) -> None:
    names = {path.name for path in fma_report.iterdir()}
    pictures = {"confusion", "baselines", "training", "pca_before", "pca_after", "umap_before", "umap_after"}
    files = {"metrics.json", "misclassified.csv", "index.html", "recipe.toml", "runs"}
    assert names == files | {f"{name}.svg" for name in pictures}
    assert list(fma_report.glob("runs/main/fold-1/tensorboard/events.out.tfevents.*"))
    # What is needed to go on is of no use afterwards.
    assert not list(fma_report.rglob("run.npz"))
    assert read_recipe(fma_report / "recipe.toml").network.width == 4
    svg = (fma_report / "pca_after.svg").read_text()
    assert svg.startswith("<svg ") and 'xmlns="http://www.w3.org/2000/svg"' in svg
    assert "--accent: #1f66ad" in svg and "prefers-color-scheme: dark" in svg


def test_the_page_shows_it_and_loads_nothing(fma_report: Path) -> None:
    page = Page((fma_report / "index.html").read_text())
    found = metrics(fma_report)
    assert page.faults == []
    assert len(page.all("svg")) == 7
    for words in (found["title"], "800 songs a class", "network.kind=heads", "000002.mp3", "94"):
        assert words in page.text
    assert 'kind = "cnn2d"' in page.text


def test_mistakes_are_listed_with_the_nearest_training_tracks(fma_report: Path) -> None:
    found = metrics(fma_report)
    with (fma_report / "misclassified.csv").open() as file:
        rows = list(csv.DictReader(file))
    wrong = found["n_asked"] - sum(found["confusion"][row][row] for row in (0, 1))
    assert len(rows) == wrong == len(found["misclassified"])
    asked = {track["file"] for track in found["tracks"]}
    for row in rows:
        assert row["file"] in asked
        assert row["label"] != row["predicted"]
        assert float(row["own_probability"]) <= float(row["predicted_probability"])
        near = [row[f"nearest_{number}"] for number in (1, 2, 3)]
        assert not asked & set(near)
        similarity = [float(row[f"nearest_{number}_similarity"]) for number in (1, 2, 3)]
        assert similarity == sorted(similarity, reverse=True)


def test_pieces_of_one_track_on_both_sides_claim_what_is_not_there(tmp_path: Path, data: Path) -> None:
    """The genres have nothing to do with the sound, so whoever names them has learnt the tracks by heart."""
    recipe = load_recipe(
        "gtzan",
        settings=(
            *(
                "judging.compare=",
                "judging.leak_piece_s=1",
                "front_end.mel.clip_s=3",
                "front_end.mel.n_mels=48",
            ),
            *("network.width=8", "network.depth=3", "training.n_epochs=15", "training.learning_rate=0.006"),
            *("training.label_smoothing=0", "training.mixup=0", "training.spec_augment=false"),
            *("training.dropout=0", "training.level_db=0", "training.tilt_db=0", "training.low_pass_share=0"),
        ),
    )
    folder = write_wordless_gtzan(tmp_path / "gtzan")
    found = run_experiment(recipe, folder, tmp_path / "out", settings=settings_in(data))
    leak = found["leak"]
    assert leak["leaky"]["n_pieces"] == leak["honest"]["n_pieces"]
    assert leak["leaky"]["accuracy"] >= 0.85
    assert leak["honest"]["accuracy"] <= 0.75
    page = Page((tmp_path / "out" / "index.html").read_text())
    assert page.faults == []
    assert "What a leaky split would have claimed" in page.text


def test_the_curve_rises_from_one_track_to_more(tmp_path: Path, data: Path, noises: Path) -> None:
    changed = (
        *("curve.counts=[1, 2, 100]", "curve.modes=heads,frozen", "curve.n_draws=1", "judging.n_folds=2"),
        *("training.n_epochs=10", "judging.compare="),
    )
    recipe = load_recipe("seven-songs", settings=changed)
    found = run_experiment(recipe, noises, tmp_path / "out", settings=settings_in(data))
    curves = {curve["mode"]: curve["points"] for curve in found["curve"]}
    # Of 6 tracks a playlist some are held back, so there are no 100 to learn from.
    assert [point["n_tracks"] for point in curves["heads"]] == [1, 2]
    assert [point["n_tracks"] for point in curves["frozen"]] == [1, 2]
    assert all(point["balanced_accuracy"] == 1.0 for point in curves["heads"])
    page = Page((tmp_path / "out" / "index.html").read_text())
    assert page.faults == []
    assert any(
        "heads: 100% from 1, 100% from 2; frozen: " in str(svg["aria-label"]) for svg in page.all("svg")
    )


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path, data: Path, noises: Path) -> None:
    settings, out = settings_in(data), tmp_path / "killed"
    changed = (*SMALL, "training.n_epochs=4", "front_end.waveform.clip_s=1")
    whole = load_recipe("waveform-images", settings=changed)
    expected = run_experiment(whole, noises, tmp_path / "whole", settings=settings)
    options = [word for setting in changed for word in ("--set", setting)]
    command = [sys.executable, "-c", SLOW_COMMAND, "--data", settings.data, "experiment", "waveform-images"]
    command += ["--data", noises, "--out", out, *options]
    with subprocess.Popen([*map(str, command)], cwd=REPOSITORY, stderr=subprocess.DEVNULL) as process:
        begun = out / "runs" / "main" / "fold-2" / "history.csv"
        for _ in range(1200):
            if begun.exists() or process.poll() is not None:
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (out / "metrics.json").exists()
    done = (out / "runs" / "main" / "fold-1" / "answer.npz").stat().st_mtime_ns

    with pytest.raises(OutExists, match="--resume"):
        run_experiment(whole, noises, out, settings=settings)
    recipe = recipe_for("waveform-images", (), out, resume=True)
    assert recipe == whole
    told: list[str] = []
    found = run_experiment(
        recipe, noises, out, settings=settings, resume=True, progress=lambda *step: told.append(step[2])
    )
    assert (out / "runs" / "main" / "fold-1" / "answer.npz").stat().st_mtime_ns == done
    epochs = [said for said in told if "epoch" in said]
    assert epochs and not any("epoch 1:" in said for said in epochs)
    assert found["tracks"] == expected["tracks"]
    assert found["confusion"] == expected["confusion"]


def test_another_run_is_not_gone_on_with(tmp_path: Path, data: Path, noises: Path) -> None:
    out = tmp_path / "out"
    recipe = load_recipe("waveform-images", settings=SMALL)
    out.mkdir()
    with pytest.raises(OutExists, match=r"recipe\.toml is missing"):
        run_experiment(recipe, noises, out, settings=settings_in(data), resume=True)
    (out / "recipe.toml").write_text(recipe.to_toml())
    with pytest.raises(OutExists, match=r"training\.n_epochs was 2, not 3"):
        run_experiment(
            recipe.but("training.n_epochs=3"), noises, out, settings=settings_in(data), resume=True
        )


def test_a_majority_outvotes_one_sure_image_and_the_mean_breaks_ties() -> None:
    logits = np.log(np.array([[0.01, 0.99], [0.6, 0.4], [0.6, 0.4]], dtype=np.float32))
    assert vote(logits, how="mean").argmax() == 1
    assert vote(logits, how="majority").argmax() == 0
    assert vote(logits[:2], how="majority").argmax() == 1
    for how in ("mean", "majority"):
        assert vote(logits, how=how).sum() == pytest.approx(1, abs=1e-6)
