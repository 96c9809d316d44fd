"""Everything that the program knows in one file, and back: database, models, score cards, kept uploads."""

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from recommender.catalogue.copying import NotEmpty, load_snapshot, move_paths, snapshot
from recommender.catalogue.database import open_database
from recommender.catalogue.models import list_bundles
from recommender.disk import flush, replacing
from recommender.errors import RecommenderError
from recommender.settings import FILE_NAME, Settings

FORMAT, VERSION = "whichlist-backup", 1
MANIFEST, DATABASE = "manifest.json", "database.sqlite"
# The user's music is not in here, nor what can be made again, nor what logs in elsewhere.
FOLDERS = ("encoders", "scorecards", "maps", "uploads")
_PRIVATE = 0o600
# What reading a file that is no backup may end in; a full disk is an OSError too, and another matter.
_NO_BACKUP = (
    *(tarfile.TarError, ValueError, EOFError, OverflowError, LookupError, TypeError, AttributeError),
    *(FileExistsError, NotADirectoryError, IsADirectoryError),
)
_TOP_FILES = (MANIFEST, DATABASE, FILE_NAME)

Progress = Callable[[int, int, str], None]


class BadBackup(RecommenderError):
    """The file is no backup, is damaged, or was written by a newer version; nothing was restored."""

    code = "bad_backup"


@dataclass(frozen=True)
class BackupContents:
    """What a backup holds."""

    created_at: float
    n_files: int
    n_bytes: int


def write_backup(settings: Settings, path: Path, *, progress: Progress | None = None) -> BackupContents:
    """Write a backup to ``path`` while servers and workers go on; an earlier one is replaced at the end.

    Raises
    ------
    SchemaOutdated, DatabaseUnreachable
        There is no database to back up.
    OSError
        The file cannot be written; what was at ``path`` is still there.
    """
    report = progress or (lambda n_done, n_total, message: None)
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=path.absolute().parent) as folder:
        database = Path(folder) / DATABASE
        report(0, 1, "reading the database")
        snapshot(settings, database)
        files = [(DATABASE, database), *_files(settings)]
        measured: dict[str, dict[str, Any]] = {}
        created_at = time.time()
        with replacing(path) as target:
            os.fchmod(target.fileno(), _PRIVATE)
            with tarfile.open(fileobj=target, mode="w") as tar:
                for n_done, (name, file) in enumerate(files):
                    report(n_done, len(files), name)
                    measured[name] = _add(tar, name, file)
                about = {"format": FORMAT, "version": VERSION, "created_at": created_at}
                _add_manifest(tar, about | {"data": os.fspath(settings.data.resolve()), "files": measured})
            target.flush()
            os.fsync(target.fileno())
    flush(path.absolute().parent)
    report(len(files), len(files), "written")
    return BackupContents(created_at, len(files), sum(row["size"] for row in measured.values()))


def restore_backup(settings: Settings, path: Path, *, progress: Progress | None = None) -> BackupContents:
    """Bring back what a backup holds, into an empty data folder and an empty database.

    Raises
    ------
    BadBackup
        The file is no backup, or not as it was written.
    NotEmpty
        There is something already.
    """
    report = progress or (lambda n_done, n_total, message: None)
    data = settings.data
    data.mkdir(parents=True, exist_ok=True)
    for name in ("bundles", *FOLDERS):
        if (data / name).is_dir() and any((data / name).iterdir()):
            raise NotEmpty(f"{os.fspath(data)!r} holds {name} already; restore into an empty data folder")
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=data) as folder:
        report(0, 3, "checking the backup")
        manifest = _unpack(path, Path(folder))
        report(1, 3, "filling the database")
        load_snapshot(settings, Path(folder) / DATABASE)
        report(2, 3, "putting the models back")
        _settle(Path(folder), data)
    with closing(open_database(settings)) as database:
        move_paths(database, Path(manifest["data"]), data.resolve())
    report(3, 3, "restored")
    sizes = [row["size"] for row in manifest["files"].values()]
    return BackupContents(manifest["created_at"], len(sizes), sum(sizes))


