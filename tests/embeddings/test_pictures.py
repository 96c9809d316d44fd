"""Covers made small, and the sound itself as a grid of levels."""

import struct
import zlib
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from embeddings.pictures import UnreadablePicture, read_levels, shrink_picture

RATE_HZ = 16_000


def write_picture(*, width: int, height: int, codec: str = "png", pix_fmt: str = "rgb24") -> bytes:
    """A picture, red on the left and blue on the right."""
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[:, : width // 2, 0] = pixels[:, width // 2 :, 2] = 250
    context: Any = av.CodecContext.create(codec, "w")
    context.width, context.height, context.pix_fmt, context.time_base = (
        width,
        height,
        pix_fmt,
        Fraction(1, 25),
    )
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=pix_fmt)
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


@pytest.mark.parametrize(("codec", "pix_fmt"), [("png", "rgb24"), ("mjpeg", "yuvj420p")])
def test_a_picture_is_made_small_and_keeps_its_shape_and_colours(codec: str, pix_fmt: str) -> None:
    small = shrink_picture(write_picture(width=800, height=400, codec=codec, pix_fmt=pix_fmt), 100)
    assert small.startswith(b"\xff\xd8\xff")
    with av.open(BytesIO(small), format="jpeg_pipe") as container:
        pixels = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    assert pixels.shape == (50, 100, 3)
    assert np.abs(pixels[25, 20] - [250, 0, 0]).max() < 30
    assert np.abs(pixels[25, 80] - [0, 0, 250]).max() < 30


def test_a_small_picture_does_not_grow() -> None:
    with av.open(BytesIO(shrink_picture(write_picture(width=40, height=30), 100))) as container:
        frame = next(container.decode(video=0))
    assert (frame.width, frame.height) == (40, 30)


@pytest.mark.parametrize(
    "content", [b"", b"<svg/>", b"GIF89a", b"\xff\xd8\xff damaged", b"RIFF1234WEBPnothing"]
)
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadablePicture):
        shrink_picture(content, 100)


def test_more_pixels_than_anybody_needs_are_not_decoded() -> None:
    size = struct.pack(">II", 60_000, 60_000) + b"\x08\x02\x00\x00\x00"
    chunk = b"IHDR" + size
    header = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    data = zlib.compress(bytes(64))
    body = struct.pack(">I", len(data)) + b"IDAT" + data + struct.pack(">I", zlib.crc32(b"IDAT" + data))
    with pytest.raises(UnreadablePicture):
        shrink_picture(b"\x89PNG\r\n\x1a\n" + header + body, 100)


def test_levels_say_which_pitch_is_heard_when(tmp_path: Path) -> None:
    t = np.arange(8 * RATE_HZ) / RATE_HZ
    low, high = np.sin(2 * np.pi * 200 * t), np.sin(2 * np.pi * 4000 * t)
    path = tmp_path / "x.wav"
    soundfile.write(path, np.where(t < 4, low, high) * 0.3, samplerate=RATE_HZ)
    levels = read_levels(path, 12)
    assert levels.shape == (12, 12)
    assert levels.dtype == np.float32
    edges_hz = np.geomspace(60, 7800, 13)
    bands = [int(np.searchsorted(edges_hz, hz)) - 1 for hz in (200, 4000)]
    assert levels[:5].argmax(axis=1).tolist() == [bands[0]] * 5
    assert levels[7:].argmax(axis=1).tolist() == [bands[1]] * 5
    assert levels.max() == 1
    assert levels.min() == 0


def test_silence_has_no_levels(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    soundfile.write(path, np.zeros(4 * RATE_HZ), samplerate=RATE_HZ)
    assert not read_levels(path, 12).any()
