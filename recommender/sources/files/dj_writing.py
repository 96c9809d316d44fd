"""Playlists as the programs of DJs import them: rekordbox's XML, Traktor's NML, and Serato's crates.

All three know tracks by their files only: rows without one, and files whose names are no text, are left out.
"""

from collections.abc import Iterator, Sequence
from uuid import NAMESPACE_URL, uuid5
from xml.etree import ElementTree

from recommender.records.rows import SourcePlaylist, SourceRow
from recommender.sources.files.serato import write_crate
from recommender.sources.files.traktor import SEPARATOR
from recommender.sources.rows.locations import path_to_uri
from recommender.sources.rows.names import clean_text

_LOCAL = "file://localhost"


def write_rekordbox(playlists: Sequence[SourcePlaylist]) -> bytes:
    """A library of these playlists, to be named in rekordbox's preferences as an imported one."""
    root = ElementTree.Element("DJ_PLAYLISTS", Version="1.0.0")
    ElementTree.SubElement(root, "PRODUCT", Name="Whichlist", Version="1.0", Company="")
    rows = list(_rows_with_files(playlists))
    ids = {row.path: str(number) for number, row in enumerate(rows, start=1)}
    collection = ElementTree.SubElement(root, "COLLECTION", Entries=str(len(rows)))
    for row in rows:
        said = {"TrackID": ids[row.path], "Name": clean_text(row.title), "Artist": clean_text(row.artist)}
        said |= {"Album": clean_text(row.album), "TotalTime": _seconds(row)}
        place = path_to_uri(row.path or "").replace("file://", _LOCAL, 1)
        ElementTree.SubElement(collection, "TRACK", {**_known(said), "Location": place})
    tree = ElementTree.SubElement(root, "PLAYLISTS")
    top = ElementTree.SubElement(tree, "NODE", Type="0", Name="ROOT", Count=str(len(playlists)))
    for playlist in playlists:
        keys = [ids[row.path] for row in playlist.rows if row.path in ids]
        said = {"Name": clean_text(playlist.name), "Type": "1", "KeyType": "0", "Entries": str(len(keys))}
        node = ElementTree.SubElement(top, "NODE", said)
        for key in keys:
            ElementTree.SubElement(node, "TRACK", Key=key)
    return _document(root)


def write_traktor(playlists: Sequence[SourcePlaylist]) -> bytes:
    """A collection of these playlists, to be imported or laid over Traktor's own."""
    root = ElementTree.Element("NML", VERSION="19")
    ElementTree.SubElement(root, "HEAD", COMPANY="www.native-instruments.com", PROGRAM="Traktor")
    rows = list(_rows_with_files(playlists))
    keys = {row.path: "".join(_place(row)) for row in rows}
    collection = ElementTree.SubElement(root, "COLLECTION", ENTRIES=str(len(rows)))
    for row in rows:
        said = _known({"TITLE": clean_text(row.title), "ARTIST": clean_text(row.artist)})
        entry = ElementTree.SubElement(collection, "ENTRY", said)
        volume, directory, file = _place(row)
        place = {"DIR": directory, "FILE": file, "VOLUME": volume, "VOLUMEID": volume}
        ElementTree.SubElement(entry, "LOCATION", place)
        if row.album:
            ElementTree.SubElement(entry, "ALBUM", TITLE=clean_text(row.album))
        if row.duration_s is not None:
            ElementTree.SubElement(entry, "INFO", PLAYTIME=_seconds(row))
    tree = ElementTree.SubElement(root, "PLAYLISTS")
    top = ElementTree.SubElement(tree, "NODE", TYPE="FOLDER", NAME="$ROOT")
    nodes = ElementTree.SubElement(top, "SUBNODES", COUNT=str(len(playlists)))
    for number, playlist in enumerate(playlists):
        listed = [keys[row.path] for row in playlist.rows if row.path in keys]
        node = ElementTree.SubElement(nodes, "NODE", TYPE="PLAYLIST", NAME=clean_text(playlist.name))
        # The same list keeps its id, so that it is known again when it is imported again.
        uuid = uuid5(NAMESPACE_URL, f"whichlist:{number}:{playlist.name}").hex
        entries = ElementTree.SubElement(node, "PLAYLIST", ENTRIES=str(len(listed)), TYPE="LIST", UUID=uuid)
        for key in listed:
            entry = ElementTree.SubElement(entries, "ENTRY")
            ElementTree.SubElement(entry, "PRIMARYKEY", TYPE="TRACK", KEY=key)
    return _document(root)


def write_serato(playlist: SourcePlaylist) -> bytes:
    """A crate, for the folder ``_Serato_/Subcrates``; its name is that of the file."""
    return write_crate([row.path for row in playlist.rows if row.path and _is_text(row.path)])


def _rows_with_files(playlists: Sequence[SourcePlaylist]) -> Iterator[SourceRow]:
    """Each file once, in the order in which the playlists name them."""
    seen = set[str]()
    for row in (row for playlist in playlists for row in playlist.rows):
        if row.path and row.path not in seen and _is_text(row.path):
            seen.add(row.path)
            yield row


def _is_text(path: str) -> bool:
    return path.isprintable()


def _place(row: SourceRow) -> tuple[str, str, str]:
    """Volume, folder and file as Traktor writes them; the volume is empty where there are no drives."""
    path = (row.path or "").replace("\\", "/") if (row.path or "")[1:2] == ":" else row.path or ""
    volume, rest = (path[:2], path[2:]) if path[1:2] == ":" else ("", path)
    *folders, file = rest.strip("/").split("/")
    return volume, "".join(SEPARATOR + folder for folder in folders) + SEPARATOR, file


def _seconds(row: SourceRow) -> str:
    return "" if row.duration_s is None else str(max(1, round(row.duration_s)))


def _known(said: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in said.items() if value}


def _document(root: ElementTree.Element) -> bytes:
    ElementTree.indent(root)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"
