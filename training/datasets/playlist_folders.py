"""Folders of playlists as rows: which file, in which playlist, by whom."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from recommender.errors import NoAudio, RecommenderError
from recommender.sources.folder import library_folders, read_facts, walk_audio

MANIFEST_COLUMNS = ("file", "playlist", "artist", "title", "album")


@dataclass(frozen=True)
class TrackRow:
    """One track of a labelled folder; ``album`` is empty where nothing says it."""

    file: Path
    playlist: str
    artist: str
    title: str
    album: str


class ManifestError(RecommenderError):
    """A manifest cannot be read; the message names the line and what is wrong with it."""

    code = "bad_manifest"


def read_folder(folder: Path, *, manifest: Path | None = None) -> list[TrackRow]:
    """Rows of ``folder/<playlist>/<audio>``, by path.

    Parameters
    ----------
    manifest : Path, optional
        CSV with a column ``file`` (relative to the folder) and any of ``playlist``, ``artist``, ``title``,
        ``album``. What it says wins over the folder's layout and the tags; files it does not name are
        left out.

    Raises
    ------
    UnreadableFolder, ManifestError, NoAudio
    """
    folder = folder.absolute()
    rows = list(_manifest_rows(folder, manifest) if manifest else _folder_rows(folder))
    if not rows:
        raise NoAudio(f"{folder} holds no audio in the layout {folder.name}/<playlist>/<audio files>")
    return rows


def name_in(folder: Path, path: Path) -> str:
    """Return how a report names a file: from the folder on, or in full where a manifest led elsewhere."""
    folder, path = folder.absolute(), path.absolute()
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def _folder_rows(folder: Path) -> Iterator[TrackRow]:
    for playlist in library_folders(folder):
        for found in walk_audio(playlist):
            yield _row(found.path, {"playlist": playlist.name})


def _manifest_rows(folder: Path, manifest: Path) -> Iterator[TrackRow]:
    # Spreadsheet programs write a byte order mark before the first column's name.
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ManifestError(f"{manifest} cannot be read: {error}") from error
    for number, line in enumerate(lines, start=2):
        said = {name: (line.get(name) or "").strip() for name in MANIFEST_COLUMNS}
        if not said["file"]:
            raise ManifestError(f"{manifest}, line {number}: the column 'file' is missing or empty")
        # A missing file stays in the list: whoever listens reports it with the others that fail.
        path = folder / said.pop("file")
        yield _row(path, {"playlist": path.parent.name} | {name: text for name, text in said.items() if text})


def _row(path: Path, said: dict[str, str]) -> TrackRow:
    facts = read_facts(path)
    return TrackRow(
        file=path,
        playlist=said["playlist"],
        artist=said.get("artist", facts.artist),
        title=said.get("title", facts.title),
        album=said.get("album", facts.album),
    )
