"""Memberships of several playlist groups as the targets of one network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.learning.config import TrainingConfig, TrainingError

Array = NDArray[np.float32]

# A playlist of 3 tracks beside one of 500 would otherwise shake the network with each of its tracks.
MAX_CLASS_WEIGHT = 10.0


@dataclass(frozen=True, eq=False)
class GroupTargets:
    """What each track should be answered, group beside group.

    Attributes
    ----------
    shares : (n_tracks, n_labels) float32
        Within each group the row sums to 1 (a track in two playlists belongs half to each), or to 0 where the
        track has no label in that group, which masks it out of that group's loss.
    slices : dict of str to slice
        Group name -> its columns.
    """

    shares: Array
    slices: Mapping[str, slice]

    @classmethod
    def of(cls, memberships: Mapping[str, Array]) -> "GroupTargets":
        """From group name -> membership (n_tracks, n_labels), bool or any non-negative weight."""
        if not memberships:
            raise TrainingError("there is no playlist group to learn")
        parts, slices, start = [], {}, 0
        for name, membership in memberships.items():
            parts.append(_shares(name, np.asarray(membership, dtype=np.float32)))
            slices[name] = slice(start, start + parts[-1].shape[1])
            start = slices[name].stop
        if len({len(part) for part in parts}) > 1:
            raise TrainingError(f"groups differ in their number of tracks: {[len(part) for part in parts]}")
        return cls(np.concatenate(parts, axis=1), slices)

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """(n_tracks,): whether any group says something about the track."""
        return np.asarray(self.shares.any(axis=1))

    def training_targets(self, config: TrainingConfig, rows: NDArray[np.int64]) -> Array:
        """Smoothed and weighted copies for the loss: (len(rows), n_labels); a row's sum is its weight."""
        targets = self.shares[rows].copy()
        for columns in self.slices.values():
            part = targets[:, columns]
            weight = part @ _label_weights(part) if config.class_weights else part.sum(axis=1)
            smooth = (1 - config.label_smoothing) * part + config.label_smoothing / part.shape[1]
            targets[:, columns] = smooth * weight[:, None]
        return targets


def _shares(name: str, membership: Array) -> Array:
    if membership.ndim != 2 or not membership.size:
        raise TrainingError(
            f"membership of group {name!r} must be (n_tracks, n_labels), got {membership.shape}"
        )
    if not np.isfinite(membership).all() or membership.min() < 0:
        raise TrainingError(f"membership of group {name!r} must be finite and not negative")
    total = membership.sum(axis=1, keepdims=True)
    shares: Array = np.divide(membership, total, out=np.zeros_like(membership), where=total > 0)
    return shares


def _label_weights(part: Array) -> Array:
    """Weight of each label of one group, so that every playlist counts alike; mean weight of a track is 1."""
    counts = part.sum(axis=0)
    balanced = counts.sum() / (np.count_nonzero(counts) * np.maximum(counts, 1e-6))
    weights = np.minimum(balanced, MAX_CLASS_WEIGHT)
    return np.asarray(weights * counts.sum() / max(float(weights @ counts), 1e-6), dtype=np.float32)


def softmax(logits: Array) -> Array:
    """Probabilities over the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probabilities: Array = shifted / shifted.sum(axis=-1, keepdims=True)
    return probabilities


def judge_tracks(logits: Sequence[Array], shares: Array, slices: Mapping[str, slice]) -> dict[str, float]:
    """Cross-entropy, accuracy and recall per playlist of tracks, from the logits of their patches.

    Parameters
    ----------
    logits : sequence of (n_patches, n_labels) arrays
        One per track.
    shares : (n_tracks, n_labels) float32
        As in :class:`GroupTargets`.

    Returns
    -------
    dict
        ``cross_entropy`` and ``accuracy``: mean over all (track, group) pairs with a label.
        ``recall/<group>/<row of the label>``: of the tracks that belong mostly to it, the share found.
    """
    losses, hits = [], []
    recalls: dict[str, float] = {}
    for group, columns in slices.items():
        truth = shares[:, columns]
        rows = np.flatnonzero(truth.any(axis=1))
        if not len(rows):
            continue
        probabilities = np.stack([softmax(logits[row][:, columns]).mean(axis=0) for row in rows.tolist()])
        truth = truth[rows]
        losses.append(-(truth * np.log(np.maximum(probabilities, 1e-9))).sum(axis=1))
        found, wanted = probabilities.argmax(axis=1), truth.argmax(axis=1)
        hits.append(truth[np.arange(len(rows)), found] > 0)
        for label in np.unique(wanted):
            recalls[f"recall/{group}/{label}"] = float(np.mean(found[wanted == label] == label))
    if not losses:
        return {}
    means = {"cross_entropy": np.concatenate(losses), "accuracy": np.concatenate(hits)}
    return {name: float(np.mean(values)) for name, values in means.items()} | recalls
