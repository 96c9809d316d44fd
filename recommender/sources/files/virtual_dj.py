"""VirtualDJ: its virtual folders, its library, and what it adds to an M3U."""

import html
import re

from recommender.records.rows import SourcePlaylist, SourceRow
from recommender.sources.files.safe_xml import XmlSource, read_events
from recommender.sources.rows.collecting import RowCollector
from recommender.sources.rows.locations import read_location
from recommender.sources.rows.names import clean_text, read_seconds

M3U_DIRECTIVE = "#EXTVDJ:"
_MEMBER = re.compile(r"<(artist|title|remix|songlength)>(.*?)</\1>", re.IGNORECASE)


def read_virtual_folder(source: XmlSource, *, name: str) -> SourcePlaylist:
    """The songs of a ``.vdjfolder``, in its order."""
    collector = RowCollector()
    for event in read_events(source):
        if not event.is_end and event.name == "song":
            said = event.attributes
            collector.add(
                _row(said, path=said.get("path", ""), artist="artist", title="title", remix="remix")
            )
    return collector.playlist(name, "virtualdj")


def read_virtual_dj_library(source: XmlSource) -> SourcePlaylist:
    """Every song of a ``database.xml``, which holds no playlists."""
    collector = RowCollector()
    path, said = "", dict[str, str]()
    for event in read_events(source):
        if not event.is_end and event.name == "Song":
            path, said = event.attributes.get("FilePath", ""), {}
        elif not event.is_end and event.name in ("Tags", "Infos"):
            said |= event.attributes
        elif event.is_end and event.name == "Song":
            collector.add(_row(said, path=path, artist="Author", title="Title", remix="Remix"), text=path)
    return collector.playlist("VirtualDJ library", "virtualdj")


def read_m3u_members(line: str) -> SourceRow:
    """What an ``#EXTVDJ:`` line of an M3U says of the track whose place comes next."""
    said = {found[1].lower(): html.unescape(found[2]) for found in _MEMBER.finditer(line)}
    return _row(said, path="", artist="artist", title="title", remix="remix")


def _row(said: dict[str, str], *, path: str, artist: str, title: str, remix: str) -> SourceRow:
    name, version = clean_text(said.get(title)), clean_text(said.get(remix))
    place = read_location(path, folder=None, is_path=True)
    return SourceRow(
        title=f"{name} ({version})" if name and version else name,
        artist=clean_text(said.get(artist)),
        album=clean_text(said.get("Album")),
        duration_s=read_seconds(said.get("songlength")) or read_seconds(said.get("SongLength")),
        path=place.path,
        url=place.url,
    )
