"""What every source hands over: rows that name tracks, and rows it had to leave out, each with a reason."""

from dataclasses import dataclass, field

ISRC = "isrc"
MBID = "mbid"
RELEASE_GROUP = "release_group"
SPOTIFY = "spotify"
SUBSONIC = "subsonic"
JELLYFIN = "jellyfin"
GUID = "guid"


@dataclass(frozen=True)
class SourceRow:
    """One track as a source names it; empty where the source is silent.

    ``identities`` are (scheme, value) pairs, schemes as in this module: an ISRC, a MusicBrainz recording
    or release group, a Spotify track URI, an id on the user's own server, a feed's guid. ``path`` is an
    absolute local path, ``url`` an http(s) address of the audio, ``released`` a date as the source wrote
    it (YYYY, YYYY-MM or YYYY-MM-DD). ``start_s`` and ``end_s`` are where in the file it lies, for albums in
    one file; None where the file is the track.
    """

    title: str = ""
    artist: str = ""
    album: str = ""
    duration_s: float | None = None
    identities: tuple[tuple[str, str], ...] = ()
    path: str | None = None
    url: str | None = None
    released: str = ""
    start_s: float | None = None
    end_s: float | None = None

    def identity(self, scheme: str) -> str | None:
        """The value of one scheme, or None."""
        return next((value for name, value in self.identities if name == scheme), None)


@dataclass(frozen=True)
class SkippedRow:
    """A row that names no track: ``position`` counts from 0 in the source's own order."""

    position: int
    code: str
    reason: str
    text: str = ""


@dataclass(frozen=True)
class SourcePlaylist:
    """A playlist as a source holds it; ``source`` is its kind, such as "m3u" or "spotify"."""

    name: str
    source: str
    rows: tuple[SourceRow, ...]
    skipped: tuple[SkippedRow, ...] = field(default=())
