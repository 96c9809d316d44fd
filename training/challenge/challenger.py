"""Fit the encoder to the playlists, judge it against the one in service, and take it only if it is better."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embeddings.config import EncoderConfig
from embeddings.encoder import Encoder
from embeddings.encoder_files import load_encoder_config
from recommender.catalogue.database import Database
from recommender.catalogue.embeddings import load_patches, store_embedding
from recommender.model.bundle import read_report
from recommender.model.pruning import prune_models
from recommender.settings import Settings
from training.challenge.comparison import N_SEEDS, Comparison, FoldedGroup, Trial, compare
from training.challenge.contested import MIN_TRACKS, Labelled, read_labelled
from training.challenge.succession import Situation, contested_playlists, publish_fitted, take_over
from training.encoder.available import MSD_MUSICNN, base_encoder_name
from training.folds import artist_folds
from training.groups.fit import group_by_artist
from training.groups.fitting import FitContext, default_choice
from training.groups.refit import LearningSet, champion_id_of, read_learning_set
from training.judging.held_out_hearing import HeldOutHearing
from training.learning.config import TrainingConfig

if TYPE_CHECKING:
    from training.learning.trainer import TrainedEncoder

Progress = Callable[[int, int, str], None]
FloatArray = NDArray[np.float32]
IdArray = NDArray[np.int64]

N_FOLDS = 5
# From scratch every fold trains convolutions for minutes, so fewer are affordable.
N_FOLDS_FROM_SCRATCH = 3
FROZEN = TrainingConfig(mode="frozen")
FROM_SCRATCH = TrainingConfig(mode="scratch", n_epochs=30, max_seconds=240.0)


def train_challenger(
    database: Database,
    settings: Settings,
    *,
    encoder_directory: Path,
    progress: Progress,
    config: TrainingConfig | None = None,
) -> dict[str, Any]:
    """Train an encoder on all playlists and publish it as a challenger; promote it if it wins.

    Both encoders are judged on the same folds, the challenger by encoders that were trained without the
    fold's artists. An encoder in service that was itself trained here has heard them, which counts in its
    favour.

    Returns
    -------
    dict
        ``trained``, ``promoted``, ``why``; after a training also ``bundle``, ``replaced`` (the one in service
        before, None unless promoted), ``comparison``, ``training``.

    Raises
    ------
    ChampionChanged
        It is better, but was trained for other playlists than there are now.
    """
    champion_id, champion = champion_id_of(database), load_encoder_config(encoder_directory)
    learning_set = read_learning_set(database, settings, champion)
    began = Situation(champion_id, champion.fingerprint, contested_playlists(learning_set))
    contested = tuple(pair for pair in learning_set.groups if len(pair[0].playlist_ids) > 1)
    labelled = read_labelled(database, settings, replace(learning_set, groups=contested))
    if labelled is None:
        why = f"training needs two playlists in a group, and {MIN_TRACKS} tracks whose files are there"
        return {"trained": False, "promoted": False, "why": why}
    trainer = _Trainer(labelled, champion, config or _default_config(settings), settings, progress)
    comparison, hearing = trainer.judge(replace(learning_set, groups=contested))
    trained = trainer.fit(np.arange(len(labelled.tracks)), run="everything")
    directory = _export(trained, settings)
    hearing.save(directory)
    _listen(database, labelled, champion, directory)
    report = {
        "reason": "the encoder was trained on the playlists",
        "comparison": asdict(comparison) | {"is_better": comparison.is_better},
        "training": asdict(trained.report),
    }
    replaced = None
    if comparison.is_better:
        bundle_id = take_over(database, settings, directory, began=began, report=report, progress=progress)
        replaced = read_report(settings.bundles_directory / bundle_id)["replaced"]
    else:
        bundle_id = publish_fitted(database, settings, directory, report)
    prune_models(database, settings)
    return {
        "trained": True,
        "promoted": comparison.is_better,
        "why": _sentence(comparison),
        "bundle": bundle_id,
        "replaced": replaced,
        "comparison": report["comparison"],
        # Every epoch is in the model's report; a list of jobs would grow long with them.
        "training": {name: value for name, value in asdict(trained.report).items() if name != "history"},
    }


class _Trainer:
    """Trainings on one labelled library; what a frozen trunk hears is computed once for all of them."""

    def __init__(
        self,
        labelled: Labelled,
        champion: EncoderConfig,
        config: TrainingConfig,
        settings: Settings,
        progress: Progress,
    ) -> None:
        self._labelled, self._champion, self._config = labelled, champion, config
        self._directory, self._progress = settings.cache_directory / "training", progress
        self._features: Sequence[FloatArray] | None = None

    def judge(self, learning_set: LearningSet) -> tuple[Comparison, HeldOutHearing]:
        """Compare the encoder in service with encoders trained without the artists of each fold.

        While they win, artists are dealt to folds anew. What those of the first folds heard is kept, because
        a score card of the new encoder needs it.
        """
        trials, hearings = [], []
        for number in range(N_SEEDS):
            trial, hearing = self._try_folds(learning_set, seed=self._config.seed + number)
            trials.append(trial)
            hearings.append(hearing)
            comparison = compare(trials, np.random.default_rng(self._config.seed))
            if not comparison.may_win:
                break
        return comparison, hearings[0]

    def _try_folds(self, learning_set: LearningSet, *, seed: int) -> tuple[Trial, HeldOutHearing]:
        tracks = self._labelled.tracks
        views = self._champion.view_slices()
        context = FitContext(views, tracks.raw[:0], seed)
        grouping = group_by_artist(tracks, context, default_choice(views))
        n_folds = N_FOLDS_FROM_SCRATCH if self._config.mode == "scratch" else N_FOLDS
        folds = artist_folds(tracks.membership, grouping.keys, n_folds=n_folds, seed=seed)
        heard, challenger_views = self._hear_folds(folds, seed=seed)
        # Its vectors may have another width than those of the encoder in service.
        own = FitContext(challenger_views, next(iter(heard.values()))[:0], seed)
        champion_counts, challenger_counts = [], []
        for labels, members in learning_set.groups:
            rows = np.flatnonzero(np.isin(tracks.track_ids, members.track_ids))
            columns = self._labelled.slices[labels.group_name]
            group = FoldedGroup(
                labels,
                replace(tracks.rows(rows), membership=tracks.membership[rows, columns]),
                replace(grouping.rows(rows), judged_by=grouping.judged_by[columns]),
                folds[rows],
            )
            same = dict.fromkeys(heard, tracks.raw[rows])
            champion_counts.append(group.confusions(same, context))
            trained = {fold: raw[rows] for fold, raw in heard.items()}
            challenger_counts.append(group.confusions(trained, own))
        raw = np.stack([heard[fold] for fold in sorted(heard)])
        return Trial(champion_counts, challenger_counts), HeldOutHearing(tracks.track_ids, folds, raw)

    def fit(self, rows: IdArray, *, run: str) -> "TrainedEncoder":
        """Train on the tracks of ``rows``; a killed training goes on where it was."""
        from training.learning.trainer import fit_encoder

        if self._config.mode == "frozen" and self._features is None:
            self._features = self._hear_trunk()
        return fit_encoder(
            self._labelled.patches,
            self._labelled.memberships(rows),
            artists=self._labelled.tracks.artists,
            config=self._config,
            features=self._features,
            directory=self._directory / run,
            captions=self._labelled.captions,
            progress=self._progress,
        )

    def _hear_trunk(self) -> list[FloatArray]:
        from training.encoder.pretrained import pretrained_encoder
        from training.learning.trainer import pooled_features

        return pooled_features(pretrained_encoder(), self._labelled.patches, progress=self._progress)

    def _hear_folds(self, folds: IdArray, *, seed: int) -> tuple[dict[int, FloatArray], dict[str, slice]]:
        """Return fold -> raw vectors of all tracks by an encoder trained without it, and its views."""
        timbre = self._labelled.tracks.raw[:, self._champion.view_slices()["timbre"]]
        heard = {}
        for fold in np.unique(folds).tolist():
            trained = self.fit(np.flatnonzero(folds != fold), run=f"seed-{seed}-fold-{fold}")
            trunk = self._trunk_vectors(trained)
            heard[fold] = np.concatenate([trunk, timbre], axis=1)
        width = trunk.shape[1]
        return heard, {"trunk": slice(0, width), "timbre": slice(width, width + timbre.shape[1])}

    def _trunk_vectors(self, trained: "TrainedEncoder") -> FloatArray:
        """(n_tracks, trunk_dim): what a trained encoder says of every track."""
        if self._features is not None:
            layer, inputs = trained.graph.stages[-1], self._features
        else:
            layer, inputs = trained.graph.trunk_model(), self._labelled.patches
        vectors = [
            np.asarray(layer.predict_on_batch(np.asarray(track, np.float32))).mean(axis=0) for track in inputs
        ]
        return np.stack(vectors).astype(np.float32)


def _default_config(settings: Settings) -> TrainingConfig:
    return FROZEN if base_encoder_name(settings) == MSD_MUSICNN else FROM_SCRATCH


def _export(trained: "TrainedEncoder", settings: Settings) -> Path:
    from training.encoder.export import export_encoder

    config = export_encoder(trained.graph, name=trained.name, directory=settings.encoders_directory)
    return settings.encoders_directory / config.fingerprint


def _listen(database: Database, labelled: Labelled, champion: EncoderConfig, directory: Path) -> None:
    """Store what the exported encoder hears in the labelled tracks; the patches are in the cache already."""
    encoder = Encoder.load(directory)
    for track_id, patches in zip(labelled.tracks.track_ids.tolist(), labelled.patches, strict=True):
        heard = encoder.encode_patches(patches)
        with database.session() as session:
            # Both encoders have the same front end, so the patches are the same stretches of the track.
            known = load_patches(session, track_id, champion.fingerprint)
            store_embedding(
                session,
                track_id,
                fingerprint=encoder.fingerprint,
                vector=heard.mean(axis=0),
                patches=heard,
                start_s=known.start_s,
                patch_s=known.patch_s,
            )


def _sentence(comparison: Comparison) -> str:
    """Say what was decided and why."""
    figures = (
        f"balanced accuracy {comparison.challenger:.3f} against {comparison.champion:.3f},"
        f" difference between {comparison.low:+.3f} and {comparison.high:+.3f} (95 %), better on"
        f" {comparison.n_won} of {comparison.n_seeds} ways to deal artists to folds"
    )
    if comparison.is_better:
        return f"the trained encoder is better by more than its uncertainty and was put in service: {figures}"
    chance = "" if comparison.beats_chance else "; its answers may be chance"
    return f"the encoder in service stays, the trained one is kept for inspection: {figures}{chance}"
