"""How a track is drawn and played: its peaks, and a stretch of a file as a file; nothing is learnt of it."""

import wave
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.audio import DEFAULT_LIMITS, AudioLimits, check_shape
from embeddings.decoding.decoder import Reader, Samples, display_name
from embeddings.decoding.source import Source
from embeddings.errors import TooLong, UndecodableAudio
from embeddings.stretch import WHOLE, Stretch

# Samples that share one fine peak: 23 ms at 44.1 kHz, finer than a pixel of any waveform.
_N_FINE = 1024
_FULL_SCALE = 2**15 - 1


def read_waveform(
    path: Path, n_points: int, *, stretch: Stretch = WHOLE, limits: AudioLimits = DEFAULT_LIMITS
) -> tuple[NDArray[np.float32], float]:
    """Return the peaks of equal shares of a track, and its length in seconds.

    The file is decoded once from end to end, a block at a time; damage is left out.

    Returns
    -------
    peaks : (n_points,) float32 in [0, 1]
        Largest magnitude over all channels; fewer points where the track is shorter than that many peaks.
    duration_s : float

    Raises
    ------
    UndecodableAudio, MissingDecoder, TooLong
    """
    fine: list[NDArray[np.float32]] = []
    n_samples = 0
    with closing(next(Source(path).readers())) as reader:
        check_shape(path, reader, limits)
        rate = reader.sample_rate_hz
        for block in stretch_blocks(reader, stretch):
            n_samples += len(block)
            if n_samples > limits.longest_s * rate:
                raise TooLong(f"{display_name(path)} lasts longer than {limits.longest_s / 3600:g} hours")
            fine.append(np.maximum.reduceat(np.abs(block).max(axis=1), np.arange(0, len(block), _N_FINE)))
    if n_samples == 0:
        raise UndecodableAudio(f"{display_name(path)} holds no audio that can be decoded")
    peaks = np.concatenate(fine)
    edges = np.linspace(0, len(peaks), min(n_points, len(peaks)), endpoint=False).astype(np.intp)
    return np.nan_to_num(np.minimum(np.maximum.reduceat(peaks, edges), 1.0)), n_samples / rate


def write_stretch(path: Path, stretch: Stretch, out: Path) -> None:
    """Write a stretch of a file as a WAV of 16 bits, in the file's own rate and channels.

    Raises
    ------
    UndecodableAudio, MissingDecoder
    """
    with closing(next(Source(path).readers())) as reader:
        check_shape(path, reader, DEFAULT_LIMITS)
        with wave.open(str(out), "wb") as file:
            file.setparams((reader.n_channels, 2, reader.sample_rate_hz, 0, "NONE", "not compressed"))
            for block in stretch_blocks(reader, stretch):
                scaled = np.rint(np.clip(np.nan_to_num(block), -1, 1) * _FULL_SCALE)
                file.writeframesraw(scaled.astype("<i2").tobytes())


def stretch_blocks(reader: Reader, stretch: Stretch) -> Iterator[Samples]:
    """Yield the samples of a stretch in order; nothing behind it is decoded."""
    start = 0
    for block in reader.blocks():
        first, stop = stretch.samples(start + len(block), reader.sample_rate_hz)
        wanted = block[max(first - start, 0) : max(stop - start, 0)]
        if len(wanted):
            yield wanted
        start += len(block)
        if stop < start:
            return
