"""XSPF, and the names that JSPF shares with it."""

from collections import defaultdict

from recommender.records.rows import SourcePlaylist, SourceRow
from recommender.sources.files.safe_xml import XmlSource, read_events
from recommender.sources.rows.collecting import RowCollector
from recommender.sources.rows.locations import read_location
from recommender.sources.rows.names import clean_text, identity_of_uri, read_seconds

MAX_TEXTS = 20  # locations or identifiers of one track
# How VLC names what it adds, https://wiki.videolan.org/XSPF/.
VLC_APPLICATION = "http://www.videolan.org/vlc/playlist/0"
VLC_NAMESPACE = "http://www.videolan.org/vlc/playlist/ns/0/"
VLC_OPTION = "option"  # such as "start-time=12.5", for a track that is a part of its file


def read_xspf(source: XmlSource, *, name: str, folder: str | None) -> SourcePlaylist:
    """The playlist in an XSPF file."""
    collector, path = RowCollector(), list[str]()
    track: dict[str, list[str]] = defaultdict(list)
    for event in read_events(source):
        if not event.is_end:
            path.append(event.name)
            continue
        if path == ["playlist", "title"]:
            name = clean_text(event.text) or name
        elif path == ["playlist", "trackList", "track"]:
            collector.add(row_of_members(track, folder=folder))
            track.clear()
        elif path[:-1] == ["playlist", "trackList", "track"] and len(track[event.name]) < MAX_TEXTS:
            track[event.name].append(event.text)
        elif path[2:] == ["track", "extension", "option"] and len(track[VLC_OPTION]) < MAX_TEXTS:
            track[VLC_OPTION].append(event.text)
        path.pop()
    return collector.playlist(name, "xspf")


def row_of_members(track: dict[str, list[str]], *, folder: str | None) -> SourceRow:
    """The row that a track of XSPF or JSPF describes; each member may stand several times."""

    def first(name: str) -> str:
        return next((text for value in track.get(name, []) if (text := clean_text(value))), "")

    def option(name: str) -> float | None:
        values = (text.removeprefix(f"{name}=") for text in track.get(VLC_OPTION, []) if f"{name}=" in text)
        return read_seconds(next(values, ""))

    places = [read_location(text, folder=folder, is_uri=True) for text in track.get("location", [])]
    named = [identity_of_uri(text) for text in (*track.get("identifier", []), *track.get("location", []))]
    return SourceRow(
        title=first("title"),
        artist=first("creator"),
        album=first("album"),
        duration_s=read_seconds(first("duration"), per_second=1000.0),
        identities=tuple(dict.fromkeys(identity for identity in named if identity)),
        path=next((place.path for place in places if place.path), None),
        url=next((place.url for place in places if place.url), None),
        start_s=option("start-time"),
        end_s=option("stop-time"),
    )
