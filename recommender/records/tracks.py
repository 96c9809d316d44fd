"""Tracks and their files as plain values; times are seconds since 1970, UTC."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from embeddings.stretch import WHOLE, Stretch

# What stands in for the artist where neither tags nor the file name say one.
UNKNOWN_ARTIST = "unknown artist"


_NUMBERED = re.compile(r"(.+)#(\d{1,3})")


class Place(NamedTuple):
    """Where a track is heard: a file, or a stretch of one."""

    path: Path
    stretch: Stretch = WHOLE


def numbered_path(path: Path) -> tuple[Path, int | None]:
    """The file and the number, from 1, of a track in it, as in ``album.flac#3``; None without a number."""
    found = _NUMBERED.fullmatch(path.name)
    return (path, None) if found is None else (path.with_name(found[1]), int(found[2]))


BIT_RATE_BANDS_KBPS = (64, 112, 160, 256, 400)


@dataclass(frozen=True)
class TrackFacts:
    """What a source says about a track, before it is in the catalogue.

    ``identities`` are (scheme, value) pairs such as ("isrc", "USABC1234567"); ``content_sha256`` is
    the hash of the audio payload, None when only metadata is known. ``artist`` is the credit as it is shown;
    ``artists`` names each where there are several; the track is filed under the first.
    """

    title: str
    artist: str
    album: str = ""
    duration_s: float | None = None
    source: str = "file"
    licence: str = ""
    identities: tuple[tuple[str, str], ...] = ()
    content_sha256: str | None = None
    artists: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileFormat:
    """How a file holds its audio, as its header says; empty and 0 where it is silent."""

    container: str = ""
    sample_rate_hz: int = 0
    bit_rate_kbps: float = 0.0

    @property
    def properties(self) -> tuple[str, str, str]:
        """What files may have in common, in words; bit rates in bands, as they vary from file to file."""
        band = next((band for band in BIT_RATE_BANDS_KBPS if self.bit_rate_kbps <= band), None)
        return (
            f"{self.container} files" if self.container else "",
            f"at {self.sample_rate_hz / 1000:g} kHz" if self.sample_rate_hz else "",
            f"of at most {band} kbit/s" if band and self.bit_rate_kbps > 0 else "",
        )


@dataclass(frozen=True)
class TrackInfo:
    """One track of the catalogue; ``path`` is for display only (undecodable bytes are replaced).

    ``heard_in_part`` says how much was heard of a track that could not be decoded wholly. ``artist`` is the
    credit of all ``artists``; ``artist_id`` is the first of them.
    """

    id: int
    title: str
    artist_id: int
    artist: str
    album: str
    duration_s: float | None
    source: str
    licence: str
    trainable: bool
    path: str | None
    heard_in_part: str | None = None
    artists: tuple[str, ...] = ()


@dataclass(frozen=True)
class FoundFile:
    """An audio file as a folder shows it, unread; a cue sheet about it counts as a part of it."""

    path: Path
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class KnownFile:
    """A file as the last scan left it; ``error_code`` is None unless it could not be heard."""

    size: int
    mtime_ns: int
    track_id: int | None
    error_code: str | None
    error: str | None


@dataclass(frozen=True)
class FailedFile:
    """A file that was set aside, and why."""

    path: str
    code: str
    error: str


def known_artists(names: Sequence[str]) -> tuple[str, ...]:
    """Those of the artists that somebody knows."""
    return tuple(name for name in map(known_artist, names) if name)


def known_artist(name: str) -> str:
    """The artist's name, empty where nobody knows it: strangers must not count as one artist."""
    return "" if name.casefold() == UNKNOWN_ARTIST else name
