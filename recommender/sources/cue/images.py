"""Which file a cue sheet is about: names in it were written on another machine, for another encoding.

A sheet is for files of its own folder, and nothing else is looked at, whatever it names.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from embeddings.decoding.formats import AUDIO_SUFFIXES
from recommender.records.tracks import FoundFile
from recommender.sources.cue.sheet import MAX_BYTES, MalformedSheet, Sheet, SheetTrack, read_sheet

SUFFIX = ".cue"
_SETTLED_NS = 3_000_000_000
_N_REMEMBERED = 64


@dataclass(frozen=True)
class Album:
    """A sheet and, for each of its files that is there, the tracks in it."""

    path: Path
    sheet: Sheet
    files: dict[Path, tuple[SheetTrack, ...]]

    @property
    def images(self) -> dict[Path, tuple[SheetTrack, ...]]:
        """The files of several tracks, or of one that does not begin with the file: what must be cut."""
        return {path: tracks for path, tracks in self.files.items() if is_image(tracks)}


def is_image(tracks: tuple[SheetTrack, ...]) -> bool:
    """Whether a file with these tracks is more than a track: such a file of one track is that track."""
    return len(tracks) > 1 or any(not track.stretch.is_whole for track in tracks)


def read_album(path: Path) -> Album:
    """The sheet in a file, with those of its files that are there.

    Raises
    ------
    MalformedSheet
        It cannot be read, makes no sense, or no file that it names is there.
    """
    try:
        with path.open("rb") as file:
            sheet = read_sheet(file.read(MAX_BYTES + 1))
    except OSError as error:
        raise MalformedSheet(f"it cannot be read: {error.strerror}") from error
    names = dict.fromkeys(track.file for track in sheet.tracks)
    found = {name: _find(path, name, is_only=len(names) == 1) for name in names}
    files = {
        place: tuple(track for track in sheet.tracks if found[track.file] == place)
        for place in dict.fromkeys(found.values())
        if place is not None
    }
    if not files:
        missing = ", ".join(repr(_last_part(name)[:80]) for name in list(names)[:3]) or "none"
        raise MalformedSheet(f"no audio file that it names is there ({missing})")
    return Album(path, sheet, files)


def albums_in(folder: Path) -> tuple[list[Album], dict[Path, str]]:
    """The albums of a folder's cue sheets, by name, and why other sheets are of no use.

    Of several sheets for a file the first counts. Asked for each file of a folder, it lists the folder and
    reads its sheets once, as long as neither changes.
    """
    try:
        changed_ns = folder.stat().st_mtime_ns
        # What changed just now may change again within the same tick of the file system's clock.
        is_settled = time.time_ns() - changed_ns > _SETTLED_NS
        names = _listed(folder, changed_ns) if is_settled else _list_sheets(folder)
        stamps = tuple((status.st_mtime_ns, status.st_size) for status in map(Path.stat, names))
    except OSError:
        return [], {}
    is_settled = is_settled and all(time.time_ns() - stamp > _SETTLED_NS for stamp, _ in stamps)
    albums, useless = _read_before(names, changed_ns, stamps) if is_settled else _read_albums(names)
    return list(albums), dict(useless)


def _list_sheets(folder: Path) -> tuple[Path, ...]:
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if entry.name.lower().endswith(SUFFIX))
    return tuple(folder / name for name in names if not name.startswith("."))


@lru_cache(maxsize=_N_REMEMBERED)
def _listed(folder: Path, _changed_ns: int) -> tuple[Path, ...]:
    return _list_sheets(folder)


@lru_cache(maxsize=_N_REMEMBERED)
def _read_before(
    sheets: tuple[Path, ...], _changed_ns: int, _stamps: tuple[tuple[int, int], ...]
) -> tuple[list[Album], dict[Path, str]]:
    return _read_albums(sheets)


def _read_albums(sheets: tuple[Path, ...]) -> tuple[list[Album], dict[Path, str]]:
    albums, useless = list[Album](), dict[Path, str]()
    taken = set[Path]()
    for path in sheets:
        try:
            album = read_album(path)
        except MalformedSheet as error:
            useless[path] = str(error)
            continue
        if taken.issuperset(album.files):
            useless[path] = "another sheet is about the same file"
            continue
        taken.update(album.files)
        albums.append(album)
    return albums, useless


def stat_file(path: Path) -> FoundFile:
    """The file as a scan sees it.

    Raises
    ------
    OSError
    """
    status = path.stat()
    file = FoundFile(path, status.st_size, status.st_mtime_ns)
    return with_sheet(file, sheets_by_image(albums_in(path.parent)[0]))


def sheets_by_image(albums: list[Album]) -> dict[Path, Path]:
    """File -> the cue sheet that says which tracks are in it."""
    return {image: album.path for album in albums for image in album.images}


def with_sheet(file: FoundFile, sheets: Mapping[Path, Path]) -> FoundFile:
    """A file with its sheet as a part of it: where the sheet changes, comes or goes, the file has changed."""
    sheet = sheets.get(file.path)
    if sheet is None:
        return file
    try:
        status = sheet.stat()
    except OSError:
        return file
    newest = max(file.mtime_ns, status.st_mtime_ns)
    return replace(file, size=file.size + status.st_size, mtime_ns=newest)


def track_starts(path: Path) -> list[float | None]:
    """Where in a file its tracks begin, in seconds; None alone where no sheet beside it names several."""
    tracks = next((album.files[path] for album in albums_in(path.parent)[0] if path in album.files), ())
    return [track.stretch.start_s for track in tracks] if is_image(tracks) else [None]


def _find(sheet: Path, name: str, *, is_only: bool) -> Path | None:
    """The file of a name by its last part, encoded anew too; an only one by the name of the sheet as well."""
    return _among(sheet.parent, [_last_part(name), *([sheet.stem] if is_only else [])])


def _last_part(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]


def _among(folder: Path, names: list[str]) -> Path | None:
    """The audio file of a folder with the first of the names that fits: whole, or but for its suffix."""
    try:
        files = sorted(
            entry.name
            for entry in os.scandir(folder)
            if Path(entry.name).suffix.lower() in AUDIO_SUFFIXES and entry.is_file()
        )
    except (OSError, ValueError):
        return None
    for name in filter(None, names):
        for file in files:
            if file.casefold() == name.casefold():
                return folder / file
        # "album.wav", which was encoded since.
        stem = Path(name).stem if Path(name).suffix.lower() in (*AUDIO_SUFFIXES, ".bin", SUFFIX) else name
        for file in files:
            if Path(file).stem.casefold() == stem.casefold():
                return folder / file
    return None
