"""Catalogue -> bundle: fit every group on the embeddings of one encoder and put the result in service."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from embeddings.config import EncoderConfig
from embeddings.encoder_files import load_encoder_config
from recommender.catalogue.database import Database
from recommender.catalogue.embeddings import load_embeddings
from recommender.catalogue.models import add_bundle, current_bundle, list_bundles, promote_bundle
from recommender.catalogue.playlists import group_members, list_groups, list_playlists
from recommender.catalogue.tracks import tracks_by_id
from recommender.errors import RecommenderError
from recommender.model.bundle import BundleContents, build_index, write_bundle
from recommender.model.pruning import prune_models
from recommender.records.playlists import DEFAULT_GROUP, GroupInfo
from recommender.records.tracks import known_artists
from recommender.settings import Settings
from training.folds import held_together
from training.groups.fit import FittedGroup, GroupLabels, fit_group, group_by_artist
from training.groups.fitting import FitContext, default_choice
from training.groups.labels import LabelledTracks
from training.metrics import balanced_accuracy

Progress = Callable[[int, int, str], None]


class NothingToLearn(RecommenderError):
    """No playlist has a track that was listened to and may be learnt from; the message says what to do."""

    code = "nothing_to_learn"


@dataclass(frozen=True, eq=False)
class LearningSet:
    """What the catalogue holds for one encoder.

    ``track_ids`` is (n,) int64 and ``raw`` (n, dim) float32, of the whole library; ``groups`` are the
    playlist groups that have a track among them.
    """

    config: EncoderConfig
    track_ids: NDArray[np.int64]
    raw: NDArray[np.float32]
    groups: tuple[tuple[GroupLabels, LabelledTracks], ...]

    def context(self, tracks: LabelledTracks, *, seed: int = 0) -> FitContext:
        """Return what a group is fitted with: everything it does not label is its unlabelled library."""
        unlabelled = self.raw[~np.isin(self.track_ids, tracks.track_ids)]
        return FitContext(self.config.view_slices(), unlabelled, seed)


def refit(
    database: Database,
    settings: Settings,
    *,
    encoder_directory: Path,
    reason: str,
    progress: Progress | None = None,
) -> str:
    """Fit heads and calibration of every group, publish the bundle, make it the champion; return its id.

    Raises
    ------
    NothingToLearn
        No playlist has a usable track yet.
    ChampionChanged
        Another bundle came into service meanwhile, perhaps with playlists that this one does not know.
    """
    champion_id = champion_id_of(database)
    learning_set = read_learning_set(database, settings, load_encoder_config(encoder_directory))
    fitted = fit_groups(learning_set, progress=progress)
    report = {"reason": reason, "groups": [describe_group(group) for group in fitted]}
    bundle_id = publish(database, settings, learning_set, fitted, encoder_directory, report=report)
    with database.session() as session:
        promote_bundle(session, bundle_id, replacing=champion_id)
    prune_models(database, settings)
    return bundle_id


def champion_id_of(database: Database) -> str | None:
    """Return the id of the bundle in service, None before anything was fitted."""
    with database.read_session() as session:
        bundle = current_bundle(session)
    return None if bundle is None else bundle.id


def read_learning_set(database: Database, settings: Settings, config: EncoderConfig) -> LearningSet:
    """Return playlists and vectors of one encoder; rows that may not be learnt from are left out."""
    with database.read_session() as session:
        track_ids, raw = load_embeddings(session, config.fingerprint)
        found = [
            _read_group(session, group, track_ids, raw, allow_spotify=settings.spotify_training == "allow")
            for group in list_groups(session)
        ]
    groups = tuple(group for group in found if group is not None)
    if not groups:
        raise NothingToLearn("no playlist has a track that could be listened to and may be learnt from")
    return LearningSet(config, track_ids, raw, groups)


def fit_groups(learning_set: LearningSet, *, progress: Progress | None = None) -> tuple[FittedGroup, ...]:
    """Return every group of the learning set, fitted."""
    fitted = []
    for done, (labels, tracks) in enumerate(learning_set.groups):
        if progress:
            progress(done, len(learning_set.groups), f"fitting the playlists of group {labels.group_name!r}")
        context = learning_set.context(tracks)
        grouping = group_by_artist(tracks, context, default_choice(context.views))
        fitted.append(fit_group(labels, tracks, context, grouping))
    return tuple(fitted)


def publish(
    database: Database,
    settings: Settings,
    learning_set: LearningSet,
    fitted: Sequence[FittedGroup],
    encoder_directory: Path,
    *,
    report: dict[str, Any],
) -> str:
    """Write the bundle and make it known as a challenger; return its id."""
    # The library has one index, so it takes the space of the group that people ask by default.
    first = next((group for group in fitted if group.model.group_name == DEFAULT_GROUP), fitted[0])
    standardisation = first.model.standardisation
    contents = BundleContents(
        encoder_directory=encoder_directory,
        standardisation=standardisation,
        groups=tuple(group.model for group in fitted),
        index=build_index(learning_set.config, standardisation, learning_set.track_ids, learning_set.raw),
        report=report,
        created_at=datetime.now(UTC),
    )
    with database.read_session() as session:
        used_ids = [bundle.id for bundle in list_bundles(session)]
    directory = write_bundle(settings.bundles_directory, contents, used_ids=used_ids)
    summary = {"encoder": learning_set.config.name, "groups": report["groups"]}
    with database.session() as session:
        add_bundle(
            session,
            directory.name,
            directory=directory,
            fingerprint=learning_set.config.fingerprint,
            summary=summary,
        )
    return directory.name


def describe_group(fitted: FittedGroup) -> dict[str, Any]:
    """Return what a quick fit knows of itself.

    The balanced accuracy is that of the folds the choices were made on, hence a little too good; the score
    card judges with nested folds.
    """
    membership = fitted.model.membership
    single = membership.sum(axis=1) == 1
    accuracy = None
    if single.any() and len(np.unique(fitted.folds)) > 1 and membership.shape[1] > 1:
        true, predicted = membership[single].argmax(axis=1), fitted.held_out.logits[single].argmax(axis=1)
        accuracy = round(balanced_accuracy(true, predicted, membership.shape[1]), 4)
    counts = membership.sum(axis=0).tolist()
    return {
        "name": fitted.model.group_name,
        "playlists": [
            {"name": name, "n_tracks": n_tracks, "judged_by": by, "note": note}
            for name, n_tracks, by, note in zip(
                fitted.model.playlist_names,
                counts,
                fitted.grouping.judged_by,
                fitted.model.notes,
                strict=True,
            )
        ],
        **fitted.choice.described(),
        "classifier_weight": fitted.model.calibration.classifier_weight,
        "n_neighbours": fitted.model.calibration.n_neighbours,
        "balanced_accuracy_of_choosing": accuracy,
    }


def _read_group(
    session: Session,
    group: GroupInfo,
    track_ids: NDArray[np.int64],
    raw: NDArray[np.float32],
    *,
    allow_spotify: bool,
) -> tuple[GroupLabels, LabelledTracks] | None:
    heard = set(track_ids.tolist())
    members = [
        member
        for member in group_members(session, group.id, allow_spotify=allow_spotify)
        if member.track_id in heard
    ]
    if not members:
        return None
    used = {member.playlist_id for member in members}
    playlists = [playlist for playlist in list_playlists(session, group=group.name) if playlist.id in used]
    ids = np.unique([member.track_id for member in members])
    label = {playlist.id: number for number, playlist in enumerate(playlists)}
    membership = np.zeros((len(ids), len(playlists)), dtype=bool)
    for member in members:
        membership[np.searchsorted(ids, member.track_id), label[member.playlist_id]] = True
    infos = tracks_by_id(session, ids.tolist())
    known = [infos[track_id] for track_id in ids.tolist()]
    tracks = LabelledTracks(
        track_ids=ids,
        raw=raw[np.searchsorted(track_ids, ids)],
        membership=membership,
        artists=held_together([known_artists(track.artists) for track in known]),
        albums=tuple(track.album for track in known),
        durations_s=np.array([np.nan if track.duration_s is None else track.duration_s for track in known]),
    )
    names = tuple(playlist.name for playlist in playlists)
    return GroupLabels(group.id, group.name, np.array(sorted(label, key=label.__getitem__)), names), tracks
