"""Keras to LiteRT, checked against Keras before anything is published.

Keras is imported where it is used: finding an encoder that was exported before must not load TensorFlow.
"""

import json
import os
import shutil
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embeddings.config import EncoderConfig
from embeddings.encoder import Encoder
from embeddings.encoder_files import (
    is_up_to_date,
    load_encoder_config,
    renew_encoder,
    save_encoder_config,
)
from recommender.settings import Settings
from training.encoder.available import BASE_FILE, MSD_MUSICNN, base_encoder_name, find_base, read_bases

if TYPE_CHECKING:
    from training.encoder.graphs import EncoderGraph

MAX_DIFFERENCE = 1e-4


class ExportMismatch(Exception):
    """The exported network does not say what the Keras model says; nothing was published."""

    code = "export_mismatch"


def export_encoder(graph: "EncoderGraph", *, name: str, directory: Path) -> EncoderConfig:
    """Write ``directory/<fingerprint>/{encoder.tflite, encoder.json}`` and return what identifies it.

    Parameters
    ----------
    graph : EncoderGraph
        Only read.
    name : str
        Kind of encoder, as every answer will state it, e.g. ``msd_musicnn``.

    Raises
    ------
    ExportMismatch
        LiteRT and Keras differ by 1e-4 or more on the test patches.
    """
    directory.mkdir(parents=True, exist_ok=True)
    aside = directory / f".writing-{os.getpid()}"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    try:
        _convert(graph, aside / "encoder.tflite")
        digest = sha256((aside / "encoder.tflite").read_bytes()).hexdigest()
        config = EncoderConfig(name=name, views=graph.views, network_sha256=digest)
        save_encoder_config(config, aside)
        check_export(graph, Encoder.load(aside))
        target = directory / config.fingerprint
        if not target.exists():
            aside.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return config


def _convert(graph: "EncoderGraph", path: Path) -> None:
    import keras

    from training.encoder.graphs import EncoderGraph
    from training.encoder.lean_front import lean_front

    lean = EncoderGraph(tuple(lean_front(s) if s.name == "msd_front" else s for s in graph.stages)).model()
    # One patch at a time: as fast as larger batches on the CPUs measured, and no patch can touch another.
    patch = keras.Input(batch_shape=(1, *lean.input_shape[1:]), name="patches")
    keras.Model(patch, lean(patch, training=False)).export(str(path), format="litert", verbose=False)


def check_export(graph: "EncoderGraph", encoder: Encoder) -> float:
    """Largest absolute difference between Keras and the exported network over :func:`made_patches`."""
    model = graph.model()
    patches = made_patches(model.input_shape[1:])
    expected = np.asarray(model(patches, training=False))
    difference = float(np.max(np.abs(encoder.encode_patches(patches) - expected)))
    if not difference < MAX_DIFFERENCE:
        raise ExportMismatch(
            f"the exported network differs from Keras by {difference:.2g}, allowed is {MAX_DIFFERENCE:.0e}; "
            "nothing was published"
        )
    return difference


def made_patches(shape: tuple[int, int]) -> np.ndarray:
    """Silence, noise, music-like spectra (loud below, with beats), steps, full: (6, *shape) float32."""
    rng = np.random.default_rng(440)
    n_frames, n_mels = shape
    slope = np.linspace(4.0, 0.5, n_mels)
    beats = 1.0 - 0.7 * (np.arange(n_frames)[:, None] % 31) / 31
    music = np.clip(slope * beats + rng.normal(scale=0.4, size=(2, *shape)), 0.0, 7.0)
    steps = np.zeros(shape)
    steps[n_frames // 2 :, : n_mels // 4] = 5.0
    patches = [np.zeros(shape), rng.uniform(0.0, 5.0, shape), *music, steps, np.full(shape, 3.0)]
    return np.stack(patches).astype(np.float32)


def export_base_encoder(name: str, directory: Path) -> Path:
    """Export the network used before anything is trained; ``name`` is ``msd_musicnn`` or ``small_cnn``."""
    import keras

    from training.encoder.graphs import EncoderGraph, small_trunk
    from training.encoder.pretrained import pretrained_encoder

    # Keras numbers the layers it builds, and the numbers get into the exported file: count from the start.
    keras.utils.clear_session()
    if name == MSD_MUSICNN:
        graph = pretrained_encoder()
    else:
        # The same random weights each time, so that a lost file comes back with an equal fingerprint.
        keras.utils.set_random_seed(440)
        graph = EncoderGraph((small_trunk(),))
    return directory / export_encoder(graph, name=name, directory=directory).fingerprint


def ensure_encoder(settings: Settings) -> Path:
    """Directory of the encoder to use when no bundle names one.

    Only the first call exports it, with TensorFlow; later ones find it. The network needs no playlists: it
    is the pretrained one if its weights are installed and allowed, else a small network that has learnt
    nothing yet, whose timbre view already tells playlists apart and whose trunk the first training fits.
    """
    directory = settings.encoders_directory
    name = base_encoder_name(settings)
    found = find_base(directory, name)
    if found is not None and is_up_to_date(load_encoder_config(found)):
        return found
    found = renew_encoder(found, directory) if found else export_base_encoder(name, directory)
    _note_base(directory, name, found.name)
    return found


def _note_base(directory: Path, name: str, fingerprint: str) -> None:
    bases = read_bases(directory) | {name: fingerprint}
    aside = directory / f"{BASE_FILE}.{os.getpid()}"
    aside.write_text(json.dumps(bases, sort_keys=True))
    aside.replace(directory / BASE_FILE)
