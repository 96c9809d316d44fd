"""The ffmpeg program, for an installation that has it and goes without PyAV; one run a read."""

import os
import re
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from embeddings.decoding.decoder import Samples, display_name
from embeddings.decoding.formats import Found
from embeddings.errors import UndecodableAudio

_TIMEOUT_S = 60.0
_BLOCK_S = 60.0


def find_ffmpeg() -> str | None:
    """The program on the PATH, None where there is none."""
    return shutil.which("ffmpeg")


class FfmpegDecoder:
    """See :class:`embeddings.decoding.decoder.Seeker` and its ``Reader``."""

    def __init__(self, path: Path, found: Found, *, program: str) -> None:
        self._command = [program, "-hide_banner", "-nostdin", "-protocol_whitelist", "file,pipe"]
        self._demuxer = found.format.demuxer
        self._path = path
        report, start = self._run(0.0, 0.1)
        if start is None:
            raise UndecodableAudio(f"{display_name(path)} could not be read as {found.format.title}")
        self.sample_rate_hz, samples = start
        self.n_channels = samples.shape[1]
        length = re.search(r"Duration: (\d+):(\d+):(\d+\.\d+)", report)
        self.n_samples = None
        if length:
            hours, minutes, seconds = (float(part) for part in length.groups())
            self.n_samples = int((3600 * hours + 60 * minutes + seconds) * self.sample_rate_hz)
        self.is_torn = False
        self.claimed_samples = None if found.format.is_raw else self.n_samples

    def read(self, start: int, n_samples: int) -> Samples:
        """Samples from ``start`` on; see :class:`embeddings.decoding.decoder.Seeker`."""
        _, decoded = self._run(start / self.sample_rate_hz, n_samples / self.sample_rate_hz)
        if decoded is None:
            return np.empty((0, self.n_channels), dtype=np.float32)
        return decoded[1][:n_samples]

    def blocks(self) -> Iterator[Samples]:
        """All samples; see :class:`embeddings.decoding.decoder.Reader`."""
        n_block = round(_BLOCK_S * self.sample_rate_hz)
        start, block = 0, self.read(0, n_block)
        while len(block):
            yield block
            start += len(block)
            block = self.read(start, n_block) if len(block) == n_block else block[:0]

    def _run(self, start_s: float, length_s: float) -> tuple[str, tuple[int, Samples] | None]:
        """Return what ffmpeg reported, and the sample rate and samples of a stretch unless it gave none."""
        source: list[str | bytes] = [
            "-f",
            self._demuxer,
            "-ss",
            f"{start_s:.6f}",
            "-i",
            b"file:" + os.fsencode(self._path),
        ]
        sink = ["-map", "0:a:0", "-t", f"{length_s:.6f}", "-c:a", "pcm_f32be", "-f", "au", "pipe:1"]
        try:
            done = subprocess.run(
                [*self._command, *source, *sink], capture_output=True, timeout=_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            return "", None
        return done.stderr.decode("utf-8", "replace"), _parse_au(done.stdout)

    def close(self) -> None:
        """Nothing stays open between two reads."""


def _parse_au(data: bytes) -> tuple[int, Samples] | None:
    """Sample rate and (n_samples, n_channels) of a Sun AU stream of big-endian floats, None if it is none."""
    if len(data) < 24 or data[:4] != b".snd":
        return None
    header_size, _, _, sample_rate_hz, n_channels = struct.unpack(">5I", data[4:24])
    n_samples = (len(data) - header_size) // (4 * n_channels)
    flat = np.frombuffer(data, dtype=">f4", count=n_samples * n_channels, offset=header_size)
    return sample_rate_hz, flat.astype(np.float32).reshape(n_samples, n_channels)
