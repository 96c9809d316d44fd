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
from recommender.catalogue.embeddings import embedded_tracks, load_embeddings
from recommender.catalogue.models import add_bundle, current_bundle, list_bundles, promote_bundle
from recommender.catalogue.playlists import group_members, list_groups, list_playlists
from recommender.catalogue.tracks import tracks_by_id
from recommender.errors import RecommenderError
from recommender.model.bundle import BundleContents, write_bundle
from recommender.model.group import GroupModel
from recommender.model.library_index import LibraryIndexes
from recommender.model.pruning import prune_models
from recommender.records.playlists import DEFAULT_GROUP, GroupInfo, Member
from recommender.records.tracks import known_artists
from recommender.settings import Settings
from training.folds import held_together
from training.groups.fit import FittedGroup, GroupLabels, fit_group, group_by_artist
from training.groups.fitting import MAX_STATISTICS_TRACKS, FitContext, default_choice
from training.groups.labels import LabelledTracks
from training.groups.unchanged import FITTED_NOTHING, KEY, FittedBefore, KnownGroup, fit_key
from training.metrics import balanced_accuracy

Progress = Callable[[int, int, str], None]


class NothingToLearn(RecommenderError):
    """No playlist has a track that was listened to and may be learnt from; the message says what to do."""

    code = "nothing_to_learn"


@dataclass(frozen=True, eq=False)
class LearningSet:
    """What is learnt from of one encoder: the members of playlists, and a sample of the library.

    Attributes
    ----------
    track_ids : (n,) int64, rising
    raw : (n, dim) float32
    is_sample : (n,) bool
        Tracks evenly drawn from the whole library, all of a small one; the others are members only.
    groups : the playlist groups that have a track
    """

    config: EncoderConfig
    track_ids: NDArray[np.int64]
    raw: NDArray[np.float32]
    is_sample: NDArray[np.bool_]
    groups: tuple[tuple[GroupLabels, LabelledTracks], ...]

    def context(self, tracks: LabelledTracks, *, seed: int = 0) -> FitContext:
        """Return what a group is fitted with: everything it does not label is its unlabelled library."""
        unlabelled = self.raw[self.is_sample & ~np.isin(self.track_ids, tracks.track_ids)]
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
    with database.read_session() as session:
        champion = current_bundle(session)
    config = load_encoder_config(encoder_directory)
    learning_set = read_learning_set(database, settings, config)
    before = FittedBefore.of(None if champion is None else champion.directory, config)
    groups = fit_groups(learning_set, before=before, progress=progress)
    report = {"reason": reason, "groups": [group.described for group in groups]}
    models = [group.model for group in groups]
    bundle_id = publish(database, settings, learning_set, models, encoder_directory, report=report)
    with database.session() as session:
        promote_bundle(session, bundle_id, replacing=None if champion is None else champion.id)
    prune_models(database, settings)
    return bundle_id


def champion_id_of(database: Database) -> str | None:
    """Return the id of the bundle in service, None before anything was fitted."""
    with database.read_session() as session:
        bundle = current_bundle(session)
    return None if bundle is None else bundle.id


def read_learning_set(database: Database, settings: Settings, config: EncoderConfig) -> LearningSet:
    """Return playlists and vectors of one encoder; rows that may not be learnt from are left out."""
    allow_spotify = settings.spotify_training == "allow"
    with database.read_session() as session:
        members = {
            group: group_members(session, group.id, allow_spotify=allow_spotify)
            for group in list_groups(session)
        }
        heard = np.array(sorted(embedded_tracks(session, config.fingerprint)), dtype=np.int64)
        step = -(-len(heard) // MAX_STATISTICS_TRACKS) or 1
        wanted = {member.track_id for group in members.values() for member in group}.union(heard[::step])
        track_ids, raw = load_embeddings(session, config.fingerprint, sorted(wanted))
        found = [_read_group(session, group, track_ids, raw, members[group]) for group in members]
    groups = tuple(group for group in found if group is not None)
    if not groups:
        raise NothingToLearn("no playlist has a track that could be listened to and may be learnt from")
    return LearningSet(config, track_ids, raw, np.isin(track_ids, heard[::step]), groups)


def fit_groups(
    learning_set: LearningSet, *, before: FittedBefore = FITTED_NOTHING, progress: Progress | None = None
) -> tuple[KnownGroup, ...]:
    """Return every group of the learning set, fitted; those that did not change as they were ``before``."""
    known = []
    for done, (labels, tracks) in enumerate(learning_set.groups):
        if progress:
            progress(done, len(learning_set.groups), f"fitting the playlists of group {labels.group_name!r}")
        context = learning_set.context(tracks)
        known.append(before.find(labels, tracks, context) or _fit(labels, tracks, context))
    return tuple(known)


def _fit(labels: GroupLabels, tracks: LabelledTracks, context: FitContext) -> KnownGroup:
    grouping = group_by_artist(tracks, context, default_choice(context.views))
    fitted = fit_group(labels, tracks, context, grouping)
    return KnownGroup(fitted.model, describe_group(fitted) | {KEY: fit_key(labels, tracks)})


def publish(
    database: Database,
    settings: Settings,
    learning_set: LearningSet,
    models: Sequence[GroupModel],
    encoder_directory: Path,
    *,
    report: dict[str, Any],
) -> str:
    """Write the bundle and make it known as a challenger; return its id."""
    # The library has one space, so it takes that of the group that people ask by default.
    first = next((model for model in models if model.group_name == DEFAULT_GROUP), models[0])
    standardisation = first.standardisation
    contents = BundleContents(
        encoder_directory=encoder_directory,
        standardisation=standardisation,
        groups=tuple(models),
        report=report,
        created_at=datetime.now(UTC),
    )
    with database.read_session() as session:
        used_ids = [bundle.id for bundle in list_bundles(session)]
    directory = write_bundle(settings.bundles_directory, contents, used_ids=used_ids)
    # Brought up to date here, so that nobody who serves the model has to.
    LibraryIndexes().get(database, directory, learning_set.config, standardisation)
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
    all_members: Sequence[Member],
) -> tuple[GroupLabels, LabelledTracks] | None:
    heard = set(track_ids.tolist())
    members = [member for member in all_members if member.track_id in heard]
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
