"""The plain values that cross the catalogue's door; times are seconds since 1970, UTC."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

DEFAULT_GROUP = "default"
TASTE = "taste"
# The source of a playlist whose tracks were listed by hand.
EDITED = "api"
# What stands in for the artist where neither tags nor the file name say one.
UNKNOWN_ARTIST = "unknown artist"
BIT_RATE_BANDS_KBPS = (64, 112, 160, 256, 400)


@dataclass(frozen=True)
class TrackFacts:
    """What a source says about a track, before it is in the catalogue.

    ``identities`` are (scheme, value) pairs such as ("isrc", "USABC1234567"); ``content_sha256`` is
    the hash of the audio payload, None when only metadata is known.
    """

    title: str
    artist: str
    album: str = ""
    duration_s: float | None = None
    source: str = "file"
    licence: str = ""
    identities: tuple[tuple[str, str], ...] = ()
    content_sha256: str | None = None


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
    """One track of the catalogue; ``path`` is for display only (undecodable bytes are replaced)."""

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


@dataclass(frozen=True)
class GroupInfo:
    """Playlists that compete for a track."""

    id: int
    name: str
    n_playlists: int


@dataclass(frozen=True)
class PlaylistInfo:
    """One playlist; ``folder`` is for display only."""

    id: int
    name: str
    group_id: int
    group: str
    source: str
    folder: str | None
    n_tracks: int
    created_at: float


class FeedbackVerdict(StrEnum):
    """What a user can say of a track.  The first two are the playlists of a group of their own."""

    LIKED = "liked"
    DISLIKED = "disliked"
    RIGHT = "right"
    WRONG = "wrong"

    @property
    def is_taste(self) -> bool:
        """Whether it names its playlist itself."""
        return self in (FeedbackVerdict.LIKED, FeedbackVerdict.DISLIKED)


@dataclass(frozen=True)
class FeedbackInfo:
    """What the user said of a track and a playlist; ``verdict`` is right or wrong."""

    playlist_id: int
    playlist: str
    group: str
    verdict: str
    created_at: float


class Member(NamedTuple):
    """One trainable membership."""

    playlist_id: int
    track_id: int
    artist_id: int
    album: str


@dataclass(frozen=True, eq=False)
class StoredPatches:
    """Raw patch embeddings of one track.

    ``patches`` is (n_patches, dim) float32, ``start_s`` (n_patches,) float64, ``patch_s`` the length
    of the audio behind one patch.
    """

    patches: NDArray[np.float32]
    start_s: NDArray[np.float64]
    patch_s: float


@dataclass(frozen=True)
class BundleInfo:
    """One trained bundle; ``state`` is champion, challenger or retired."""

    id: str
    state: str
    directory: Path
    fingerprint: str
    created_at: float
    promoted_at: float | None
    summary: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CatalogueCounts:
    """How much the catalogue holds; ``n_embeddings`` is per encoder fingerprint."""

    n_tracks: int
    n_artists: int
    n_files: int
    n_failed_files: int
    n_groups: int
    n_playlists: int
    n_embeddings: dict[str, int]
    n_bundles: int
    n_jobs: dict[str, int]


@dataclass(frozen=True)
class SchemaState:
    """The database's revision beside the program's."""

    revision: str | None
    head: str

    @property
    def is_current(self) -> bool:
        """Whether the tables are those this program expects."""
        return self.revision == self.head


def known_artist(name: str) -> str:
    """The artist's name, empty where nobody knows it: strangers must not count as one artist."""
    return "" if name.casefold() == UNKNOWN_ARTIST else name
