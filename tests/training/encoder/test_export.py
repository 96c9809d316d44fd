"""From Keras to the exported network: equal, published whole or not at all, found without TensorFlow."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from embeddings.encoder import Encoder
from recommender.settings import Settings, load_settings
from training.encoder import available, export
from training.encoder.available import SMALL_CNN
from training.encoder.export import (
    ExportMismatch,
    check_export,
    ensure_encoder,
    export_base_encoder,
    export_encoder,
    made_patches,
)
from training.encoder.graphs import EncoderGraph, new_penultimate, small_trunk


def small_graph(n_units: int = 5) -> EncoderGraph:
    return EncoderGraph((small_trunk(), new_penultimate(256, n_units=n_units, dropout=0.0)))


def test_the_exported_network_says_what_keras_says(tmp_path):
    graph = small_graph()

    config = export_encoder(graph, name=SMALL_CNN, directory=tmp_path)

    encoder = Encoder.load(tmp_path / config.fingerprint)
    patches = np.random.default_rng(1).uniform(0, 5, (3, 187, 96)).astype(np.float32)
    expected = np.asarray(graph.model()(patches))
    np.testing.assert_allclose(encoder.encode_patches(patches), expected, atol=1e-4)
    assert encoder.config.name == "small_cnn"
    assert [view.name for view in encoder.config.views] == ["trunk", "timbre"]
    assert encoder.config.embedding_dim == 65
    assert check_export(graph, encoder) < 1e-4


def test_a_network_that_differs_is_not_published(tmp_path, monkeypatch):
    other = small_graph()
    convert = export._convert
    monkeypatch.setattr(export, "_convert", lambda graph, path: convert(other, path))

    with pytest.raises(ExportMismatch, match="nothing was published"):
        export_encoder(small_graph(), name=SMALL_CNN, directory=tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_made_patches_look_like_log_mels():
    patches = made_patches((187, 96))

    assert patches.dtype == np.float32
    assert patches.min() == 0.0
    assert 5.0 <= patches.max() <= 7.0
    assert not patches[0].any()


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Settings:
    data = tmp_path_factory.mktemp("data")
    return load_settings({"data": data, "pretrained": "off"}, environ={})


@pytest.fixture(scope="module")
def base(settings) -> Path:
    return ensure_encoder(settings)


def test_without_pretrained_weights_a_small_network_is_there(settings, base):
    encoder = Encoder.load(base)

    assert base.parent == settings.encoders_directory
    assert base.name == encoder.fingerprint
    assert encoder.config.name == "small_cnn"


def test_the_first_encoder_is_the_same_on_every_machine(base, tmp_path):
    assert export_base_encoder(SMALL_CNN, tmp_path).name == base.name


def test_an_encoder_exported_before_is_found_without_tensorflow(settings, base):
    program = (
        "import sys; from pathlib import Path; from recommender.settings import load_settings\n"
        "from training.encoder.export import ensure_encoder\n"
        f"settings = load_settings({{'data': {str(settings.data)!r}, 'pretrained': 'off'}}, environ={{}})\n"
        "print(ensure_encoder(settings).name, 'tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    root = Path(available.__file__).parents[2]

    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root
    )

    assert said.stdout.split() == [base.name, "False", "False"]


def test_a_lost_or_damaged_note_is_written_again(settings, base):
    (settings.encoders_directory / available.BASE_FILE).write_text("{")

    assert ensure_encoder(settings) == base
    assert base.name in (settings.encoders_directory / available.BASE_FILE).read_text()


def test_the_pretrained_network_is_preferred_when_it_is_there(tmp_path, monkeypatch):
    settings = load_settings({"data": tmp_path}, environ={})

    monkeypatch.setattr(available, "checkpoint_folder", lambda: tmp_path)
    assert available.base_encoder_name(settings) == "msd_musicnn"
    monkeypatch.setattr(available, "checkpoint_folder", lambda: None)
    assert available.base_encoder_name(settings) == "small_cnn"
