"""Fit one playlist group: choose on inner folds, calibrate out of fold, then fit on everything."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recommender.model.calibration import MIN_CALIBRATION_TRACKS, Calibration
from recommender.model.familiarity import MemberArtists, artist_key
from recommender.model.group import GroupModel
from training.folds import Grouping, artist_folds, group_tracks, same_recordings
from training.groups.calibrating import UNFITTED, HeldOutScores, fit_calibration, fit_familiar, fit_named_sets
from training.groups.fitting import (
    FitContext,
    HeadChoice,
    fit_familiar_heads,
    fit_head,
    fit_neighbourhood,
    fit_standardisation,
)
from training.groups.head_choice import N_FOLDS, choose_head
from training.groups.labels import LabelledTracks, linear_labels

IdArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class GroupLabels:
    """Which playlists a group's labels are; ``playlist_ids`` is (n_labels,) int64."""

    group_id: int
    group_name: str
    playlist_ids: IdArray
    playlist_names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class FittedGroup:
    """A fitted group and how it came about.

    Attributes
    ----------
    model : GroupModel
    choice : HeadChoice
    grouping : Grouping
    folds : (n_tracks,) int64
        The folds that the calibration rests on.
    held_out : HeldOutScores
    """

    model: GroupModel
    choice: HeadChoice
    grouping: Grouping
    folds: IdArray
    held_out: HeldOutScores


def group_by_artist(tracks: LabelledTracks, context: FitContext, choice: HeadChoice) -> Grouping:
    """Return what must stay together: an artist's tracks, and copies of one recording."""
    standardisation = fit_standardisation(tracks.raw, context, choice.view_weights)
    same = same_recordings(standardisation.apply(tracks.raw), tracks.durations_s)
    return group_tracks(tracks.membership, artists=tracks.artists, albums=tracks.albums, same_recording=same)


def fit_group(
    labels: GroupLabels,
    tracks: LabelledTracks,
    context: FitContext,
    grouping: Grouping,
    *,
    choice: HeadChoice | None = None,
    for_known: bool = True,
) -> FittedGroup:
    """Return the fitted group.

    Everything that is chosen (views, penalty, weights, temperatures, neighbours, blend, p-values) is
    chosen on ``tracks`` by folds among them, so a caller who holds tracks back judges it fairly.

    Parameters
    ----------
    choice : HeadChoice, optional
        Skips the choosing, e.g. when one playlist is left out of a group that was fitted before.
    for_known : bool
        False leaves out what is learnt for tracks by known artists, which takes most of the time; they are
        then placed as tracks by new ones.
    """
    # One thread: the matrices are small, and threads that wait for each other while a training keeps the
    # cores busy made this ten times slower.
    with threadpool_limits(limits=1):
        choice = choice or choose_head(tracks, grouping.keys, context)
        folds = artist_folds(tracks.membership, grouping.keys, n_folds=N_FOLDS, seed=context.seed)
        held_out = _hold_out(labels, tracks, context, choice, folds, for_known=for_known)
        calibration = fit_calibration(held_out, tracks.membership)
        known = None
        # Copies of a recording stay together: nobody asks about a track that the playlists hold.
        if for_known:
            alone = artist_folds(tracks.membership, grouping.recordings, n_folds=N_FOLDS, seed=context.seed)
            known = _hold_out(labels, tracks, context, choice, alone, for_known=True)
            familiar = fit_familiar(calibration, held_out, known, tracks.membership)
            calibration = replace(calibration, familiar=familiar)
        named_sets = fit_named_sets(calibration, held_out, known, tracks.membership)
        calibration = replace(calibration, named_sets=named_sets)
        model = _assemble(labels, tracks, context, choice, calibration=calibration, for_known=for_known)
    notes = tuple(
        _note(int(n_tracks), by, n_labels=len(labels.playlist_names))
        for n_tracks, by in zip(tracks.membership.sum(axis=0), grouping.judged_by, strict=True)
    )
    return FittedGroup(replace(model, notes=notes), choice, grouping, folds, held_out)


def _hold_out(
    labels: GroupLabels,
    tracks: LabelledTracks,
    context: FitContext,
    choice: HeadChoice,
    folds: IdArray,
    *,
    for_known: bool,
) -> HeldOutScores:
    """Score every track by a model fitted on the other folds."""
    held_out = HeldOutScores.empty(tracks.membership.shape)
    # Decided once on all tracks, so that folds treat a label as the final fit does.
    linear = linear_labels(tracks.membership)
    for fold in np.unique(folds) if folds.any() else ():
        known, asked = tracks.rows(np.flatnonzero(folds != fold)), np.flatnonzero(folds == fold)
        model = _assemble(
            labels, known, context, choice, linear=linear, calibration=UNFITTED, for_known=for_known
        )
        kinds = model.artists.familiarity([tracks.artists[row] for row in asked])
        held_out.fill(asked, model.raw_scores(tracks.raw[asked]), model.neighbourhood, kinds)
    return held_out


def _assemble(
    labels: GroupLabels,
    tracks: LabelledTracks,
    context: FitContext,
    choice: HeadChoice,
    *,
    calibration: Calibration,
    for_known: bool,
    linear: BoolArray | None = None,
) -> GroupModel:
    linear = linear_labels(tracks.membership) if linear is None else linear
    standardisation = fit_standardisation(tracks.raw, context, choice.view_weights)
    embeddings = standardisation.apply(tracks.raw)
    lengths = np.linalg.norm(standardisation.standardise(tracks.raw), axis=1)
    return GroupModel(
        group_id=labels.group_id,
        group_name=labels.group_name,
        playlist_ids=labels.playlist_ids,
        playlist_names=labels.playlist_names,
        notes=("",) * len(labels.playlist_names),
        standardisation=standardisation,
        head=fit_head(embeddings, tracks, choice, linear=linear),
        neighbourhood=fit_neighbourhood(embeddings, lengths, tracks, choice),
        calibration=calibration,
        artists=MemberArtists(tuple(map(artist_key, tracks.artists))),
        familiar_heads=fit_familiar_heads(tracks, context, linear=linear) if for_known else (),
    )


def _note(n_tracks: int, judged_by: str, *, n_labels: int) -> str:
    """Return what an answer about a playlist cannot be relied on for."""
    notes = []
    if n_labels == 1:
        notes.append("the only playlist of its group: its probability says nothing, its p-value does")
    if n_tracks == 1:
        notes.append("one track: judged by its neighbours and prototype only")
    elif n_tracks < MIN_CALIBRATION_TRACKS:
        notes.append(f"{n_tracks} tracks: too few to turn a track away by themselves")
    if judged_by != "artist" and n_tracks > 1:
        notes.append(
            f"no two known artists: held out by {judged_by}, so its answers look surer than they are"
        )
    return "; ".join(notes)
