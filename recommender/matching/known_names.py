"""The tracks of the catalogue by name: a row is compared with the few that it may mean, not with all."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from rapidfuzz import fuzz, process

from recommender.catalogue.identities import NamedTrack
from recommender.matching.name_comparison import UNLIKE, Likeness, compare_names
from recommender.matching.normalised_names import (
    ArtistNames,
    TitleNames,
    read_artist,
    read_title,
    split_line,
    strip_track_number,
)
from recommender.records.rows import SourceRow

# An artist with more tracks than this has them sifted before they are compared one by one.
_MANY = 150
_KEPT = 60
_END_LENGTH = 3
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


class _Shelf:
    """The entries that share an artist or a title."""

    def __init__(self) -> None:
        self.entries: list[_Entry] = []

    @cached_property
    def titles(self) -> list[str]:
        """The entries' titles, in their order."""
        return [entry.reading.title.key for entry in self.entries]

    @cached_property
    def by_title(self) -> dict[str, list[_Entry]]:
        """The entries of each title."""
        found = defaultdict(list)
        for entry in self.entries:
            found[entry.reading.title.key].append(entry)
        return found

    @cached_property
    def by_artist(self) -> dict[str, list[_Entry]]:
        """The entries of each artist, and under "" those that have none."""
        found = defaultdict(list)
        for entry in self.entries:
            found[entry.reading.artist.key].append(entry)
        return found

    def sift(self, asked: Reading) -> Iterable[_Entry]:
        """The entries that are worth a comparison: of a few all, of many those that are nearest."""
        if len(self.entries) <= _MANY:
            return self.entries
        if len(self.by_title) == 1:
            artists = {asked.artist.key, asked.artist.ordered, *asked.artist.parts, ""}
            return [entry for key in artists for entry in self.by_artist.get(key, ())]
        found = process.extract(
            asked.title.key, self.titles, scorer=fuzz.ratio, score_cutoff=55, limit=_KEPT, processor=None
        )
        return [*self.by_title.get(asked.title.key, ()), *(self.entries[place] for _, _, place in found)]


_EMPTY = _Shelf()


class KnownNames:
    """Finds the tracks whose names are like those of a row."""

    def __init__(self, tracks: Sequence[NamedTrack]) -> None:
        self.tracks = tracks
        self._by_artist: dict[str, _Shelf] = defaultdict(_Shelf)
        self._by_title: dict[str, _Shelf] = defaultdict(_Shelf)
        self._similar: dict[str, list[str]] = {}
        for place, track in enumerate(tracks):
            for reading in _readings_of_track(track):
                entry = _Entry(place, reading)
                for key in _artist_keys(reading.artist):
                    self._by_artist[key].entries.append(entry)
                self._by_title[reading.title.key].entries.append(entry)
        self._artists_by_end: dict[tuple[int, str], list[str]] = defaultdict(list)
        for key in self._by_artist:
            for end in _ends(key):
                self._artists_by_end[end].append(key)

    def find(self, row: SourceRow) -> list[tuple[NamedTrack, Likeness]]:
        """Tracks whose names are like the row's, each once with its best reading, in no order."""
        best: dict[int, Likeness] = {}
        for asked in readings_of(row.artist, row.title):
            for place, known in self._candidates(asked):
                likeness = compare_readings(asked, known)
                if likeness.score > best.get(place, UNLIKE).score:
                    best[place] = likeness
        return [(self.tracks[place], likeness) for place, likeness in best.items()]

    def _candidates(self, asked: Reading) -> Iterator[tuple[int, Reading]]:
        """Tracks that share an artist or the title; by a misspelt artist's namesakes when none does."""
        artists = _artist_keys(asked.artist)
        known = [key for key in artists if key in self._by_artist]
        keys = known or self._similar_artists(asked.artist.key)
        for shelf in (self._by_title.get(asked.title.key, _EMPTY), *(self._by_artist[key] for key in keys)):
            for entry in shelf.sift(asked):
                yield entry.place, entry.reading
        if not asked.is_swapped:  # tagged the wrong way round: the artist stands in the title
            for key in artists:
                yield from self._swapped(self._by_title.get(key, _EMPTY), asked)

    def _swapped(self, shelf: _Shelf, asked: Reading) -> Iterator[tuple[int, Reading]]:
        begins = asked.title.key.removeprefix("the")[:_END_LENGTH]
        for entry in shelf.entries:
            if entry.reading.artist.key.startswith(begins):
                track = self.tracks[entry.place]
                for reading in _present(_swap(track.artist, track.title)):
                    yield entry.place, reading

    def _similar_artists(self, key: str) -> list[str]:
        """Artists that begin or end alike, and are like this one: a typing error is at one place."""
        if len(key) <= _END_LENGTH:
            return []
        if key not in self._similar:
            near = {name for end in _ends(key) for name in self._artists_by_end.get(end, ())}
            found = process.extract(
                key, sorted(near), scorer=fuzz.ratio, score_cutoff=75, limit=3, processor=None
            )
            self._similar[key] = [name for name, _, _ in found]
        return self._similar[key]


def readings_of(artist: str, title: str) -> list[Reading]:
    """Every way to understand what a row calls artist and title, as written first."""
    asked = Reading(read_artist(artist), read_title(title))
    readings = [asked] if title.strip() else []
    if asked.artist.key and title.strip():
        readings += _present(_swap(artist, title))
    pair = split_line(title)
    if pair is not None and (not asked.artist.key or read_artist(pair[0]).key == asked.artist.key):
        readings.append(Reading(read_artist(pair[0]), read_title(pair[1]), _GUESSED))
        readings += _present(_swap(*pair))
    elif (bare := strip_track_number(title)) != title:
        readings.append(Reading(asked.artist, read_title(bare), _GUESSED))
    return readings


def compare_readings(asked: Reading, known: Reading) -> Likeness:
    """How alike two readings are; what is not as written counts for less."""
    if asked.is_swapped and not known.artist.is_plain:  # then it is the other one that is swapped
        return UNLIKE
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
        readings += _present(_swap(*pair))
    return readings


def _swap(artist: str, title: str) -> Reading | None:
    """The names the wrong way round; None when what would be the artist has a title's brackets."""
    as_artist = read_artist(title)
    if not as_artist.is_plain or not as_artist.key:
        return None
    return Reading(as_artist, read_title(artist), _SWAPPED, is_swapped=True)


def _present(reading: Reading | None) -> list[Reading]:
    return [] if reading is None else [reading]


def _ends(key: str) -> tuple[tuple[int, str], tuple[int, str]]:
    """How a name begins and how it ends."""
    n_kept = min(_END_LENGTH, max(1, len(key) // 2))
    return (0, key[:n_kept]), (1, key[-n_kept:])


def _artist_keys(artist: ArtistNames) -> set[str]:
    return {artist.key, artist.ordered, *artist.parts, *artist.guests} - {""}
