"""Playlists as files that players, other services and Whichlist itself read."""

import csv
import enum
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from xml.etree import ElementTree

from recommender.errors import SourceError
from recommender.records.rows import ISRC, MBID, SPOTIFY, SourcePlaylist, SourceRow
from recommender.sources.files.dj_writing import write_rekordbox, write_serato, write_traktor
from recommender.sources.files.xspf import VLC_APPLICATION, VLC_NAMESPACE
from recommender.sources.rows.locations import path_to_uri
from recommender.sources.rows.names import clean_text, split_artist_title, uri_of_identity

XSPF_NAMESPACE = "http://xspf.org/ns/0/"
CSV_COLUMNS = (
    *("Track name", "Artist name", "Album", "Playlist name", "Duration (ms)", "Release date"),
    *("ISRC", "MusicBrainz recording id", "Spotify track", "Path", "URL"),
)
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
FORMULA = re.compile(r"'*[=+\-@]")  # what a spreadsheet would calculate; reading takes one ' off again


class PlaylistFormat(enum.StrEnum):
    """The formats that are written."""

    M3U8 = "m3u8"
    XSPF = "xspf"
    JSPF = "jspf"
    CSV = "csv"
    PLS = "pls"
    REKORDBOX = "rekordbox"
    TRAKTOR = "nml"
    SERATO = "crate"

    @property
    def suffix(self) -> str:
        """How the names of such files end, without the dot."""
        return "xml" if self is PlaylistFormat.REKORDBOX else self.value

    @classmethod
    def of_suffix(cls, suffix: str) -> "PlaylistFormat | None":
        """The format of files whose names end so, or None."""
        return next((known for known in cls if known.suffix == suffix.lower()), None)


# Files of these hold any number of playlists.
MANY = frozenset((PlaylistFormat.REKORDBOX, PlaylistFormat.TRAKTOR))
MEDIA_TYPES = {
    PlaylistFormat.M3U8: "audio/x-mpegurl; charset=utf-8",
    PlaylistFormat.XSPF: "application/xspf+xml",
    PlaylistFormat.JSPF: "application/json",
    PlaylistFormat.CSV: "text/csv; charset=utf-8",
    PlaylistFormat.PLS: "audio/x-scpls; charset=utf-8",
    PlaylistFormat.REKORDBOX: "application/xml",
    PlaylistFormat.TRAKTOR: "application/xml",
    PlaylistFormat.SERATO: "application/octet-stream",
}


class UnknownFormat(SourceError):
    """A format that playlists are not written in."""

    code = "unknown_format"


def write_playlist(playlist: SourcePlaylist, format: PlaylistFormat | str) -> bytes:
    """The playlist as a file, text in UTF-8.

    Every format keeps the order, titles, artists, albums, durations, paths and addresses; XSPF and JSPF
    keep every identity, CSV the ISRC, the MusicBrainz and the Spotify one and the date of release. M3U8
    and PLS list places: a row without path and address stands there as a remark only, and durations are
    whole seconds. Rekordbox, Traktor and Serato know tracks by their files: rows without one are left out,
    and a crate keeps nothing but the places. Of an album in one file, M3U8, XSPF and JSPF say which part a
    track is, in VLC's words; the other formats name the file.

    Raises
    ------
    UnknownFormat
        The format is none of :class:`PlaylistFormat`.
    """
    if format not in _WRITERS:
        known = ", ".join(PlaylistFormat)
        raise UnknownFormat(f"playlists are not written as {clean_text(format)!r}; there are {known}")
    return _WRITERS[PlaylistFormat(format)](playlist)


def write_playlists(playlists: Sequence[SourcePlaylist], format: PlaylistFormat) -> bytes:
    """Several playlists in one file, in one of the formats ``MANY``."""
    return (write_rekordbox if format is PlaylistFormat.REKORDBOX else write_traktor)(playlists)


def _write_m3u8(playlist: SourcePlaylist) -> bytes:
    return _encode(
        "\n".join(("#EXTM3U", f"#PLAYLIST:{clean_text(playlist.name)}", *_m3u8_lines(playlist), ""))
    )


def _m3u8_lines(playlist: SourcePlaylist) -> Iterator[str]:
    for row in playlist.rows:
        place = _place(row)
        if place is None:
            yield f"# nothing to play: {_shown(row)}"
            continue
        yield f"#EXTINF:{_whole_seconds(row)},{_shown(row)}"
        if split_artist_title(_shown(row)) != (clean_text(row.artist), clean_text(row.title)):
            yield f"#EXTART:{clean_text(row.artist)}"
        if row.album:
            yield f"#EXTALB:{clean_text(row.album)}"
        yield from (f"#EXTVLCOPT:{option}" for option in _part_options(row))
        yield place


def _write_pls(playlist: SourcePlaylist) -> bytes:
    rows = [(place, row) for row in playlist.rows if (place := _place(row)) is not None]
    lines = ["[playlist]", f"PlaylistName={clean_text(playlist.name)}"]
    for number, (place, row) in enumerate(rows, start=1):
        lines += [
            f"File{number}={place}",
            f"Title{number}={_shown(row)}",
            f"Length{number}={_whole_seconds(row)}",
        ]
    return _encode("\n".join([*lines, f"NumberOfEntries={len(rows)}", "Version=2", ""]))


