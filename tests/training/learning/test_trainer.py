"""Training on made playlists whose right answer is known: tones in different registers."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from training.encoder.graphs import (
    EncoderGraph,
    msd_front,
    msd_middle,
    msd_penultimate,
    new_penultimate,
    small_trunk,
)
from training.learning import loop, trainer
from training.learning.config import TrainingConfig, TrainingDiverged, TrainingError
from training.learning.graph import compile_model, copy_stage, group_cross_entropy, training_model
from training.learning.pipelines import patch_batches
from training.learning.run_state import CHECKPOINT_FILE, HISTORY_FILE
from training.learning.trainer import TrainedEncoder, fit_encoder, pooled_features

SHAPE = (32, 24)
QUICK = TrainingConfig(
    mode="scratch",
    n_units=8,
    n_epochs=12,
    batch_size=16,
    learning_rate=3e-3,
    patches_per_track=2,
    dropout=0.1,
)


def tones(n_artists: int = 10, n_each: int = 2, *, n_labels: int = 2, seed: int = 0):
    """Tracks of three patches: a few loud bands in the label's register; each artist has its own level."""
    rng = np.random.default_rng(seed)
    patches, labels, artists = [], [], []
    for artist in range(n_artists):
        label = artist % n_labels
        for _ in range(n_each):
            track = rng.uniform(0, 0.5, (3, *SHAPE))
            start = label * SHAPE[1] // n_labels
            band = start + rng.integers(0, SHAPE[1] // n_labels - 2)
            track[:, :, band : band + 2] += 2 + artist / n_artists
            patches.append(track.astype(np.float32))
            labels.append(label)
            artists.append(f"artist {artist}")
    return patches, np.eye(n_labels)[labels], artists


def tiny_base() -> EncoderGraph:
    keras.utils.set_random_seed(1)
    return EncoderGraph((small_trunk(SHAPE), new_penultimate(256, n_units=8, dropout=0.0)))


def accuracy(trained: TrainedEncoder, patches, membership) -> float:
    """Share of unheard tracks that the encoder's own heads answer rightly."""
    trunk = trained.graph.trunk_model()
    logits = [np.asarray(trained.heads(trunk(track))).mean(axis=0) for track in patches]
    return float(np.mean(np.argmax(logits, axis=1) == np.argmax(membership, axis=1)))


@pytest.fixture(scope="module")
def from_scratch() -> TrainedEncoder:
    patches, membership, artists = tones()
    return fit_encoder(patches, {"register": membership}, artists=artists, config=QUICK)


def test_a_network_from_scratch_learns_the_registers(from_scratch):
    patches, membership, _ = tones(seed=99)

    assert accuracy(from_scratch, patches, membership) >= 0.95
    assert from_scratch.name == "small_cnn"


def test_the_report_says_how_it_went(from_scratch):
    report = from_scratch.report

    assert report.mode == "scratch"
    assert report.validated_by == "artist"
    assert (report.n_tracks, report.n_validation_tracks) == (16, 4)
    assert report.stopped in ("n_epochs", "patience")
    assert report.history[-1]["loss"] < report.history[0]["loss"]
    best = min(row["cross_entropy"] for row in report.history)
    assert report.history[report.best_epoch]["cross_entropy"] == best
    assert set(report.history[0]) >= {"accuracy", "recall/register/0", "recall/register/1", "seconds"}


def test_the_trained_graph_has_the_new_penultimate_layer_and_timbre(from_scratch):
    graph = from_scratch.graph

    assert [(view.name, view.dim) for view in graph.views] == [("trunk", 8), ("timbre", 60)]
    assert graph.model().output_shape == (None, 68)


def test_frozen_mode_leaves_the_trunk_and_learns_above_it():
    patches, membership, artists = tones()
    base = tiny_base()
    before = [weights.copy() for stage in base.stages for weights in stage.get_weights()]
    config = replace(QUICK, mode="frozen", n_epochs=40, warm_start=False)

    trained = fit_encoder(patches, {"register": membership}, artists=artists, config=config, base=base)

    assert trained.name == "small_cnn+dense"
    for stage in (base.stages[0], trained.graph.stages[0]):
        for weights, old in zip(stage.get_weights(), before, strict=False):
            np.testing.assert_array_equal(weights, old)
    assert accuracy(trained, *tones(seed=99)[:2]) >= 0.9


def test_known_features_are_not_computed_again():
    patches, membership, artists = tones()
    base = tiny_base()
    config = replace(QUICK, mode="frozen", n_epochs=3)
    features = pooled_features(base, patches)

    told, found = (
        fit_encoder(p, {"g": membership}, artists=artists, config=config, base=base, features=f)
        for p, f in ((patches, None), ([np.zeros((0, *SHAPE))] * len(patches), features))
    )

    np.testing.assert_allclose(told.report.history[-1]["loss"], found.report.history[-1]["loss"], rtol=1e-4)


def test_fine_tuning_moves_the_trunk_a_little_and_its_batch_norms_not():
    patches, membership, artists = tones()
    base = tiny_base()
    config = replace(QUICK, mode="finetune", n_epochs=2, learning_rate=1e-2, trunk_learning_rate=1e-4)

    trained = fit_encoder(patches, {"register": membership}, artists=artists, config=config, base=base)

    assert trained.name == "small_cnn+tuned"
    for old, new in zip(base.stages[0].layers, trained.graph.stages[0].layers, strict=True):
        moved = [np.abs(a - b).max() for a, b in zip(old.get_weights(), new.get_weights(), strict=True)]
        if old.name.endswith("_bn"):
            assert max(moved) == 0.0, old.name
        elif old.name.endswith("_conv"):
            # Adam moves a weight by about its learning rate at each of the few steps.
            assert 0.0 < max(moved) < 3e-3, old.name


def test_the_front_end_is_the_slowest_of_the_pretrained_parts():
    config = TrainingConfig(mode="finetune", learning_rate=1e-2, trunk_learning_rate=1e-3)
    trunk, penultimate = (msd_front(), msd_middle()), msd_penultimate()
    model = training_model(trunk, penultimate, n_labels=2, config=config)
    before = {v.path: np.array(v) for v in model.trainable_variables}
    compile_model(model, pretrained=trunk, slices={"g": slice(0, 2)}, config=config)
    patches = np.random.default_rng(0).uniform(0, 5, (2, 187, 96)).astype(np.float32)

    model.train_on_batch(patches, np.eye(2, dtype=np.float32))

    step = {v.path: np.abs(np.array(v) - before[v.path]).max() for v in model.trainable_variables}
    assert not [path for path in step if "_bn" in path and "msd_middle" in path]
    assert 0 < step["timbral_38_conv/kernel"] <= 1.1e-4
    assert 2e-4 < step["middle_1_conv/kernel"] <= 1.1e-3
    assert step["logits/kernel"] > 2e-3


def test_a_pretrained_penultimate_layer_is_where_the_new_one_starts():
    patches, membership, artists = tones()
    base = tiny_base()
    config = replace(QUICK, mode="frozen", n_epochs=1, trunk_learning_rate=1e-6, validation_share=0.0)

    warm = fit_encoder(patches, {"g": membership}, artists=artists, config=config, base=base)
    cold = fit_encoder(
        patches, {"g": membership}, artists=artists, config=replace(config, warm_start=False), base=base
    )

    old = base.stages[-1].get_layer("penultimate").get_weights()[0]
    assert np.abs(warm.graph.stages[-1].get_layer("penultimate").get_weights()[0] - old).max() < 1e-4
    assert np.abs(cold.graph.stages[-1].get_layer("penultimate").get_weights()[0] - old).max() > 0.05


def test_a_track_without_a_label_in_a_group_does_not_change_its_head():
    logits = tf.constant([[1.0, -1.0, 0.3, 0.1], [0.5, 0.2, -0.7, 2.0]])
    targets = tf.constant([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]])
    slices = {"mood": slice(0, 2), "liked": slice(2, 4)}

    with tf.GradientTape() as tape:
        tape.watch(logits)
        losses = group_cross_entropy(slices)(targets, logits)
    gradient = tape.gradient(losses, logits).numpy()

    np.testing.assert_allclose(losses[0], np.log(1 + np.exp(-2.0)), rtol=1e-6)
    np.testing.assert_array_equal(gradient[0, 2:], 0.0)
    np.testing.assert_array_equal(gradient[1, :2], 0.0)
    assert np.abs(gradient[1, 2:]).min() > 0.1


