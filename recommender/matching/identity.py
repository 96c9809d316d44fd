"""Which track of the catalogue a source's row means: by a registered name, by its file, or by its names.

What a person decided comes first, then the file itself, ISRC, MusicBrainz recording id and Spotify id,
then artist, title, version and length. A registered name that contradicts the row's own words is only
proposed: many files carry a wrong one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from recommender.catalogue.identities import (
    Decided,
    NamedTrack,
    decisions_about,
    named_tracks,
    scanned_paths,
    tracks_at_paths,
    tracks_with_identity,
)
from recommender.catalogue.registered_names import isrcs_of, mbids_of, spotify_ids_of
from recommender.matching.choice import Judged, choose, judge, judge_identity
from recommender.matching.known_names import KnownNames, compare_readings, readings_of
from recommender.matching.known_paths import KnownPaths
from recommender.matching.name_comparison import UNLIKE, Likeness
from recommender.records.matches import Match, Method, Strength, row_key
from recommender.records.rows import ISRC, MBID, SPOTIFY, SourceRow
from recommender.sources.rows.names import names_of_path

# Players write where a track begins in whole seconds, or as they please.
_SAME_START_S = 1.0
_UNDECIDED = Decided(None, frozenset())
_REGISTRIES: tuple[tuple[Method, str, Callable[[SourceRow], list[str]]], ...] = (
    (Method.ISRC, ISRC, isrcs_of),
    (Method.MBID, MBID, mbids_of),
    (Method.SPOTIFY, SPOTIFY, spotify_ids_of),
)


@dataclass(frozen=True)
class _Library:
    """What the catalogue says about the rows in question."""

    by_id: dict[int, NamedTrack]
    names: KnownNames
    at_path: dict[str, dict[float, int]]
    paths: KnownPaths
    registered: dict[Method, dict[str, list[int]]]


def match_rows(session: Session, rows: Sequence[SourceRow]) -> list[Match]:
    """The match of each row, in order; reads only, and never guesses: what is not sure is proposed."""
    if not rows:
        return []
    keys = [row_key(row) for row in rows]
    decided = decisions_about(session, keys)
    library = _read_library(session, rows)
    return [
        _match_row(row, library, decided.get(key, _UNDECIDED)) for row, key in zip(rows, keys, strict=True)
    ]


def _read_library(session: Session, rows: Sequence[SourceRow]) -> _Library:
    tracks = named_tracks(session)
    paths = [row.path for row in rows if row.path]
    at_path = tracks_at_paths(session, paths)
    return _Library(
        by_id={track.id: track for track in tracks},
        names=KnownNames(tracks),
        at_path=at_path,
        paths=KnownPaths(scanned_paths(session) if len(at_path) < len(set(paths)) else ()),
        registered={
            method: tracks_with_identity(session, scheme, (value for row in rows for value in values(row)))
            for method, scheme, values in _REGISTRIES
        },
    )


def _match_row(row: SourceRow, library: _Library, decided: Decided) -> Match:
    if decided.right in library.by_id:
        return Match(decided.right, Strength.STRONG, Method.DECISION, 1.0)
    steps = (_by_path, _by_registry, _by_names)
    judged: list[Judged] = []
    for step in steps:
        found = [entry for entry in step(row, library) if entry.track.id not in decided.wrong]
        match = choose(found)
        if match.strength is Strength.STRONG:
            return match if not judged else choose([*found, *_as_proposals(judged, match.track_id)])
        judged += found
    if not judged and decided.wrong:
        return Match(None, Strength.NONE, Method.DECISION, 0.0, note="what was proposed has been rejected")
    return choose(judged)


def _by_path(row: SourceRow, library: _Library) -> list[Judged]:
    if not row.path:
        return []
    there = library.at_path.get(row.path, {})
    if len(there) > 1:
        return _by_place(row, there, library)
    exact = library.by_id.get(next(iter(there.values()), 0))
    if exact is not None:
        return [Judged(exact, Strength.STRONG, Method.PATH, 1.0)]
    found = []
    for track_id, n_shared in library.paths.find(row.path):
        track = library.by_id.get(track_id)
        if track is not None:
            # The file and its folder are much; with names to compare, or none, they want the artist's too.
            n_needed = 2 if row.duration_s else 3
            trust = n_shared >= n_needed
            judged = judge_identity(row, track, likeness_of(row, track), Method.PATH, trust=trust)
            if judged.strength is not Strength.STRONG and (row.artist, row.title) == names_of_path(row.path):
                # The name was taken from the file's, which is the same: it contradicts no tag.
                nameless = replace(row, artist="", title="")
                judged = judge_identity(nameless, track, UNLIKE, Method.PATH, trust=trust)
            found.append(judged)
    return found


def _by_place(row: SourceRow, there: dict[float, int], library: _Library) -> list[Judged]:
    """The track of an album in one file that begins where the row says; else its names must tell which."""
    if row.start_s is None and row.end_s is None:
        return []
    start_s = row.start_s or 0.0
    nearest = min(there, key=lambda known_s: abs(known_s - start_s))
    track = library.by_id.get(there[nearest])
    if track is None or abs(nearest - start_s) > _SAME_START_S:
        return []
    return [Judged(track, Strength.STRONG, Method.PATH, 1.0)]


def _by_registry(row: SourceRow, library: _Library) -> list[Judged]:
    for method, _, values in _REGISTRIES:
        ids = dict.fromkeys(
            track_id for value in values(row) for track_id in library.registered[method].get(value, ())
        )
        tracks = [library.by_id[track_id] for track_id in ids if track_id in library.by_id]
        if tracks:
            return [judge_identity(row, track, likeness_of(row, track), method) for track in tracks]
    return []


def _by_names(row: SourceRow, library: _Library) -> list[Judged]:
    return [judge(row, track, likeness) for track, likeness in library.names.find(row)]


def likeness_of(row: SourceRow, track: NamedTrack) -> Likeness:
    """How alike the names of a row and a track are, however they are to be read."""
    pairs = (
        compare_readings(asked, known)
        for asked in readings_of(row.artist, row.title)
        for known in readings_of(track.artist, track.title)
    )
    return max(pairs, key=lambda likeness: likeness.score, default=UNLIKE)


def _as_proposals(judged: Sequence[Judged], used: int | None) -> list[Judged]:
    return [entry for entry in judged if entry.track.id != used]
