"""The embedding projector's files, read back as TensorBoard reads them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format
from tensorboard.plugins.projector import projector_plugin
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

from tests.training.learning.test_trainer import QUICK, tiny_base, tones
from training.learning import projector, trainer
from training.learning.projector import CONFIG_FILE, projected_rows, write_projection
from training.learning.trainer import fit_encoder


def read_back(directory: Path) -> tuple[np.ndarray, list[list[str]]]:
    """The vectors by TensorBoard's own reader, and the lines of the metadata."""
    config = text_format.Parse((directory / CONFIG_FILE).read_text(encoding="utf-8"), ProjectorConfig())
    (embedding,) = config.embeddings
    assert embedding.tensor_name == "penultimate"
    vectors = projector_plugin._read_tensor_tsv_file(str(directory / embedding.tensor_path))
    lines = (directory / embedding.metadata_path).read_text(encoding="utf-8").split("\n")
    assert lines.pop() == ""
    return vectors, [line.split("\t") for line in lines]


def test_vectors_and_captions_come_back_row_by_row(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    captions = [
        {"title": "A\tB\nC", "artist": ""},
        {"title": "Ünder", "artist": "x  y"},
        {"title": "c", "artist": "z"},
    ]
    write_projection(tmp_path / "logs", vectors, captions)
    found, lines = read_back(tmp_path / "logs")
    np.testing.assert_allclose(found, vectors, rtol=1e-5)
    assert lines == [["title", "artist"], ["A B C", "-"], ["Ünder", "x y"], ["c", "z"]]


def test_a_single_column_has_no_titles(tmp_path: Path) -> None:
    """The projector takes the first line for a track then."""
    write_projection(tmp_path, np.zeros((2, 3), np.float32), [{"title": "a"}, {"title": "b"}])
    assert read_back(tmp_path)[1] == [["a"], ["b"]]


def test_only_what_takes_part_is_drawn_and_not_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = np.array([True, False, True, True, True])
    assert projected_rows(shown).tolist() == [0, 2, 3, 4]
    monkeypatch.setattr(projector, "MAX_TRACKS", 2)
    assert projected_rows(shown).tolist() == [0, 3]


@pytest.mark.parametrize("mode", ["frozen", "finetune", "scratch"])
def test_a_run_leaves_what_its_own_encoder_hears(tmp_path: Path, mode: str) -> None:
    patches, membership, artists = tones()
    membership = np.array(membership, dtype=np.float32)
    membership[3] = 0  # in no playlist, so it takes no part
    captions = [{"title": f"tone {row}", "playlist": "low"} for row in range(len(patches))]
    trained = fit_encoder(
        patches,
        {"register": membership},
        artists=artists,
        config=replace(QUICK, mode=mode, n_epochs=1),
        base=tiny_base(),
        directory=tmp_path,
        captions=captions,
    )
    vectors, lines = read_back(tmp_path / "tensorboard")
    trunk = trained.graph.trunk_model()
    rows = [row for row in range(len(patches)) if row != 3]
    expected = np.stack([np.asarray(trunk(patches[row])).mean(axis=0) for row in rows])
    np.testing.assert_allclose(vectors, expected, rtol=1e-3, atol=1e-4)
    assert lines[0] == ["title", "playlist", "part"]
    assert [line[0] for line in lines[1:]] == [f"tone {row}" for row in rows]
    parts = [line[2] for line in lines[1:]]
    assert parts.count("validation") == trained.report.n_validation_tracks
    assert parts.count("training") == trained.report.n_tracks


def test_a_full_disk_costs_the_picture_and_not_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(trainer, "write_projection", fail)
    patches, membership, artists = tones()
    config = replace(QUICK, mode="frozen", n_epochs=1)
    trained = fit_encoder(
        patches, {"g": membership}, artists=artists, config=config, base=tiny_base(), directory=tmp_path
    )
    assert trained.report.history
    assert not (tmp_path / "tensorboard" / CONFIG_FILE).exists()