def test_two_groups_are_learnt_side_by_side():
    patches, membership, artists = tones(n_artists=12)
    loud = np.eye(2)[[int(track.max() > 2.75) for track in patches]]
    half = membership.copy()
    half[::2] = 0

    trained = fit_encoder(patches, {"register": half, "loud": loud}, artists=artists, config=QUICK)

    assert trained.slices == {"register": slice(0, 2), "loud": slice(2, 4)}
    trunk = trained.graph.trunk_model()
    logits = np.array([np.asarray(trained.heads(trunk(track))).mean(axis=0) for track in patches])
    assert np.mean(logits[:, :2].argmax(axis=1) == membership.argmax(axis=1)) >= 0.9


def test_the_same_seed_gives_the_same_run():
    patches, membership, artists = tones()
    config = replace(QUICK, n_epochs=2)

    first, second = (
        fit_encoder(patches, {"g": membership}, artists=artists, config=config) for _ in range(2)
    )
    other = fit_encoder(patches, {"g": membership}, artists=artists, config=replace(config, seed=5))

    losses = [[row["loss"] for row in run.report.history] for run in (first, second, other)]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)
    assert not np.allclose(losses[0], losses[2], rtol=1e-3)


class Killed(Exception):
    """Stands for whatever ends a process."""


@pytest.mark.parametrize("mode", ["frozen", "scratch"])
def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path, mode):
    patches, membership, artists = tones()
    config = replace(QUICK, mode=mode, n_epochs=3)
    base = tiny_base() if mode == "frozen" else None

    def fit(directory, progress):
        return fit_encoder(
            patches,
            {"g": membership},
            artists=artists,
            config=config,
            base=base,
            directory=directory,
            progress=progress,
        )

    def kill_after_one(n_done, n_total, message):
        if message.startswith("epoch"):
            raise Killed

    epochs = []
    whole = fit(tmp_path / "whole", lambda *a: None)
    with pytest.raises(Killed):
        fit(tmp_path / "killed", kill_after_one)
    resumed = fit(
        tmp_path / "killed",
        lambda n_done, n_total, message: epochs.append(n_done) if "epoch" in message else None,
    )

    assert epochs == [2, 3]
    for name in ("loss", "cross_entropy"):
        np.testing.assert_allclose(
            [row[name] for row in resumed.report.history],
            [row[name] for row in whole.report.history],
            rtol=2e-3,
        )


