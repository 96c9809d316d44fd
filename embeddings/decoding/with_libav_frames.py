"""Frames one behind the other, without a container: their places are found, then any of them is decoded.

Such files (mp3 without a header that tells the length, aac, ac3, dts, several joined) claim a guess at most.
Their frames are counted, which costs no decoding, and a window is decoded from the very bytes that hold it.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.decoding.decoder import Samples
from embeddings.decoding.formats import ADTS, MPEG_AUDIO, Found
from embeddings.decoding.mpeg_frames import frame_bytes
from embeddings.decoding.with_libav import FileFrom, OpenStream

# An mp3 frame may hold its data in the nine before it; the one before that overlaps.
_N_BEFORE = 10
# More of a window than this must not be missing, else it is not that window.
_MOST_LOST = 0.1
_FRAME_HEADER_BYTES = 16
# Frames of a constant rate differ by a padding.
_LEAST_OF_SHORTEST = 0.9


class FrameSeeker:
    """See :class:`embeddings.decoding.decoder.Seeker`."""

    def __init__(self, path: Path, found: Found) -> None:
        self.claimed_samples: int | None = None
        self._open = OpenStream(path, found)
        self.sample_rate_hz, self.n_channels = self._open.sample_rate_hz, self._open.n_channels
        self._file = FileFrom(path, found.start)
        self._place, self._n_bytes, self._first = self._find_frames()
        self.n_samples: int | None = int(self._first[-1]) or None
        self.is_torn = self._is_torn(found)

    def _find_frames(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """(place, bytes) of each frame, and its first sample; one entry more says where the last ends."""
        found = [
            (packet.pos, packet.size, packet.duration)
            for packet in self._open.packets()
            if packet.size and packet.pos is not None and packet.duration
        ]
        columns = np.array(found, dtype=np.int64).reshape(-1, 3).T
        # What an encoder put in front, where its header says so, is before the start.
        ticks = np.concatenate(([0], np.cumsum(columns[2]))) - int(self._open.stream.start_time or 0)
        first = ticks * float(self._open.stream.time_base * self.sample_rate_hz)
        return columns[0], columns[1], np.rint(first).astype(np.int64)

    def _is_torn(self, found: Found) -> bool:
        """Whether the last frame is shorter than it says, or than all others where its kind does not say."""
        if len(self._n_bytes) < _N_BEFORE:
            return False
        last = int(self._n_bytes[-1])
        self._file.seek(int(self._place[-1]))
        said = frame_bytes(self._file.read(_FRAME_HEADER_BYTES))
        if said is not None or found.format in (MPEG_AUDIO, ADTS):
            return said is not None and last < said
        return last < _LEAST_OF_SHORTEST * int(self._n_bytes[:-1].min())

    def read(self, start: int, n_samples: int) -> Samples:
        """Samples from ``start`` on; see :class:`embeddings.decoding.decoder.Seeker`."""
        stop = min(start + n_samples, int(self._first[-1]))
        samples = np.zeros((max(stop - start, 0), self.n_channels), dtype=np.float32)
        if stop <= start:
            return samples
        rows = np.searchsorted(self._first, [start, stop - 1], side="right") - 1
        decoder, n_filled = self._new_decoder(), 0
        for row in range(max(int(rows[0]) - _N_BEFORE, 0), int(rows[1]) + 1):
            # A damaged frame is silence of its length, as in a player, so that the next stays in its place.
            at = int(self._first[row]) - start
            for piece in self._decode(decoder, row):
                wanted = piece[max(-at, 0) :]
                into = samples[max(at, 0) :][: len(wanted)]
                into[:] = wanted[: len(into)]
                n_filled += len(into)
                at += len(piece)
        return samples if n_filled >= (1 - _MOST_LOST) * len(samples) else samples[:0]

    def _new_decoder(self) -> Any:
        import av

        return av.CodecContext.create(self._open.stream.codec_context.name, "r")

    def _decode(self, decoder: Any, row: int) -> list[Samples]:
        import av

        self._file.seek(int(self._place[row]))
        packet = av.Packet(self._file.read(int(self._n_bytes[row])))
        try:
            return [piece for frame in decoder.decode(packet) for piece in self._open.samples_of(frame)]
        except self._open.errors:
            return []

    def close(self) -> None:
        """Let go of the file."""
        self._open.close()
        self._file.close()
