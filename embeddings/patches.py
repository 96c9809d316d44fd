"""Audio file to patches with their start times; the silence rule and the padding rule."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.audio import DEFAULT_LIMITS, AudioLimits, Unheard, Windows, read_windows
from embeddings.config import MelConfig, PatchConfig
from embeddings.decoding.decoder import display_name
from embeddings.errors import EmbeddingError, SilentAudio
from embeddings.level import level_dbfs, level_windows
from embeddings.mel import log_mel
from embeddings.stretch import WHOLE, Stretch


@dataclass(frozen=True, eq=False)
class TrackPatches:
    """What the network hears of a track.

    Attributes
    ----------
    patches : (n_patches, patch_frames, n_mels) float32 log-mel, >= 0, n_patches >= 1
    start_s : (n_patches,) float64
        Middle of each patch's first frame, in seconds from the start of the track.
    duration_s : float
    timing_ms : dict
        ``decode`` (with resampling) and ``mel``.
    unheard : Unheard or None
        Set where only a part could be decoded.
    """

    patches: NDArray[np.float32]
    start_s: NDArray[np.float64]
    duration_s: float
    timing_ms: dict[str, float]
    unheard: Unheard | None = None


def track_patches(
    path: Path,
    mel: MelConfig,
    patches: PatchConfig,
    *,
    stretch: Stretch = WHOLE,
    limits: AudioLimits = DEFAULT_LIMITS,
) -> TrackPatches:
    """Return the patches of up to ``patches.max_patches`` windows, evenly spread over a track.

    The track is the stretch of the file, and times count from its start.

    Raises
    ------
    UndecodableAudio, MissingDecoder, SilentAudio, TooShort, TooLong
    """
    started = time.perf_counter()
    windows = read_windows(
        path,
        window_s=window_samples(mel, patches) / mel.sample_rate_hz,
        max_windows=patches.max_patches,
        sample_rate_hz=mel.sample_rate_hz,
        stretch=stretch,
        limits=limits,
    )
    decoded = time.perf_counter()
    try:
        heard, start_s = cut_patches(windows, mel, patches)
    except SilentAudio as error:
        raise SilentAudio(f"{display_name(path)}: {error}") from error
    timing_ms = {"decode": 1e3 * (decoded - started), "mel": 1e3 * (time.perf_counter() - decoded)}
    return TrackPatches(heard, start_s, windows.duration_s, timing_ms, windows.unheard)


def window_samples(mel: MelConfig, patches: PatchConfig) -> int:
    """Samples behind one patch: its frames lie wholly inside, so nothing is made up at its edges."""
    return (patches.patch_frames - 1) * mel.hop_length + mel.n_fft


def cut_patches(
    windows: Windows, mel: MelConfig, patches: PatchConfig
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Turn each window that is not silent into one patch, all at the level that the config asks for.

    A window shorter than a patch (a track under 3 s) is repeated until it fills one: silence instead would
    be heard as a property of the track.

    Returns
    -------
    patches : (n_patches, patch_frames, n_mels) float32
    start_s : (n_patches,) float64

    Raises
    ------
    SilentAudio
        Every window lies below ``patches.silence_dbfs``, or holds nothing but noise.
    """
    n_samples = window_samples(mel, patches)
    if windows.signals.ndim != 2 or not 0 < windows.signals.shape[1] <= n_samples:
        raise EmbeddingError(
            f"signals must be (n_windows, up to {n_samples}), got shape {windows.signals.shape}"
        )
    level, signals = patches.level, windows.signals
    if level is not None:
        signals = level_windows(signals, level)
    rows = np.flatnonzero(level_dbfs(signals) >= patches.silence_dbfs)
    if len(rows) == 0:
        floor_dbfs = patches.silence_dbfs if level is None else level.floor_dbfs
        raise SilentAudio(f"every part listened to is silent (below {floor_dbfs:g} dBFS)")
    heard = [log_mel(np.resize(signals[row], n_samples), mel) for row in rows]
    return np.stack(heard), windows.start_s[rows] + mel.n_fft / 2 / mel.sample_rate_hz
