"""The self-describing file of an index: magic, version, JSON header, arrays of the caller's, structure."""

import hashlib
import io
import json
import os
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from recommender.disk import replacing
from recommender.errors import RecommenderError

MAGIC = b"WHICHIDX"
# 2: arrays of the caller's beside the structure.
FORMAT_VERSION = 2
READABLE_VERSIONS = (1, 2)
METRIC = "cosine"
_PREFIX = struct.Struct("<8sII")  # magic, format version, length of the JSON header

Arrays = dict[str, NDArray[Any]]


class TrackIndexError(RecommenderError):
    """An index could not be built, searched or read."""

    code = "index_error"


class IndexMismatch(TrackIndexError):
    """The file holds other embeddings than those asked for; the message names both."""

    code = "index_mismatch"


class CorruptIndex(TrackIndexError):
    """The file is not one of ours, or not whole."""

    code = "corrupt_index"


@dataclass(frozen=True)
class IndexHeader:
    """What an index file says of itself.

    ``n_aside`` bytes of arrays of the caller's stand before the structure.
    """

    fingerprint: str
    dim: int
    metric: str
    n_tracks: int
    sha256: str
    n_aside: int = 0


def write_index_file(
    path: Path,
    structure: bytes,
    *,
    fingerprint: str,
    dim: int,
    n_tracks: int,
    aside: Mapping[str, NDArray[Any]],
) -> None:
    """Write the file aside and rename it, so that no reader ever sees half of it."""
    kept = io.BytesIO()
    np.savez(kept, allow_pickle=False, **aside)
    digest = hashlib.sha256(kept.getvalue())
    digest.update(structure)
    header = IndexHeader(
        fingerprint=fingerprint,
        dim=dim,
        metric=METRIC,
        n_tracks=n_tracks,
        sha256=digest.hexdigest(),
        n_aside=kept.tell(),
    )
    text = json.dumps(asdict(header), sort_keys=True).encode()
    with replacing(path) as file:
        file.write(_PREFIX.pack(MAGIC, FORMAT_VERSION, len(text)))
        file.write(text)
        file.write(kept.getvalue())
        file.write(structure)
        file.flush()
        os.fsync(file.fileno())


def read_index_file(path: Path, *, fingerprint: str, dim: int) -> tuple[NDArray[np.uint8], Arrays]:
    """Return the structure in ``path``, (n_bytes,) uint8, and the arrays that were kept with it.

    Raises
    ------
    IndexMismatch
        It is of another encoder or dimension.
    CorruptIndex
        It is damaged, or no such file.
    """
    with path.open("rb") as file:
        header = _read_header(file, path)
        for name, expected in (("fingerprint", fingerprint), ("dim", dim), ("metric", METRIC)):
            found = getattr(header, name)
            if found != expected:
                raise IndexMismatch(f"{path.name} has {name} {found}, expected {expected}")
        payload = file.read()
    if hashlib.sha256(payload).hexdigest() != header.sha256:
        raise CorruptIndex(f"{path.name} does not have the SHA-256 its header states")
    aside = _read_aside(payload[: header.n_aside], path)
    return np.frombuffer(payload, dtype=np.uint8, offset=header.n_aside), aside


def read_header(path: Path) -> IndexHeader:
    """Return what the index file in ``path`` says of itself, without loading it."""
    with path.open("rb") as file:
        return _read_header(file, path)


def _read_header(file: Any, path: Path) -> IndexHeader:
    prefix = file.read(_PREFIX.size)
    if len(prefix) < _PREFIX.size or not prefix.startswith(MAGIC):
        raise CorruptIndex(f"{path.name} is not a track index")
    _, version, n_bytes = _PREFIX.unpack(prefix)
    if version not in READABLE_VERSIONS:
        raise IndexMismatch(f"{path.name} has format version {version}, expected up to {FORMAT_VERSION}")
    try:
        return IndexHeader(**json.loads(file.read(n_bytes)))
    except (ValueError, TypeError) as error:
        raise CorruptIndex(f"{path.name} has an unreadable header: {error}") from error


def _read_aside(content: bytes, path: Path) -> Arrays:
    if not content:
        return {}
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return dict(arrays)
    except (ValueError, OSError, BadZipFile) as error:
        raise CorruptIndex(f"{path.name} holds unreadable arrays: {error}") from error
