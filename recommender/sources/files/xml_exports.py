"""Playlists in XML: XSPF, the library of rekordbox, and that of iTunes and Apple Music."""

from collections import defaultdict

from recommender.errors import UnreadableSource
from recommender.records.rows import SourcePlaylist, SourceRow
from recommender.sources.files.itunes_library import read_itunes
from recommender.sources.files.safe_xml import XmlEvent, read_events
from recommender.sources.rows.collecting import RowCollector, refuse_too_many
from recommender.sources.rows.locations import read_location
from recommender.sources.rows.names import clean_text, identity_of_uri, read_seconds

MAX_TEXTS = 20  # locations or identifiers of one track
_PLAYLIST = "1"
_BY_LOCATION = "1"


def read_xml(data: bytes, *, name: str, folder: str | None) -> list[SourcePlaylist]:
    """The playlists in an XML file, whose root element says what it is.

    Raises
    ------
    UnreadableSource
        The XML is damaged or unsafe, or nothing that is known.
    """
    root = next(read_events(data, doctype="plist")).name
    if root == "playlist":
        return [_read_xspf(data, name=name, folder=folder)]
    if root == "DJ_PLAYLISTS":
        return _Rekordbox().read(data)
    if root == "plist":
        return read_itunes(data)
    raise UnreadableSource(
        f"an XML file that begins with <{clean_text(root)[:60]}> is no playlist that is known; there are"
        " <playlist> (XSPF), <plist> (iTunes, Apple Music) and <DJ_PLAYLISTS> (rekordbox)"
    )


def _read_xspf(data: bytes, *, name: str, folder: str | None) -> SourcePlaylist:
    collector, path = RowCollector(), []
    track: dict[str, list[str]] = defaultdict(list)
    for event in read_events(data):
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
        path.pop()
    return collector.playlist(name, "xspf")


def row_of_members(track: dict[str, list[str]], *, folder: str | None) -> SourceRow:
    """The row that a track of XSPF or JSPF describes; each member may stand several times."""

    def first(name: str) -> str:
        return next((text for value in track.get(name, []) if (text := clean_text(value))), "")

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
    )


class _Rekordbox:
    """A collection of tracks, then a tree of folders and playlists that refer to it."""

    def __init__(self) -> None:
        self._by_id: dict[str, SourceRow] = {}
        self._by_location: dict[str, SourceRow] = {}
        self._nodes: list[tuple[dict[str, str], RowCollector]] = []
        self._found: list[SourcePlaylist] = []

    def read(self, data: bytes) -> list[SourcePlaylist]:
        path: list[str] = []
        for event in read_events(data):
            if event.is_end:
                path.pop()
                if event.name == "NODE" and self._nodes:
                    self._close_node()
            else:
                path.append(event.name)
                self._start(event, path)
        return self._found

    def _start(self, event: XmlEvent, path: list[str]) -> None:
        if event.name == "NODE":
            self._nodes.append((event.attributes, RowCollector()))
        elif path == ["DJ_PLAYLISTS", "COLLECTION", "TRACK"]:
            self._add_track(event.attributes)
        elif event.name == "TRACK" and self._nodes:
            self._add_key(event.attributes.get("Key", ""))

    def _add_track(self, said: dict[str, str]) -> None:
        refuse_too_many(len(self._by_id))
        place = read_location(said.get("Location", ""), folder=None)
        row = SourceRow(
            title=clean_text(said.get("Name")),
            artist=clean_text(said.get("Artist")),
            album=clean_text(said.get("Album")),
            duration_s=read_seconds(said.get("TotalTime")),
            path=place.path,
            url=place.url,
        )
        self._by_id[said.get("TrackID", "")] = row
        self._by_location[said.get("Location", "")] = row

    def _add_key(self, key: str) -> None:
        node, collector = self._nodes[-1]
        tracks = self._by_location if node.get("KeyType") == _BY_LOCATION else self._by_id
        row = tracks.get(key)
        if row is None:
            collector.skip("missing_track", "the file's collection does not hold it", text=key)
        else:
            collector.add(row)

    def _close_node(self) -> None:
        node, collector = self._nodes.pop()
        refuse_too_many(0, len(self._found))
        if node.get("Type") == _PLAYLIST:
            self._found.append(collector.playlist(node.get("Name", ""), "rekordbox"))
