"""Where MPEG audio begins in bytes, and what its first frame claims of the rest (ISO 11172-3, 13818-7)."""

import re
from typing import NamedTuple

# So many frames in a row, each where the one before says: by chance once in 10^12 bytes.
_N_IN_A_ROW = 4
# A header of MPEG layers 1 to 3 with a bit rate, or of ADTS; found ahead, as bytes of a file may all be 0xff.
_SYNC = re.compile(rb"\xff(?=[\xe2-\xe7\xf2-\xf7\xfa-\xff][\x10-\xef]|[\xf0\xf1\xf8\xf9])", re.DOTALL)
_RATES_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_KBPS = {
    (3, 3): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (3, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (3, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 3): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


class Frames(NamedTuple):
    """Where frames begin, and whether they are AAC's (ADTS) or those of MPEG layers 1 to 3."""

    start: int
    is_adts: bool


class _Frame(NamedTuple):
    n_bytes: int
    # What does not change from frame to frame of one stream.
    kind: tuple[int, ...]


def find_frames(data: bytes) -> Frames | None:
    """Return the first place from which several frames follow each other, None if there is none.

    A few frames that fill all of ``data`` to its end count as well.
    """
    for candidate in _SYNC.finditer(data):
        start = candidate.start()
        first = _frame_at(data, start)
        if first is not None and _goes_on(data, start, first):
            return Frames(start, is_adts=first.kind[0] < 0)
    return None


def frame_bytes(head: bytes) -> int | None:
    """How long the frame is that begins with these bytes, by its own header; None where none begins."""
    frame = _frame_at(head, 0)
    return None if frame is None else frame.n_bytes


def _goes_on(data: bytes, start: int, first: _Frame) -> bool:
    position = start + first.n_bytes
    for n_seen in range(1, _N_IN_A_ROW):
        if n_seen > 1 and position == len(data):
            return True
        frame = _frame_at(data, position)
        if frame is None or frame.kind != first.kind:
            return False
        position += frame.n_bytes
    return True


def _frame_at(data: bytes, at: int) -> _Frame | None:
    if at + 7 > len(data) or data[at] != 0xFF or data[at + 1] & 0xE0 != 0xE0:
        return None
    second, third = data[at + 1], data[at + 2]
    version, layer = second >> 3 & 3, second >> 1 & 3
    if layer == 0:
        return _adts_at(data, at) if second & 0xF0 == 0xF0 else None
    bit_rate, rate = third >> 4, third >> 2 & 3
    if version == 1 or bit_rate in (0, 15) or rate == 3:
        return None
    kbps = _KBPS[(3, layer) if version == 3 else (2, max(layer, 2))][bit_rate - 1]
    rate_hz, padding = _RATES_HZ[version][rate], third >> 1 & 1
    if layer == 3:
        n_bytes = (12000 * kbps // rate_hz + padding) * 4
    else:
        n_samples = 576 if layer == 1 and version != 3 else 1152
        n_bytes = n_samples // 8 * 1000 * kbps // rate_hz + padding
    return _Frame(n_bytes, (version, layer, rate_hz))


def _adts_at(data: bytes, at: int) -> _Frame | None:
    rate, n_bytes = data[at + 2] >> 2 & 15, (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    if rate > 12 or n_bytes < 7:
        return None
    return _Frame(n_bytes, (-1, rate, data[at + 2] >> 6))


class Claim(NamedTuple):
    """What the first frame says of all: their length in seconds, and how many bytes they take."""

    duration_s: float
    n_bytes: int


def read_claim(first_frames: bytes) -> Claim | None:
    """What a Xing or Info header in the first frame claims, None where nothing does."""
    frame = _frame_at(first_frames, 0)
    if frame is None or len(frame.kind) != 3 or frame.kind[0] < 0:
        return None
    version, layer, rate_hz = frame.kind
    head = first_frames[: frame.n_bytes]
    at = max(head.find(b"Xing"), head.find(b"Info"))
    if at < 0 or len(head) < at + 16 or int.from_bytes(head[at + 4 : at + 8], "big") & 3 != 3:
        return None
    n_frames, n_bytes = (int.from_bytes(head[at + n : at + n + 4], "big") for n in (8, 12))
    n_samples = 576 if layer == 1 and version != 3 else 1152
    return Claim(n_frames * n_samples / rate_hz, n_bytes)
