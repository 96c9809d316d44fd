"""Archives of playlist files: unpacked in memory, never more of them than may be read."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from recommender.errors import UnreadableSource
from recommender.sources.files.serato import LIBRARY_NAME

ZIP = b"PK\x03\x04"
MAX_MEMBERS = 2_000
_SUFFIXES = frozenset(
    (
        *(".csv", ".tsv", ".json", ".jspf", ".m3u", ".m3u8", ".pls", ".xspf", ".xml", ".nml", ".crate"),
        *(".wpl", ".zpl", ".asx", ".wax", ".vdjfolder"),
    )
)


def unpack(data: bytes, max_bytes: int) -> Iterator[tuple[str, bytes]]:
    """(name, content) of each file that may be a playlist; archives in the archive are not opened.

    Raises
    ------
    UnreadableSource
        It is damaged or locked, or holds more than ``max_bytes``.
    """
    n_bytes = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [member for member in archive.infolist() if _may_be_playlist(member.filename)]
            for member in members[:MAX_MEMBERS]:
                refuse_large(member.file_size, max_bytes)
                with archive.open(member) as file:
                    content = file.read(max_bytes + 1)
                n_bytes += len(content)
                refuse_large(n_bytes, max_bytes)
                yield member.filename, content
    except (
        zipfile.BadZipFile,
        zlib.error,
        RuntimeError,
        NotImplementedError,
        OSError,
        EOFError,
        ValueError,
    ) as error:
        raise UnreadableSource(f"the archive is damaged or locked: {error}") from error


def _may_be_playlist(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix.lower() in _SUFFIXES or path.name == LIBRARY_NAME


def refuse_large(n_bytes: int, limit: int) -> None:
    """Refuse what is larger than a playlist can be.

    Raises
    ------
    UnreadableSource
    """
    if n_bytes > limit:
        size = f"{n_bytes / 2**20:.0f} MB, at most {limit >> 20} MB are read"
        raise UnreadableSource(f"the file is too large for a playlist: {size}")