def _files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Name in the backup and file, of every model that the database names and all that belongs to them."""
    with closing(open_database(settings)) as database, database.read_session() as session:
        bundles = [bundle.directory for bundle in list_bundles(session)]
    for directory in bundles:
        yield from _below(directory, f"bundles/{directory.name}")
    for name in FOLDERS:
        yield from _below(settings.data / name, name)
    if (settings.data / FILE_NAME).is_file():
        yield FILE_NAME, settings.data / FILE_NAME


def _below(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield f"{name}/{path.relative_to(folder).as_posix()}", path


class _Measured:
    """A file that is measured while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.sha256 = file, hashlib.sha256()

    def read(self, n_bytes: int = -1) -> bytes:
        data = self._file.read(n_bytes)
        self.sha256.update(data)
        return data


def _add(tar: tarfile.TarFile, name: str, path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        entry = tar.gettarinfo(arcname=name, fileobj=file)
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        measured = _Measured(file)
        tar.addfile(entry, measured)
    return {"size": entry.size, "sha256": measured.sha256.hexdigest()}


def _add_manifest(tar: tarfile.TarFile, manifest: dict[str, Any]) -> None:
    """Last, because only now everything is measured; so a backup that was cut off has none."""
    text = json.dumps(manifest, indent=1).encode()
    entry = tarfile.TarInfo(MANIFEST)
    entry.size, entry.mtime = len(text), int(manifest["created_at"])
    tar.addfile(entry, BytesIO(text))


def _unpack(path: Path, folder: Path) -> dict[str, Any]:
    """Unpack into ``folder`` and check every file; return the manifest."""
    try:
        with tarfile.open(path, mode="r:") as tar:
            unpacked = {entry.name: _unpack_member(tar, entry, folder) for entry in tar}
        written = {MANIFEST: unpacked[MANIFEST]}  # first: without it the file was cut off
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
        if (manifest["format"], manifest["version"]) != (FORMAT, VERSION):
            raise BadBackup(f"{os.fspath(path)!r} is no backup that this version can read")
        written |= {name: str(row["sha256"]) for name, row in manifest["files"].items()}
    except _NO_BACKUP as error:
        raise BadBackup(f"{os.fspath(path)!r} is no backup, or was cut off: {error}") from error
    changed = sorted(name for name in unpacked | written if unpacked.get(name) != written.get(name))
    if changed:
        raise BadBackup(f"{changed[0]} in {os.fspath(path)!r} is not as it was written")
    return manifest


def _unpack_member(tar: tarfile.TarFile, entry: tarfile.TarInfo, folder: Path) -> str:
    """Write one member below ``folder``; its SHA-256.

    The checks are ours: ``tarfile`` has filters of its own only from Python 3.11.4 on. A backup holds plain
    files under few names, so all else is refused: links, devices, paths that lead elsewhere, a file twice.
    """
    parts = entry.name.split("/")
    is_known = parts[0] in ("bundles", *FOLDERS) if len(parts) > 1 else entry.name in _TOP_FILES
    is_plain = all(part not in ("", ".", "..") and "\\" not in part and "\0" not in part for part in parts)
    source = tar.extractfile(entry) if entry.isreg() and not entry.issparse() else None
    if source is None or not is_known or not is_plain:
        raise ValueError(f"a backup holds no {entry.name!r}")
    target = folder.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    measured = _Measured(source)
    with target.open("xb") as file:
        shutil.copyfileobj(measured, file)
    target.chmod(entry.mode & 0o644 | _PRIVATE)
    os.utime(target, (entry.mtime, entry.mtime))
    return measured.sha256.hexdigest()


def _settle(folder: Path, data: Path) -> None:
    """Move what was unpacked to its place."""
    for name in ("bundles", *FOLDERS):
        if (folder / name).is_dir():
            shutil.rmtree(data / name, ignore_errors=True)  # empty, as was checked
            (folder / name).rename(data / name)
    if (folder / FILE_NAME).is_file() and not (data / FILE_NAME).exists():
        (folder / FILE_NAME).rename(data / FILE_NAME)
