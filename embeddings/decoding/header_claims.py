"""What headers say of a length that libraries shorten in silence where a file is cut off.

Each reads from where the file begins, and gives seconds, or None where the header leaves it open.
"""

import struct
from collections.abc import Callable, Iterator
from math import ldexp
from pathlib import Path
from typing import BinaryIO

# What a recorder writes that does not know the length yet.
_UNKNOWN = (0, 0xFFFFFFFF, 0x7FFFFFFF, 0xFFFFFFFE)

_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_HEAD_BYTES = 1 << 16
_W64_NAME_BYTES, _W64_HEADER_BYTES = 16, 24
# Bytes of a sample of the encodings of Sun audio that have whole ones.
_AU_BYTES = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}


def read_claim_of(demuxer: str, path: Path, start: int) -> float | None:
    """What the header of a file says, in seconds; None where it leaves it open, or is of no kind known here.

    Raises
    ------
    OSError
    """
    reader = _READERS.get(demuxer)
    if reader is None:
        return None
    with path.open("rb") as file:
        file.seek(start)
        try:
            claim = reader(file)
        except (struct.error, ArithmeticError, ValueError):
            return None
    return claim if claim is not None and claim > 0 else None


def _read_wav(file: BinaryIO) -> float | None:
    """WAV, and RF64 with its sizes of 64 bits in ds64 (EBU Tech 3306)."""
    file.seek(12, 1)
    bytes_a_second, long_size = 0, 0
    while len(header := file.read(8)) == 8:
        size = int.from_bytes(header[4:], "little")
        if header[:4] == b"data":
            size = long_size if size == 0xFFFFFFFF and long_size else size
            return size / bytes_a_second if bytes_a_second and size not in _UNKNOWN else None
        # Never all of it: a torn size asks for gigabytes.
        body = file.read(min(size, 16))
        if header[:4] == b"fmt ":
            bytes_a_second = int.from_bytes(body[8:12], "little")
        elif header[:4] == b"ds64":
            long_size = int.from_bytes(body[8:16], "little")
        file.seek(size - len(body) + size % 2, 1)
    return None


def _read_w64(file: BinaryIO) -> float | None:
    """Sony Wave64: chunks with names of 16 bytes, and sizes of 64 bits that count their own headers."""
    file.seek(_W64_NAME_BYTES + 8 + _W64_NAME_BYTES, 1)
    bytes_a_second = 0
    while len(header := file.read(_W64_HEADER_BYTES)) == _W64_HEADER_BYTES:
        size = int.from_bytes(header[_W64_NAME_BYTES:], "little") - _W64_HEADER_BYTES
        if header[:4] == b"data":
            return size / bytes_a_second if bytes_a_second and 0 < size < 1 << 62 else None
        body = file.read(min(max(size, 0), 16))
        if header[:4] == b"fmt ":
            bytes_a_second = int.from_bytes(body[8:12], "little")
        file.seek(max(size, 0) - len(body) + -size % 8, 1)
    return None


def _read_aiff(file: BinaryIO) -> float | None:
    """AIFF and AIFC: frames and rate in COMM, the rate as a number of 80 bits."""
    for name, body in _big_chunks(file, skip=12, size_bytes=4):
        if name == b"COMM":
            n_frames, exponent, mantissa = struct.unpack(">2xI2xHQ", body[:18])
            rate_hz = ldexp(mantissa, (exponent & 0x7FFF) - 16383 - 63)
            return None if n_frames in _UNKNOWN else n_frames / rate_hz
    return None


def _read_caf(file: BinaryIO) -> float | None:
    """Core Audio: frames in the packet table, or as many as the data chunk has bytes for."""
    rate_hz, bytes_a_packet, frames_a_packet = 0.0, 0, 0
    claim = None
    for name, body in _big_chunks(file, skip=8, size_bytes=8):
        if name == b"desc":
            rate_hz, bytes_a_packet, frames_a_packet = struct.unpack(">d8xII", body[:24])
        elif name == b"pakt":
            return float(struct.unpack(">8xq", body[:16])[0] / rate_hz)
        elif name == b"data" and bytes_a_packet:
            size = int.from_bytes(body[-8:], "big", signed=True) - 4
            claim = size / bytes_a_packet * frames_a_packet / rate_hz
    return claim


def _read_au(file: BinaryIO) -> float | None:
    n_bytes, encoding, rate_hz, n_channels = struct.unpack(">8xIIII", file.read(24))
    width = _AU_BYTES.get(encoding)
    return None if width is None or n_bytes in _UNKNOWN else n_bytes / (width * n_channels * rate_hz)


def _big_chunks(file: BinaryIO, *, skip: int, size_bytes: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield (name, beginning of the body and, behind it, the size) of each chunk of a file of big numbers."""
    file.seek(skip, 1)
    while len(header := file.read(4 + size_bytes)) == 4 + size_bytes:
        size = int.from_bytes(header[4:], "big", signed=size_bytes == 8)
        body = file.read(min(max(size, 0), 24))
        yield header[:4], body + header[4:]
        if size < 0:
            return
        file.seek(size - len(body) + (size % 2 if size_bytes == 4 else 0), 1)


def _read_asf(file: BinaryIO) -> float | None:
    """The play duration in the File Properties Object (ASF specification, 3.2), without the preroll."""
    head = file.read(_ASF_HEAD_BYTES)
    at = head.find(_FILE_PROPERTIES)
    values = head[at + 64 : at + 88]
    if at < 0 or len(values) < 24:
        return None
    duration, _, preroll = (int.from_bytes(values[n : n + 8], "little") for n in (0, 8, 16))
    return duration / 1e7 - preroll / 1e3


_READERS: dict[str, Callable[[BinaryIO], float | None]] = {
    "wav": _read_wav,
    "w64": _read_w64,
    "aiff": _read_aiff,
    "caf": _read_caf,
    "au": _read_au,
    "asf": _read_asf,
}
