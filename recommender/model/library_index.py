"""The index of all that an encoder has heard: in no model, but one file beside them, a cache of the database.

Whoever loads a model takes the file and brings it up to date from the database, in memory: tracks that came
are added, tracks that went are removed, those heard again are replaced. The file is written aside and then
renamed, so that others read the one before or the one after; who writes last wins, and loses nothing, because
what a file lacks is in the database. A file that is lost or damaged is made again.

Up to :data:`EXACT_MAX_TRACKS` the index lies in the very space of the model. A clustered one is costly to
make, so it keeps its space while that of the model is near.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.config import EncoderConfig
from embeddings.encoder import Standardisation
from recommender.catalogue.database import Database
from recommender.catalogue.embeddings import heard_moments, load_embeddings
from recommender.model.index import EXACT_MAX_TRACKS, TrackIndex, n_training_rows
from recommender.model.index_file import TrackIndexError
from recommender.model.spaces import is_near, is_same

FOLDER, SUFFIX = "indexes", ".faiss"
# Beyond this share of changed tracks an index is made anew.
MAX_CHANGED = 0.5
# With twice as many tracks as it was made for, or half, the lists of a clustered index are too long or short.
MAX_GROWTH = 2.0
# So far may the space of a clustered index and that of the model lie apart, see is_near.
NEAR = 0.1
# Below this share of changes the file is left as it is: whoever reads it adds them in no time.
UNSAVED = 0.01
_CHUNK = 20_000
ABANDONED_AFTER_S = 3600.0
_log = logging.getLogger(__name__)

IdArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]
Load = Callable[[IdArray], tuple[IdArray, FloatArray]]


@dataclass(frozen=True, eq=False)
class LibraryIndex:
    """An index and what it was made of.

    Attributes
    ----------
    index : TrackIndex
    space : Standardisation
        What its vectors, and so the vectors that are searched with, are standardised by.
    track_ids, heard_at : (n_tracks,) int64, rising, and (n_tracks,) float64
        What the encoder had heard, and when; a track without direction is not in the index all the same.
    n_made : int
        Of how many tracks it was made.
    n_unsaved : int
        How many tracks changed since the file was written.
    """

    index: TrackIndex
    space: Standardisation
    track_ids: IdArray
    heard_at: NDArray[np.float64]
    n_made: int
    n_unsaved: int = 0

    def serves(self, space: Standardisation, n_tracks: int) -> bool:
        """Whether it can be brought up to date for a model of that space and a library of that size."""
        if self.n_made <= EXACT_MAX_TRACKS or n_tracks <= EXACT_MAX_TRACKS:
            both_exact = self.n_made <= EXACT_MAX_TRACKS and n_tracks <= EXACT_MAX_TRACKS
            return both_exact and is_same(self.space, space)
        is_of_size = self.n_made / MAX_GROWTH <= n_tracks <= self.n_made * MAX_GROWTH
        return is_of_size and is_near(self.space, space, within=NEAR)

    def save(self, path: Path) -> None:
        """Put the file in its place in one step."""
        path.parent.mkdir(parents=True, exist_ok=True)
        aside: dict[str, NDArray[Any]] = {
            "mean": self.space.mean,
            "scale": self.space.scale,
            "track_ids": self.track_ids,
            "heard_at": self.heard_at,
            "n_made": np.array(self.n_made),
        }
        self.index.save(path, aside=aside)

    @classmethod
    def load(cls, path: Path, config: EncoderConfig) -> "LibraryIndex | None":
        """Return what is in a file, None when there is none that can be used."""
        try:
            index, aside = TrackIndex.load_with(
                path, fingerprint=config.fingerprint, dim=config.embedding_dim
            )
            space = Standardisation(aside["mean"], aside["scale"])
            return cls(index, space, aside["track_ids"], aside["heard_at"], int(aside["n_made"]))
        except FileNotFoundError:
            return None
        except (OSError, TrackIndexError, KeyError, ValueError) as error:
            _log.warning("the index of encoder %s is made again: %s", config.fingerprint, error)
            return None


class LibraryIndexes:
    """The indexes of a process, the last one of each encoder kept; shared by all its threads."""

    def __init__(self) -> None:
        self._held: dict[str, LibraryIndex] = {}
        self._using = threading.Lock()

    def get(
        self, database: Database, bundle_directory: Path, config: EncoderConfig, space: Standardisation
    ) -> LibraryIndex:
        """Return the index for a model of that encoder and space, as the database is now.

        An index that is in use is never changed: where something has to be, that happens to a copy.
        """
        path = index_path(bundle_directory, config.fingerprint)
        with self._using, database.read_session() as session:
            track_ids, heard_at = heard_moments(session, config.fingerprint)

            def load(wanted: IdArray) -> tuple[IdArray, FloatArray]:
                return load_embeddings(session, config.fingerprint, wanted.tolist())

            before = self._held.get(config.fingerprint)
            if before is None or not before.serves(space, len(track_ids)):
                before = LibraryIndex.load(path, config)
            if before is None or not before.serves(space, len(track_ids)):
                before = None
            now = _follow(before, track_ids, heard_at, config=config, space=space, load=load)
            if now.n_unsaved > UNSAVED * len(track_ids) or not path.exists():
                now = _saved(now, path)
            self._held[config.fingerprint] = now
            return now


def index_path(bundle_directory: Path, fingerprint: str) -> Path:
    """Where the index of an encoder lies: in a folder beside that of the bundles."""
    return bundle_directory.resolve().parents[1] / FOLDER / f"{fingerprint}{SUFFIX}"


def forget_indexes(bundles: Path, known: Collection[str]) -> None:
    """Remove the files of encoders that no model has, and what writers left behind that were killed."""
    for path in (bundles.resolve().parent / FOLDER).glob("*"):
        is_kept = path.name in {f"{fingerprint}{SUFFIX}" for fingerprint in known}
        with suppress(OSError):
            if not is_kept and time.time() - path.stat().st_mtime > ABANDONED_AFTER_S:
                path.unlink()


def _saved(now: LibraryIndex, path: Path) -> LibraryIndex:
    try:
        now.save(path)
    except OSError as error:
        _log.warning("the index %s cannot be kept: %s", path.name, error)
        return now
    return LibraryIndex(now.index, now.space, now.track_ids, now.heard_at, now.n_made)


def _follow(
    before: LibraryIndex | None,
    track_ids: IdArray,
    heard_at: NDArray[np.float64],
    *,
    config: EncoderConfig,
    space: Standardisation,
    load: Load,
) -> LibraryIndex:
    """Return the index of exactly these tracks, made of the one before where that is the shorter way."""
    if before is None:
        return _make(track_ids, heard_at, config=config, space=space, load=load)
    gone = np.setdiff1d(before.track_ids, track_ids, assume_unique=True)
    there = np.searchsorted(before.track_ids, track_ids).clip(max=max(len(before.track_ids) - 1, 0))
    is_as_before = np.zeros(len(track_ids), dtype=bool)
    if len(before.track_ids):
        is_as_before = (before.track_ids[there] == track_ids) & (before.heard_at[there] == heard_at)
    new = track_ids[~is_as_before]
    n_changed = len(gone) + len(new)
    if not n_changed:
        return before
    if n_changed > MAX_CHANGED * len(track_ids):
        return _make(track_ids, heard_at, config=config, space=space, load=load)
    index = before.index.copy()
    if len(gone):
        index.remove(gone)
    _add(index, new, before.space, load)
    return LibraryIndex(
        index, before.space, track_ids, heard_at, before.n_made, n_unsaved=before.n_unsaved + n_changed
    )


def _make(
    track_ids: IdArray,
    heard_at: NDArray[np.float64],
    *,
    config: EncoderConfig,
    space: Standardisation,
    load: Load,
) -> LibraryIndex:
    """Read every vector of the library, a part at a time."""
    step = -(-len(track_ids) // n_training_rows(len(track_ids))) if len(track_ids) else 1
    _, training = _in_space(space, *load(track_ids[::step]), dim=config.embedding_dim)
    index = TrackIndex.empty(
        training,
        n_tracks=len(track_ids),
        fingerprint=config.fingerprint,
        exact_max_tracks=EXACT_MAX_TRACKS,
    )
    _add(index, track_ids, space, load)
    return LibraryIndex(index, space, track_ids, heard_at, len(track_ids), n_unsaved=len(track_ids))


def _add(index: TrackIndex, track_ids: IdArray, space: Standardisation, load: Load) -> None:
    for start in range(0, len(track_ids), _CHUNK):
        ids, embeddings = _in_space(space, *load(track_ids[start : start + _CHUNK]), dim=index.dim)
        index.add(ids, embeddings)


def _in_space(
    space: Standardisation, track_ids: IdArray, raw: FloatArray, *, dim: int
) -> tuple[IdArray, FloatArray]:
    """Ids and embeddings; a track that equals the mean of the library is near nothing, and left out."""
    raw = raw.reshape(-1, dim)
    rows = np.flatnonzero(space.standardise(raw).any(axis=1))
    return track_ids[rows], space.apply(raw[rows])
