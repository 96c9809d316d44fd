"""What a decoder is, and the optional ones for the formats that libsndfile does not know."""

import os
import re
import shutil
import struct
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import MissingDecoder, UndecodableAudio

Samples = NDArray[np.float32]

_FFMPEG_TIMEOUT_S = 60.0
# The first frames after a seek overlap with ones that were not decoded.
_PRE_ROLL_S = 0.2


class Decoder(Protocol):
    """An open audio file that gives samples from anywhere."""

    sample_rate_hz: int
    n_channels: int
    n_samples: int | None  # per channel, as the file's header claims; None when it does not say
    block_s: float  # how much to ask for at a time when a file is read through

    def read(self, start: int, n_samples: int) -> Samples:
        """Samples from ``start`` on, (n_read, n_channels) float32.

        Fewer than asked where the file ends or breaks.
        """

    def close(self) -> None:
        """Let go of the file."""


class Container(NamedTuple):
    """A file format that needs an optional decoder."""

    title: str
    demuxer: str  # libav's name for it


# Offset, first bytes -> format. libav is only ever told to read these: left to guess, it also opens text
# files as streaming playlists, and fetches what they name.
_CONTAINERS = (
    (4, b"ftyp", Container("MPEG-4 audio (m4a)", "mov")),
    (0, bytes.fromhex("3026b2758e66cf11"), Container("Windows Media Audio (wma)", "asf")),
    (0, bytes.fromhex("1a45dfa3"), Container("Matroska or WebM audio", "matroska")),
    (0, b"MAC ", Container("Monkey's Audio (ape)", "ape")),
    (0, b"wvpk", Container("WavPack (wv)", "wv")),
    (0, b"TTA1", Container("True Audio (tta)", "tta")),
    (0, b"MPCK", Container("Musepack (mpc)", "mpc8")),
    (0, b"MP+", Container("Musepack (mpc)", "mpc")),
)


def recognise_container(path: Path) -> Container | None:
    """Format that needs an optional decoder, judged by the file's first bytes and never by its name."""
    with path.open("rb") as file:
        head = file.read(16)
        if head[:3] == b"ID3" and len(head) >= 10:
            # Seven bits a byte, so that no tag looks like the start of MPEG audio.
            size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
            file.seek(10 + size)
            head = file.read(16)
    # ADTS has twelve sync bits and layer 0; mp3 has layers 1 to 3.
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return Container("AAC (aac)", "aac")
    matches = (known for at, magic, known in _CONTAINERS if head[at : at + len(magic)] == magic)
    return next(matches, None)


def open_optional(path: Path, container: Container) -> Decoder:
    """Open a file with PyAV if it is installed, else with the ffmpeg found on the PATH.

    Raises
    ------
    MissingDecoder
        Neither is there.
    UndecodableAudio
        The decoder found no audio in the file.
    """
    if find_spec("av") is not None:
        return PyavDecoder(path, container)
    program = shutil.which("ffmpeg")
    if program is not None:
        return FfmpegDecoder(path, container, program=program)
    raise MissingDecoder(
        f"{display_name(path)} is {container.title}, which needs an optional decoder: "
        "install PyAV (pip install av) or put ffmpeg on the PATH"
    )


def display_name(path: Path) -> str:
    """Name of a file fit for messages and JSON, whatever bytes it is made of."""
    return os.fsencode(path.name).decode("utf-8", "replace")


class PyavDecoder:
    """Any of libav's formats through PyAV; see :class:`Decoder`."""

    block_s = 10.0

    def __init__(self, path: Path, container: Container) -> None:
        import av

        self._errors: tuple[type[Exception], ...] = (av.FFmpegError, ValueError)
        self._resampler_type = av.AudioResampler
        # An open file, not a name: names may be invalid UTF-8, and a file cannot lead libav elsewhere.
        self._file = path.open("rb")
        try:
            self._container = av.open(self._file, mode="r", format=container.demuxer)
            self._stream = self._container.streams.audio[0]
            self.sample_rate_hz = int(self._stream.codec_context.sample_rate)
            self.n_channels = int(self._stream.codec_context.channels)
        except (*self._errors, IndexError) as error:
            self._file.close()
            raise UndecodableAudio(f"{display_name(path)} could not be read as {container.title}") from error
        self.n_samples = self._claimed_samples()

    def _claimed_samples(self) -> int | None:
        stream = self._stream
        if stream.duration is not None:
            return int(stream.duration * stream.time_base * self.sample_rate_hz)
        if self._container.duration is not None:
            return int(self._container.duration * self.sample_rate_hz) // 1_000_000
        return None

    def read(self, start: int, n_samples: int) -> Samples:
        """Samples from ``start`` on; see :class:`Decoder`."""
        pieces: list[Samples] = []
        missing = n_samples
        try:
            for position, piece in self._pieces_from(start):
                wanted = piece[max(start + n_samples - missing - position, 0) :][:missing]
                pieces.append(wanted)
                missing -= len(wanted)
                if missing == 0:
                    break
        except self._errors:
            pass  # what was decoded before the damage is handed over
        return np.concatenate(pieces) if pieces else np.empty((0, self.n_channels), dtype=np.float32)

    def _pieces_from(self, start: int) -> Any:
        """Yield decoded (position, samples), from a little before ``start`` to the end of the file."""
        stream, first_pts = self._stream, self._stream.start_time or 0
        seek_s = max(start / self.sample_rate_hz - _PRE_ROLL_S, 0.0)
        self._container.seek(first_pts + int(seek_s / stream.time_base), stream=stream)
        resampler = self._resampler_type(format="flt")
        for frame in self._container.decode(stream):
            position = round((frame.pts - first_pts) * frame.time_base * self.sample_rate_hz)
            for converted in resampler.resample(frame):
                yield position, converted.to_ndarray().reshape(-1, self.n_channels)

    def close(self) -> None:
        """Let go of the file."""
        self._container.close()
        self._file.close()


class FfmpegDecoder:
    """Any of libav's formats through the ffmpeg program, one run a read; see :class:`Decoder`."""

    block_s = 60.0

    def __init__(self, path: Path, container: Container, *, program: str) -> None:
        self._command = [program, "-hide_banner", "-nostdin", "-protocol_whitelist", "file,pipe"]
        self._demuxer = container.demuxer
        self._path = path
        report, start = self._run(0.0, 0.1)
        if start is None:
            raise UndecodableAudio(f"{display_name(path)} could not be read as {container.title}")
        self.sample_rate_hz, samples = start
        self.n_channels = samples.shape[1]
        found = re.search(r"Duration: (\d+):(\d+):(\d+\.\d+)", report)
        self.n_samples = None
        if found:
            hours, minutes, seconds = (float(part) for part in found.groups())
            self.n_samples = int((3600 * hours + 60 * minutes + seconds) * self.sample_rate_hz)

    def read(self, start: int, n_samples: int) -> Samples:
        """Samples from ``start`` on; see :class:`Decoder`."""
        _, decoded = self._run(start / self.sample_rate_hz, n_samples / self.sample_rate_hz)
        if decoded is None:
            return np.empty((0, self.n_channels), dtype=np.float32)
        return decoded[1][:n_samples]

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
                [*self._command, *source, *sink], capture_output=True, timeout=_FFMPEG_TIMEOUT_S, check=False
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
