"""The tracks in a file: it is one, unless a cue sheet beside it or in its tags says that it is an album."""

import os
from dataclasses import dataclass
from pathlib import Path

from embeddings.stretch import WHOLE, Stretch
from recommender.errors import NoSuchTrack
from recommender.records.tracks import TrackFacts, numbered_path
from recommender.sources.cue.images import SUFFIX, albums_in, is_image, read_album
from recommender.sources.cue.sheet import MalformedSheet, Sheet, SheetTrack, read_sheet
from recommender.sources.folder import facts_of_tags, is_there, read_facts
from recommender.sources.tags import Tags, is_isrc, read_tags


@dataclass(frozen=True)
class FileTrack:
    """A track of a file, and which part of the file it is."""

    stretch: Stretch
    facts: TrackFacts


def read_tracks(path: Path) -> tuple[FileTrack, ...]:
    """The tracks in a file, in its order; at least one.

    A sheet beside the file counts before one in its tags. What a sheet leaves open, the file's tags say; a
    file that is one track speaks for itself.
    """
    tags = read_tags(path)
    facts = facts_of_tags(tags, path)
    beside = _beside(path)
    sheet, tracks = beside if beside is not None else _inside(tags)
    if sheet is None or not is_image(tracks):
        return (FileTrack(WHOLE, facts),)
    return tuple(FileTrack(track.stretch, _facts_of(track, sheet, facts)) for track in tracks)


def read_track(path: Path) -> tuple[Path, FileTrack]:
    """The file and the track that a path means: a file as a whole, or ``album.flac#3``, its third track.

    Raises
    ------
    NoSuchTrack
        The file is not there, or has fewer tracks.
    """
    file, number = numbered_path(path)
    if is_there(path) and path.is_file():
        return path, FileTrack(WHOLE, read_facts(path))
    if number is None or not is_there(file) or not file.is_file():
        raise NoSuchTrack(f"there is no file {_shown(path)[:100]!r} there")
    tracks = read_tracks(file)
    if not 0 < number <= len(tracks):
        many = "is one track" if len(tracks) == 1 else f"has {len(tracks)} tracks"
        raise NoSuchTrack(f"{_shown(file)!r} {many}, there is no number {number}")
    return file, tracks[number - 1]


def references_of(path: Path) -> list[str]:
    """What asks for each track of a cue sheet: ``album.flac#1`` and so on.

    Raises
    ------
    MalformedSheet
    """
    album = read_album(path)
    return [
        f"{file}#{number}" if is_image(tracks) else str(file)
        for file, tracks in album.files.items()
        for number in range(1, len(tracks) + 1)
    ]


def is_sheet(path: Path) -> bool:
    """Whether a path is that of a cue sheet that is there."""
    return path.suffix.lower() == SUFFIX and path.is_file()


_Found = tuple[Sheet | None, tuple[SheetTrack, ...]]


def _beside(path: Path) -> _Found | None:
    for album in albums_in(path.parent)[0]:
        if path in album.files:
            return album.sheet, album.files[path]
    return None


def _inside(tags: Tags) -> _Found:
    if not tags.cue_sheet:
        return None, ()
    try:
        sheet = read_sheet(tags.cue_sheet)
    except MalformedSheet:
        return None, ()
    # Whatever it is called in there: a sheet in a file is about that file, unless it speaks of several.
    is_of_one = len({track.file for track in sheet.tracks}) == 1
    return sheet, sheet.tracks if is_of_one else ()


def _facts_of(track: SheetTrack, sheet: Sheet, file: TrackFacts) -> TrackFacts:
    artist = track.performer or sheet.performer
    code = track.isrc.replace("-", "").upper()
    return TrackFacts(
        title=track.title or f"{sheet.title or file.album or file.title} {track.number:02}",
        artist=artist or file.artist,
        artists=() if artist else file.artists,
        album=sheet.title or file.album,
        duration_s=None if track.stretch.end_s is None else track.stretch.length_s(0.0),
        licence=file.licence,
        identities=(("isrc", code),) if is_isrc(code) else (),
    )


def _shown(path: Path) -> str:
    return os.fsencode(path.name).decode("utf-8", "replace")
