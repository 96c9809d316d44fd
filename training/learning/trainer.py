"""Fit an encoder to playlists: patches and memberships in, a trained graph and its report out."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from training.encoder.available import MSD_MUSICNN, SMALL_CNN
from training.encoder.graphs import EncoderGraph, small_trunk
from training.encoder.pretrained import pretrained_encoder
from training.learning.config import TrainingConfig, TrainingError
from training.learning.graph import (
    compile_model,
    copy_heads,
    copy_stage,
    on_devices,
    pooled_stages,
    start_penultimate,
    training_model,
)
from training.learning.loop import LOG_FOLDER, Judge, Progress, TrainingReport, run_epochs
from training.learning.pipelines import draw_patches, feature_batches, patch_batches
from training.learning.projector import projected_rows, write_projection
from training.learning.run_state import RunState, run_signature
from training.learning.targets import GroupTargets, judge_tracks
from training.learning.validation import hold_out_artists

Array = NDArray[np.float32]
Rows = NDArray[np.int64]
ChooseValidation = Callable[..., tuple[NDArray[np.bool_], str]]

DEFAULTS = TrainingConfig()
PATCHES_AT_ONCE = 32
N_HASHED_TRACKS = 16


@dataclass(frozen=True, eq=False)
class TrainedEncoder:
    """What a run leaves: the encoder's graph, its kind, how its own heads answer, and the report."""

    graph: EncoderGraph
    name: str
    heads: keras.Model
    slices: Mapping[str, slice]
    report: TrainingReport


def no_progress(n_done: int, n_total: int, message: str) -> None:
    """Progress told to nobody."""


def pooled_features(
    graph: EncoderGraph, patches: Sequence[Array], *, progress: Progress = no_progress
) -> list[Array]:
    """What the trunk says about every patch, below any penultimate layer: (n_patches, pooled_dim) a track."""
    trunk = EncoderGraph(pooled_stages(graph)).trunk_model()
    trunk.compile(jit_compile=False)
    features = []
    for row, track in enumerate(patches):
        features.append(np.asarray(trunk.predict_on_batch(np.asarray(track, dtype=np.float32))))
        progress(row + 1, len(patches), "hearing the songs once more")
    return features


def fit_encoder(
    patches: Sequence[Array],
    memberships: Mapping[str, Array],
    *,
    artists: Sequence[Hashable],
    config: TrainingConfig = DEFAULTS,
    base: EncoderGraph | None = None,
    features: Sequence[Array] | None = None,
    directory: Path | None = None,
    captions: Sequence[Mapping[str, str]] | None = None,
    progress: Progress = no_progress,
    choose_validation: ChooseValidation = hold_out_artists,
) -> TrainedEncoder:
    """Train a penultimate layer, and as the mode says the trunk below it, under one softmax head per group.

    Parameters
    ----------
    patches : sequence of (n_patches, n_frames, n_mels) arrays
        Log-mel patches, one array per track; may read from disk at each access.
    memberships : mapping of str to (n_tracks, n_labels) array
        Group name -> which track belongs to which label; a row of zeros is not labelled in that group.
    artists : sequence of length n_tracks
        The unit that validation holds out.
    base : EncoderGraph, optional
        Where the frozen and fine-tuning modes start; the pretrained network when not given. Only read.
    features : sequence of (n_patches, pooled_dim) arrays, optional
        :func:`pooled_features` of ``base``, when they are known; frozen mode computes them otherwise.
    directory : Path, optional
        Keeps the checkpoint and the logs of the run; an interrupted run goes on from there.
    captions : sequence of mapping, optional
        Title, artist and the like of each track, for the projection among the logs; the artist otherwise.
    progress : callable
        Called with (n_done, n_total, sentence); may raise to stop the run.
    choose_validation : callable
        As :func:`training.learning.validation.hold_out_artists`.
    """
    targets = GroupTargets.of(memberships)
    _check_sizes(len(targets.shares), patches=patches, artists=artists)
    held, by = choose_validation(targets, artists, share=config.validation_share, seed=config.seed)
    parts = _Parts(targets, np.flatnonzero(targets.labelled & ~held), np.flatnonzero(held), by)
    # Of a large library, hashing every patch would mean reading all of it.
    heard = tuple(patches[row][:1] for row in parts.training[:N_HASHED_TRACKS].tolist())
    run = _Run(config, parts, heard, directory, progress)
    # Keras draws initial weights from the process's generators.
    keras.utils.set_random_seed(config.seed)
    captions = captions or [{"artist": str(artist)} for artist in artists]
    if config.mode == "frozen":
        base = base or pretrained_encoder()
        features = features or pooled_features(base, patches, progress=progress)
        trained = _fit_penultimate(run, base, features)
        _project(run, trained.graph.stages[-1], features, captions)
        return trained
    if config.mode == "scratch":
        base = EncoderGraph((small_trunk(patches[0].shape[1:]),))
    trained = _fit_whole(run, base or pretrained_encoder(), patches)
    _project(run, trained.graph.trunk_model(), patches, captions)
    return trained


