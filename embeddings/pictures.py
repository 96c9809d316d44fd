"""Pictures that belong to music: covers made small, and the sound itself as a grid of levels."""

from fractions import Fraction
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.audio import read_windows
from embeddings.decoding.source import has_libav
from embeddings.errors import EmbeddingError

MOST_PIXELS = 64_000_000
_KINDS = ((b"\xff\xd8\xff", "jpeg_pipe"), (b"\x89PNG\r\n\x1a\n", "png_pipe"), (b"RIFF", "webp_pipe"))
_RATE_HZ = 16_000
_WINDOW_S = 0.5
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 7_800.0
_FLOOR_DB = -60.0


class UnreadablePicture(EmbeddingError):
    """What is called a picture cannot be shown."""

    code = "unreadable_picture"


def shrink_picture(content: bytes, size_px: int) -> bytes:
    """Return a JPEG of a JPEG, PNG or WebP picture whose longer side is ``size_px`` at most.

    Raises
    ------
    UnreadablePicture
        It is of another kind, damaged, has more than ``MOST_PIXELS``, or there is no libav to read it with.
    """
    kind = next((name for magic, name in _KINDS if content.startswith(magic)), None)
    if kind is None:
        raise UnreadablePicture("the picture is neither JPEG, PNG nor WebP")
    if not has_libav():
        raise UnreadablePicture("pictures are read with libav (PyAV), which is not installed")
    import av

    try:
        with av.open(BytesIO(content), format=kind) as container:
            header = container.streams.video[0].codec_context
            if header.width * header.height > MOST_PIXELS:
                raise UnreadablePicture(f"the picture has {header.width} x {header.height} pixels")
            frame = next(container.decode(video=0))
            return _write_jpeg(frame, size_px)
    except (av.FFmpegError, StopIteration, IndexError, ValueError) as error:
        raise UnreadablePicture(f"the picture cannot be read: {error}") from error


def _write_jpeg(frame: Any, size_px: int) -> bytes:
    import av

    scale = min(1.0, size_px / max(frame.width, frame.height))
    # Even sides, because colour is kept for every second pixel.
    width, height = (max(2, round(side * scale / 2) * 2) for side in (frame.width, frame.height))
    context: Any = av.CodecContext.create("mjpeg", "w")
    context.width, context.height, context.pix_fmt = width, height, "yuvj420p"
    context.time_base = Fraction(1, 25)
    small = frame.reformat(width=width, height=height, format="yuvj420p")
    return b"".join(bytes(packet) for packet in [*context.encode(small), *context.encode(None)])


def read_levels(path: Path, n: int) -> NDArray[np.float32]:
    """Return how loud a track is in bands of pitch from moment to moment.

    Returns
    -------
    levels : (n_windows, n) float32 in [0, 1]
        Mean power of windows spread over the track, in ``n`` bands of equal width on a logarithmic scale, the
        lowest first; 1 is the loudest of all, 0 is 60 dB below. As many windows as fit, at most ``n``.

    Raises
    ------
    UndecodableAudio, MissingDecoder, TooShort, TooLong
    """
    heard = read_windows(path, window_s=_WINDOW_S, max_windows=n, sample_rate_hz=_RATE_HZ)
    power = np.abs(np.fft.rfft(heard.signals * np.hanning(heard.signals.shape[1]), axis=1)) ** 2
    edges_hz = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, n + 1)
    edges = np.searchsorted(np.fft.rfftfreq(heard.signals.shape[1], 1 / _RATE_HZ), edges_hz)
    spans = [slice(low, max(high, low + 1)) for low, high in pairwise(edges)]
    bands = np.stack([power[:, span].mean(axis=1) for span in spans], axis=1)
    levels_db = 10 * np.log10(np.maximum(bands / max(bands.max(), 1e-20), 1e-12))
    levels: NDArray[np.float32] = np.clip(1 - levels_db / _FLOOR_DB, 0, 1).astype(np.float32)
    return levels
