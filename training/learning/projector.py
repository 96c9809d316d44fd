"""What a trained encoder hears in every track, for TensorBoard's embedding projector."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CONFIG_FILE = "projector_config.pbtxt"
VECTORS_FILE = "penultimate.tsv"
METADATA_FILE = "metadata.tsv"
# A browser draws no more without stuttering.
MAX_TRACKS = 5000


def write_projection(
    directory: Path, vectors: NDArray[np.float32], captions: Sequence[Mapping[str, str]]
) -> None:
    """Write the vectors with their captions where TensorBoard looks, beside the logs of a run.

    Parameters
    ----------
    directory : Path
        What ``tensorboard --logdir`` is given, or a folder in it.
    vectors : (n_tracks, dim) float32
    captions : sequence of mapping
        What is known of each track, by the title of its column; all have the same columns.
    """
    directory.mkdir(parents=True, exist_ok=True)
    names = list(captions[0])
    rows = [[_cell(caption[name]) for name in names] for caption in captions]
    # With one column, the projector would take the line of titles for a track.
    titles = [names] if len(names) > 1 else []
    _write_table(directory / METADATA_FILE, titles + rows)
    _write_table(directory / VECTORS_FILE, [[f"{value:.6g}" for value in row] for row in vectors.tolist()])
    config = (
        "embeddings {\n"
        '  tensor_name: "penultimate"\n'
        f'  tensor_path: "{VECTORS_FILE}"\n'
        f'  metadata_path: "{METADATA_FILE}"\n'
        "}\n"
    )
    (directory / CONFIG_FILE).write_text(config, encoding="utf-8")


def projected_rows(shown: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Rows of the tracks to draw: (n_tracks,) bool -> at most ``MAX_TRACKS`` rows, evenly spread."""
    rows = np.flatnonzero(shown)
    return rows[:: -(-len(rows) // MAX_TRACKS) or 1].astype(np.int64)


def _cell(text: str) -> str:
    """A title may hold anything, a cell no tab and no end of line; an empty one would shift the others."""
    return " ".join(text.split()) or "-"


def _write_table(path: Path, rows: Sequence[Sequence[str]]) -> None:
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