def _write_xspf(playlist: SourcePlaylist) -> bytes:
    ElementTree.register_namespace("", XSPF_NAMESPACE)
    ElementTree.register_namespace("vlc", VLC_NAMESPACE)
    root = ElementTree.Element(f"{{{XSPF_NAMESPACE}}}playlist", version="1")
    _add_text(root, "title", clean_text(playlist.name))
    tracks = ElementTree.SubElement(root, f"{{{XSPF_NAMESPACE}}}trackList")
    for row in playlist.rows:
        track = ElementTree.SubElement(tracks, f"{{{XSPF_NAMESPACE}}}track")
        for name, texts in _members(row).items():
            for text in texts if isinstance(texts, list) else [texts]:
                _add_text(track, name, str(text))
        if options := _part_options(row):
            extension = ElementTree.SubElement(
                track, f"{{{XSPF_NAMESPACE}}}extension", application=VLC_APPLICATION
            )
            for option in options:
                ElementTree.SubElement(extension, f"{{{VLC_NAMESPACE}}}option").text = option
    ElementTree.indent(root)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _add_text(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, f"{{{XSPF_NAMESPACE}}}{name}").text = text


def _write_jspf(playlist: SourcePlaylist) -> bytes:
    tracks = [_members(row) | _json_extension(row) for row in playlist.rows]
    document = {"playlist": {"title": clean_text(playlist.name), "track": tracks}}
    return _encode(json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def _json_extension(row: SourceRow) -> dict[str, Any]:
    options = _part_options(row)
    return {"extension": {VLC_APPLICATION: [{"option": option} for option in options]}} if options else {}


def _members(row: SourceRow) -> dict[str, Any]:
    """What XSPF and JSPF say of a track, under the names that they share; what is empty is left out."""
    members: dict[str, Any] = {
        "location": _addresses(row),
        "identifier": [clean_text(uri_of_identity(scheme, value)) for scheme, value in row.identities],
        "title": clean_text(row.title),
        "creator": clean_text(row.artist),
        "album": clean_text(row.album),
        "duration": _milliseconds(row),
    }
    return {name: value for name, value in members.items() if value}


def _part_options(row: SourceRow) -> list[str]:
    """Where in its file a track of an album lies, as VLC writes it; empty where the file is the track."""
    ends = (("start-time", row.start_s), ("stop-time", row.end_s))
    return [f"{name}={value_s:.3f}" for name, value_s in ends if value_s is not None]


def _write_csv(playlist: SourcePlaylist) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for row in playlist.rows:
        names = (row.title, row.artist, row.album, playlist.name)
        kept = (row.identity(ISRC), row.identity(MBID), row.identity(SPOTIFY))
        cells = [clean_text(cell) for cell in (*names, _milliseconds(row), row.released, *kept)]
        writer.writerow([_defuse(cell) for cell in (*cells, _path(row) or "", _url(row) or "")])
    return _encode(text.getvalue())


def _defuse(cell: str) -> str:
    return f"'{cell}" if FORMULA.match(cell) else cell


def _shown(row: SourceRow) -> str:
    return " - ".join(text for text in (clean_text(row.artist), clean_text(row.title)) if text)


def _place(row: SourceRow) -> str | None:
    """The line that a player opens."""
    return _path(row) or _url(row)


def _path(row: SourceRow) -> str | None:
    """The path as it is where any reader gives that back unchanged, else as an address.

    An address is for the few names that need one: not every player knows the file behind it (MPD 0.23).
    """
    if row.path is None:
        return None
    is_shown = row.path == clean_text(row.path) and not row.path.startswith("#")
    is_plain = is_shown and not _ESCAPE.search(row.path)
    return row.path if is_plain else path_to_uri(row.path)


def _url(row: SourceRow) -> str | None:
    """The address, unless it would end the line that it stands in."""
    return row.url if row.url and row.url.isprintable() and " " not in row.url else None


def _addresses(row: SourceRow) -> list[str]:
    return [address for address in (row.path and path_to_uri(row.path), _url(row)) if address]


def _whole_seconds(row: SourceRow) -> int:
    return -1 if row.duration_s is None else max(1, round(row.duration_s))


def _milliseconds(row: SourceRow) -> int | None:
    return None if row.duration_s is None else max(1, round(1000 * row.duration_s))


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "replace")


_WRITERS: dict[str, Callable[[SourcePlaylist], bytes]] = {
    PlaylistFormat.M3U8: _write_m3u8,
    PlaylistFormat.XSPF: _write_xspf,
    PlaylistFormat.JSPF: _write_jspf,
    PlaylistFormat.CSV: _write_csv,
    PlaylistFormat.PLS: _write_pls,
    PlaylistFormat.REKORDBOX: lambda playlist: write_rekordbox([playlist]),
    PlaylistFormat.TRAKTOR: lambda playlist: write_traktor([playlist]),
    PlaylistFormat.SERATO: write_serato,
}