@dataclass(frozen=True, eq=False)
class _Parts:
    """The tracks to learn from and those to judge by."""

    targets: GroupTargets
    training: Rows
    validation: Rows
    kept_apart_by: str

    def judge(self, logits: Sequence[Array]) -> dict[str, float]:
        """Figures from the logits of the validation tracks, in their order."""
        return judge_tracks(logits, self.targets.shares[self.validation], self.targets.slices)


@dataclass(frozen=True, eq=False)
class _Run:
    """What stays the same all through one run."""

    config: TrainingConfig
    parts: _Parts
    heard: tuple[Array, ...]
    directory: Path | None
    progress: Progress

    def go(
        self,
        model: keras.Model,
        *,
        batches: Callable[[np.random.Generator], Any],
        judge: Judge,
        base: EncoderGraph,
    ) -> TrainingReport:
        """Run the epochs, from the checkpoint if it is of a run that began alike."""
        parts = self.parts
        labels = (parts.targets.shares, parts.training, parts.validation)
        weights = [array for stage in base.stages for array in stage.get_weights()]
        signature = run_signature(self.config, arrays=[*labels, *self.heard, *weights])
        state = RunState.load(self.directory, signature) if self.directory else RunState(signature)
        stopped = run_epochs(
            model,
            batches=batches,
            judge=judge,
            config=self.config,
            state=state,
            directory=self.directory,
            progress=self.progress,
        )
        return TrainingReport(
            mode=self.config.mode,
            history=tuple(state.history),
            best_epoch=state.best_epoch,
            stopped=stopped,
            seconds=state.seconds,
            validated_by=parts.kept_apart_by,
            n_tracks=len(parts.training),
            n_validation_tracks=len(parts.validation),
        )


def _fit_penultimate(run: _Run, base: EncoderGraph, features: Sequence[Array]) -> TrainedEncoder:
    """Frozen mode: the trunk's answers are computed once, and only what is above them learns."""
    parts, config = run.parts, run.config
    counts = np.array([len(track) for track in features])
    targets = np.repeat(
        parts.targets.training_targets(config, parts.training), counts[parts.training], axis=0
    )
    inputs = np.concatenate([features[row] for row in parts.training])
    with on_devices():
        penultimate, warm = start_penultimate(base, inputs, config=config)
        model = training_model((), penultimate, n_labels=parts.targets.shares.shape[1], config=config)
        compile_model(model, pretrained=warm, slices=parts.targets.slices, config=config)

    def judge(model: keras.Model) -> dict[str, float]:
        return parts.judge(_logits(model, [features[row] for row in parts.validation]))

    report = run.go(
        model,
        batches=lambda rng: feature_batches(inputs, targets, config=config, rng=rng),
        judge=judge,
        base=base,
    )
    return _trained(model, (*pooled_stages(base), penultimate), f"{base_name(base)}+dense", run, report)