def test_a_finished_run_is_not_taken_for_another_one(tmp_path):
    patches, membership, artists = tones()
    config = replace(QUICK, mode="frozen", n_epochs=1)
    base = tiny_base()
    messages = []

    def fit(patches, membership, base):
        messages.clear()
        fit_encoder(
            patches,
            {"g": membership},
            artists=artists,
            config=config,
            base=base,
            directory=tmp_path,
            progress=lambda n_done, n_total, message: messages.append(message),
        )
        return any(message.startswith("epoch") for message in messages)

    assert fit(patches, membership, base)
    assert not fit(patches, membership, base)
    assert fit([track + 1 for track in patches], membership, base)
    assert fit(patches, membership[::-1], base)
    tuned = EncoderGraph(tuple(copy_stage(stage) for stage in base.stages))
    tuned.stages[0].set_weights([weights * 1.01 for weights in tuned.stages[0].get_weights()])
    assert fit(patches, membership, tuned)


def test_logs_are_written_for_people_and_for_tensorboard(tmp_path):
    patches, membership, artists = tones()

    fit_encoder(
        patches, {"g": membership}, artists=artists, config=replace(QUICK, n_epochs=2), directory=tmp_path
    )

    lines = (tmp_path / HISTORY_FILE).read_text().splitlines()
    assert lines[0].split(",")[:4] == ["epoch", "loss", "cross_entropy", "accuracy"]
    assert len(lines) == 3
    (events,) = (tmp_path / "tensorboard").glob("events.*")
    tags = {
        value.tag: event.step
        for event in tf.compat.v1.train.summary_iterator(str(events))
        for value in event.summary.value
    }
    assert tags["cross_entropy"] == tags["recall/g/1"] == 1


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_checkpoint(tmp_path, monkeypatch):
    patches, membership, artists = tones()
    config = replace(QUICK, n_epochs=5)
    epochs = []

    def poisoned_batches(patches, targets, *others, **options):
        epochs.append(targets)
        return patch_batches(patches, targets * (np.nan if len(epochs) > 2 else 1.0), *others, **options)

    monkeypatch.setattr(trainer, "patch_batches", poisoned_batches)
    with pytest.raises(
        TrainingDiverged, match=r"in epoch 2 the loss became nan; the checkpoint of epoch 1 is kept"
    ):
        fit_encoder(
            patches,
            {"g": membership},
            artists=artists,
            config=config,
            directory=tmp_path,
        )

    with np.load(tmp_path / CHECKPOINT_FILE) as checkpoint:
        names = [name for name in checkpoint.files if name.startswith("best_")]
        assert names
        assert all(np.isfinite(checkpoint[name]).all() for name in names)


