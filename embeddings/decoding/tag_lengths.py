"""How long an ID3v2 tag says that its file is (TLEN, ID3v2.4 section 4.2.3): it stays where sound is lost."""

import re
from pathlib import Path

_HEAD_BYTES = 1 << 17
# The frame's name, size and flags, an encoding, maybe a byte order mark, then digits, in UTF-16 with zeros.
_LENGTH = re.compile(
    rb"(?:TLEN.{6}|TLE.{3})[\x00-\x03](?:\xff\xfe|\xfe\xff)?((?:\x00?[0-9]\x00?){3,9})", re.DOTALL
)
_LONGEST_S = 6 * 3600.0


def read_tag_length(path: Path) -> float | None:
    """Return the length in seconds, None where no tag at the file's start says one that is believable.

    Raises
    ------
    OSError
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    found = _LENGTH.search(head) if head.startswith(b"ID3") else None
    if found is None:
        return None
    length_s = int(found[1].replace(b"\0", b"")) / 1e3
    return length_s if 0 < length_s < _LONGEST_S else None
