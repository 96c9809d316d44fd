"""What can be shown beside a log-mel: chroma, roll-off, centroid, the harmonic and the percussive part."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from embeddings.config import MelConfig
from embeddings.errors import EmbeddingError
from embeddings.mel import log_mel, mel_filter_bank

# Raised whenever a channel starts to hold other numbers for the same signal.
CHANNELS_VERSION = 1
ROLLOFF_SHARE = 0.85

FloatArray = NDArray[np.float32]


def mel_channels(y: FloatArray, config: MelConfig, names: Sequence[str]) -> FloatArray:
    """Return the log-mel spectrogram of a signal with the named channels beside it.

    Parameters
    ----------
    y : (n_samples,) float32 at ``config.sample_rate_hz``
    names : sequence of str
        Of :data:`CHANNELS`. ``chroma`` is the energy of the twelve pitch classes, each over its share of
        the bands; ``rolloff`` and ``centroid`` are frequencies as a share of the highest, the same in every
        band; ``harmonic`` and ``percussive`` are the log-mels of what lasts and of what strikes
        (Fitzgerald 2010).

    Returns
    -------
    (n_frames, n_mels, 1 + len(names)) float32; the first channel is that of :func:`embeddings.mel.log_mel`
    """
    if unknown := [name for name in names if name not in CHANNELS]:
        known = ", ".join(CHANNELS)
        raise EmbeddingError(f"there is no channel {', '.join(unknown)}; there are: {known}")
    S = log_mel(y, config)
    planes = [S]
    if names:
        # Slow to import, and only some experiments need it.
        from librosa import stft
        from librosa.decompose import hpss

        magnitude = np.abs(stft(y, n_fft=config.n_fft, hop_length=config.hop_length, center=False))
        parts: dict[str, FloatArray] = {}
        if {"harmonic", "percussive"} & set(names):
            parts["harmonic"], parts["percussive"] = hpss(magnitude)
        planes += [
            _log_mel_of(parts[name], config) if name in parts else _PLANES[name](magnitude, config)
            for name in names
        ]
    return np.stack([np.broadcast_to(plane, S.shape) for plane in planes], axis=2).astype(np.float32)


def _log_mel_of(magnitude: FloatArray, config: MelConfig) -> FloatArray:
    """(n_bins, n_frames) -> (n_frames, n_mels), on the scale of :func:`embeddings.mel.log_mel`."""
    power = mel_filter_bank(config) @ np.square(magnitude)
    logarithm: FloatArray = np.log10(1.0 + np.float32(config.gain) * power.T)
    return logarithm


def _chroma(magnitude: FloatArray, config: MelConfig) -> FloatArray:
    """(n_bins, n_frames) -> (n_frames, n_mels) in [0, 1], 1 for the strongest pitch class of a frame."""
    from librosa.feature import chroma_stft

    chroma = chroma_stft(S=np.square(magnitude), sr=config.sample_rate_hz, n_fft=config.n_fft, tuning=0.0)
    pitch_class = np.arange(config.n_mels) * len(chroma) // config.n_mels
    shown: FloatArray = chroma[pitch_class].T
    return shown


def _rolloff(magnitude: FloatArray, config: MelConfig) -> FloatArray:
    """(n_bins, n_frames) -> (n_frames, 1) in [0, 1]: below it lie 85 % of the magnitude."""
    from librosa.feature import spectral_rolloff

    found = spectral_rolloff(
        S=magnitude, sr=config.sample_rate_hz, n_fft=config.n_fft, roll_percent=ROLLOFF_SHARE
    )
    return _share_of_highest(found, config)


def _centroid(magnitude: FloatArray, config: MelConfig) -> FloatArray:
    """(n_bins, n_frames) -> (n_frames, 1) in [0, 1]: the mean frequency, weighted by magnitude."""
    from librosa.feature import spectral_centroid

    found = spectral_centroid(S=magnitude, sr=config.sample_rate_hz, n_fft=config.n_fft)
    return _share_of_highest(found, config)


def _share_of_highest(frequency_hz: NDArray[np.floating], config: MelConfig) -> FloatArray:
    share: FloatArray = (frequency_hz.T / (config.sample_rate_hz / 2)).astype(np.float32)
    return share


_PLANES: dict[str, Callable[[FloatArray, MelConfig], FloatArray]] = {
    "chroma": _chroma,
    "rolloff": _rolloff,
    "centroid": _centroid,
}
CHANNELS = (*_PLANES, "harmonic", "percussive")
