"""A folder of playlists judged from its files: what is said, what is left out, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embeddings.encoder_files import load_encoder_config
from recommender.settings import Settings, load_settings
from tests.folders import TINY_ENCODER, write_track
from training.datasets.folder_tracks import HeardFolder
from training.datasets.playlist_folders import TrackRow
from training.judging.outer_folds import NothingToJudge
from training.judging.scorecard import evaluate_folder, label_folder

# Playlist -> lowest pitch; the tones of each lie within a third of an octave or so.
PITCHES = {"deep": 150, "middle": 900, "high": 4000}
N_TRACKS, N_ARTISTS = 12, 4
# What the design promises of `whichlist evaluate --json`.
PROMISED = {
    *("balanced_accuracy", "balanced_accuracy_ci", "precision_at_1", "precision_at_2", "precision_at_3"),
    *(
        "ece",
        "coverage",
        "open_set_auroc",
        "labels",
        "confusion",
        "baselines",
        "encoder",
        "seconds",
        "failed",
    ),
    "tracks",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three playlists told apart by pitch, and a text file that calls itself music."""
    folder = tmp_path_factory.mktemp("library") / "music"
    for name, lowest_hz in PITCHES.items():
        for number in range(N_TRACKS):
            write_track(
                folder / name / f"{number:02}.flac",
                tone_hz=lowest_hz * (1 + 0.02 * number),
                title=f"{name} {number}",
                artist=f"{name} artist {number % N_ARTISTS}",
                # Equal pitch and length would make two tracks copies of one recording.
                duration_s=3.2 + 1.7 * number,
            )
    (folder / "deep" / "notes.mp3").write_text("no music")
    return folder


@pytest.fixture(scope="module")
def local_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load_settings({"data": tmp_path_factory.mktemp("data"), "embedding_processes": "2"}, environ={})


def evaluate(library: Path, local_settings: Settings, **options: Any) -> dict[str, Any]:
    return evaluate_folder(library, settings=local_settings, encoder_directory=TINY_ENCODER, **options)


@pytest.fixture(scope="module")
def card(library: Path, local_settings: Settings) -> dict[str, Any]:
    return evaluate(library, local_settings)


def test_a_folder_whose_answer_is_known(card: dict[str, Any]) -> None:
    assert card.keys() >= PROMISED
    assert card["balanced_accuracy"] > 0.8
    low, high = card["balanced_accuracy_ci"]
    assert 0.6 < low <= card["balanced_accuracy"] <= high
    assert card["labels"] == sorted(PITCHES)
    confusion = np.array(card["confusion"])
    assert confusion.sum(axis=1).tolist() == [N_TRACKS] * 3
    assert confusion.trace() / (3 * N_TRACKS) == pytest.approx(card["precision_at_1"], abs=1e-4)
    assert card["baselines"]["mfcc_logistic"] > 0.9  # pitch is all there is to hear
    assert card["coverage"] > 0.75
    assert card["open_set_auroc"]["mean"] > 0.7
    assert card["beats_chance"]
    assert not any("chance" in warning for warning in card["warnings"])
    assert (card["encoder"], card["n_folds"], card["seed"], card["alpha"]) == ("tiny", 5, 0, 0.1)
    assert json.loads(json.dumps(card, allow_nan=False)) == card


def test_every_track_is_judged_once_and_no_artist_by_its_own_tracks(card: dict[str, Any]) -> None:
    files = [track["file"] for track in card["tracks"]]
    assert files == sorted(f"{name}/{number:02}.flac" for name in PITCHES for number in range(N_TRACKS))
    folds: dict[str, set[int]] = {}
    for track in card["tracks"]:
        assert track["label"] == Path(track["file"]).parent.name
        assert track["title"].startswith(track["label"])
        assert sum(track["probabilities"].values()) == pytest.approx(1, abs=1e-3)
        assert track["probabilities"].keys() == track["p_values"].keys() == PITCHES.keys()
        folds.setdefault(track["artist"], set()).add(track["fold"])
    assert len(folds) == 3 * N_ARTISTS
    assert all(len(on) == 1 for on in folds.values())


def test_what_could_not_be_heard_is_named_with_its_reason(card: dict[str, Any]) -> None:
    (failed,) = card["failed"]
    assert failed["file"] == "deep/notes.mp3"
    assert failed["code"] and failed["error"]


