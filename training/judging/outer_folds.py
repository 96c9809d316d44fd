"""Outer folds: every track of a group scored by models that had heard nothing of its artist."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recommender.errors import RecommenderError
from recommender.model.group import GroupModel
from training.folds import Grouping, artist_folds, labels_left
from training.groups.fit import FittedGroup, GroupLabels, fit_group, group_by_artist
from training.groups.fitting import FitContext, HeadChoice, default_choice
from training.groups.labels import LabelledTracks
from training.judging.held_out_hearing import HeldOutHearing
from training.metrics import auroc

FloatArray = NDArray[np.float32]
IdArray = NDArray[np.int64]
Progress = Callable[[int, int, str], None]

# How many of each playlist's tracks are kept as evidence of an answer.
N_NEAREST = 3


class NothingToJudge(RecommenderError):
    """A group in which nothing can be held out and compared; the message says what is missing."""

    code = "nothing_to_judge"


@dataclass(frozen=True, eq=False)
class Judged:
    """Out-of-fold answers of one group.

    Attributes
    ----------
    folds : (n_tracks,) int64
    grouping : Grouping
    probability, p_value : (n_tracks, n_labels) float32
    nearest_ids, nearest_similarity : (n_tracks, n_labels, N_NEAREST) int64 and float32
        Tracks of other folds, most similar first; -1 and NaN where a playlist has fewer.
    open_set : tuple of float, one per label
        AUROC of "none fits" when that playlist is left out; NaN where it cannot be told.
    choices : tuple of HeadChoice, one per fold
    """

    folds: IdArray
    grouping: Grouping
    probability: FloatArray
    p_value: FloatArray
    nearest_ids: IdArray
    nearest_similarity: FloatArray
    open_set: tuple[float, ...]
    choices: tuple[HeadChoice, ...]


def judge_group(
    labels: GroupLabels,
    tracks: LabelledTracks,
    context: FitContext,
    *,
    n_folds: int,
    hearing: HeldOutHearing | None = None,
    progress: Progress | None = None,
) -> Judged:
    """Return what models fitted without a track's artist say of it.

    All choices are made again within each fold, from its training tracks alone.

    Parameters
    ----------
    hearing : HeldOutHearing, optional
        For an encoder that was trained on these very tracks: what encoders trained without them hear. Its
        folds are then the folds.

    Raises
    ------
    NothingToJudge
        No playlist has a track left while another one is held out.
    """
    grouping = group_by_artist(tracks, context, default_choice(context.views))
    folds = artist_folds(tracks.membership, grouping.keys, n_folds=n_folds, seed=context.seed)
    if hearing is not None:
        folds = hearing.folds
    if not (labels_left(tracks.membership, folds) & tracks.membership).any():
        raise NothingToJudge(
            "judging holds tracks back, and no playlist would have one left:"
            " at least one needs two tracks that are not copies of each other"
        )
    probability = np.zeros(tracks.membership.shape, np.float32)
    p_value = np.zeros(tracks.membership.shape, np.float32)
    nearest_ids = np.full((*tracks.membership.shape, N_NEAREST), -1, np.int64)
    nearest_similarity = np.full(nearest_ids.shape, np.nan, np.float32)
    unfamiliar = _Familiarity(tracks.membership.shape[1])
    choices = []
    numbers = np.unique(folds).tolist()
    for done, fold in enumerate(numbers):
        heard = tracks if hearing is None else replace(tracks, raw=hearing.raw[fold])
        train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        fitted = fit_group(labels, heard.rows(train), context, _restricted(grouping, train))
        scores = fitted.model.score(heard.raw[test], n_nearest=N_NEAREST)
        probability[test], p_value[test] = scores.probability, scores.p_value
        nearest_ids[test], nearest_similarity[test] = scores.nearest_ids, scores.nearest_similarity
        choices.append(fitted.choice)
        for label, model in _leave_out_each(labels, heard.rows(train), context, fitted):
            unfamiliar.add(label, familiarity(model, heard.raw[test]), tracks.membership[test])
        if progress:
            progress(done + 1, len(numbers), f"fold {done + 1} of {len(numbers)}")
    return Judged(
        folds=folds,
        grouping=grouping,
        probability=probability,
        p_value=p_value,
        nearest_ids=nearest_ids,
        nearest_similarity=nearest_similarity,
        open_set=unfamiliar.aurocs(),
        choices=tuple(choices),
    )


class _Familiarity:
    """Collects how familiar tracks look to a group from which their playlist was left out."""

    def __init__(self, n_labels: int) -> None:
        self._known: list[list[FloatArray]] = [[] for _ in range(n_labels)]
        self._unknown: list[list[FloatArray]] = [[] for _ in range(n_labels)]

    def add(self, label: int, scores: FloatArray, membership: NDArray[np.bool_]) -> None:
        """Take the scores of one fold's test tracks by a model without ``label``.

        A track that is in the label and in another playlist too is neither known nor unknown.
        """
        in_label, in_others = membership[:, label], np.delete(membership, label, axis=1).any(axis=1)
        self._known[label].append(scores[~in_label])
        self._unknown[label].append(scores[in_label & ~in_others])

    def aurocs(self) -> tuple[float, ...]:
        """One per label."""
        pairs = zip(self._known, self._unknown, strict=True)
        return tuple(
            auroc(np.concatenate(known), np.concatenate(unknown)) if known else float("nan")
            for known, unknown in pairs
        )


def familiarity(model: GroupModel, raw: FloatArray) -> FloatArray:
    """Return closeness to the nearest playlist, (n,), on the scale of the group's own held-out tracks."""
    own = np.concatenate(model.calibration.closeness)
    centre, spread = (float(own.mean()), float(own.std()) or 1.0) if len(own) else (0.0, 1.0)
    closeness = np.nanmax(model.score(raw, n_nearest=0).closeness, axis=1)
    scores: FloatArray = ((closeness - centre) / spread).astype(np.float32)
    return scores


def _leave_out_each(
    labels: GroupLabels, tracks: LabelledTracks, context: FitContext, fitted: FittedGroup
) -> Iterator[tuple[int, GroupModel]]:
    """Yield the group fitted as if one playlist did not exist, for each of three or more playlists."""
    n_labels = tracks.membership.shape[1]
    for label in range(n_labels) if n_labels > 2 else ():
        keep = np.flatnonzero(np.delete(tracks.membership, label, axis=1).any(axis=1))
        keys = fitted.grouping.keys[keep]
        if len(np.unique(keys)) < 2:
            continue
        judged_by = tuple(np.delete(np.array(fitted.grouping.judged_by), label).tolist())
        fewer = replace(
            labels,
            playlist_ids=np.delete(labels.playlist_ids, label),
            playlist_names=tuple(np.delete(np.array(labels.playlist_names, dtype=object), label).tolist()),
        )
        rest = fit_group(
            fewer,
            tracks.without_label(label),
            context,
            Grouping(keys, judged_by),
            choice=fitted.choice,
        )
        yield label, rest.model


def _restricted(grouping: Grouping, rows: IdArray) -> Grouping:
    return Grouping(grouping.keys[rows], grouping.judged_by)
