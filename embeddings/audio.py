"""Audio file to signal: a few windows of a track, read by seeking instead of decoding all of it."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from embeddings.decoding.decoder import Reader, Samples, Seeker, display_name
from embeddings.decoding.source import Source
from embeddings.errors import TooLong, TooShort, UndecodableAudio
from embeddings.stretch import WHOLE, Stretch
from embeddings.windows import Span, WindowPlan, plan_windows

# Of the energy that would be left of channels that have nothing in common.
_CANCELLED_SHARE = 0.1
# 40 dB above full scale: far above what any decoder overshoots, far below where powers overflow.
_LOUDEST = 100.0
# A click, or the padding of an encoder, is not worth a word.
_LEAST_UNHEARD_S, _LEAST_UNHEARD_SHARE = 1.0, 0.02

_PlanFor = Callable[..., WindowPlan]


@dataclass(frozen=True)
class AudioLimits:
    """What is refused before much is read: too little to judge, or a file made to hurt."""

    shortest_s: float = 1.0
    longest_s: float = 6 * 3600.0
    most_channels: int = 32
    lowest_rate_hz: int = 2_000
    highest_rate_hz: int = 768_000


DEFAULT_LIMITS = AudioLimits()


@dataclass(frozen=True)
class Unheard:
    """Why a track was heard in part only: how long it should be, and a sentence."""

    whole_s: float
    reason: str


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
    unheard : Unheard or None
        Set where that is a part only.
    """

    signals: NDArray[np.float32]
    start_s: NDArray[np.float64]
    duration_s: float
    unheard: Unheard | None = None


def read_windows(
    path: Path,
    *,
    window_s: float,
    max_windows: int,
    sample_rate_hz: int,
    stretch: Stretch = WHOLE,
    limits: AudioLimits = DEFAULT_LIMITS,
) -> Windows:
    """Read up to ``max_windows`` windows, each in the middle of an equal share of the track.

    There are as many as fit without overlap, at least one. They are sought in the file where its length is
    sure and every window can be read; else the file is read through from its start, by the decoder that hears
    most of it, and the windows are spread over what can be decoded.

    Parameters
    ----------
    path : Path
        A file of any of :data:`embeddings.decoding.formats.FORMATS`.
    window_s : float
        Length of a window in seconds.
    sample_rate_hz : int
        Of the signals that come back, whatever the file has.
    stretch : Stretch
        The part of the file that is the track; what lies outside is not heard.

    Raises
    ------
    UndecodableAudio, MissingDecoder, TooShort, TooLong
    """
    plan_for = partial(
        plan_windows, to_hz=sample_rate_hz, n_window=round(window_s * sample_rate_hz), max_windows=max_windows
    )
    source = Source(path)
    windows = _seek_windows(source, stretch, plan_for, limits) or _read_through(
        source, stretch, plan_for, limits
    )
    unheard = _unheard(windows.duration_s, stretch.length_s(source.whole_s))
    if unheard is None and source.is_torn and stretch.end_s is None:
        heard_s = windows.duration_s
        reason = f"heard {heard_s:.0f} s: the file is cut off, and does not say how long it was"
        unheard = Unheard(heard_s, reason)
    if stretch.is_whole and source.tag_s is not None and _unheard(windows.duration_s, source.tag_s):
        unheard = unheard or _unlike_its_tag(windows.duration_s, source.tag_s)
    return replace(windows, unheard=unheard)


def _seek_windows(
    source: Source, stretch: Stretch, plan_for: _PlanFor, limits: AudioLimits
) -> Windows | None:
    """The windows by seeking, from the first decoder that gives all of them."""
    for seeker in source.seekers():
        with closing(seeker):
            check_shape(source.path, seeker, limits)
            source.is_torn |= seeker.is_torn
            source.note_length(
                max(seeker.n_samples or 0, seeker.claimed_samples or 0) / seeker.sample_rate_hz
            )
            first, stop = stretch.samples(seeker.n_samples or 0, seeker.sample_rate_hz)
            if stop <= first:
                continue
            # Before anything is decoded: a file made to hurt is refused by what it claims.
            _check_length(source.path, (stop - first) / seeker.sample_rate_hz, limits)
            plan = plan_for(stop - first, from_hz=seeker.sample_rate_hz)
            pieces = (seeker.read(first + span.start, span.n_samples) for span in plan.spans)
            windows = _cut_windows(source.path, plan, pieces)
            if windows is not None:
                return windows
    return None


def _read_through(source: Source, stretch: Stretch, plan_for: _PlanFor, limits: AudioLimits) -> Windows:
    """The windows from reading everything twice: to know how long it is, and to keep what lies in them."""
    n_samples, row = _most_heard(source, stretch, limits)
    with closing(source.open_reader(row)) as reader:
        first, stop = stretch.samples(n_samples, reader.sample_rate_hz)
        _check_length(source.path, (stop - first) / reader.sample_rate_hz, limits)
        plan = plan_for(stop - first, from_hz=reader.sample_rate_hz)
        spans = [span._replace(start=first + span.start) for span in plan.spans]
        windows = _cut_windows(source.path, plan, _keep_spans(reader, spans))
    if windows is None:
        raise UndecodableAudio(f"{display_name(source.path)} decodes to another length each time it is read")
    return windows


