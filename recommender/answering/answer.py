"""What an answer is made of; HTTP and the command line show these in the same shape."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """How many playlists the track fits."""

    FITS = "fits"
    SEVERAL_FIT = "several_fit"
    NONE_FITS = "none_fits"


def verdict_of(n_fitting: int) -> Verdict:
    """Return the word for so many fitting playlists."""
    if n_fitting == 0:
        return Verdict.NONE_FITS
    return Verdict.FITS if n_fitting == 1 else Verdict.SEVERAL_FIT


@dataclass(frozen=True)
class AskedTrack:
    """The track that is asked about; ``id`` is None when the catalogue does not hold it.

    ``heard_in_part`` says how much was heard where the file could not be decoded wholly.
    """

    id: int | None
    title: str
    artist: str
    duration_s: float | None
    heard_in_part: str | None = None


@dataclass(frozen=True)
class NamedTrack:
    """A track of the catalogue, as evidence names it."""

    id: int
    title: str
    artist: str


@dataclass(frozen=True)
class Neighbour:
    """A track near the one asked about, with its cosine similarity in [-1, 1]."""

    track: NamedTrack
    similarity: float


@dataclass(frozen=True)
class PlaylistRef:
    """A playlist's id and name."""

    id: int
    name: str


@dataclass(frozen=True)
class Said:
    """What the user said of the track and a playlist: ``right`` or ``wrong``."""

    playlist: PlaylistRef
    verdict: str


@dataclass(frozen=True)
class Learning:
    """A job after which answers may be others, and why it runs."""

    job_id: int
    reason: str


@dataclass(frozen=True)
class Kept:
    """How the promise was kept to held-out tracks as familiar as this one.

    ``coverage`` is the share of them whose right playlist was among those named, None where nothing was held
    out; ``basis`` says which they were: ``own`` of the same familiarity, ``pooled`` all, where those were
    few, ``none`` where all were too few to promise anything.
    """

    coverage: float | None
    basis: str


@dataclass(frozen=True)
class RankedPlaylist:
    """One playlist of the answer.

    ``p_value`` is the share of the playlist's own tracks, held out, that lie at least as far out as this one:
    how unusual it would be there. None where nothing could be calibrated. It does not decide alone: ``fits``
    says that the playlist is among those named.

    ``fits`` obeys what the user said of the track and this playlist (``said``); ``model_fits`` is what the
    model would say without it.
    """

    id: int
    name: str
    rank: int
    probability: float
    fits: bool
    p_value: float | None
    classifier: float
    neighbours: float
    note: str
    nearest: tuple[Neighbour, ...]
    model_fits: bool
    said: str | None = None


@dataclass(frozen=True)
class Segment:
    """What the classifier says of a time span of the track."""

    start_s: float
    end_s: float
    playlist: str
    probability: float


@dataclass(frozen=True)
class Recommendation:
    """The answer, in the shape that HTTP and the command line show; ``said`` is the user's word.

    ``stranger_p_value`` is the share of tracks with a playlist, held out, that lie at least as far from all
    playlists; at most ``alpha_none``, and the track is called a stranger.
    """

    track: AskedTrack
    group: str
    model: str
    encoder: str
    verdict: Verdict
    alpha: float
    alpha_none: float
    stranger_p_value: float
    familiarity: str
    kept: Kept
    member_of: tuple[PlaylistRef, ...]
    playlists: tuple[RankedPlaylist, ...]
    similar: tuple[Neighbour, ...]
    segments: tuple[Segment, ...]
    timing_ms: dict[str, float]
    said: tuple[Said, ...] = ()
    learning: Learning | None = None
    headline: str = ""
    explanation: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)
