"""What headers say of a length that libraries shorten in silence where a file is cut off: WAV, ASF (wma)."""

from pathlib import Path

# What a recorder writes that does not know the length yet.
_UNKNOWN = (0, 0xFFFFFFFF, 0x7FFFFFFF, 0xFFFFFFFE)

_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_HEAD_BYTES = 1 << 16


def read_wav_claim(path: Path, start: int) -> float | None:
    """Return the claimed length in seconds, None where the header leaves it open.

    Raises
    ------
    OSError
    """
    with path.open("rb") as file:
        file.seek(start + 12)
        bytes_a_second = 0
        while len(header := file.read(8)) == 8:
            size = int.from_bytes(header[4:], "little")
            if header[:4] == b"data":
                return size / bytes_a_second if bytes_a_second and size not in _UNKNOWN else None
            if header[:4] == b"fmt ":
                # Never all of it: a torn size asks for gigabytes.
                bytes_a_second = int.from_bytes(file.read(12)[8:], "little")
                file.seek(size - 12, 1)
            else:
                file.seek(size, 1)
            file.seek(size % 2, 1)
    return None


def read_asf_claim(path: Path, start: int) -> float | None:
    """Return the play duration in the File Properties Object (ASF specification, 3.2), without the preroll.

    Raises
    ------
    OSError
    """
    with path.open("rb") as file:
        file.seek(start)
        head = file.read(_ASF_HEAD_BYTES)
    at = head.find(_FILE_PROPERTIES)
    values = head[at + 64 : at + 88]
    if at < 0 or len(values) < 24:
        return None
    duration, _, preroll = (int.from_bytes(values[n : n + 8], "little") for n in (0, 8, 16))
    return max(duration / 1e7 - preroll / 1e3, 0.0) or None
