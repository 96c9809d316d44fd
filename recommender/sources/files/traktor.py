"""Traktor's collection (NML): its tracks, and the playlists that name them by where they lie."""

import re
from dataclasses import dataclass, field

from recommender.records.rows import SourcePlaylist, SourceRow
from recommender.sources.files.safe_xml import XmlEvent, XmlSource, read_events
from recommender.sources.rows.collecting import RowCollector, refuse_too_many
from recommender.sources.rows.locations import read_location
from recommender.sources.rows.names import clean_text, read_seconds

SEPARATOR = "/:"
_DRIVE = re.compile(r"[A-Za-z]:$")
_BUILT_IN = frozenset(("_LOOPS", "_RECORDINGS"))
_COLLECTED = ["NML", "COLLECTION", "ENTRY"]
# The rest, most of all the cue points, makes collections of hundreds of megabytes.
_READ = frozenset(("NML", "COLLECTION", "ENTRY", "LOCATION", "ALBUM", "INFO", "NODE", "PRIMARYKEY"))


def read_traktor(source: XmlSource) -> list[SourcePlaylist]:
    """The playlists of a collection, or the one that was exported alone; folders and smart lists are not."""
    reader = _Traktor()
    for event in read_events(source, only=_READ):
        reader.take(event)
    return reader.found


@dataclass
class _Traktor:
    found: list[SourcePlaylist] = field(default_factory=list)
    _path: list[str] = field(default_factory=list)
    _rows: dict[str, SourceRow] = field(default_factory=dict)
    _entry: dict[str, dict[str, str]] = field(default_factory=dict)
    _nodes: list[tuple[dict[str, str], RowCollector]] = field(default_factory=list)

    def take(self, event: XmlEvent) -> None:
        """Note what begins; what ends is complete."""
        if not event.is_end:
            self._path.append(event.name)
            self._begin(event)
            return
        if self._path == _COLLECTED:
            self._add_entry()
        elif event.name == "NODE" and self._nodes:
            self._close_node()
        self._path.pop()

    def _begin(self, event: XmlEvent) -> None:
        if self._path[:3] == _COLLECTED and len(self._path) <= 4:
            self._entry[event.name] = event.attributes
        elif event.name == "NODE":
            self._nodes.append((event.attributes, RowCollector()))
        elif event.name == "PRIMARYKEY" and self._nodes:
            self._add_key(event.attributes.get("KEY", ""))

    def _add_entry(self) -> None:
        refuse_too_many(len(self._rows))
        said, place = self._entry.get("ENTRY", {}), self._entry.get("LOCATION", {})
        info = self._entry.get("INFO", {})
        key = place.get("VOLUME", "") + place.get("DIR", "") + place.get("FILE", "")
        self._rows[key] = SourceRow(
            title=clean_text(said.get("TITLE")),
            artist=clean_text(said.get("ARTIST")),
            album=clean_text(self._entry.get("ALBUM", {}).get("TITLE")),
            duration_s=read_seconds(info.get("PLAYTIME_FLOAT")) or read_seconds(info.get("PLAYTIME")),
            path=_path_of(key),
            released=clean_text(info.get("RELEASE_DATE")).replace("/", "-"),
        )
        self._entry = {}

    def _add_key(self, key: str) -> None:
        """A track that the collection of this file does not hold is still named by its place."""
        self._nodes[-1][1].add(self._rows.get(key) or SourceRow(path=_path_of(key)), text=key)

    def _close_node(self) -> None:
        node, collector = self._nodes.pop()
        name = node.get("NAME", "")
        if node.get("TYPE") == "PLAYLIST" and name not in _BUILT_IN:
            refuse_too_many(0, len(self.found))
            self.found.append(collector.playlist(name, "traktor"))


def _path_of(key: str) -> str | None:
    """``C:/:Music/:a.mp3`` and ``Macintosh HD/:Users/:me/:a.mp3``: a drive's letter counts, its name not."""
    volume, _, rest = key.partition(SEPARATOR)
    path = "/" + rest.replace(SEPARATOR, "/")
    return (
        read_location(volume + path if _DRIVE.match(volume) else path, folder=None, is_path=True).path
        if rest
        else None
    )
