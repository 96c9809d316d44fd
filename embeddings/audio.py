"""Audio file to signal: a few windows of a track, read by seeking instead of decoding all of it."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from embeddings.decoders import Decoder, Samples, display_name, open_optional, recognise_container
from embeddings.errors import TooLong, TooShort, UndecodableAudio
from embeddings.windows import Span, WindowPlan, plan_windows

# 40 dB above full scale: far above what any decoder overshoots, far below where powers overflow.
_LOUDEST = 100.0
# libsndfile's way to say that a header does not tell the length.
_UNKNOWN_LENGTH = 2**63 - 1


@dataclass(frozen=True)
class AudioLimits:
    """What is refused before much is read: too little to judge, or a file made to hurt."""

    shortest_s: float = 1.0
    longest_s: float = 6 * 3600.0
    most_channels: int = 32
    lowest_rate_hz: int = 2_000
    highest_rate_hz: int = 768_000


DEFAULT_LIMITS = AudioLimits()


@dataclass(frozen=True, eq=False)
class Windows:
    """Evenly spread excerpts of a track.

    Attributes
    ----------
    signals : (n_windows, n_samples) float32, mono, nominally in [-1, 1]
        ``n_samples`` is that of a window, or fewer when the whole track is shorter than one window.
    start_s : (n_windows,) float64
        Where each begins in the track.
    duration_s : float
        Length of the whole track, or of the part of a damaged file that can be decoded.
    """

    signals: NDArray[np.float32]
    start_s: NDArray[np.float64]
    duration_s: float


def read_windows(
    path: Path,
    *,
    window_s: float,
    max_windows: int,
    sample_rate_hz: int,
    limits: AudioLimits = DEFAULT_LIMITS,
) -> Windows:
    """Read up to ``max_windows`` windows, each in the middle of an equal share of the track.

    There are as many as fit without overlap, at least one. A file that turns out shorter than its header
    claims (cut off or damaged) is read through from its start instead, and the windows are spread over
    what can be decoded.

    Parameters
    ----------
    path : Path
        Any format of libsndfile, or one of :mod:`embeddings.decoders`.
    window_s : float
        Length of a window in seconds.
    sample_rate_hz : int
        Of the signals that come back, whatever the file has.

    Raises
    ------
    UndecodableAudio, MissingDecoder, TooShort, TooLong
    """
    plan_for = partial(
        plan_windows, to_hz=sample_rate_hz, n_window=round(window_s * sample_rate_hz), max_windows=max_windows
    )
    with closing(open_decoder(path, limits)) as decoder:
        if decoder.n_samples is not None:
            _check_length(path, decoder.n_samples / decoder.sample_rate_hz, limits)
            plan = plan_for(decoder.n_samples, from_hz=decoder.sample_rate_hz)
            windows = _cut_windows(
                path, plan, (decoder.read(span.start, span.n_samples) for span in plan.spans)
            )
            if windows is not None:
                return windows
    # Opened afresh: after an error some decoders only go on failing.
    with closing(open_decoder(path, limits)) as decoder:
        n_samples = _count_samples(path, decoder, limits)
    with closing(open_decoder(path, limits)) as decoder:
        plan = plan_for(n_samples, from_hz=decoder.sample_rate_hz)
        windows = _cut_windows(path, plan, _read_through(decoder, plan.spans))
    if windows is None:
        raise UndecodableAudio(f"{display_name(path)} decodes to another length each time it is read")
    return windows


def _cut_windows(path: Path, plan: WindowPlan, pieces: Iterable[Samples]) -> Windows | None:
    """Turn the decoded stretches of a plan into windows; None as soon as one is shorter than planned."""
    signals = np.empty((len(plan.spans), plan.n_window), dtype=np.float32)
    for row, (span, piece) in enumerate(zip(plan.spans, pieces, strict=True)):
        if len(piece) == 0:
            return None
        y = _mix_down(piece)
        if not _peak(y) <= _LOUDEST:  # true of NaN as well
            raise UndecodableAudio(
                f"{display_name(path)} holds samples that are not finite or far above full scale"
            )
        if plan.from_hz != plan.to_hz:
            y = soxr.resample(y, plan.from_hz, plan.to_hz, quality="HQ")
        y = y[span.n_drop : span.n_drop + plan.n_window]
        if len(y) < plan.n_window:
            return None
        signals[row] = y
    return Windows(signals, plan.start_s, plan.duration_s)


def _mix_down(samples: Samples) -> NDArray[np.float32]:
    """Mean of the channels, (n_samples,) float32.

    Where they cancel almost wholly, as in recordings with one channel wired the wrong way round, the first
    channel stands for all of them.
    """
    # Channel by channel: numpy's mean over the short axis takes 25 times as long.
    first = samples[:, 0]
    y = first.copy()
    for channel in range(1, samples.shape[1]):
        y += samples[:, channel]
    y /= samples.shape[1]
    return first.copy() if _peak(y) < 0.01 * _peak(first) else y


def _peak(y: NDArray[np.float32]) -> float:
    """Largest magnitude; NaN if there is a NaN."""
    return float(np.max(np.abs(y)))


def _read_through(decoder: Decoder, spans: Sequence[Span]) -> list[Samples]:
    """Decode from the start without seeking, keeping only what lies in the spans."""
    kept: list[list[Samples]] = [[] for _ in spans]
    for start, block in blocks(decoder):
        for pieces, span in zip(kept, spans, strict=True):
            first = span.start - start
            pieces.append(block[max(first, 0) : max(first + span.n_samples, 0)])
    return [np.concatenate(pieces) for pieces in kept]


def blocks(decoder: Decoder) -> Iterator[tuple[int, Samples]]:
    """Yield (first sample, samples) from the start to where the file ends or breaks."""
    n_block = round(decoder.block_s * decoder.sample_rate_hz)
    start, block = 0, decoder.read(0, n_block)
    while len(block):
        yield start, block
        start += len(block)
        block = decoder.read(start, n_block) if len(block) == n_block else block[:0]


def _count_samples(path: Path, decoder: Decoder, limits: AudioLimits) -> int:
    """Samples per channel that can be decoded, by decoding them."""
    n_samples = 0
    for start, block in blocks(decoder):
        n_samples = start + len(block)
        if n_samples > limits.longest_s * decoder.sample_rate_hz:
            break
    if n_samples == 0:
        raise UndecodableAudio(
            f"{display_name(path)} has a header of audio, but nothing in it can be decoded"
        )
    _check_length(path, n_samples / decoder.sample_rate_hz, limits)
    return n_samples


def _check_length(path: Path, duration_s: float, limits: AudioLimits) -> None:
    if duration_s < limits.shortest_s:
        raise TooShort(
            f"{display_name(path)} lasts {duration_s:.2f} s, at least {limits.shortest_s:g} s are needed"
        )
    if duration_s > limits.longest_s:
        hours, limit = duration_s / 3600, limits.longest_s / 3600
        raise TooLong(f"{display_name(path)} lasts {hours:.1f} hours, the limit is {limit:g}")


def open_decoder(path: Path, limits: AudioLimits = DEFAULT_LIMITS) -> Decoder:
    """Open any file that can be read as audio, judged by its content; the caller closes it.

    Raises
    ------
    UndecodableAudio, MissingDecoder
    """
    name = display_name(path)
    try:
        # Not everything with a name can be read to its end: a pipe would be waited for without end.
        if not path.is_file():
            raise UndecodableAudio(f"{name} is not a file")
        if path.stat().st_size == 0:
            raise UndecodableAudio(f"{name} is empty (0 bytes)")
        container = recognise_container(path)
    except OSError as error:
        raise UndecodableAudio(f"{name} cannot be read: {error.strerror}") from error
    decoder = open_optional(path, container) if container else _SoundfileDecoder(path)
    lowest, highest = limits.lowest_rate_hz, limits.highest_rate_hz
    if decoder.n_channels > limits.most_channels or not lowest <= decoder.sample_rate_hz <= highest:
        decoder.close()
        raise UndecodableAudio(
            f"{name} has {decoder.n_channels} channels at {decoder.sample_rate_hz} Hz; "
            f"accepted are up to {limits.most_channels} channels at {lowest} to {highest} Hz"
        )
    return decoder


class _SoundfileDecoder:
    """libsndfile: wav, flac, ogg, opus, mp3, aiff and more; see :class:`embeddings.decoders.Decoder`."""

    # Where it meets damage, libsndfile gives nothing of the read in progress.
    block_s = 1.0

    def __init__(self, path: Path) -> None:
        try:
            # Bytes, because a name may be invalid UTF-8. TypeError: a file called .raw needs a rate from us.
            self._file = soundfile.SoundFile(os.fsencode(path) if os.name == "posix" else str(path))
        except (soundfile.SoundFileError, TypeError) as error:
            raise UndecodableAudio(
                f"{display_name(path)} is in no format that could be read as audio"
            ) from error
        self.sample_rate_hz: int = self._file.samplerate
        self.n_channels: int = self._file.channels
        self.n_samples = self._file.frames if self._file.frames < _UNKNOWN_LENGTH else None

    def read(self, start: int, n_samples: int) -> Samples:
        """Samples from ``start`` on; see :class:`embeddings.decoders.Decoder`."""
        try:
            if self._file.tell() != start:
                self._file.seek(start)
            samples: Samples = self._file.read(n_samples, dtype="float32", always_2d=True)
        except soundfile.SoundFileError:
            return np.empty((0, self.n_channels), dtype=np.float32)
        return samples

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
