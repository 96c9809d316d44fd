"""libav through PyAV: whatever is in :mod:`embeddings.decoding.formats`."""

import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from embeddings.decoding.decoder import Samples, display_name
from embeddings.decoding.formats import Found
from embeddings.errors import UndecodableAudio

# The first frames after a seek overlap with ones that were not decoded.
_PRE_ROLL_S = 0.1
_MOST_LEFT_OUT_S = 0.1
# Looked at before the claimed end, to see where the file ends in truth.
_TAIL_S = 1.0
# So often a file may break between two packets before nothing more is expected of it.
_MOST_BREAKS = 1000
_FULL_SCALE = {"u8": 2.0**7, "s16": 2.0**15, "s32": 2.0**31}


class FileFrom(io.RawIOBase):
    """A file as if it began later: what lies in front is no business of a demuxer's."""

    def __init__(self, path: Path, start: int) -> None:
        super().__init__()
        self._file, self._start = path.open("rb", buffering=0), start
        self._file.seek(start)

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes."""
        return self._file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move, and return where."""
        position = self._file.seek(offset + self._start if whence == io.SEEK_SET else offset, whence)
        return position - self._start

    def tell(self) -> int:
        """Where."""
        return self._file.tell() - self._start

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
        super().close()


class OpenStream:
    """The first sound of a file that PyAV has open; what all uses of libav here share."""

    def __init__(self, path: Path, found: Found) -> None:
        import av

        # Not all are of PyAV's own family: a torn header leads before the file's start, or divides by 0.
        self.errors: tuple[type[Exception], ...] = (
            *(av.FFmpegError, ValueError, EOFError, MemoryError, OSError),
            *(ArithmeticError, TypeError),
        )
        av.logging.set_level(None)
        # An open file, not a name: a file cannot lead libav to another.
        self._file = FileFrom(path, found.start)
        try:
            self.container = av.open(self._file, mode="r", format=found.format.demuxer)
            self.stream = self.container.streams.audio[0]
            self.sample_rate_hz = int(self.stream.codec_context.sample_rate)
            self.n_channels = int(self.stream.codec_context.channels)
            self.layout = self.stream.codec_context.layout.name
            if self.sample_rate_hz <= 0 or self.n_channels <= 0:
                raise ValueError("the stream has no shape")
        except (*self.errors, IndexError, AttributeError) as error:
            self._file.close()
            title = found.format.title
            raise UndecodableAudio(f"{display_name(path)} could not be read as {title}") from error
        self._resampler_type, self._resamplers = av.AudioResampler, dict[tuple[str, str, int], Any]()

    def packets(self) -> Iterator[Any]:
        """Yield the packets from here on; those behind a break as well."""
        for _ in range(_MOST_BREAKS):
            try:
                yield from self.container.demux(self.stream)
                return
            except self.errors:
                continue

    def decode(self, packet: Any) -> list[Samples]:
        """Samples of a packet in the rate and channels of the stream's beginning; none of a damaged one."""
        try:
            return [samples for frame in packet.decode() for samples in self.samples_of(frame)]
        except self.errors:
            return []

    def samples_of(self, frame: Any) -> list[Samples]:
        """A decoded frame as (n_samples, n_channels) float32, in the rate and channels of the beginning."""
        name, layout = frame.format.name, frame.layout
        if frame.sample_rate == self.sample_rate_hz and layout.nb_channels == self.n_channels:
            plain = _plain_samples(frame.to_ndarray(), name, self.n_channels)
            if plain is not None:
                return [plain]
        key = (name, layout.name, int(frame.sample_rate))
        if key not in self._resamplers:
            self._resamplers[key] = self._resampler_type("flt", self.layout, self.sample_rate_hz)
        frame.pts = None
        converted = self._resamplers[key].resample(frame)
        return [part.to_ndarray().reshape(-1, self.n_channels) for part in converted]

    def close(self) -> None:
        """Let go of the file."""
        self.container.close()
        self._file.close()


def read_metadata(path: Path, found: Found) -> dict[str, str]:
    """What libav knows of a file's tags, by their names in small letters; empty where it cannot open it."""
    try:
        opened = OpenStream(path, found)
    except UndecodableAudio:
        return {}
    with closing(opened):
        found_there = {**opened.stream.metadata, **opened.container.metadata}
        return {str(key).lower(): str(value) for key, value in found_there.items()}


def _plain_samples(values: Any, name: str, n_channels: int) -> Samples | None:
    """Samples of a format that needs no more than scaling, None for another."""
    values = values.T if name.endswith("p") else values.reshape(-1, n_channels)
    kind = name.removesuffix("p")
    if kind in ("flt", "dbl"):
        return np.asarray(values, dtype=np.float32)
    if kind not in _FULL_SCALE:
        return None
    full_scale = np.float32(_FULL_SCALE[kind])
    scaled: Samples = values.astype(np.float32) / full_scale
    return scaled - 1 if kind == "u8" else scaled