def test_no_epoch_begins_after_the_time_is_up(monkeypatch):
    patches, membership, artists = tones()
    clock = iter(range(0, 10_000, 30))
    monkeypatch.setattr(loop.time, "perf_counter", lambda: float(next(clock)))

    config = replace(QUICK, mode="frozen", max_seconds=50.0)
    report = fit_encoder(patches, {"g": membership}, artists=artists, config=config, base=tiny_base()).report

    assert report.stopped == "max_seconds"
    assert len(report.history) == 2


def test_patience_ends_a_run_that_learns_nothing():
    patches, membership, artists = tones()
    config = replace(QUICK, mode="frozen", n_epochs=50, patience=2)
    labels = np.random.default_rng(0).permutation(membership)

    report = fit_encoder(patches, {"g": labels}, artists=artists, config=config, base=tiny_base()).report

    assert report.stopped == "patience"
    assert len(report.history) == report.best_epoch + 3


def test_without_validation_the_last_weights_are_kept():
    patches, membership, artists = tones()
    config = replace(QUICK, mode="frozen", n_epochs=2, validation_share=0.0)

    report = fit_encoder(patches, {"g": membership}, artists=artists, config=config, base=tiny_base()).report

    assert (report.validated_by, report.n_validation_tracks) == ("none", 0)
    assert (report.best_epoch, report.stopped) == (1, "n_epochs")


@pytest.mark.parametrize(
    ("n_patches", "n_artists", "complaint"),
    [(3, 20, "speak of 20 tracks, but there are patches of 3"), (20, 4, "artists of 4")],
)
def test_parts_that_do_not_fit_together_are_refused(n_patches, n_artists, complaint):
    patches, membership, artists = tones()

    with pytest.raises(TrainingError, match=complaint):
        fit_encoder(patches[:n_patches], {"g": membership}, artists=artists[:n_artists], config=QUICK)


def test_a_stage_is_copied_with_its_weights():
    for stage in (msd_penultimate(), small_trunk(SHAPE), new_penultimate(6, n_units=4, dropout=0.3)):
        copy = copy_stage(stage)

        assert copy is not stage
        for weights, expected in zip(copy.get_weights(), stage.get_weights(), strict=True):
            np.testing.assert_array_equal(weights, expected)
