"""Playlists in XML of every kind: what a file is, its root element says."""

from collections.abc import Callable

from recommender.errors import UnreadableSource
from recommender.records.rows import SourcePlaylist
from recommender.sources.files.itunes_library import read_itunes
from recommender.sources.files.rekordbox import read_rekordbox
from recommender.sources.files.safe_xml import XmlSource, read_events
from recommender.sources.files.traktor import read_traktor
from recommender.sources.files.virtual_dj import read_virtual_dj_library, read_virtual_folder
from recommender.sources.files.windows_media import read_smil
from recommender.sources.files.xspf import read_xspf
from recommender.sources.rows.names import clean_text

_Read = Callable[[XmlSource, str, str | None], list[SourcePlaylist]]


def read_xml(source: XmlSource, *, name: str, folder: str | None) -> list[SourcePlaylist]:
    """The playlists in an XML file.

    Raises
    ------
    UnreadableSource
        The XML is damaged or unsafe, or nothing that is known.
    """
    root = next(read_events(source, doctype="plist")).name
    if root in _BY_ROOT:
        return _BY_ROOT[root](source, name, folder)
    raise UnreadableSource(
        f"an XML file that begins with <{clean_text(root)[:60]}> is no playlist that is known; there are"
        " <playlist> (XSPF), <plist> (iTunes, Apple Music), <DJ_PLAYLISTS> (rekordbox), <NML> (Traktor),"
        " <VirtualFolder> (VirtualDJ) and <smil> (WPL, ZPL)"
    )


_BY_ROOT: dict[str, _Read] = {
    "playlist": lambda source, name, folder: [read_xspf(source, name=name, folder=folder)],
    "plist": lambda source, _name, _folder: read_itunes(source),
    "DJ_PLAYLISTS": lambda source, _name, _folder: read_rekordbox(source),
    "NML": lambda source, _name, _folder: read_traktor(source),
    "VirtualFolder": lambda source, name, _folder: [read_virtual_folder(source, name=name)],
    "VirtualDJ_Database": lambda source, _name, _folder: [read_virtual_dj_library(source)],
    "smil": lambda source, name, folder: [read_smil(source, name=name, folder=folder)],
}
