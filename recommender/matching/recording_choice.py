"""From what AcoustID hears in a track to its MusicBrainz recordings: never a silent guess."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from recommender.catalogue.identities import NamedTrack
from recommender.matching.choice import judge
from recommender.matching.identity import likeness_of
from recommender.matching.name_comparison import Likeness
from recommender.matching.normalised_names import read_artist
from recommender.records.matches import Strength
from recommender.records.rows import SourceRow
from recommender.sources.servers.acoustid import Recording, SoundsLike

MIN_SCORE = 0.9
# What scores this little less may as well be what the file holds.
MARGIN = 0.05
_MIN_LIKENESS = 0.9


class Outcome(StrEnum):
    """What became of a track; whatever is not `named` is left as it was."""

    NAMED = "named"  # it has the ids of its recordings now
    UNKNOWN = "unknown"  # AcoustID has nothing like it
    UNSURE = "unsure"  # nothing is near enough
    AMBIGUOUS = "ambiguous"  # what is near enough has several names
    OTHER_NAMES = "other_names"  # it has one name, which is not that of the track's tags
    UNPROVEN = "unproven"  # the names are its own, the lengths are not, or are needed and unknown


@dataclass(frozen=True)
class Recognised:
    """What a track is; ``recordings`` are its own where it is `named`, else those it may be."""

    outcome: Outcome
    acoustid: str = ""
    score: float = 0.0
    recordings: tuple[Recording, ...] = ()
    note: str = ""


def choose_recordings(track: NamedTrack, found: Sequence[SoundsLike]) -> Recognised:
    """Which recordings a track is, if that is sure.

    They must score at least :data:`MIN_SCORE`, and all that score about as much must have the names of
    the track's tags, or where it has none, one name among them; and the lengths must not say otherwise.
    """
    named = [entry for entry in found if any(map(_is_named, entry.recordings))]
    if not named:
        return Recognised(Outcome.UNKNOWN)
    best = max(named, key=lambda entry: entry.score)
    near = [entry for entry in named if entry.score >= best.score - MARGIN]
    recordings = tuple({r.mbid: r for entry in near for r in entry.recordings if _is_named(r)}.values())
    outcome, chosen, note = Outcome.UNSURE, recordings, f"the best scores {best.score:.2f}, not {MIN_SCORE:g}"
    if best.score >= MIN_SCORE:
        outcome, chosen, note = _compare(track, recordings)
    return Recognised(outcome, best.acoustid, best.score, chosen, note)


def _compare(
    track: NamedTrack, recordings: tuple[Recording, ...]
) -> tuple[Outcome, tuple[Recording, ...], str]:
    has_artist = bool(read_artist(track.artist).key)
    first = recordings[0]
    known = track if has_artist else NamedTrack(track.id, first.title, first.artist, "", track.duration_s)
    others = [recording for recording in recordings if not _is_called(recording, known)]
    if others:
        names = f"{others[0].artist} - {others[0].title}"
        if has_artist and len(others) == len(recordings):
            return Outcome.OTHER_NAMES, recordings, f"it sounds like {names}"
        return Outcome.AMBIGUOUS, recordings, f"it also sounds like {names}"
    judged = [judge(_as_row(recording), known, _likeness(recording, known)) for recording in recordings]
    fitting = [
        recording
        for recording, entry in zip(recordings, judged, strict=True)
        if entry.strength is Strength.STRONG
    ]
    if not fitting:
        return Outcome.UNPROVEN, recordings, judged[0].note
    return Outcome.NAMED, tuple(fitting), ""


def _is_named(recording: Recording) -> bool:
    """Whether there is something to compare; recordings that MusicBrainz no longer has are bare ids."""
    return bool(recording.title and recording.artist)


def _is_called(recording: Recording, track: NamedTrack) -> bool:
    likeness = _likeness(recording, track)
    return likeness.score >= _MIN_LIKENESS and not likeness.is_open


def _likeness(recording: Recording, track: NamedTrack) -> Likeness:
    return likeness_of(_as_row(recording), track)


def _as_row(recording: Recording) -> SourceRow:
    return SourceRow(title=recording.title, artist=recording.artist, duration_s=recording.duration_s)