def _fit_whole(run: _Run, base: EncoderGraph, patches: Sequence[Array]) -> TrainedEncoder:
    """Scratch and fine-tuning: patches in, and the trunk learns too."""
    parts, config = run.parts, run.config
    targets = np.zeros_like(parts.targets.shares)
    targets[parts.training] = parts.targets.training_targets(config, parts.training)
    heard = None
    if config.mode == "finetune":
        sample = [_spread(patches[row], 1) for row in parts.training]
        heard = np.concatenate(pooled_features(base, sample))
    with on_devices():
        trunk = tuple(copy_stage(stage) for stage in pooled_stages(base))
        penultimate, warm = start_penultimate(base, heard, config=config)
        model = training_model(trunk, penultimate, n_labels=targets.shape[1], config=config)
        compile_model(model, pretrained=(*trunk, *warm), slices=parts.targets.slices, config=config)

    def batches(rng: np.random.Generator) -> Any:
        drawn = draw_patches(patches, parts.training, per_track=config.patches_per_track, rng=rng)
        return patch_batches(patches, targets, drawn, config=config, rng=rng)

    def judge(model: keras.Model) -> dict[str, float]:
        kept = [_spread(patches[row], config.patches_per_track) for row in parts.validation]
        return parts.judge(_logits(model, kept))

    report = run.go(model, batches=batches, judge=judge, base=base)
    name = SMALL_CNN if config.mode == "scratch" else f"{base_name(base)}+tuned"
    return _trained(model, (*trunk, penultimate), name, run, report)


def _project(
    run: _Run, layers: keras.Model, inputs: Sequence[Array], captions: Sequence[Mapping[str, str]]
) -> None:
    """Draw the tracks that took part, as the new encoder hears them, for TensorBoard."""
    if run.directory is None:
        return
    rows = projected_rows(run.parts.targets.labelled).tolist()
    layers.compile(jit_compile=False)
    vectors = np.stack([np.asarray(layers.predict_on_batch(inputs[row])).mean(axis=0) for row in rows])
    held = set(run.parts.validation.tolist())
    shown = [{**captions[row], "part": "validation" if row in held else "training"} for row in rows]
    # A picture is not worth the loss of the training.
    with suppress(OSError):
        write_projection(run.directory / LOG_FOLDER, vectors, shown)


def base_name(base: EncoderGraph) -> str:
    """Kind of the trunk, as encoder names begin."""
    return SMALL_CNN if base.stages[0].name == "small_trunk" else MSD_MUSICNN


def _trained(
    model: keras.Model, stages: tuple[keras.Model, ...], name: str, run: _Run, report: TrainingReport
) -> TrainedEncoder:
    # Copied outside the devices' scope: what is exported is float32 whatever it was trained in.
    graph = EncoderGraph(tuple(copy_stage(stage) for stage in stages))
    return TrainedEncoder(graph, name, copy_heads(model.layers[-1]), run.parts.targets.slices, report)


def _logits(model: keras.Model, inputs: Sequence[Array]) -> list[Array]:
    """The model's logits, (n_patches, n_labels) per track."""
    if not inputs:
        return []
    ends = np.cumsum([len(track) for track in inputs])
    rows = np.concatenate(inputs).astype(np.float32)
    parts = [rows[start : start + PATCHES_AT_ONCE] for start in range(0, len(rows), PATCHES_AT_ONCE)]
    logits: Array = np.concatenate([model.predict_on_batch(part) for part in parts])
    return np.split(logits, ends[:-1])


def _spread(track: Array, n: int) -> Array:
    """At most n patches of a track, evenly spread."""
    chosen: Array = track[np.unique(np.linspace(0, len(track) - 1, n).round().astype(int))]
    return chosen


def _check_sizes(n_tracks: int, *, patches: Sequence[Array], artists: Sequence[Hashable]) -> None:
    if not len(patches) == len(artists) == n_tracks:
        raise TrainingError(
            f"memberships speak of {n_tracks} tracks, but there are patches of {len(patches)} "
            f"and artists of {len(artists)}"
        )
    if n_tracks < 2:
        raise TrainingError(f"at least 2 tracks are needed to train, got {n_tracks}")
