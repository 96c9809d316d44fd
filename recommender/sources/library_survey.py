"""What the folders of a library look like: playlists, artists or albums. Looked at, never listened to.

A person is asked before a folder becomes a playlist: people keep music by artist and album far more often
than by playlist, and fourteen playlists of one artist each would answer nothing.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path

from recommender.records.tracks import UNKNOWN_ARTIST, TrackFacts
from recommender.sources.folder import library_folders, read_facts, walk_audio

N_SAMPLED = 9
MAX_COUNTED = 2000  # files of one folder; whoever has more there knows that it is large
MANY_ALIKE = 0.8
_COMPILATIONS = frozenset(("various artists", "various", "va", "compilations", "soundtracks", "unsorted"))


class FolderKind(StrEnum):
    """What a folder looks like."""

    PLAYLIST = "playlist"
    ARTIST = "artist"
    ALBUM = "album"
    EMPTY = "empty"


@dataclass(frozen=True)
class SurveyedFolder:
    """A folder directly below a library: how many files it holds (at most 2000 are counted), and its look."""

    path: Path
    n_files: int
    n_artists: int
    kind: FolderKind

    @property
    def name(self) -> str:
        """As it is shown."""
        return os.fsencode(self.path.name).decode("utf-8", "replace")


def survey_library(folder: Path, *, but_not: Iterable[Path] = ()) -> list[SurveyedFolder]:
    """Look at every folder directly below a library, by name.

    Raises
    ------
    UnreadableFolder
        The library is missing, is no folder, or may not be read.
    """
    passed_over = frozenset(but_not)
    return [survey_folder(path) for path in library_folders(folder) if path not in passed_over]


def survey_folder(folder: Path) -> SurveyedFolder:
    """Look at one folder: where its files lie, and what the tags of a few of them say."""
    files = [found.path for found in islice(walk_audio(folder), MAX_COUNTED)]
    facts = [read_facts(path) for path in _spread(files)]
    artists = {fact.artist.casefold() for fact in facts if fact.artist != UNKNOWN_ARTIST}
    return SurveyedFolder(folder, len(files), len(artists), _kind(folder, files, facts))


def _spread(files: list[Path]) -> Iterator[Path]:
    n_taken = min(N_SAMPLED, len(files))
    return (files[len(files) * n // n_taken] for n in range(n_taken))


def _kind(folder: Path, files: list[Path], facts: list[TrackFacts]) -> FolderKind:
    if not files:
        return FolderKind.EMPTY
    name = os.fsencode(folder.name).decode("utf-8", "replace").casefold()
    is_nested = sum(path.parent != folder for path in files) > len(files) / 2
    artists = [fact.artist.casefold() for fact in facts if fact.artist != UNKNOWN_ARTIST]
    albums = [fact.album.casefold() for fact in facts if fact.album]
    if name in _COMPILATIONS:
        return FolderKind.ALBUM
    if not artists:  # the usual layout of artists and their albums, without tags
        return FolderKind.ARTIST if is_nested else FolderKind.PLAYLIST
    if _share_of_most(artists) < MANY_ALIKE:
        # One album of many artists is a compilation, unless the folder's name says that it is a playlist's.
        is_album = len(albums) == len(facts) and _share_of_most(albums) >= MANY_ALIKE
        return FolderKind.ALBUM if is_album and albums[0] in name else FolderKind.PLAYLIST
    if is_nested or _is_named_after(name, artists):
        return FolderKind.ARTIST
    return FolderKind.ALBUM if _is_named_after(name, albums) else FolderKind.PLAYLIST


def _share_of_most(values: list[str]) -> float:
    return max(map(values.count, values)) / len(values) if values else 0.0


def _is_named_after(name: str, values: list[str]) -> bool:
    """Whether a folder's name is one of the values, or holds it, as "1997 - OK Computer" does."""
    return any(value in name for value in values if len(value) > 1)
