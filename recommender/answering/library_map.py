"""The library as points on a plane: kept where training drew it, else drawn by principal components."""

import threading
from dataclasses import dataclass, replace
from typing import Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue.database import Database
from recommender.catalogue.embeddings import embedded_tracks, load_embeddings
from recommender.disk import replacing
from recommender.model.in_service import ServedModel
from recommender.settings import Settings

FloatArray = NDArray[np.float32]
IdArray = NDArray[np.int64]

FILE_NAME = "library.npz"
# A track that came after the drawing stands amid as many of its nearest tracks.
N_AMID = 5
_BLOCK_ROWS = 1024


@dataclass(frozen=True, eq=False)
class LibraryMap:
    """Where each track lies.

    Attributes
    ----------
    track_ids : (n_tracks,) int64
    points : (n_tracks, 2) float32 in [-1, 1]
    method : str
        "umap" or "pca".
    fingerprint : str
        The encoder whose embeddings were flattened.
    """

    track_ids: IdArray
    points: FloatArray
    method: str
    fingerprint: str

    def save(self, settings: Settings) -> None:
        """Keep the map; who reads meanwhile sees this one or the one before."""
        folder = settings.maps_directory
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / FILE_NAME) as file:
            np.savez(file, ids=self.track_ids, points=self.points, about=[self.method, self.fingerprint])

    @classmethod
    def load(cls, settings: Settings) -> Self | None:
        """Return the kept map, None while there is none; a damaged one counts as missing."""
        try:
            with np.load(settings.maps_directory / FILE_NAME, allow_pickle=False) as kept:
                method, fingerprint = kept["about"].tolist()
                return cls(kept["ids"], kept["points"], method, fingerprint)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None


def flatten_by_pca(embeddings: FloatArray) -> tuple[FloatArray, float]:
    """Return the first two principal components, (n_tracks, 2), and the share of variance they hold."""
    centred = embeddings - embeddings.mean(axis=0)
    # By the covariance, whose size does not grow with the library.
    variances, axes = np.linalg.eigh(centred.T.astype(np.float64) @ centred)
    variances = np.maximum(variances, 0)
    plane = np.zeros((len(embeddings), 2), dtype=np.float32)
    n = min(2, embeddings.shape[1])
    plane[:, :n] = centred @ axes[:, ::-1][:, :n].astype(np.float32)
    total = float(variances.sum())
    return plane, float(variances[-n:].sum()) / total if total else 1.0


def fill_square(plane: FloatArray) -> FloatArray:
    """Return the plane moved and scaled so that its longer side lies between -1 and 1."""
    if not len(plane):
        return plane
    centred = plane - (plane.max(axis=0) + plane.min(axis=0)) / 2
    scaled: FloatArray = (centred / (np.abs(centred).max() or 1.0)).astype(np.float32)
    return scaled


def complete_map(drawn: LibraryMap, track_ids: IdArray, embeddings: FloatArray) -> LibraryMap:
    """Return the map with exactly these tracks: lost ones are left out, new ones stand amid their nearest.

    Parameters
    ----------
    track_ids : (n_tracks,) int64
    embeddings : (n_tracks, dim) float32, unit length
    """
    row_of = {track: row for row, track in enumerate(drawn.track_ids.tolist())}
    rows = np.array([row_of.get(track, -1) for track in track_ids.tolist()], dtype=np.int64)
    known = rows >= 0
    points = np.zeros((len(track_ids), 2), dtype=np.float32)
    points[known] = drawn.points[rows[known]]
    there = embeddings[known]
    k = min(N_AMID, len(there))
    for start in range(0, int((~known).sum()) if k else 0, _BLOCK_ROWS):
        new = np.flatnonzero(~known)[start : start + _BLOCK_ROWS]
        nearest = np.argpartition(-(embeddings[new] @ there.T), k - 1, axis=1)[:, :k]
        points[new] = points[known][nearest].mean(axis=1)
    return replace(drawn, track_ids=track_ids, points=points)


class MapHolder:
    """The map of the library as it is now, drawn again only when something changed."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database, self._settings = database, settings
        self._held: tuple[object, LibraryMap] | None = None
        self._drawing = threading.Lock()

    def current(self, model: ServedModel) -> LibraryMap:
        """Return the map of all tracks that the model's encoder has heard."""
        fingerprint = model.bundle.config.fingerprint
        with self._drawing, self._database.read_session() as session:
            heard = embedded_tracks(session, fingerprint)
            key = (model.bundle.bundle_id, len(heard), sum(heard), self._drawn_at())
            if self._held is None or self._held[0] != key:
                self._held = (key, self._draw(model, *load_embeddings(session, fingerprint)))
            return self._held[1]

    def _draw(self, model: ServedModel, track_ids: IdArray, raw: FloatArray) -> LibraryMap:
        fingerprint = model.bundle.config.fingerprint
        if not len(raw):
            return LibraryMap(track_ids, np.empty((0, 2), dtype=np.float32), "pca", fingerprint)
        embeddings = model.bundle.standardisation.apply(raw)
        drawn = LibraryMap.load(self._settings)
        if drawn is None or drawn.fingerprint != fingerprint:
            plane, _ = flatten_by_pca(embeddings)
            drawn = LibraryMap(track_ids, fill_square(plane), "pca", fingerprint)
        return complete_map(drawn, track_ids, embeddings)

    def _drawn_at(self) -> int:
        try:
            return (self._settings.maps_directory / FILE_NAME).stat().st_mtime_ns
        except OSError:
            return 0
