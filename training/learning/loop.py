"""One run of epochs: train, judge, remember, stop in time."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from training.learning.config import TrainingConfig, TrainingDiverged
from training.learning.run_state import RunState

Progress = Callable[[int, int, str], None]
Judge = Callable[[keras.Model], dict[str, float]]

LOG_FOLDER = "tensorboard"


@dataclass(frozen=True, eq=False)
class TrainingReport:
    """How a run went.

    Attributes
    ----------
    history : tuple of dict
        One per epoch: ``loss``, ``seconds``, and over the validation tracks ``cross_entropy``, ``accuracy``
        and ``recall/<group>/<row of the label>``.
    best_epoch : int
        Epoch whose weights were kept, counted from 0.
    stopped : str
        ``patience``, ``n_epochs`` or ``max_seconds``.
    validated_by : str
        What the validation part was kept apart by: ``artist``, ``track``, or ``none``.
    """

    mode: str
    history: tuple[Mapping[str, float], ...]
    best_epoch: int
    stopped: str
    seconds: float
    validated_by: str
    n_tracks: int
    n_validation_tracks: int


def run_epochs(
    model: keras.Model,
    *,
    batches: Callable[[np.random.Generator], Any],
    judge: Judge,
    config: TrainingConfig,
    state: RunState,
    directory: Path | None,
    progress: Progress,
) -> str:
    """Train a compiled model until it is good, or time is up; its best weights are in it afterwards.

    Parameters
    ----------
    batches : callable
        From an epoch's own generator to that epoch's tf.data.Dataset; so a resumed run sees what an
        uninterrupted one would have seen.
    judge : callable
        From the model to figures on the validation tracks; without ``cross_entropy`` nothing stops the run
        early and the last weights are kept.
    state : RunState
        Where to begin; carries the outcome afterwards.
    directory : Path, optional
        Where checkpoints and logs go.

    Returns
    -------
    str
        Why it stopped: ``patience``, ``n_epochs`` or ``max_seconds``.

    Raises
    ------
    TrainingDiverged
        The loss is no longer a number. The checkpoint holds the last good epoch.
    """
    _restore(model, state)
    log = _open_log(directory)
    while (reason := _stop_reason(state, config)) is None:
        start = time.perf_counter()
        epoch = state.epoch
        _reseed(model, seed=config.seed, epoch=epoch)
        model.optimizer.learning_rate = config.learning_rate * _cosine(epoch / config.n_epochs)
        losses = model.fit(
            batches(np.random.default_rng([config.seed, epoch])),
            verbose=0,
            shuffle=False,  # the pipeline has done it
            callbacks=[keras.callbacks.TerminateOnNaN()],
        )
        figures = {"loss": float(losses.history["loss"][-1])} | judge(model)
        _refuse_nan(figures, state, directory)
        figures["seconds"] = time.perf_counter() - start
        _remember(model, state, figures)
        if directory is not None:
            state.save(directory)
        log(epoch, figures)
        progress(state.epoch, config.n_epochs, _sentence(epoch, figures))
    model.set_weights(state.best)
    return reason


def _stop_reason(state: RunState, config: TrainingConfig) -> str | None:
    if state.epoch >= config.n_epochs:
        return "n_epochs"
    judged = bool(state.history) and "cross_entropy" in state.history[-1]
    if judged and state.epoch - 1 - state.best_epoch >= config.patience:
        return "patience"
    return "max_seconds" if state.seconds >= config.max_seconds else None


def _cosine(share_done: float) -> float:
    """From 1 down to 0, slow at both ends (Loshchilov and Hutter 2017)."""
    return 0.5 * (1.0 + math.cos(math.pi * share_done))


def _open_log(directory: Path | None) -> Callable[[int, Mapping[str, float]], None]:
    """Writes an epoch's figures where TensorBoard finds them; nowhere without a directory."""
    if directory is None:
        return lambda epoch, figures: None
    writer = tf.summary.create_file_writer(str(directory / LOG_FOLDER))

    def write(epoch: int, figures: Mapping[str, float]) -> None:
        with writer.as_default(step=epoch):
            for name, value in figures.items():
                tf.summary.scalar(name, value)
        writer.flush()

    return write


def _restore(model: keras.Model, state: RunState) -> None:
    if not state.history:
        return
    for variables, values in ((model.variables, state.weights), (model.optimizer.variables, state.optimiser)):
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


def _reseed(model: keras.Model, *, seed: int, epoch: int) -> None:
    """Dropout draws the same in epoch n whether the run was interrupted or not."""
    for layer in model._flatten_layers():
        generator = getattr(layer, "seed_generator", None)
        if generator is not None:
            generator.state.assign(np.array([seed, epoch], dtype=np.uint32))


def _refuse_nan(figures: dict[str, float], state: RunState, directory: Path | None) -> None:
    bad = [name for name, value in figures.items() if not math.isfinite(value)]
    if not bad:
        return
    saved = directory is not None and state.epoch > 0
    kept = f"the checkpoint of epoch {state.epoch - 1} is kept" if saved else "no epoch was finished and kept"
    raise TrainingDiverged(
        f"in epoch {state.epoch} the {bad[0].replace('_', '-')} became {figures[bad[0]]}; {kept}; "
        "use smaller learning rates, or look for broken patches"
    )


def _remember(model: keras.Model, state: RunState, figures: dict[str, float]) -> None:
    state.history.append(figures)
    state.seconds += figures["seconds"]
    state.weights = [np.asarray(v) for v in model.variables]
    state.optimiser = [np.asarray(v) for v in model.optimizer.variables]
    judged = figures.get("cross_entropy")
    if judged is None or judged <= min(row["cross_entropy"] for row in state.history):
        state.best_epoch, state.best = state.epoch - 1, model.get_weights()


def _sentence(epoch: int, figures: Mapping[str, float]) -> str:
    names = [name for name in ("loss", "cross_entropy", "accuracy") if name in figures]
    shown = [f"{name.replace('_', '-')} {figures[name]:.3f}" for name in names]
    return f"epoch {epoch + 1}: {', '.join(shown)}"
