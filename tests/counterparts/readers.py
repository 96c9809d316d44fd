"""Runs in the environment of the counterparts: other people's readers, and writers, of the formats of DJs.

``readers.py read KIND FILE`` prints what they see as JSON, {"playlists": {name: [[artist, title, path]]}};
``readers.py write KIND FILE`` writes the JSON of standard input. Loads nothing of Whichlist.
"""

import json
import sys
from pathlib import Path
from typing import Any


def read_rekordbox(path: Path) -> dict[str, Any]:
    from pyrekordbox import RekordboxXml

    xml = RekordboxXml(path)
    found = {}
    for node in xml.root_playlist_folder.get_playlists():
        tracks = [xml.get_track(TrackID=key) for key in node.get_tracks()]
        found[node.name] = [[track.Artist, track.Name, track.Location] for track in tracks]
    return found


def write_rekordbox(path: Path, playlists: dict[str, Any]) -> None:
    from pyrekordbox import RekordboxXml

    xml = RekordboxXml(name="rekordbox", version="5.4.3", company="Pioneer DJ")
    for name, rows in playlists.items():
        playlist = xml.add_playlist(name)
        for artist, title, place in rows:
            track = xml.add_track(place)
            track["Artist"], track["Name"] = artist, title
            playlist.add_track(track.TrackID)
    xml.save(path)


def read_traktor(path: Path) -> dict[str, Any]:
    from traktor_nml_utils import TraktorCollection

    nml = TraktorCollection(path).nml
    named = {}
    for entry in nml.collection.entry:
        place = entry.location
        key = place.volume + place.dir + place.file
        named[key] = [entry.artist, entry.title, place.volume + (place.dir + place.file).replace("/:", "/")]
    nodes = nml.playlists.node.subnodes.node
    return {
        node.name: [named[entry.primarykey.key] for entry in node.playlist.entry]
        for node in nodes
        if node.type == "PLAYLIST"
    }


def write_traktor(path: Path, playlists: dict[str, Any]) -> None:
    """Let it read what stands there already, and write that in its own way."""
    from traktor_nml_utils import TraktorCollection

    assert playlists is not None
    TraktorCollection(path).save()


def read_serato(path: Path) -> dict[str, Any]:
    from serato_tools.crate import Crate

    return {path.stem: [["", "", place] for place in Crate(str(path)).tracks()]}


def write_serato(path: Path, playlists: dict[str, Any]) -> None:
    from serato_tools.crate import Crate

    crate = Crate(str(path))
    crate.data = [field for field in crate.data if field[0] != "osrt"]  # which it cannot write itself
    for rows in playlists.values():
        for _, _, place in rows:
            crate.data.append((Crate.TRACK_FIELD, [("ptrk", place)]))
    crate.save()


def read_serato_library(path: Path) -> dict[str, Any]:
    from serato_tools.database_v2 import DatabaseV2

    rows = []
    for field, _, value in DatabaseV2(str(path)).data:
        if field == "otrk":
            said = {tag: text for tag, _, text in value}
            rows.append([said["tart"], said["tsng"], said["pfil"]])
    return {"library": rows}


READ = {
    "rekordbox": read_rekordbox,
    "nml": read_traktor,
    "crate": read_serato,
    "library": read_serato_library,
}
WRITE = {"rekordbox": write_rekordbox, "nml": write_traktor, "crate": write_serato}

if __name__ == "__main__":
    what, kind, name = sys.argv[1:]
    if what == "read":
        json.dump({"playlists": READ[kind](Path(name))}, sys.stdout)
    else:
        WRITE[kind](Path(name), json.load(sys.stdin)["playlists"])
