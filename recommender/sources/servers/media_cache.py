"""Originals that were downloaded: a bounded folder of which the longest unused go first."""

import contextlib
import hashlib
import os
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

# What files of a kind begin with (at an offset), and the suffix by which the scan knows them.
_BEGINNINGS = (
    *((0, b"fLaC", ".flac"), (0, b"OggS", ".ogg"), (0, b"RIFF", ".wav"), (0, b"FORM", ".aiff")),
    *((0, b"caff", ".caf"), (4, b"ftyp", ".m4a"), (0, b"0&\xb2u", ".wma"), (0, b"wvpk", ".wv")),
    *((0, b"MAC ", ".ape"), (0, b"\xff\xf1", ".aac"), (0, b"\xff\xf9", ".aac")),
)


@dataclass(frozen=True)
class MediaCache:
    """A folder that holds at most about ``max_bytes``: the newest file stays however large it is."""

    folder: Path
    max_bytes: int

    def fetch(self, name: str, load: Callable[[Path], object], *, keep: Collection[Path] = ()) -> Path:
        """The file of this name, loaded by ``load(path)`` unless it is there; those of ``keep`` stay too."""
        self.folder.mkdir(parents=True, exist_ok=True)
        stem = hashlib.sha256(name.encode()).hexdigest()[:40]
        for path in self.folder.glob(f"{stem}.*"):
            with contextlib.suppress(FileNotFoundError):
                os.utime(path)  # used now
                return path
        loaded = self.folder / f".{stem}.{secrets.token_hex(4)}"
        try:
            load(loaded)
            path = loaded.replace(self.folder / f"{stem}{_suffix_of(loaded)}")
        finally:
            loaded.unlink(missing_ok=True)
        self._make_room(keep={path, *keep})
        return path

    def _make_room(self, *, keep: Collection[Path]) -> None:
        files = [
            (entry.stat().st_mtime_ns, entry.stat().st_size, Path(entry.path)) for entry in self._entries()
        ]
        n_bytes = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if n_bytes <= self.max_bytes:
                return
            if path not in keep:
                path.unlink(missing_ok=True)
                n_bytes -= size

    def _entries(self) -> list[os.DirEntry[str]]:
        """What is in the folder and still there when looked at; half-loaded files are hidden."""
        found = []
        for entry in os.scandir(self.folder):
            with contextlib.suppress(FileNotFoundError):
                if not entry.name.startswith(".") and entry.stat():
                    found.append(entry)
        return found


def _suffix_of(path: Path) -> str:
    """The suffix of the format that a file begins like; whatever else is audio begins like an mp3."""
    with path.open("rb") as file:
        beginning = file.read(12)
    found = (suffix for at, start, suffix in _BEGINNINGS if beginning[at:].startswith(start))
    return next(found, ".mp3")