def test_the_same_seed_gives_the_same_card_and_another_other_folds(
    card: dict[str, Any], library: Path, local_settings: Settings
) -> None:
    again, other = (evaluate(library, local_settings, seed=seed, n_folds=4) for seed in (1, 1))
    assert {**again, "seconds": 0} == {**other, "seconds": 0}
    assert again["n_folds"] == 4
    assert [track["fold"] for track in again["tracks"]] != [track["fold"] for track in card["tracks"]]


def test_a_manifest_wins_over_folders_and_tags(
    library: Path, local_settings: Settings, tmp_path: Path
) -> None:
    """It makes two playlists of three folders, and one artist of all."""
    manifest = tmp_path / "tracks.csv"
    lines = [
        f"{name}/{number:02}.flac,{'low' if name == 'deep' else 'not low'},One Artist"
        for name in PITCHES
        for number in range(N_TRACKS)
    ]
    manifest.write_text("\n".join(["file,playlist,artist", *lines[2:]]))
    card = evaluate(library, local_settings, manifest=manifest)
    assert card["labels"] == ["low", "not low"]
    assert np.sum(card["confusion"], axis=1).tolist() == [N_TRACKS - 2, 2 * N_TRACKS]
    assert [playlist["judged_by"] for playlist in card["playlists"]] == ["track", "track"]
    assert sum("no two known artists" in warning for warning in card["warnings"]) == 2
    assert card["open_set_auroc"] is None
    assert card["failed"] == []


def test_progress_is_told_first_of_listening_then_of_folds(library: Path, local_settings: Settings) -> None:
    told: list[str] = []
    evaluate(library, local_settings, n_folds=3, progress=lambda _done, _total, message: told.append(message))
    assert "fold 3 of 3" in told
    assert told.index("listening") < told.index("fold 1 of 3")  # the file that failed is tried again


@pytest.mark.parametrize("n_each", [(4,), (1, 1)])
def test_what_cannot_be_judged_says_why(
    local_settings: Settings, tmp_path: Path, n_each: tuple[int, ...]
) -> None:
    for playlist, n_tracks in enumerate(n_each):
        for number in range(n_tracks):
            name = f"{playlist}/{number}.flac"
            write_track(tmp_path / name, tone_hz=300 + 500 * playlist + 60 * number, artist=name)
    with pytest.raises(NothingToJudge, match="two"):
        evaluate(tmp_path, local_settings)


def test_labels_are_the_playlists_that_have_a_track_left() -> None:
    rows = [TrackRow(Path(f"{n}.mp3"), "ba"[n % 2], "somebody", f"title {n}", "album") for n in range(4)]
    config = load_encoder_config(TINY_ENCODER)
    raw = np.arange(4 * config.embedding_dim, dtype=np.float32).reshape(4, -1)
    heard = HeardFolder(config, tuple(rows), raw, np.array([1.0, 2, 3, 4]), failed=())
    labels, tracks = label_folder(heard)
    assert labels.playlist_names == ("a", "b")
    assert tracks.membership.tolist() == [[False, True], [True, False]] * 2
    np.testing.assert_array_equal(tracks.raw, raw)
    assert tracks.albums == ("album",) * 4


def test_tracks_whose_artist_nobody_knows_are_not_by_one_artist() -> None:
    rows = tuple(
        TrackRow(Path(f"{number}.flac"), playlist, "unknown artist", "", "")
        for number, playlist in enumerate("aabb")
    )
    heard = HeardFolder(
        config=load_encoder_config(TINY_ENCODER),
        rows=rows,
        raw=np.zeros((4, load_encoder_config(TINY_ENCODER).embedding_dim), np.float32),
        durations_s=np.full(4, 3.0),
        failed=(),
    )
    _, tracks = label_folder(heard)
    assert tracks.artists == ("", "", "", "")
    assert len(set(tracks.artist_numbers.tolist())) == 4


def test_a_folder_may_be_named_from_where_one_stands(
    library: Path,
    local_settings: Settings,
    card: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(library.parent)
    beside = evaluate(Path(library.name), local_settings)
    assert [track["file"] for track in beside["tracks"]] == [track["file"] for track in card["tracks"]]
    assert beside["failed"] == card["failed"]


def test_a_manifest_may_name_files_in_full_and_elsewhere(
    library: Path, local_settings: Settings, card: dict[str, Any], tmp_path: Path
) -> None:
    lines = [f"{library / track['file']},{track['label']}" for track in card["tracks"]]
    manifest = tmp_path / "tracks.csv"
    manifest.write_text("\n".join(["file,playlist", *lines]))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    found = evaluate(elsewhere, local_settings, manifest=manifest)
    assert [track["file"] for track in found["tracks"]] == [str(library / t["file"]) for t in card["tracks"]]