def _most_heard(source: Source, stretch: Stretch, limits: AudioLimits) -> tuple[int, int]:
    """Samples per channel that can be decoded, up to the stretch's end, and which reader decodes them."""
    best_s, ends_s, found = 0.0, 0.0, (0, 0)
    longest_s = stretch.start_s + limits.longest_s
    stop_s = longest_s if stretch.end_s is None else min(stretch.end_s, longest_s)
    for row, reader in enumerate(source.readers()):
        with closing(reader):
            check_shape(source.path, reader, limits)
            n_samples = 0
            for block in reader.blocks():
                n_samples += len(block)
                if n_samples > stop_s * reader.sample_rate_hz:
                    break
        first, stop = stretch.samples(n_samples, reader.sample_rate_hz)
        heard_s = (stop - first) / reader.sample_rate_hz
        if heard_s > best_s:
            best_s, found = heard_s, (n_samples, row)
        if heard_s > 0 and _unheard(heard_s, stretch.length_s(source.whole_s)) is None:
            break
        if n_samples:
            ends_s = max(ends_s, n_samples / reader.sample_rate_hz)
    if best_s == 0 and ends_s > 0:
        raise TooShort(
            f"{display_name(source.path)} ends after {ends_s:.0f} s, before a track that is said to begin at"
            f" {stretch.start_s:.0f} s"
        )
    if best_s == 0 and source.whole_s == 0:
        _check_length(source.path, 0.0, limits)
    if best_s == 0:
        raise UndecodableAudio(
            f"{display_name(source.path)} has a header of audio, but nothing in it can be decoded"
        )
    return found


def _unheard(heard_s: float, whole_s: float) -> Unheard | None:
    """What to say of a track of which a part could not be decoded; None where next to nothing is missing."""
    if heard_s >= whole_s - max(_LEAST_UNHEARD_S, _LEAST_UNHEARD_SHARE * whole_s):
        return None
    return Unheard(whole_s, f"heard {heard_s:.0f} of {whole_s:.0f} s: the rest is cut off or damaged")


def _unlike_its_tag(heard_s: float, tag_s: float) -> Unheard:
    """What to say where nothing but a tag misses something: the length stays that of what is there."""
    reason = f"heard {heard_s:.0f} s, and its tag says {tag_s:.0f} s: the rest is gone, or the tag is wrong"
    return Unheard(heard_s, reason)


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

    Where they cancel, as in recordings with one channel wired the wrong way round, the loudest channel stands
    for all: what is left of the mean is the difference of two encodings, or the song far too quiet.
    """
    # Channel by channel: numpy's mean over the short axis takes 25 times as long.
    n_channels = samples.shape[1]
    y = samples[:, 0].copy()
    for channel in range(1, n_channels):
        y += samples[:, channel]
    if n_channels == 1:
        return y
    y /= n_channels
    # Of channels that have nothing in common, the mean keeps one part in n_channels of their energy.
    energies = [float(np.dot(samples[:, channel], samples[:, channel])) for channel in range(n_channels)]
    if np.dot(y, y) < _CANCELLED_SHARE / n_channels * np.mean(energies):
        return np.ascontiguousarray(samples[:, int(np.argmax(energies))])
    return y


def _peak(y: NDArray[np.float32]) -> float:
    """Largest magnitude; NaN if there is a NaN."""
    return float(np.max(np.abs(y)))


def _keep_spans(reader: Reader, spans: Sequence[Span]) -> list[Samples]:
    """Read everything, keeping only what lies in the spans."""
    kept: list[list[Samples]] = [[np.empty((0, reader.n_channels), dtype=np.float32)] for _ in spans]
    start = 0
    for block in reader.blocks():
        for pieces, span in zip(kept, spans, strict=True):
            first = span.start - start
            pieces.append(block[max(first, 0) : max(first + span.n_samples, 0)])
        start += len(block)
    return [np.concatenate(pieces) for pieces in kept]


def _check_length(path: Path, duration_s: float, limits: AudioLimits) -> None:
    if duration_s < limits.shortest_s:
        raise TooShort(
            f"{display_name(path)} lasts {duration_s:.2f} s, at least {limits.shortest_s:g} s are needed"
        )
    if duration_s > limits.longest_s:
        hours, limit = duration_s / 3600, limits.longest_s / 3600
        raise TooLong(f"{display_name(path)} lasts {hours:.1f} hours, the limit is {limit:g}")


def check_shape(path: Path, decoder: Seeker | Reader, limits: AudioLimits) -> None:
    """Refuse channels and sample rates that no music has.

    Raises
    ------
    UndecodableAudio
    """
    lowest, highest = limits.lowest_rate_hz, limits.highest_rate_hz
    if decoder.n_channels > limits.most_channels or not lowest <= decoder.sample_rate_hz <= highest:
        raise UndecodableAudio(
            f"{display_name(path)} has {decoder.n_channels} channels at {decoder.sample_rate_hz} Hz; "
            f"accepted are up to {limits.most_channels} channels at {lowest} to {highest} Hz"
        )
