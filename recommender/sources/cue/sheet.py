"""The text of a cue sheet: which files there are, and where in each its tracks begin.

Written down nowhere but in the manual of CDRWIN (CUE sheet commands); times are minutes:seconds:frames, 75
frames a second.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from embeddings.stretch import Stretch
from recommender.errors import SourceError
from recommender.sources.rows.names import clean_text
from recommender.sources.rows.text_decoding import decode_text

MAX_BYTES = 1 << 20
_FRAMES_A_SECOND = 75
_MOST_TRACKS = 999
_LINE = re.compile(r"\ufeff?\s*(\w+)\s*(.*?)\s*$")
_FILE = re.compile(r"(?:\"(.*)\"|(\S.*?))(?:\s+(\w+))?\s*$")
_CLOCK = re.compile(r"(\d{1,4}):(\d{1,2}):(\d{1,2})$")
_AUDIO = "AUDIO"


class MalformedSheet(SourceError):
    """A cue sheet that says nothing of any use; the message says where it goes wrong."""

    code = "malformed_cue_sheet"


@dataclass
class SheetTrack:
    """A track of a sheet: ``file`` is the name that the sheet writes, ``start_s`` where INDEX 01 is."""

    number: int
    file: str
    is_audio: bool = True
    title: str = ""
    performer: str = ""
    isrc: str = ""
    start_s: float = -1.0
    stretch: Stretch = field(default=Stretch())


@dataclass(frozen=True)
class Sheet:
    """An album: its name, its performer, and its tracks in order, those that are data left out."""

    title: str
    performer: str
    tracks: tuple[SheetTrack, ...]


def read_sheet(data: bytes | str) -> Sheet:
    """What a cue sheet says.

    A track reaches to where the next in its file begins (INDEX 01), as in players: the gap between them,
    which INDEX 00 announces, belongs to the one before. What lies before the first is nobody's.

    Raises
    ------
    MalformedSheet
        It is too large, has no track with a beginning, or tracks that begin before the one in front.
    """
    if len(data) > MAX_BYTES:
        raise MalformedSheet(f"it has {len(data):,} bytes, which no cue sheet has")
    album, tracks = _parse(data if isinstance(data, str) else decode_text(data))
    begun = [track for track in tracks if track.start_s >= 0]
    for before, after in pairwise(begun):
        if before.file == after.file and after.start_s <= before.start_s:
            raise MalformedSheet(f"track {after.number} begins before track {before.number} in the same file")
    if not any(track.is_audio for track in begun):
        raise MalformedSheet("it names no audio track with a beginning (INDEX 01)")
    for row, track in enumerate(begun):
        following = begun[row + 1] if row + 1 < len(begun) else None
        is_last = following is None or following.file != track.file
        track.stretch = Stretch(track.start_s, None if is_last or following is None else following.start_s)
    kept = tuple(track for track in begun if track.is_audio)
    return Sheet(album.get("TITLE", ""), album.get("PERFORMER", ""), kept)


def _parse(text: str) -> tuple[dict[str, str], list[SheetTrack]]:
    """What is said before the first track, and the tracks as they are written."""
    album: dict[str, str] = {}
    tracks: list[SheetTrack] = []
    file = ""
    for number, word, rest in _commands(text):
        track = tracks[-1] if tracks else None
        if word == "FILE":
            file = _file_name(rest)
        elif word == "TRACK":
            if len(tracks) == _MOST_TRACKS:
                raise MalformedSheet(f"it names more than {_MOST_TRACKS} tracks")
            digits, _, kind = rest.partition(" ")
            said = int(digits) if digits.isascii() and digits.isdigit() else len(tracks) + 1
            is_audio = (kind.strip().upper() or _AUDIO) == _AUDIO
            tracks.append(SheetTrack(said, file, is_audio=is_audio))
        elif word == "INDEX" and track is not None:
            which, _, clock = rest.partition(" ")
            if which.lstrip("0") == "1":
                # INDEX 00 may lie in the file before; the track is where its beginning is.
                track.file, track.start_s = file, _seconds(clock.strip(), number)
        elif word in ("TITLE", "PERFORMER") and track is None:
            album.setdefault(word, _unquoted(rest))
        elif word == "TITLE" and track is not None:
            track.title = _unquoted(rest)
        elif word == "PERFORMER" and track is not None:
            track.performer = _unquoted(rest)
        elif word == "ISRC" and track is not None:
            track.isrc = _unquoted(rest)
    return album, tracks


def _commands(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield (line number, command in capitals, the rest)."""
    for number, line in enumerate(text.splitlines(), start=1):
        found = _LINE.match(line)
        if found is not None:
            yield number, found[1].upper(), found[2]


def _file_name(rest: str) -> str:
    """The name in a FILE command; its type, behind it, may be left out."""
    found = _FILE.match(rest)
    if found is None:
        return ""
    if found[1] is not None:
        return str(found[1])
    # Without quotation marks, a name of several words looks like a name and a type.
    is_typed = (found[3] or "").upper() in ("WAVE", "MP3", "AIFF", "BINARY", "MOTOROLA", "FLAC")
    return str(found[2]) if is_typed or not found[3] else rest


def _seconds(clock: str, line: int) -> float:
    found = _CLOCK.match(clock)
    if found is None:
        raise MalformedSheet(f"line {line}: {clean_text(clock)[:40]!r} is no time (minutes:seconds:frames)")
    minutes, seconds, frames = (int(part) for part in found.groups())
    if seconds > 59 or frames >= _FRAMES_A_SECOND:
        raise MalformedSheet(f"line {line}: {clock!r} has more than 59 seconds or 74 frames")
    return 60 * minutes + seconds + frames / _FRAMES_A_SECOND


def _unquoted(text: str) -> str:
    is_quoted = len(text) > 1 and text[0] == text[-1] == '"'
    return clean_text(text[1:-1] if is_quoted else text)
