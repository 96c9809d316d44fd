"""Playlists, groups, members and feedback as plain values; times are seconds since 1970, UTC."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

DEFAULT_GROUP = "default"


TASTE = "taste"


# The source of a playlist whose tracks were listed by hand.
EDITED = "api"


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


class Origin(NamedTuple):
    """What a playlist is read from: a file, or the name of what a server has; ``which`` of several in it."""

    reference: Path | str
    which: str | None = None


@dataclass(frozen=True)
class Followed:
    """A playlist and its origin."""

    playlist: PlaylistInfo
    origin: Origin
    asked_at: float


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
