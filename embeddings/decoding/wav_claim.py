"""What the header of a WAV file says of its length, which a file that was cut off does not hold."""

from pathlib import Path

# What a recorder writes that does not know the length yet.
_UNKNOWN = (0, 0xFFFFFFFF, 0x7FFFFFFF, 0xFFFFFFFE)


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
                format_chunk = file.read(size)
                bytes_a_second = int.from_bytes(format_chunk[8:12], "little")
            else:
                file.seek(size, 1)
            file.seek(size % 2, 1)
    return None
