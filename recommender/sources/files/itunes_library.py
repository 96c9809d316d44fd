"""The XML that iTunes and Apple Music write of a library or of one playlist: a property list.

It is read as it comes, and of each track only what names it is kept: a library of 100,000 tracks is a
hundred megabytes of text.
"""

import sys
from dataclasses import dataclass, field

from recommender.records.rows import SourcePlaylist, SourceRow
from recommender.sources.files.safe_xml import XmlEvent, XmlSource, read_events
from recommender.sources.rows.collecting import RowCollector, refuse_too_many
from recommender.sources.rows.locations import read_location
from recommender.sources.rows.names import clean_text, read_seconds

_CONTAINERS = frozenset(("dict", "array"))
_NOT_MUSIC = ("Podcast", "Movie", "TV Show", "Has Video", "Audiobooks")
_BUILT_IN = ("Master", "Distinguished Kind", "Folder", "Audiobooks", "Podcasts", "Movies", "TV Shows")
_WANTED = frozenset(
    (
        *("Name", "Artist", "Album", "Total Time", "Location", "Track ID", "Year"),
        *_NOT_MUSIC,
        *_BUILT_IN,
    )
)


@dataclass
class _Frame:
    """A dictionary or list that is being read: the key that comes next, and the values worth keeping."""

    is_list: bool
    key: str = ""
    values: dict[str, str] = field(default_factory=dict)


@dataclass
class _Library:
    tracks: dict[str, SourceRow | None] = field(default_factory=dict)
    playlists: list[tuple[str, list[str]]] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)


def read_itunes(data: XmlSource) -> list[SourcePlaylist]:
    """The playlists that the user made, with the rows of the library that they refer to.

    The whole library, folders and what the program keeps itself (films, podcasts) are left out.
    """
    library, frames = _Library(), list[_Frame]()
    for event in read_events(data, doctype="plist", starts=_CONTAINERS):
        if event.name in _CONTAINERS:
            _enter_or_leave(event, frames, library)
        elif frames:
            _take_value(event, frames[-1])
    return [_playlist(name, track_ids, library.tracks) for name, track_ids in library.playlists]


def _enter_or_leave(event: XmlEvent, frames: list[_Frame], library: _Library) -> None:
    if not event.is_end:
        frames.append(_Frame(is_list=event.name == "array"))
        return
    closed = frames.pop()
    # The root's keys, then those of what stands below; a list has none.
    place = [frame.key for frame in frames]
    if not closed.is_list:
        _take_dictionary(closed.values, place, library)


def _take_value(event: XmlEvent, frame: _Frame) -> None:
    if event.name == "key":
        frame.key = event.text
    elif not frame.is_list and frame.key in _WANTED:
        frame.values[frame.key] = event.text if event.text else event.name


def _take_dictionary(values: dict[str, str], place: list[str], library: _Library) -> None:
    match place:
        case ["Tracks", track_id]:
            refuse_too_many(len(library.tracks))
            library.tracks[track_id] = _row(values)
        case ["Playlists", "", "Playlist Items", ""]:
            library.entries.append(sys.intern(values.get("Track ID", "")))
        case ["Playlists", ""]:
            refuse_too_many(0, len(library.playlists))
            if not any(values.get(name, "false") != "false" for name in _BUILT_IN):
                library.playlists.append((values.get("Name", ""), library.entries))
            library.entries = []


def _row(values: dict[str, str]) -> SourceRow | None:
    """What names a track; None for what is no music."""
    if any(values.get(name, "false") != "false" for name in _NOT_MUSIC):
        return None
    place = read_location(values.get("Location", ""), folder=None)
    return SourceRow(
        title=clean_text(values.get("Name")),
        artist=clean_text(values.get("Artist")),
        album=clean_text(values.get("Album")),
        duration_s=read_seconds(values.get("Total Time"), per_second=1000.0),
        path=place.path,
        url=place.url,
        released=clean_text(values.get("Year")),
    )


def _playlist(name: str, track_ids: list[str], tracks: dict[str, SourceRow | None]) -> SourcePlaylist:
    collector = RowCollector()
    for track_id in track_ids:
        row = tracks.get(track_id)
        if row is not None:
            collector.add(row)
        elif track_id in tracks:
            collector.skip("not_music", "it is a film, a podcast or an audiobook", text=f"track {track_id}")
        else:
            collector.skip("missing_track", "the file's library does not hold it", text=f"track {track_id}")
    return collector.playlist(name, "itunes")
