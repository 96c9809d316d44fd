"""What encoders trained without a track's artist hear in it: kept, so that a score card can be honest."""

import zlib
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from recommender.disk import replacing

FloatArray = NDArray[np.float32]
IdArray = NDArray[np.int64]

FILE = "held_out.npz"


@dataclass(frozen=True, eq=False)
class HeldOutHearing:
    """Raw vectors of the tracks that an encoder was trained on, by its siblings trained on parts of them.

    Attributes
    ----------
    track_ids, folds : (n_tracks,) int64
        Ids rise; no artist is in two folds.
    raw : (n_folds, n_tracks, dim) float32
        All tracks as heard by the encoder that was trained without that fold.
    """

    track_ids: IdArray
    folds: IdArray
    raw: FloatArray

    def save(self, directory: Path) -> None:
        """Keep it beside the encoder it belongs to."""
        with replacing(directory / FILE) as file:
            np.savez(file, track_ids=self.track_ids, folds=self.folds, raw=self.raw)

    @classmethod
    def load(cls, directory: Path) -> "HeldOutHearing | None":
        """Return what was kept beside an encoder; None where nothing was, or nothing readable."""
        try:
            with np.load(directory / FILE, allow_pickle=False) as kept:
                return cls(kept["track_ids"], kept["folds"], kept["raw"])
        except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error):
            return None

    def of(self, track_ids: IdArray) -> "HeldOutHearing | None":
        """Return the part about the given tracks, in their order; None when one of them is not known."""
        if not np.isin(track_ids, self.track_ids).all():
            return None
        rows = np.searchsorted(self.track_ids, track_ids)
        return HeldOutHearing(track_ids, self.folds[rows], self.raw[:, rows])
