"""Playlists of lines: M3U and M3U8, PLS, and plain "Artist - Title"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from embeddings.decoding.formats import AUDIO_SUFFIXES
from recommender.errors import UnreadableSource
from recommender.records.rows import SPOTIFY, SourcePlaylist, SourceRow
from recommender.sources.files.virtual_dj import M3U_DIRECTIVE, read_m3u_members
from recommender.sources.rows.collecting import RowCollector, add_location, refuse_too_many
from recommender.sources.rows.names import clean_text, read_seconds, read_spotify, split_artist_title

MAX_LINE = 1 << 14  # characters; the rest of a longer line is no title and no path
M3U_LINE = re.compile(r"^[ \t]*#EXT(?:M3U|INF:|VDJ:|-X-)", re.IGNORECASE | re.MULTILINE)
PLS_HEADER = re.compile(r"\s*\[(?:playlist|reference)\]", re.IGNORECASE)
_EXTINF = re.compile(
    r"#EXTINF:\s*(-?[\d.]*)((?:\s+[\w-]+=(?:\"[^\"]*\"|[^\s,\"]*))*)\s*(?:,(.*))?$", re.IGNORECASE
)
_PLS_ENTRY = re.compile(r"(file|ref|title|length)(\d{1,7})\s*=(.*)", re.IGNORECASE)
_PLACE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://|file:|[A-Za-z]:[\\/]|\\\\|/", re.IGNORECASE)
_LIST_MARK = re.compile(r"(?:\d{1,5}[.)]|[*\N{BULLET}-])\s+")
_CLOCK_AT_END = re.compile(r"\s+[\[(]?(\d{1,3}:\d{2}(?::\d{2})?)[\])]?$")


@dataclass
class _Announced:
    """What an M3U says of the track whose place comes next; None where it is silent."""

    info: str = ""
    duration_s: float | None = None
    artist: str | None = None
    album: str = ""
    row_said: SourceRow | None = None
    start_s: float | None = None
    end_s: float | None = None

    def row(self) -> SourceRow:
        """The row, but for its place."""
        if self.row_said is not None and self.row_said.title:
            return self.row_said
        artist, title = split_artist_title(self.info)
        if self.artist is not None:
            artist, title = self.artist, _without_artist(self.info, self.artist)
        return SourceRow(
            title=title,
            artist=artist,
            album=self.album,
            duration_s=self.duration_s,
            start_s=self.start_s,
            end_s=self.end_s,
        )

    def note_option(self, option: str) -> None:
        """Take what VLC is told to play of a file."""
        name, _, value = option.partition("=")
        seconds = read_seconds(value)
        if name.strip() == "start-time":
            self.start_s = seconds
        elif name.strip() == "stop-time":
            self.end_s = seconds


def read_m3u(text: str, *, name: str, folder: str | None) -> SourcePlaylist:
    """The playlist in an M3U or M3U8 file.

    Raises
    ------
    UnreadableSource
        It lists the pieces of a stream (HLS).
    """
    collector, announced = RowCollector(), _Announced()
    for line in text_lines(text):
        directive = line[: line.find(":") + 1].upper() if line.startswith("#") else ""
        said = clean_text(line[len(directive) :])
        if line.upper().startswith("#EXT-X-"):
            raise UnreadableSource(
                "this M3U8 lists the pieces of a stream (HLS), not tracks; give a playlist of tracks"
            )
        if directive == "#PLAYLIST:":
            name = said or name
        elif directive == "#EXTINF:":
            announced = _read_extinf(line)
        elif directive == M3U_DIRECTIVE:
            announced.row_said = read_m3u_members(line)
        elif directive == "#EXTART:":
            announced.artist = said
        elif directive == "#EXTALB:":
            announced.album = said
        elif directive == "#EXTVLCOPT:":
            announced.note_option(said)
        elif not line.startswith("#"):
            add_location(collector, announced.row(), line, folder=folder)
            announced = _Announced()
    return collector.playlist(name, SPOTIFY if collector.has_any_spotify() else "m3u")


def read_pls(text: str, *, name: str, folder: str | None) -> SourcePlaylist:
    """The playlist in a PLS file, by its numbers; old files for Windows Media Player call places ``Ref1``."""
    entries: dict[int, dict[str, str]] = {}
    for line in text_lines(text):
        if line.lower().startswith("playlistname="):
            name = clean_text(line.partition("=")[2]) or name
        if found := _PLS_ENTRY.fullmatch(line):
            refuse_too_many(len(entries))
            entries.setdefault(int(found[2]), {})[found[1].lower()] = found[3].strip()
    collector = RowCollector()
    for _, entry in sorted(entries.items()):
        artist, title = split_artist_title(clean_text(entry.get("title", "")))
        row = SourceRow(title=title, artist=artist, duration_s=read_seconds(entry.get("length", "")))
        add_location(collector, row, entry.get("file") or entry.get("ref", ""), folder=folder)
    return collector.playlist(name, SPOTIFY if collector.has_any_spotify() else "pls")


def read_plain(text: str, *, name: str, folder: str | None) -> SourcePlaylist:
    """The playlist in a list of places, of "Artist - Title", or of both.

    Raises
    ------
    UnreadableSource
        No line is either.
    """
    collector, n_named = RowCollector(), 0
    for line in text_lines(text):
        if line.startswith("#"):
            continue
        if _is_place(line):
            add_location(collector, SourceRow(), line, folder=folder)
            continue
        row = _read_artist_title(line)
        if row.artist:
            collector.add(row)
            n_named += 1
        else:
            collector.skip("no_artist", 'a line of text must be "Artist - Title", or a path', text=line)
    playlist = collector.playlist(
        name, SPOTIFY if collector.has_any_spotify() else "text" if n_named else "m3u"
    )
    if not playlist.rows:
        raise UnreadableSource(
            'the file is no playlist: it has no line such as "Artist - Title", and no path'
        )
    return playlist


def text_lines(text: str) -> Iterator[str]:
    """Lines that say something, without space at their ends; titles may hold Unicode's other line ends."""
    lines = re.finditer(r"[^\r\n]+", text)
    return (stripped for line in lines if (stripped := line[0].strip()[:MAX_LINE]))


def _read_extinf(line: str) -> _Announced:
    """Its values may hold commas: ``#EXTINF:-1 tvg-name="a, b",Artist - Title``."""
    found = _EXTINF.match(line)
    if found is None:
        return _Announced(info=clean_text(line.partition(",")[2]))
    return _Announced(info=clean_text(found[3]), duration_s=read_seconds(found[1]))


def _without_artist(info: str, artist: str) -> str:
    if info == artist and artist:
        return ""
    return info.removeprefix(f"{artist} - ") if artist else info


def _is_place(line: str) -> bool:
    is_file = PurePosixPath(line).suffix.lower() in AUDIO_SUFFIXES
    return is_file or _PLACE.match(line) is not None or read_spotify(line) is not None


def _read_artist_title(line: str) -> SourceRow:
    if "\t" in line and " - " not in line:
        line = line.replace("\t", " - ", 1)
    line = clean_text(line)
    if mark := _LIST_MARK.match(line):
        line = line[mark.end() :]
    if clock := _CLOCK_AT_END.search(line):
        line = line[: clock.start()]
    artist, title = split_artist_title(line)
    return SourceRow(title=title, artist=artist, duration_s=read_seconds(clock[1]) if clock else None)
