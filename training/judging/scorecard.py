"""The score card: the judgement of groups of playlists on artist-conditional folds, as plain values."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder_files import load_encoder_config
from recommender.catalogue.database import Database
from recommender.catalogue.files import track_paths
from recommender.catalogue.models import current_bundle, get_bundle
from recommender.catalogue.tracks import tracks_by_id
from recommender.model.bundle import read_report
from recommender.model.in_service import NoModel
from recommender.model.scorecards import write_scorecard
from recommender.records.tracks import FileFormat, known_artist
from recommender.settings import Settings
from recommender.sources.folder import read_format
from training.datasets.folder_tracks import HeardFolder, hear_folder
from training.datasets.playlist_folders import name_in, read_folder
from training.encoder.available import is_trained_encoder
from training.groups.fit import GroupLabels
from training.groups.fitting import FitContext
from training.groups.labels import LabelledTracks
from training.groups.refit import LearningSet, read_learning_set
from training.judging.findings import complete_scorecard
from training.judging.held_out_hearing import HeldOutHearing
from training.judging.judged_group import JudgedGroup, TrackSource
from training.judging.outer_folds import NothingToJudge, judge_group

Progress = Callable[[int, int, str], None]
Card = dict[str, Any]

N_FOLDS = 5

_HEARD_WITHOUT = (
    "The encoder in service was trained on these playlists. For this judgement every track was heard by an"
    " encoder trained without its artist; only the map shows what the one in service hears."
)
_HEARD_WITH = (
    "The encoder in service was trained on tracks that are judged here, and no encoder trained without them"
    " was kept: the figures are too good. The comparison in the model's report is the honest one."
)


def evaluate_folder(
    folder: Path,
    *,
    settings: Settings,
    manifest: Path | None = None,
    n_folds: int = N_FOLDS,
    seed: int = 0,
    encoder_directory: Path | None = None,
    with_maps: bool = False,
    progress: Progress | None = None,
) -> Card:
    """Judge ``folder/<playlist>/<audio>`` and return the score card; the database is not touched.

    Every track is scored by models that had heard nothing of its artist and whose choices (views, penalty,
    weights, temperatures, thresholds) were made without it.

    Parameters
    ----------
    with_maps : bool
        Also flatten the embeddings for the page's maps, which takes some ten seconds.
    """
    started = time.perf_counter()
    rows = read_folder(folder, manifest=manifest)
    heard = hear_folder(rows, settings, encoder_directory=encoder_directory, progress=progress)
    labels, tracks = label_folder(heard)
    context = FitContext(heard.config.view_slices(), heard.raw[:0], seed)
    group = JudgedGroup(
        labels=labels,
        tracks=tracks,
        context=context,
        judged=judge_group(
            labels, tracks, context, n_folds=n_folds, promise=settings.promise, progress=progress
        ),
        sources=[
            TrackSource(row.title, name_in(folder, row.file), read_format(row.file)) for row in heard.rows
        ],
        promise=settings.promise,
    )
    return complete_scorecard(group, with_maps=with_maps, progress=progress) | {
        "encoder": heard.config.name,
        "seed": seed,
        "seconds": round(time.perf_counter() - started, 2),
        "failed": [
            {"file": name_in(folder, row.file), "code": code, "error": error}
            for row, code, error in heard.failed
        ],
    }


def label_folder(heard: HeardFolder) -> tuple[GroupLabels, LabelledTracks]:
    """Return a folder's playlists as labels."""
    names = tuple(sorted({row.playlist for row in heard.rows}))
    if len(names) < 2:
        raise NothingToJudge(
            f"judging needs two playlists with tracks that can be heard, found {len(names)};"
            " the layout is FOLDER/<playlist>/<audio files>"
        )
    membership = np.array([[row.playlist == name for name in names] for row in heard.rows])
    tracks = LabelledTracks(
        track_ids=np.arange(len(heard.rows)),
        raw=heard.raw,
        membership=membership,
        artists=tuple(known_artist(row.artist) for row in heard.rows),
        albums=tuple(row.album for row in heard.rows),
        durations_s=heard.durations_s,
    )
    return GroupLabels(0, "default", np.arange(len(names)), names), tracks


