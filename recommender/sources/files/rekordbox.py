"""rekordbox's library as XML: a collection of tracks, then a tree of folders and playlists."""

from recommender.records.rows import SourcePlaylist, SourceRow
from recommender.sources.files.safe_xml import XmlEvent, XmlSource, read_events
from recommender.sources.rows.collecting import RowCollector, refuse_too_many
from recommender.sources.rows.locations import read_location
from recommender.sources.rows.names import clean_text, read_seconds

_PLAYLIST = "1"
_BY_LOCATION = "1"


def read_rekordbox(source: XmlSource) -> list[SourcePlaylist]:
    """Every playlist of the tree."""
    return _Rekordbox().read(source)


class _Rekordbox:
    """A collection of tracks, then a tree of folders and playlists that refer to it."""

    def __init__(self) -> None:
        self._by_id: dict[str, SourceRow] = {}
        self._by_location: dict[str, SourceRow] = {}
        self._nodes: list[tuple[dict[str, str], RowCollector]] = []
        self._found: list[SourcePlaylist] = []

    def read(self, source: XmlSource) -> list[SourcePlaylist]:
        path: list[str] = []
        for event in read_events(source):
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
