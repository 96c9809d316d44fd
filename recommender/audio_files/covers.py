"""The picture of a track: in its tags, beside it in its folder, or else one of its own sound. Kept small."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.decoder_processes import RunApart
from embeddings.errors import EmbeddingError
from embeddings.pictures import read_levels, shrink_picture
from recommender.disk import replacing
from recommender.sources.tags import read_picture

SIZE_PX = 320
N_CELLS = 12
MOST_BYTES = 20_000_000
_FOLDER_NAMES = ("cover", "folder", "front", "album", "albumart")
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_JPEG, _SVG = "image/jpeg", "image/svg+xml"


@dataclass(frozen=True)
class Cover:
    """A picture as it is sent."""

    content: bytes
    kind: str


def track_cover(path: Path, folder: Path, *, apart: RunApart) -> Cover:
    """Return the picture of an audio file; it is kept in ``folder``, for this state of the file.

    Raises
    ------
    EmbeddingError
        There is no picture, and the file cannot be heard either.
    """
    status = path.stat()
    name = f"{status.st_dev:x}-{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"
    for suffix, kind in ((".jpg", _JPEG), (".svg", _SVG)):
        kept = folder / f"{name}{suffix}"
        if kept.is_file():
            return Cover(kept.read_bytes(), kind)
    made = _find(path, apart) or Cover(draw_sound(apart(partial(read_levels, path, N_CELLS))), _SVG)
    _keep(made, folder / f"{name}{'.jpg' if made.kind == _JPEG else '.svg'}")
    return made


def _find(path: Path, apart: RunApart) -> Cover | None:
    for content in (apart(partial(read_picture, path)), _beside(path)):
        if not content:
            continue
        try:
            return Cover(apart(partial(shrink_picture, content, SIZE_PX)), _JPEG)
        except EmbeddingError:  # the next one, or the sound itself
            continue
    return None


def _beside(path: Path) -> bytes:
    """The picture that the folder of a file has for all that is in it; empty when there is none."""
    try:
        entries = (entry for entry in path.parent.iterdir() if entry.suffix.lower() in _SUFFIXES)
        found = {entry.name.lower(): entry for entry in entries}
        for name in (f"{stem}{suffix}" for stem in _FOLDER_NAMES for suffix in _SUFFIXES):
            if name in found and found[name].stat().st_size <= MOST_BYTES:
                return found[name].read_bytes()
    except OSError:
        return b""
    return b""


def _keep(cover: Cover, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(cover.content)
    except OSError:
        return  # a full disk costs the picture being made again


def draw_sound(levels: NDArray[np.float32]) -> bytes:
    """Return an SVG of levels (n_windows, n_bands) in [0, 1]: time to the right, pitch up, loud is bright.

    The hue is that of the sound: where its power lies, from deep (warm) to high (cold).
    """
    n_windows, n_bands = levels.shape
    weight = levels.mean(axis=0)
    middle = float((weight * np.arange(n_bands)).sum() / max(float(weight.sum()), 1e-6)) / max(n_bands - 1, 1)
    hue = 15 + 300 * min(max((middle - 0.25) / 0.4, 0.0), 1.0)
    cells = [
        f'<path fill="hsl({hue + 40 * (level - 0.5):.0f} {52 + 26 * level:.0f}% {9 + 56 * level:.0f}%)"'
        f' d="M{x} {n_bands - 1 - y}h1.02v1.02h-1.02z"/>'
        for x, column in enumerate(levels.tolist())
        for y, level in enumerate(column)
    ]
    box = f'viewBox="0 0 {n_windows} {n_bands}" preserveAspectRatio="none" shape-rendering="crispEdges"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{"".join(cells)}</svg>'.encode()