def judge_champion(
    database: Database,
    settings: Settings,
    *,
    bundle_id: str | None = None,
    n_folds: int = N_FOLDS,
    seed: int = 0,
    progress: Progress | None = None,
) -> Card:
    """Judge the playlists by the encoder of a bundle, on the vectors the catalogue holds; keep card and page.

    Parameters
    ----------
    bundle_id : str, optional
        The one in service unless given.

    Returns
    -------
    dict
        ``bundle``, ``encoder``, ``groups``: a score card each, or ``error`` where nothing can be judged; and
        what the bundle's report says of a training.

    Raises
    ------
    NoModel
        No bundle is in service.
    NothingToLearn
        No playlist has a track any more.
    """
    started = time.perf_counter()
    with database.read_session() as session:
        bundle = current_bundle(session) if bundle_id is None else get_bundle(session, bundle_id)
    if bundle is None:
        raise NoModel("no model is in service, so there is nothing to judge")
    config, report = load_encoder_config(bundle.directory), read_report(bundle.directory)
    learning_set = read_learning_set(database, settings, config)
    is_trained = is_trained_encoder(settings, config)
    kept = HeldOutHearing.load(settings.encoders_directory / config.fingerprint) if is_trained else None
    other = None if kept else _hearing_in_service(database, settings)
    card: Card = {"bundle": bundle.id, "encoder": config.name, "groups": [], "about": []}
    for labels, tracks in learning_set.groups:
        hearing = kept.of(tracks.track_ids) if kept else None
        like = other.of(tracks.track_ids) if other else None
        found = _judge_stored(
            database,
            settings,
            learning_set,
            labels,
            tracks,
            hearing=hearing,
            folds=like.folds if like else None,
            n_folds=n_folds,
            seed=seed,
            progress=progress,
        )
        card["groups"].append({"group": labels.group_name} | found)
        if is_trained:
            card["about"] = sorted({*card["about"], _HEARD_WITHOUT if hearing else _HEARD_WITH})
    card |= {
        "n_folds": n_folds,
        "seed": seed,
        "training": report.get("training"),
        "comparison": report.get("comparison"),
        "failed": [],
        "seconds": round(time.perf_counter() - started, 2),
    }
    _publish(settings, card)
    return card


def _hearing_in_service(database: Database, settings: Settings) -> HeldOutHearing | None:
    """Return what lies beside the encoder in service, whose folds are used again so that cards compare."""
    with database.read_session() as session:
        champion = current_bundle(session)
    return (
        None if champion is None else HeldOutHearing.load(settings.encoders_directory / champion.fingerprint)
    )


def _judge_stored(
    database: Database,
    settings: Settings,
    learning_set: LearningSet,
    labels: GroupLabels,
    tracks: LabelledTracks,
    *,
    hearing: HeldOutHearing | None,
    folds: NDArray[np.int64] | None,
    n_folds: int,
    seed: int,
    progress: Progress | None,
) -> Card:
    """Return a group's card, or the reason why there is none as ``error``."""
    if len(labels.playlist_names) < 2:
        return {"error": "It has one playlist: there is nothing to tell it apart from."}
    context = learning_set.context(tracks, seed=seed)
    if hearing:
        # The rest of the library was not heard by the encoders that were trained for this judgement.
        context = replace(context, unlabelled=tracks.raw[:0])
    try:
        judged = judge_group(
            labels,
            tracks,
            context,
            n_folds=n_folds,
            promise=settings.promise,
            hearing=hearing,
            folds=folds,
            progress=progress,
        )
    except NothingToJudge as error:
        return {"error": str(error)}
    sources = _read_sources(database, tracks)
    group = JudgedGroup(labels, tracks, context, judged, sources, settings.promise, hearing)
    return complete_scorecard(group, with_maps=True, progress=progress)


def _read_sources(database: Database, tracks: LabelledTracks) -> list[TrackSource]:
    ids = tracks.track_ids.tolist()
    with database.read_session() as session:
        infos, paths = tracks_by_id(session, ids), track_paths(session, ids)
    return [
        TrackSource(
            infos[track_id].title,
            infos[track_id].path or "",
            read_format(paths[track_id]) if track_id in paths else FileFormat(),
            track_id,
        )
        for track_id in ids
    ]


def _publish(settings: Settings, card: Card) -> None:
    from training.report.page import render_page

    page = render_page(card, title=f"Score card of model {card['bundle']}")
    write_scorecard(settings, card["bundle"], card, page)
