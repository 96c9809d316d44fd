"""How familiar a track is to a group: whether its artist is among those whose tracks it was learnt from.

A song by an artist whom the playlists hold is easier to place than one by somebody new, so each kind has its
own promise, and its own way to weigh the evidence.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recommender.records.tracks import known_artist

KindArray = NDArray[np.int8]


class Familiarity(IntEnum):
    """Whether a track's artist is new to the group, known to it, or not named."""

    NEW = 0
    KNOWN = 1
    UNNAMED = 2

    @property
    def label(self) -> str:
        """As answers and score cards write it."""
        return {self.NEW: "new_artist", self.KNOWN: "known_artist", self.UNNAMED: "unnamed_artist"}[self]


@dataclass(frozen=True, eq=False)
class MemberArtists:
    """The artists of a group's tracks, one name per member, as :func:`artist_key` spells them."""

    names: tuple[str, ...]

    @cached_property
    def _n_tracks(self) -> Counter[str]:
        return Counter(name for name in self.names if name)

    def familiarity(
        self, artists: Sequence[str], own_rows: Sequence[Sequence[int]] | None = None
    ) -> KindArray:
        """Return how familiar tracks by the given artists are, (n,) int8 of :class:`Familiarity`.

        Where no member's artist is known, nobody can be told to be new.

        Parameters
        ----------
        artists : names as tags have them; empty or "unknown artist" where nobody knows
        own_rows : rows of members that must not speak for a track, as for one that is a member itself
        """
        kinds = np.full(len(artists), Familiarity.UNNAMED, dtype=np.int8)
        if not self._n_tracks:
            return kinds
        for query, artist in enumerate(artists):
            name = artist_key(artist)
            if name:
                own = sum(self.names[row] == name for row in own_rows[query]) if own_rows else 0
                kinds[query] = Familiarity.KNOWN if self._n_tracks[name] > own else Familiarity.NEW
        return kinds


NOBODY = MemberArtists(())


def artist_key(artist: str) -> str:
    """Return an artist's name so that two spellings in other letters are one, empty for an unknown one."""
    return known_artist(" ".join(artist.split())).casefold()
