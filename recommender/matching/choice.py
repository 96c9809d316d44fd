"""From likenesses to one match: whether lengths agree, and whether one track stands out."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from recommender.catalogue.identities import NamedTrack
from recommender.matching.name_comparison import NEAR_TOLERANCE_S, UNLIKE, Likeness
from recommender.matching.normalised_names import fold_key, read_artist, read_title
from recommender.records.matches import NO_MATCH, Alternative, Match, Method, Strength
from recommender.records.rows import SourceRow

MAX_ALTERNATIVES = 5
_OTHER_ALBUM_TOLERANCE_S = 5.0
_IDENTITY_TOLERANCE_S = 15.0
# Below this a track is only worth a look when the lengths agree.
_WORTH_A_LOOK = 0.9
_WORTH_A_LOOK_UNMEASURED = 0.75
_OTHER_RECORDING = ("another version", "they name other guests", "only one is sung")
# Two tracks this near to each other in score are equally good, unless they are copies of one recording.
_MARGIN = 0.015
_MISSPELT = 0.95
_UNPROVEN_MARGIN = 0.06
# Titles this short (Intro, Home) turn up on several albums of an artist.
_COMMON_LENGTH = 9
_METHODS = tuple(Method)


@dataclass(frozen=True)
class Judged:
    """A track that a row may mean, and how sure that is.

    ``is_unproven``: no length bears it out. ``could_be``: nothing is against it, though something may
    be wanting.
    """

    track: NamedTrack
    strength: Strength
    method: Method
    score: float
    note: str = ""
    is_unproven: bool = False
    could_be: bool = True


def judge(row: SourceRow, track: NamedTrack, likeness: Likeness) -> Judged:
    """How sure it is that a row means a track whose names are like its own."""
    off_s = _duration_difference(row, track)
    other_album = _albums_differ(row.album, track.album)
    score = likeness.score - (0.02 if off_s is None else 0.01 * min(off_s, 10)) - 0.02 * other_album
    if off_s is None:
        return _judge_unmeasured(row, track, likeness, score)
    tolerance_s = min(likeness.tolerance_s, _OTHER_ALBUM_TOLERANCE_S if other_album else likeness.tolerance_s)
    agrees = off_s <= tolerance_s
    misspelt_elsewhere = other_album and likeness.needs_duration and likeness.score < _MISSPELT
    if agrees and not likeness.is_open and not misspelt_elsewhere:
        return Judged(track, Strength.STRONG, Method.NAMES, score)
    worth = likeness.score >= _WORTH_A_LOOK or agrees or _is_other_recording(likeness)
    said = [likeness.note] * bool(likeness.note) + [f"the lengths differ by {off_s:.0f} s"] * (not agrees)
    strength = Strength.MEDIUM if worth else Strength.NONE
    return Judged(track, strength, Method.NAMES, score, ", and ".join(said), could_be=False)


def _judge_unmeasured(row: SourceRow, track: NamedTrack, likeness: Likeness, score: float) -> Judged:
    """The same where a length is unknown: then the album has to speak, or the names alone."""
    other_album = _albums_differ(row.album, track.album)
    same_album = bool(row.album and track.album) and not other_album
    needs_album = other_album and len(read_title(track.title).key) <= _COMMON_LENGTH
    settled = not likeness.needs_duration or (likeness.album_will_do and same_album)
    found = partial(Judged, track, method=Method.NAMES, score=score, is_unproven=not same_album)
    if settled and not needs_album and not likeness.is_open:
        return found(strength=Strength.STRONG)
    if likeness.is_open:
        worth = likeness.score >= _WORTH_A_LOOK_UNMEASURED or same_album or _is_other_recording(likeness)
        strength = Strength.MEDIUM if worth else Strength.NONE
        return found(strength=strength, note=likeness.note, could_be=False)
    note = likeness.note or "the albums differ"
    return found(strength=Strength.MEDIUM, note=f"{note}, and the length is not known")


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
    nameless = not row.title or (not row.artist and likeness is not UNLIKE)
    if _is_other_recording(likeness):
        return Judged(track, Strength.MEDIUM, method, score - 0.2, likeness.note)
    if off_s is not None and off_s > _IDENTITY_TOLERANCE_S:
        return Judged(track, Strength.MEDIUM, method, score - 0.1, f"the lengths differ by {off_s:.0f} s")
    if off_s is not None and off_s <= NEAR_TOLERANCE_S and (trust or likeness is not UNLIKE):
        return Judged(track, Strength.STRONG, method, score)
    named = likeness.score >= _WORTH_A_LOOK and (trust or not (likeness.needs_duration or likeness.is_open))
    if named or (nameless and trust):
        return Judged(track, Strength.STRONG, method, score)
    note = likeness.note or ("nothing else is known" if nameless else "the names differ")
    return Judged(track, Strength.MEDIUM, method, score - 0.2, note)


def choose(judged: Sequence[Judged]) -> Match:
    """The match among tracks that a row may mean; strong only when one recording stands out."""
    ordered = sorted((entry for entry in judged if entry.strength is not Strength.NONE), key=_order)
    if not ordered:
        return NO_MATCH
    first = ordered[0]
    others = list({entry.track.id: entry for entry in reversed(ordered[1:])}.values())[::-1]
    listed = [
        Alternative(entry.track.id, round(entry.score, 3))
        for entry in others
        if entry.track.id != first.track.id
    ][:MAX_ALTERNATIVES]
    rivals = [entry for entry in ordered[1:] if _is_rival(first, entry)]
    strength, note = first.strength, first.note
    if strength is Strength.STRONG and rivals:
        strength, note = Strength.MEDIUM, f"{len(rivals) + 1} tracks fit equally well"
    score = round(max(first.score, 0.0), 3)
    return Match(first.track.id, strength, first.method, score, tuple(listed), note)


def _order(entry: Judged) -> tuple[bool, int, float, int]:
    """The surest first; of equals what a registry says before what the names do."""
    return entry.strength is not Strength.STRONG, _METHODS.index(entry.method), -entry.score, entry.track.id


def _is_rival(first: Judged, other: Judged) -> bool:
    """Whether the row may as well mean the other track; without a length, also one a bit less like."""
    if _is_copy(first.track, other.track):
        return False
    margin = _UNPROVEN_MARGIN if first.is_unproven else _MARGIN
    counts = other.strength is Strength.STRONG or (first.is_unproven and other.could_be)
    return counts and first.score - other.score < margin


def _duration_difference(row: SourceRow, track: NamedTrack) -> float | None:
    if not row.duration_s or row.duration_s <= 0 or not track.duration_s:
        return None
    return abs(row.duration_s - track.duration_s)


def _albums_differ(asked: str, known: str) -> bool:
    """Whether both are known and neither begins with the other, as deluxe editions do."""
    mine, theirs = fold_key(asked), fold_key(known)
    return bool(mine and theirs) and not (mine.startswith(theirs) or theirs.startswith(mine))


def _is_copy(track: NamedTrack, other: NamedTrack) -> bool:
    """Whether two tracks are one recording, as on an album and a collection."""
    if track.id == other.id:
        return True
    if track.duration_s is None or other.duration_s is None:
        return False
    mine, theirs = read_title(track.title), read_title(other.title)
    artists, others = ({*read_artist(t.artist).parts} for t in (track, other))
    if not (artists <= others or artists >= others):  # "Sol, Uma" is not "Sol, Vic"
        return False
    same_names = (mine.key, mine.numbers, mine.version.kinds, mine.companions) == (
        *(theirs.key, theirs.numbers, theirs.version.kinds, theirs.companions),
    )
    return same_names and abs(track.duration_s - other.duration_s) <= NEAR_TOLERANCE_S


def _is_other_recording(likeness: Likeness) -> bool:
    return likeness.note.startswith(_OTHER_RECORDING)
