"""From likenesses to one match: whether lengths agree, and whether one track stands out."""

from collections.abc import Sequence
from dataclasses import dataclass

from recommender.catalogue import NamedTrack
from recommender.matches import NO_MATCH, Alternative, Match, Method, Strength
from recommender.name_comparison import NEAR_TOLERANCE_S, UNLIKE, Likeness
from recommender.normalised_names import fold_key
from recommender.sources.rows import SourceRow

MAX_ALTERNATIVES = 5
_OTHER_ALBUM_TOLERANCE_S = 5.0
_IDENTITY_TOLERANCE_S = 15.0
# Below this a track is only worth a look when the lengths agree.
_WORTH_A_LOOK = 0.9
_ANOTHER_VERSION = "another version"
# Two tracks this near to each other in score are equally good, unless they are copies of one recording.
_MARGIN = 0.015
_RANK = {Strength.STRONG: 2, Strength.MEDIUM: 1, Strength.NONE: 0}


@dataclass(frozen=True)
class Judged:
    """A track that a row may mean, and how sure that is."""

    track: NamedTrack
    strength: Strength
    method: Method
    score: float
    note: str = ""


def judge(row: SourceRow, track: NamedTrack, likeness: Likeness) -> Judged:
    """How sure it is that a row means a track whose names are like its own."""
    off_s = _duration_difference(row, track)
    other_album = _albums_differ(row.album, track.album)
    tolerance_s = min(likeness.tolerance_s, _OTHER_ALBUM_TOLERANCE_S if other_album else likeness.tolerance_s)
    score = likeness.score - (0.02 if off_s is None else 0.01 * min(off_s, 10)) - 0.02 * other_album
    agrees = not likeness.needs_duration if off_s is None else off_s <= tolerance_s
    if agrees and not likeness.is_open:
        return Judged(track, Strength.STRONG, Method.NAMES, score)
    if off_s is None:
        same_album = bool(row.album) and not other_album and bool(track.album)
        worth = likeness.score >= _WORTH_A_LOOK - 0.05 or same_album or _is_other_version(likeness)
    else:
        worth = likeness.score >= _WORTH_A_LOOK or off_s <= tolerance_s or _is_other_version(likeness)
    note = likeness.note
    if off_s is None and likeness.needs_duration and not likeness.is_open:
        note = f"{note}, and the length is not known"
    elif off_s is not None and off_s > tolerance_s:
        note = f"{note + ', and ' if note else ''}the lengths differ by {off_s:.0f} s"
    return Judged(track, Strength.MEDIUM if worth else Strength.NONE, Method.NAMES, score, note)


def judge_identity(
    row: SourceRow, track: NamedTrack, likeness: Likeness, method: Method, *, trust: bool = True
) -> Judged:
    """How sure it is that a row means the track that a registry, or a file's place, gives for it.

    Files carry wrong ones: names or lengths that contradict leave it to a person. ``trust=False`` asks
    for more than that nothing contradicts.
    """
    off_s = _duration_difference(row, track)
    score = 1.0 - (0.01 if off_s is None else 0.01 * min(off_s, 10))
    score -= 0.02 * _albums_differ(row.album, track.album)
    nameless = not row.title
    if _is_other_version(likeness):
        return Judged(track, Strength.MEDIUM, method, score - 0.2, likeness.note)
    if off_s is not None and off_s > _IDENTITY_TOLERANCE_S:
        return Judged(track, Strength.MEDIUM, method, score - 0.1, f"the lengths differ by {off_s:.0f} s")
    if off_s is not None and off_s <= NEAR_TOLERANCE_S and (trust or likeness is not UNLIKE):
        return Judged(track, Strength.STRONG, method, score)
    if (nameless and trust) or likeness.score >= _WORTH_A_LOOK:
        return Judged(track, Strength.STRONG, method, score)
    note = likeness.note or ("nothing else is known" if nameless else "the names differ")
    return Judged(track, Strength.MEDIUM, method, score - 0.2, note)


def choose(judged: Sequence[Judged]) -> Match:
    """The match among tracks that a row may mean; strong only when one recording stands out."""
    if not judged:
        return NO_MATCH
    ordered = sorted(judged, key=lambda entry: (-_RANK[entry.strength], -entry.score, entry.track.id))
    first = ordered[0]
    others = list({entry.track.id: entry for entry in reversed(ordered[1:])}.values())[::-1]
    listed = [
        Alternative(entry.track.id, round(entry.score, 3))
        for entry in others
        if entry.track.id != first.track.id
    ][:MAX_ALTERNATIVES]
    rivals = [
        entry
        for entry in ordered[1:]
        if entry.strength is Strength.STRONG
        and first.score - entry.score < _MARGIN
        and not _is_copy(first.track, entry.track)
    ]
    strength, note = first.strength, first.note
    if strength is Strength.STRONG and rivals:
        strength, note = Strength.MEDIUM, f"{len(rivals) + 1} tracks fit equally well"
    score = round(max(first.score, 0.0), 3)
    return Match(first.track.id, strength, first.method, score, tuple(listed), note)


def _duration_difference(row: SourceRow, track: NamedTrack) -> float | None:
    if not row.duration_s or row.duration_s <= 0 or not track.duration_s:
        return None
    return abs(row.duration_s - track.duration_s)


def _albums_differ(asked: str, known: str) -> bool:
    """Whether both are known and neither begins with the other, as deluxe editions do."""
    mine, theirs = fold_key(asked), fold_key(known)
    return bool(mine and theirs) and not (mine.startswith(theirs) or theirs.startswith(mine))


def _is_copy(track: NamedTrack, other: NamedTrack) -> bool:
    """Whether two tracks of the same names are one recording, as on an album and a collection."""
    if track.id == other.id:
        return True
    if track.duration_s is None or other.duration_s is None:
        return False
    return abs(track.duration_s - other.duration_s) <= NEAR_TOLERANCE_S


def _is_other_version(likeness: Likeness) -> bool:
    return likeness.note.startswith(_ANOTHER_VERSION)
