"""How well strangers are told from members: playlists left out in turn, as if they had never been there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from recommender.model.group import GroupModel
from recommender.model.named_sets import nearest_closeness
from recommender.records.promises import DEFAULT_PROMISE, Promise
from training.groups.fit import FittedGroup, GroupLabels, fit_group
from training.groups.fitting import FitContext
from training.groups.labels import LabelledTracks
from training.metrics import auroc

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]

# What the curve is drawn at: the share of members that may be turned away.
CURVE_ALPHAS = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)


@dataclass(frozen=True)
class CurvePoint:
    """Shares of the members turned away and of the strangers caught, at one ``alpha_none``."""

    alpha_none: float
    members_turned_away: float
    strangers_caught: float


@dataclass(frozen=True)
class Strangers:
    """What became of strangers and members.

    Attributes
    ----------
    aurocs : tuple of float, one per label
        Chance that a member of another playlist lies nearer than a track of the one left out; NaN where it
        cannot be told.
    curve : tuple of CurvePoint
        Means over the labels; empty where nothing could be left out.
    """

    aurocs: tuple[float, ...]
    curve: tuple[CurvePoint, ...] = ()

    def point(self, promise: Promise) -> CurvePoint | None:
        """Return the point of the curve that is in service, or the next strict one."""
        kept = [point for point in self.curve if point.alpha_none <= promise.alpha_none + 1e-9]
        return kept[-1] if kept else None


@dataclass(eq=False)
class StrangerTrial:
    """Collects what models from which a playlist was left out say of its tracks and of the others'."""

    n_labels: int
    _found: dict[int, list[tuple[FloatArray, FloatArray, BoolArray, BoolArray]]] = field(default_factory=dict)

    def add(self, label: int, model: GroupModel, tracks: LabelledTracks) -> None:
        """Take what a model without ``label`` says of one fold's test tracks.

        A track that is in the label and in another playlist too is neither member nor stranger.
        """
        in_label = tracks.membership[:, label]
        in_others = np.delete(tracks.membership, label, axis=1).any(axis=1)
        scores = model.score(tracks.raw, artists=tracks.artists, n_nearest=0)
        p_value = model.name(scores, DEFAULT_PROMISE).p_value
        is_member, is_stranger = in_others & ~in_label, in_label & ~in_others
        self._found.setdefault(label, []).append(
            (standardised_closeness(model, scores.closeness), p_value, is_member, is_stranger)
        )

    def judge(self) -> Strangers:
        """Return what was found over all folds."""
        columns = {
            label: [np.concatenate(column) for column in zip(*parts, strict=True)]
            for label, parts in self._found.items()
        }
        aurocs = [float("nan")] * self.n_labels
        for label, (closeness, _, member, stranger) in columns.items():
            aurocs[label] = auroc(closeness[member], closeness[stranger])
        told = [column for column in columns.values() if column[2].any() and column[3].any()]
        points = (
            CurvePoint(
                alpha,
                float(np.mean([(p[member] <= alpha).mean() for _, p, member, _ in told])),
                float(np.mean([(p[stranger] <= alpha).mean() for _, p, _, stranger in told])),
            )
            for alpha in CURVE_ALPHAS
        )
        return Strangers(tuple(aurocs), tuple(points) if told else ())


def standardised_closeness(model: GroupModel, closeness: FloatArray) -> FloatArray:
    """Return closeness to the nearest playlist, (n,), on the scale of the group's own held-out tracks.

    So that what models of different folds say can be compared.
    """
    own = np.concatenate(model.calibration.closeness)
    centre, spread = (float(own.mean()), float(own.std()) or 1.0) if len(own) else (0.0, 1.0)
    scores: FloatArray = ((nearest_closeness(closeness) - centre) / spread).astype(np.float32)
    return scores


def leave_out_each(
    labels: GroupLabels, tracks: LabelledTracks, context: FitContext, fitted: FittedGroup
) -> Iterator[tuple[int, GroupModel]]:
    """Yield the group fitted as if one playlist did not exist, for each of three or more playlists."""
    n_labels = tracks.membership.shape[1]
    for label in range(n_labels) if n_labels > 2 else ():
        keep = np.flatnonzero(np.delete(tracks.membership, label, axis=1).any(axis=1))
        grouping = fitted.grouping.rows(keep)
        if len(np.unique(grouping.keys)) < 2:
            continue
        fewer = replace(
            labels,
            playlist_ids=np.delete(labels.playlist_ids, label),
            playlist_names=_without(labels.playlist_names, label),
        )
        rest = fit_group(
            fewer,
            tracks.without_label(label),
            context,
            replace(grouping, judged_by=_without(grouping.judged_by, label)),
            choice=fitted.choice,
            for_known=False,
        )
        yield label, rest.model


def _without(values: Sequence[str], place: int) -> tuple[str, ...]:
    return (*values[:place], *values[place + 1 :])