class LibavReader:
    """A file from its start to its end; see :class:`embeddings.decoding.decoder.Reader`."""

    def __init__(self, path: Path, found: Found) -> None:
        self._open = OpenStream(path, found)
        self.sample_rate_hz, self.n_channels = self._open.sample_rate_hz, self._open.n_channels

    def blocks(self) -> Iterator[Samples]:
        """All that can be decoded; see :class:`embeddings.decoding.decoder.Reader`."""
        pieces: list[Samples] = []
        n_wanted = self.sample_rate_hz
        for packet in self._open.packets():
            pieces += self._open.decode(packet)
            if sum(map(len, pieces)) >= n_wanted:
                yield np.concatenate(pieces)
                pieces = []
        if any(map(len, pieces)):
            yield np.concatenate(pieces)

    def close(self) -> None:
        """Let go of the file."""
        self._open.close()


class LibavSeeker:
    """A container that can be sought in; see :class:`embeddings.decoding.decoder.Seeker`.

    Attributes
    ----------
    claimed_samples : int or None
        What the header says of the length.
    """

    def __init__(self, path: Path, found: Found) -> None:
        self._open = OpenStream(path, found)
        self.sample_rate_hz, self.n_channels = self._open.sample_rate_hz, self._open.n_channels
        self.claimed_samples, self.is_torn = self._claimed_samples(), False
        self.n_samples = self._measured_samples()

    def _claimed_samples(self) -> int | None:
        """Of the sound alone: beside pictures, the container's length may be theirs."""
        stream, container = self._open.stream, self._open.container
        if stream.duration is not None and stream.duration > 0:
            return int(stream.duration * stream.time_base * self.sample_rate_hz)
        if container.duration is not None and container.duration > 0 and not container.streams.video:
            return int(container.duration * self.sample_rate_hz) // 1_000_000
        return None

    def _measured_samples(self) -> int | None:
        """Where the last packet ends: read is only what lies behind the claimed end."""
        end, first_pts = 0, self._first_pts
        try:
            if self.claimed_samples is not None:
                self._seek(self.claimed_samples / self.sample_rate_hz - _TAIL_S)
            for packet in self._open.packets():
                if packet.pts is not None:
                    end = max(end, packet.pts + (packet.duration or 0) - first_pts)
        except self._open.errors:
            return None
        measured = int(end * self._open.stream.time_base * self.sample_rate_hz)
        claimed = self.claimed_samples
        # Encoders pad their last packet; the claim knows by how much.
        if claimed is not None and claimed <= measured < claimed + 0.2 * self.sample_rate_hz:
            return claimed
        return measured or None

    @property
    def _first_pts(self) -> int:
        return int(self._open.stream.start_time or 0)

    def _seek(self, start_s: float) -> None:
        stream = self._open.stream
        at = self._first_pts + int(max(start_s, 0.0) / stream.time_base)
        self._open.container.seek(at, stream=stream)

    def read(self, start: int, n_samples: int) -> Samples:
        """Samples from ``start`` on; see :class:`embeddings.decoding.decoder.Seeker`."""
        pieces: list[Samples] = []
        missing = n_samples
        try:
            self._seek(start / self.sample_rate_hz - _PRE_ROLL_S)
            for position, frame in self._frames():
                if position + frame.samples <= start:
                    continue
                if not pieces and position > start + _MOST_LEFT_OUT_S * self.sample_rate_hz:
                    break  # what was wanted is damaged, and libav went on behind it
                for samples in self._open.samples_of(frame):
                    pieces.append(samples if pieces else samples[max(start - position, 0) :])
                    missing -= len(pieces[-1])
                if missing <= 0:
                    break
        except self._open.errors:
            pass  # what was decoded before the damage is handed over
        if not pieces:
            return np.empty((0, self.n_channels), dtype=np.float32)
        return np.concatenate(pieces)[:n_samples]

    def _frames(self) -> Iterator[tuple[int, Any]]:
        """Yield (first sample, frame) from here to the end of the file, or to the first damage."""
        # Frames have the stream's time base; its fractions would cost more than some decoders.
        ticks = float(self._open.stream.time_base * self.sample_rate_hz)
        first_pts, position = self._first_pts, 0
        for frame in self._open.container.decode(self._open.stream):
            if frame.pts is not None:
                position = round((frame.pts - first_pts) * ticks)
            yield position, frame
            position += frame.samples

    def close(self) -> None:
        """Let go of the file."""
        self._open.close()
