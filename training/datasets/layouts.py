"""Data sets on disk as labelled tracks: playlists in folders, the FMA's layout, GTZAN's."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from embeddings.decoding.formats import AUDIO_SUFFIXES
from recommender.errors import NoAudio, UnreadableFolder
from recommender.records.tracks import known_artist
from recommender.sources.folder import library_folders
from training.datasets.fma import find_fma, read_fma
from training.datasets.gtzan import find_gtzan, read_gtzan
from training.datasets.labelled_tracks import (
    LabelledTrack,
    LabelledTracks,
    LayoutError,
    Progress,
    SkippedFile,
    TooFewTracks,
    check_enough,
    find_labels,
    split_unheard,
)
from training.datasets.playlist_folders import read_folder

__all__ = [
    "LAYOUTS",
    "LabelledTrack",
    "LabelledTracks",
    "LayoutError",
    "SkippedFile",
    "TooFewTracks",
    "read_layout",
]

LAYOUTS = ("auto", "folder", "fma", "gtzan")
EXPECTED = {
    "folder": "<playlist>/<audio files>",
    "fma": "fma_metadata/tracks.csv with its three header rows, and fma_<subset>/000/000002.mp3",
    "gtzan": "genres/<genre>/<genre>.00000.wav",
}

_Found = tuple[list[LabelledTrack], list[SkippedFile], tuple[str, ...]]


def read_layout(
    data: Path,
    layout: str = "auto",
    *,
    labels: Sequence[str] = (),
    manifest: Path | None = None,
    subset: str = "",
    seed: int = 0,
    fewest: int = 2,
    shortest_s: float = 1.0,
    check_audio: bool = True,
    progress: Progress | None = None,
) -> LabelledTracks:
    """Return the tracks of a data set, by path, and the files that were left out with their reasons.

    Parameters
    ----------
    layout : {"auto", "folder", "fma", "gtzan"}
        What is expected; ``auto`` takes what it sees.
    labels : sequence of str
        Only these playlists or genres, in any case; of the FMA also sub-genres, whose tracks then count
        under the most specific one that is named.
    manifest : Path, optional
        Of a folder, see :func:`training.datasets.playlist_folders.read_folder`.
    subset : str
        Of the FMA: small, medium, large or full; empty for the smallest that holds every file there.
    seed : int
        Of the split that is made for GTZAN where its published lists are missing.
    fewest : int
        Tracks that a label needs.
    shortest_s : float
        A shorter file is left out.
    check_audio : bool
        Decode a second of each file, so that those which cannot be heard are left out now.

    Raises
    ------
    UnreadableFolder, NoAudio, ManifestError
        The folder is missing or empty, or its manifest is no manifest.
    LayoutError
        It has another layout, or no such label.
    TooFewTracks
        Fewer than two labels, or than ``fewest`` tracks of one, are left.
    """
    if layout not in LAYOUTS:
        raise LayoutError(f"there is no layout {layout!r}; there are: {', '.join(LAYOUTS)}")
    if not data.is_dir():
        raise UnreadableFolder(f"the folder {str(data)!r} cannot be read: it is missing or no folder")
    try:
        seen, read = _recognise(data, manifest, labels=labels, subset=subset, seed=seed, progress=progress)
        # What GTZAN is laid out as is a folder of playlists too.
        if layout == "folder" and seen == "gtzan":
            seen, read = "folder", lambda: _read_playlists(data, labels, manifest)
        if layout not in ("auto", seen):
            raise LayoutError(_wrong_layout(data, layout, seen))
        tracks, skipped, notes = read()
    except OSError as error:
        place = os.fsdecode(error.filename) if error.filename else data
        raise UnreadableFolder(f"{place} cannot be read: {error.strerror or error}") from error
    if check_audio:
        tracks, unheard = split_unheard(tracks, shortest_s=shortest_s, progress=progress)
        skipped = [*skipped, *unheard]
    if not tracks:
        raise NoAudio(f"{data} holds no audio that can be used in the layout {EXPECTED[seen]}")
    check_enough(data, tracks, _spelt(labels, tracks), fewest=fewest, n_skipped=len(skipped))
    order = sorted(skipped, key=lambda file: str(file.path))
    return LabelledTracks(tuple(tracks), tuple(order), seen, notes)


def _recognise(
    data: Path,
    manifest: Path | None,
    *,
    labels: Sequence[str],
    subset: str,
    seed: int,
    progress: Progress | None,
) -> tuple[str, Callable[[], _Found]]:
    """Return the layout that is there, and what reads it."""
    if manifest is None:
        if places := find_fma(data):
            return "fma", lambda: read_fma(places, labels, subset)
        if root := find_gtzan(data):
            return "gtzan", lambda: read_gtzan(root, data, labels, seed, progress=progress)
    return "folder", lambda: _read_playlists(data, labels, manifest)


def _wrong_layout(data: Path, layout: str, seen: str) -> str:
    if seen == "folder" and not any(_audio_below(folder) for folder in library_folders(data)):
        return f"{data} holds nothing of the layout {layout}: {EXPECTED[layout]} is expected"
    return f"{data} has the layout {seen} ({EXPECTED[seen]}), but {layout} is expected ({EXPECTED[layout]})"


def _audio_below(folder: Path) -> bool:
    return any(path.suffix.lower() in AUDIO_SUFFIXES for path in folder.iterdir())


def _spelt(labels: Sequence[str], tracks: Iterable[LabelledTrack]) -> list[str]:
    """Return the labels as the tracks spell them; one without tracks as it was asked for."""
    spelling = {track.label.casefold(): track.label for track in tracks}
    return [spelling.get(label.casefold(), label) for label in labels]


def _read_playlists(data: Path, labels: Sequence[str], manifest: Path | None) -> _Found:
    rows = read_folder(data, manifest=manifest)
    wanted = find_labels(labels, {row.playlist for row in rows}, kind="playlist")
    tracks = [
        LabelledTrack(row.file, row.playlist, known_artist(row.artist), row.title, row.album)
        for row in rows
        if not wanted or row.playlist in wanted
    ]
    return tracks, [] if manifest else list(_extra_files(data)), ()


def _extra_files(data: Path) -> Iterator[SkippedFile]:
    """Yield what is no audio, and the audio that lies in no playlist."""
    for path in sorted(path for path in data.iterdir() if path.is_file() and path.name[0] != "."):
        if path.suffix.lower() in AUDIO_SUFFIXES:
            yield SkippedFile(path, "no_playlist", f"{path.name} lies in no playlist's folder")
    for folder in library_folders(data):
        for path in sorted(folder.rglob("*")):
            hidden = any(part.startswith(".") for part in path.relative_to(data).parts)
            if path.is_file() and not hidden and path.suffix.lower() not in AUDIO_SUFFIXES:
                yield SkippedFile(path, "extra_file", f"{path.name} has no suffix of audio")
