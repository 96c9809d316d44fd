"""The research sets beside the project, as labelled vectors; none of them is part of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.groups.fit import FittedGroup, GroupLabels, fit_group, group_by_artist
from training.groups.fitting import FitContext, default_choice
from training.groups.labels import LabelledTracks

BENCH = Path(__file__).resolve().parents[3] / "shared" / "bench"
FloatArray = NDArray[np.float32]
IdArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Bench:
    """Labelled vectors: ``raw`` (n, dim) float32, ``label`` and ``artist`` (n,) int64, -1 for no artist."""

    raw: FloatArray
    label: IdArray
    artist: IdArray
    names: tuple[str, ...]
    views: dict[str, slice]

    def rows(self, rows: IdArray) -> "Bench":
        """Return some of the tracks; labels without tracks are dropped."""
        used, label = np.unique(self.label[rows], return_inverse=True)
        names = tuple(self.names[number] for number in used)
        return Bench(self.raw[rows], label.astype(np.int64), self.artist[rows], names, self.views)

    def labelled(self) -> tuple[GroupLabels, LabelledTracks]:
        """Return the tracks as a playlist group."""
        n_tracks, n_labels = len(self.label), len(self.names)
        tracks = LabelledTracks(
            track_ids=np.arange(n_tracks),
            raw=self.raw,
            membership=self.label[:, None] == np.arange(n_labels),
            artists=tuple("" if number < 0 else f"artist {number}" for number in self.artist),
            albums=("",) * n_tracks,
            durations_s=np.full(n_tracks, np.nan),
        )
        return GroupLabels(1, "default", np.arange(n_labels), self.names), tracks

    def fit(self, *, seed: int = 0, unlabelled: FloatArray | None = None) -> FittedGroup:
        """Fit the group as the service does."""
        labels, tracks = self.labelled()
        rest = self.raw[:0] if unlabelled is None else unlabelled
        context = FitContext(self.views, rest, seed)
        grouping = group_by_artist(tracks, context, default_choice(self.views))
        return fit_group(labels, tracks, context, grouping)


def read_gtzan(path: Path) -> Bench:
    """Taggrams of one part, a mean per track; its artists are not labelled."""
    data = np.load(path)
    _, first, number = np.unique(data["IDS"], return_index=True, return_inverse=True)
    total = np.zeros((len(first), data["X"].shape[1]))
    np.add.at(total, number, data["X"])
    raw = (total / np.bincount(number)[:, None]).astype(np.float32)
    label = data["Y"][first].astype(np.int64)
    names = tuple(sorted({name.split("/")[0] for name in data["IDS"][first]}))
    return Bench(raw, label, np.full(len(label), -1), names, {"trunk": slice(0, 50)})


def read_four_genres(folder: Path) -> Bench:
    """The pretrained penultimate layer beside the timbre view, as the exported encoder has them."""
    data = np.load(folder / "tracks.npz")
    names, label = np.unique(data["label"], return_inverse=True)
    trunk = data["penultimate"].astype(np.float32).mean(axis=1)
    timbre = np.stack([_timbre(patches) for patches in read_patches(folder)])
    views = {"trunk": slice(0, 200), "timbre": slice(200, 200 + timbre.shape[1])}
    raw = np.concatenate([trunk, timbre], axis=1).astype(np.float32)
    return Bench(raw, label.astype(np.int64), data["artist"].astype(np.int64), tuple(names.tolist()), views)


def read_patches(folder: Path) -> FloatArray:
    """(400, 8, 187, 96) float32 log-mel patches of four genres."""
    mel = np.load(folder / "mel_patches.npz")
    patches: FloatArray = mel["patches_u8"].astype(np.float32)
    patches *= np.float32(mel["scale"])
    return patches


def _timbre(patches: FloatArray) -> FloatArray:
    """The timbre view of the exported networks, without the network: (n_patches, 187, 96) -> (60,)."""
    from scipy.fft import dct

    mfcc = dct(patches, axis=2, norm="ortho")[:, :, :20]
    parts = [mfcc.mean(axis=1), mfcc.std(axis=1), np.diff(mfcc, axis=1).std(axis=1)]
    answer: FloatArray = np.concatenate(parts, axis=1).mean(axis=0).astype(np.float32)
    return answer
