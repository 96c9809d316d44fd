"""``whichlist experiment``: what it says of bad input, of other data, and of the recipes it has."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from api.terminal import ExitCode
from tests.api.commands.test_cli import Run, runner_in
from tests.training.experiments.experiments import SMALL, write_noises
from training.recipes.recipe import list_recipes

# The service's own heads: nothing is trained, so that a run takes a moment.
QUICK = ("--set", "network.kind=heads", "--set", "judging.compare=", "--set", "judging.n_folds=2")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command with the tiny encoder."""
    return runner_in(tmp_path / "data")


@pytest.fixture(scope="module")
def noises(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_noises(tmp_path_factory.mktemp("noises") / "lists", n_tracks=3)


@pytest.fixture
def lists(noises: Path, tmp_path: Path) -> Path:
    """A copy of the playlists that a test may spoil."""
    return Path(shutil.copytree(noises, tmp_path / "lists"))


def test_the_list_names_every_recipe_with_what_it_wants_and_has_to_beat(run: Run) -> None:
    said = run("experiment", "--list").output
    assert all(recipe.summary() in said for recipe in list_recipes())
    assert "67% precision@1" in said
    assert "no figure was published" in said


def test_a_name_and_data_are_needed(run: Run) -> None:
    assert "--list" in run("experiment", expect=ExitCode.USAGE).output
    assert "--data" in run("experiment", "fma", expect=ExitCode.USAGE).output


@pytest.mark.parametrize(
    ("made", "options", "sentence"),
    [
        ((), (), "is missing or no folder"),
        (("lists/",), (), "holds no audio"),
        (("lists/a/", "lists/b/", "lists/a/notes.txt"), (), "holds no audio"),
        (("lists/a/x.mp3", "lists/b/y.mp3"), (), "too few tracks"),
        (("lists/a/x.mp3", "lists/b/y.mp3"), ("--set", "data.layout=fma"), "tracks.csv"),
        (("lists/a/x.mp3",), ("--set", "data.layout=gtzan"), "genres/<genre>"),
        (("lists/a/x.mp3",), ("--set", "epochs=1"), "epochs is no key of a recipe; allowed here: name"),
    ],
)
def test_bad_input_gets_a_sentence_and_leaves_no_report(
    run: Run, tmp_path: Path, made: tuple[str, ...], options: tuple[str, ...], sentence: str
) -> None:
    for name in made:
        path = tmp_path / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"this is no audio")
    out = tmp_path / "out"
    said = run(
        *("experiment", "seven-songs", "--data", tmp_path / "lists", "--out", out, *options),
        expect=ExitCode.FAILED,
    ).output
    assert said.startswith("whichlist: ") or "\nwhichlist: " in said
    assert sentence in said
    assert not out.exists()


def test_extra_and_unreadable_files_are_listed_and_stop_nothing(
    run: Run, tmp_path: Path, lists: Path
) -> None:
    (lists / "high" / "broken.mp3").write_bytes(b"this is no audio")
    (lists / "high" / "cover.jpg").write_bytes(b"a picture")
    out = tmp_path / "out"
    said = run(
        "experiment", "seven-songs", "--data", lists, "--out", out, *QUICK, "--set", "curve.counts=[]"
    ).output
    assert "2 files were set aside" in said
    found = json.loads((out / "metrics.json").read_text())
    assert {(file["file"], file["code"]) for file in found["skipped"]} == {
        ("high/broken.mp3", "undecodable_audio"),
        ("high/cover.jpg", "extra_file"),
    }
    assert found["n_tracks"] == 6
    assert "cover.jpg" in (out / "index.html").read_text()


def test_too_few_are_left_when_files_cannot_be_read(run: Run, tmp_path: Path, lists: Path) -> None:
    for path in sorted((lists / "high").iterdir())[1:]:
        path.write_bytes(b"this is no audio")
    said = run(
        *("experiment", "seven-songs", "--data", lists, "--out", tmp_path / "out", *QUICK),
        expect=ExitCode.FAILED,
    ).output
    assert "high has 1, at least 2 are needed; 2 files were left out" in said


def test_a_playlist_by_one_artist_is_judged_and_the_reader_is_warned(run: Run, tmp_path: Path) -> None:
    lists = write_noises(tmp_path / "lists", n_tracks=3, n_artists=1)
    out = tmp_path / "out"
    run("experiment", "twelve-electronic-styles", "--data", lists, "--out", out, *QUICK)
    warnings = json.loads((out / "metrics.json").read_text())["warnings"]
    assert any("'high' has no two known artists: it is judged by track" in warning for warning in warnings)


@pytest.mark.parametrize("recipe", [recipe.name for recipe in list_recipes()])
def test_every_recipe_runs_on_a_manifest(run: Run, tmp_path: Path, noises: Path, recipe: str) -> None:
    manifest = tmp_path / "tracks.csv"
    with manifest.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(("file", "playlist", "artist"))
        for number in range(3):
            lines.writerow((f"high/high {number}.flac", "liked", f"a{number}"))
            lines.writerow((f"low/low {number}.flac", "others", f"b{number}"))
    out = tmp_path / "out"
    plain = (*QUICK, "--set", "front_end={}", "--set", "judging.leak_piece_s=0", "--set", "curve.counts=[]")
    run("experiment", recipe, "--data", noises, "--manifest", manifest, "--out", out, *plain)
    found = json.loads((out / "metrics.json").read_text())
    assert found["labels"] == ["liked", "others"]
    assert (found["accuracy"], found["n_asked"]) == (1.0, 6)
    assert found["precision_at_2"] == 1.0


def test_one_playlist_against_all_others(run: Run, tmp_path: Path, lists: Path) -> None:
    (lists / "middle").mkdir()
    for number in (0, 1):
        (lists / "low" / f"low {number}.flac").rename(lists / "middle" / f"low {number}.flac")
    out = tmp_path / "out"
    liked = ("--set", "data.liked=high", "--set", "curve.counts=[]")
    run("experiment", "seven-songs", "--data", lists, "--out", out, *QUICK, *liked)
    found = json.loads((out / "metrics.json").read_text())
    assert found["labels"] == ["high", "the others"]
    said = run(
        *(
            "experiment",
            "seven-songs",
            "--data",
            lists,
            "--out",
            tmp_path / "other",
            "--set",
            "data.liked=no",
        ),
        expect=ExitCode.FAILED,
    ).output
    assert "data.liked is 'no', but the playlists are high, low, middle" in said


def test_a_report_that_is_there_is_not_overwritten(run: Run, tmp_path: Path, noises: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "precious.txt").write_text("mine")
    settings = [word for setting in SMALL for word in ("--set", setting)]
    said = run(
        *("experiment", "waveform-images", "--data", noises, "--out", out, *settings), expect=ExitCode.FAILED
    ).output
    assert "is there already: go on with --resume" in said
    assert [path.name for path in out.iterdir()] == ["precious.txt"]
