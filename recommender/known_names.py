"""The tracks of the catalogue by name: a row is compared with the few that it may mean, not with all."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rapidfuzz import fuzz, process

from recommender.catalogue import NamedTrack
from recommender.name_comparison import UNLIKE, Likeness, compare_names
from recommender.normalised_names import (
    ArtistNames,
    TitleNames,
    read_artist,
    read_title,
    split_line,
    strip_track_number,
)
from recommender.sources.rows import SourceRow

# An artist with more tracks than this has them sifted before they are compared one by one.
_MANY = 150
_KEPT = 60
_SWAPPED = 0.97
_GUESSED = 0.99
# A swapped pair of short names is common enough to be two songs: "Anna" by Chris, "Chris" by Anna.
_TELLING_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand a pair of names; ``factor`` below 1 when it is not as they were written."""

    artist: ArtistNames
    title: TitleNames
    factor: float = 1.0
    is_swapped: bool = False


@dataclass(frozen=True, slots=True)
class _Entry:
    place: int
    reading: Reading


class KnownNames:
    """Finds the tracks whose names are like those of a row."""

    def __init__(self, tracks: Sequence[NamedTrack]) -> None:
        self.tracks = tracks
        self._by_artist: dict[str, list[_Entry]] = defaultdict(list)
        self._by_title: dict[str, list[_Entry]] = defaultdict(list)
        self._near_artists: dict[str, list[str]] = {}
        for place, track in enumerate(tracks):
            for reading in _readings_of_track(track):
                self._add(_Entry(place, reading))
        self._artist_keys = list(self._by_artist)

    def find(self, row: SourceRow) -> list[tuple[NamedTrack, Likeness]]:
        """Tracks whose names are like the row's, each once with its best reading, in no order."""
        best: dict[int, Likeness] = {}
        for asked in readings_of(row.artist, row.title):
            for entry in self._candidates(asked):
                likeness = compare_readings(asked, entry.reading)
                known = best.get(entry.place, UNLIKE)
                if likeness.score > known.score:
                    best[entry.place] = likeness
        return [(self.tracks[place], likeness) for place, likeness in best.items()]

    def _add(self, entry: _Entry) -> None:
        for key in _artist_keys(entry.reading.artist):
            self._by_artist[key].append(entry)
        self._by_title[entry.reading.title.key].append(entry)

    def _candidates(self, asked: Reading) -> Iterator[_Entry]:
        """Entries that share an artist or the title; by a misspelt artist's namesakes when none does."""
        yield from self._sift(self._by_title.get(asked.title.key, ()), asked)
        keys = [key for key in _artist_keys(asked.artist) if key in self._by_artist]
        for key in keys or self._similar_artists(asked.artist.key):
            yield from self._sift(self._by_artist[key], asked)

    def _sift(self, entries: Sequence[_Entry], asked: Reading) -> Iterable[_Entry]:
        if len(entries) <= _MANY:
            return entries
        same = [entry for entry in entries if entry.reading.artist.key == asked.artist.key]
        exact = [entry for entry in entries if entry.reading.title.key == asked.title.key]
        if len(exact) == len(entries):  # all have this title
            return [*same, *(entry for entry in entries if not entry.reading.artist.key)]
        titles = [entry.reading.title.key for entry in entries]
        found = process.extract(
            asked.title.key, titles, scorer=fuzz.ratio, score_cutoff=55, limit=_KEPT, processor=None
        )
        return [*exact, *(entries[place] for _, _, place in found)]

    def _similar_artists(self, key: str) -> list[str]:
        if len(key) < 4:
            return []
        if key not in self._near_artists:
            found = process.extract(
                key, self._artist_keys, scorer=fuzz.ratio, score_cutoff=80, limit=3, processor=None
            )
            self._near_artists[key] = [name for name, _, _ in found]
        return self._near_artists[key]


def readings_of(artist: str, title: str) -> list[Reading]:
    """Every way to understand what a row calls artist and title, as written first."""
    asked = Reading(read_artist(artist), read_title(title))
    readings = [asked] if title.strip() else []
    if asked.artist.key and title.strip():
        readings.append(Reading(read_artist(title), read_title(artist), _SWAPPED, is_swapped=True))
    pair = split_line(title)
    if pair is not None and (not asked.artist.key or read_artist(pair[0]).key == asked.artist.key):
        readings.append(Reading(read_artist(pair[0]), read_title(pair[1]), _GUESSED))
        readings.append(Reading(read_artist(pair[1]), read_title(pair[0]), _SWAPPED, is_swapped=True))
    elif (bare := strip_track_number(title)) != title:
        readings.append(Reading(asked.artist, read_title(bare), _GUESSED))
    return readings


def compare_readings(asked: Reading, known: Reading) -> Likeness:
    """How alike two readings are; what is not as written counts for less."""
    likeness = compare_names(asked.artist, asked.title, known.artist, known.title)
    if likeness is UNLIKE:
        return UNLIKE
    likeness = replace(likeness, score=likeness.score * asked.factor * known.factor)
    if asked.is_swapped or known.is_swapped:
        short = len(known.artist.key) + len(known.title.key) < _TELLING_LENGTH
        return replace(
            likeness,
            needs_duration=likeness.needs_duration or short,
            is_open=likeness.is_open or likeness.score < 0.9,
            note=likeness.note or "artist and title are swapped",
        )
    return likeness


def _readings_of_track(track: NamedTrack) -> list[Reading]:
    """A track's names as tagged; one without an artist may hold both in its title."""
    tagged = Reading(read_artist(track.artist), read_title(track.title))
    if tagged.artist.key:
        return [tagged]
    readings = [tagged]
    bare = strip_track_number(track.title)
    if bare != track.title:
        readings.append(Reading(tagged.artist, read_title(bare), _GUESSED))
    pair = split_line(bare)
    if pair is not None:
        readings.append(Reading(read_artist(pair[0]), read_title(pair[1]), _GUESSED))
        readings.append(Reading(read_artist(pair[1]), read_title(pair[0]), _SWAPPED, is_swapped=True))
    return readings


def _artist_keys(artist: ArtistNames) -> set[str]:
    return {artist.key, artist.ordered, *artist.parts, *artist.guests} - {""}
