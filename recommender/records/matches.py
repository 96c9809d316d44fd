"""What a match of a source's row with a track says, and what an import reports: plain values."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from recommender.records.playlists import PlaylistInfo
from recommender.records.rows import SourceRow


class Strength(StrEnum):
    """How sure a match is: strong is used, medium waits for a person, none has no counterpart."""

    STRONG = "strong"
    MEDIUM = "medium"
    NONE = "none"


class Method(StrEnum):
    """What a match rests on, the surest first."""

    DECISION = "decision"
    PATH = "path"
    ISRC = "isrc"
    MBID = "mbid"
    SPOTIFY = "spotify"
    SERVER = "server"
    NAMES = "names"
    NONE = "none"


class RowState(StrEnum):
    """Who settled a row: the program, a person, or nobody because it names no track."""

    AUTOMATIC = "automatic"
    ACCEPTED = "accepted"
    CHOSEN = "chosen"
    REJECTED = "rejected"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Alternative:
    """Another track that the row may mean; ``score`` in [0, 1]."""

    track_id: int
    score: float


@dataclass(frozen=True)
class Match:
    """The track that a row means; ``track_id`` is only proposed when the strength is medium.

    ``score`` in [0, 1] says how alike they are, ``note`` in words why the match is not stronger.
    """

    track_id: int | None
    strength: Strength
    method: Method
    score: float
    alternatives: tuple[Alternative, ...] = ()
    note: str = ""


NO_MATCH = Match(None, Strength.NONE, Method.NONE, 0.0, note="nothing in the library has these names")


@dataclass(frozen=True)
class ReportRow:
    """One row of an imported playlist: as it was, and what became of it.

    ``row`` counts from 1 in the source's own order, ``source`` is the source's kind. ``code`` and
    ``match.note`` say why a row was skipped.
    """

    row: int
    source: str
    asked: SourceRow
    match: Match
    state: RowState
    code: str = ""

    @property
    def is_used(self) -> bool:
        """Whether the track belongs to the playlist because of this row."""
        if self.match.track_id is None:  # also what is left when the track was deleted since
            return False
        settled = self.state in (RowState.ACCEPTED, RowState.CHOSEN)
        return settled or (self.state is RowState.AUTOMATIC and self.match.strength is Strength.STRONG)

    @property
    def outcome(self) -> str:
        """In one word: used, review, unmatched, rejected or skipped."""
        if self.is_used:
            return "used"
        if self.state in (RowState.REJECTED, RowState.SKIPPED):
            return self.state.value
        return "review" if self.match.strength is Strength.MEDIUM else "unmatched"


@dataclass(frozen=True)
class MatchReport:
    """What became of every row of an imported playlist."""

    playlist: PlaylistInfo
    rows: tuple[ReportRow, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Rows by outcome, and how many repeat a track that an earlier row brought in."""
        outcomes = Counter(row.outcome for row in self.rows)
        used = [row.match.track_id for row in self.rows if row.is_used]
        named = {name: outcomes[name] for name in ("used", "review", "unmatched", "rejected", "skipped")}
        return {"rows": len(self.rows)} | named | {"repeated": len(used) - len(set(used))}

    @property
    def methods(self) -> dict[str, int]:
        """Used rows by what their match rests on."""
        return dict(Counter(row.match.method.value for row in self.rows if row.is_used).most_common())


@dataclass(frozen=True)
class ImportReport(MatchReport):
    """What an import did.

    ``members_changed`` says whether the playlist now holds other tracks than before, ``n_trainable`` how
    many of them may be learnt from, ``refusal`` why not all, empty when all may. ``kept_out`` names the
    tracks that rows would bring in and the user took out, ``went`` those that an earlier import brought in
    and no row does any more.
    """

    members_changed: bool = False
    n_trainable: int = 0
    refusal: str = ""
    kept_out: tuple[str, ...] = ()
    went: tuple[str, ...] = ()


def row_key(row: SourceRow) -> str:
    """Names a row by what it says, so that a decision about it is found again, in any playlist."""
    duration_s = None if row.duration_s is None else round(row.duration_s)
    said = [row.title, row.artist, row.album, duration_s, sorted(row.identities), row.path, row.url]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
