"""Outer folds: each track of a group scored by models that had heard nothing of its artist, or not of it."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from recommender.errors import RecommenderError
from recommender.model.familiarity import Familiarity, KindArray
from recommender.model.group import GroupModel
from recommender.records.promises import DEFAULT_PROMISE, Promise
from training.folds import Grouping, artist_folds, labels_left
from training.groups.fit import GroupLabels, fit_group, group_by_artist
from training.groups.fitting import FitContext, HeadChoice, default_choice
from training.groups.labels import LabelledTracks
from training.judging.held_out_hearing import HeldOutHearing
from training.judging.strangers import Strangers, StrangerTrial, leave_out_each

FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]
IdArray = NDArray[np.int64]
Progress = Callable[[int, int, str], None]

# How many of each playlist's tracks are kept as evidence of an answer.
N_NEAREST = 3


class NothingToJudge(RecommenderError):
    """A group in which nothing can be held out and compared; the message says what is missing."""

    code = "nothing_to_judge"


@dataclass(frozen=True, eq=False)
class FoldAnswers:
    """What was answered about tracks while they were held out.

    Attributes
    ----------
    familiarity : (n_tracks,) int8 of :class:`recommender.model.familiarity.Familiarity`
    probability, p_value : (n_tracks, n_labels) float32
    fits : (n_tracks, n_labels) bool
        The playlists that were named.
    stranger_p_value : (n_tracks,) float32
        See :class:`recommender.model.named_sets.Named`.
    nearest_ids, nearest_similarity : (n_tracks, n_labels, N_NEAREST) int64 and float32
        Tracks of other folds, most similar first; -1 and NaN where a playlist has fewer.
    """

    familiarity: KindArray
    probability: FloatArray
    p_value: FloatArray
    fits: BoolArray
    stranger_p_value: FloatArray
    nearest_ids: IdArray
    nearest_similarity: FloatArray

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> "FoldAnswers":
        """Return tables of so many tracks and labels, to be filled; until then nothing is known."""
        return cls(
            familiarity=np.full(shape[0], Familiarity.UNNAMED, np.int8),
            probability=np.zeros(shape, np.float32),
            p_value=np.full(shape, np.nan, np.float32),
            fits=np.zeros(shape, dtype=bool),
            stranger_p_value=np.ones(shape[0], np.float32),
            nearest_ids=np.full((*shape, N_NEAREST), -1, np.int64),
            nearest_similarity=np.full((*shape, N_NEAREST), np.nan, np.float32),
        )

    def rows(self, rows: IdArray) -> "FoldAnswers":
        """Return what was answered about some of the tracks."""
        return FoldAnswers(**{item.name: getattr(self, item.name)[rows] for item in fields(FoldAnswers)})

    def fill(self, rows: IdArray, model: GroupModel, tracks: LabelledTracks, promise: Promise) -> None:
        """Enter what a model says of one fold's test tracks."""
        scores = model.score(tracks.raw, artists=tracks.artists, n_nearest=N_NEAREST)
        named = model.name(scores, promise)
        self.fits[rows], self.stranger_p_value[rows] = named.fits, named.p_value
        for name in ("familiarity", "probability", "p_value", "nearest_ids", "nearest_similarity"):
            getattr(self, name)[rows] = getattr(scores, name)


@dataclass(frozen=True, eq=False)
class Judged(FoldAnswers):
    """Out-of-fold answers of one group, by models that had heard nothing of a track's artist.

    Attributes
    ----------
    folds : (n_tracks,) int64
    grouping : Grouping
    strangers : Strangers
        What became of playlists that were left out.
    choices : tuple of HeadChoice, one per fold
    to_known : FoldAnswers, optional
        By models that had heard all tracks but those of the fold, of most artists some; None where no artist
        has two tracks, or where the encoder has learnt from the tracks themselves.
    """

    folds: IdArray
    grouping: Grouping
    strangers: Strangers
    choices: tuple[HeadChoice, ...]
    to_known: FoldAnswers | None = None


def judge_group(
    labels: GroupLabels,
    tracks: LabelledTracks,
    context: FitContext,
    *,
    n_folds: int,
    promise: Promise = DEFAULT_PROMISE,
    hearing: HeldOutHearing | None = None,
    folds: IdArray | None = None,
    progress: Progress | None = None,
) -> Judged:
    """Return what models fitted without a track's artist say of it, and models fitted without it alone.

    All choices are made again within each fold, from its training tracks alone.

    Parameters
    ----------
    hearing : HeldOutHearing, optional
        For an encoder that was trained on these very tracks: what encoders trained without them hear. Its
        folds are then the folds.
    folds : (n_tracks,) int64, optional
        Those of another judgement, to be compared with; drawn unless given.

    Raises
    ------
    NothingToJudge
        No playlist has a track left while another one is held out.
    """
    grouping = group_by_artist(tracks, context, default_choice(context.views))
    if hearing is not None:
        folds = hearing.folds
    elif folds is None:
        folds = artist_folds(tracks.membership, grouping.keys, n_folds=n_folds, seed=context.seed)
    if not (labels_left(tracks.membership, folds) & tracks.membership).any():
        raise NothingToJudge(
            "judging holds tracks back, and no playlist would have one left:"
            " at least one needs two tracks that are not copies of each other"
        )
    answers, trial = FoldAnswers.empty(tracks.membership.shape), StrangerTrial(tracks.membership.shape[1])
    choices = []
    numbers = np.unique(folds).tolist()
    for done, fold in enumerate(numbers):
        heard = tracks if hearing is None else replace(tracks, raw=hearing.raw[fold])
        train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        known, asked = heard.rows(train), heard.rows(test)
        fitted = fit_group(labels, known, context, grouping.rows(train))
        answers.fill(test, fitted.model, asked, promise)
        choices.append(fitted.choice)
        for label, model in leave_out_each(labels, known, context, fitted):
            trial.add(label, model, asked)
        if progress:
            progress(done + 1, len(numbers), f"fold {done + 1} of {len(numbers)}")
    to_known = None
    if hearing is None:
        to_known = _judge_known(
            labels, tracks, context, grouping, n_folds=n_folds, promise=promise, progress=progress
        )
    return Judged(
        **vars(answers),
        folds=folds,
        grouping=grouping,
        strangers=trial.judge(),
        choices=tuple(choices),
        to_known=to_known,
    )


def _judge_known(
    labels: GroupLabels,
    tracks: LabelledTracks,
    context: FitContext,
    grouping: Grouping,
    *,
    n_folds: int,
    promise: Promise,
    progress: Progress | None,
) -> FoldAnswers | None:
    """Return what models fitted without a track, but with others of its artist, say of it."""
    names = [artist for artist in tracks.artists if artist]
    if len(set(names)) == len(names):
        return None
    folds = artist_folds(tracks.membership, grouping.recordings, n_folds=n_folds, seed=context.seed)
    answers = FoldAnswers.empty(tracks.membership.shape)
    numbers = np.unique(folds).tolist() if folds.any() else []
    for done, fold in enumerate(numbers):
        train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        model = fit_group(labels, tracks.rows(train), context, grouping.rows(train)).model
        answers.fill(test, model, tracks.rows(test), promise)
        if progress:
            progress(done + 1, len(numbers), f"known artists: fold {done + 1} of {len(numbers)}")
    return answers if (answers.familiarity == Familiarity.KNOWN).any() else None
