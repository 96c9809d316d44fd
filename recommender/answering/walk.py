"""From two references to a walk between them: what the catalogue knows, what the index finds on the way."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from recommender.answering.answer import NamedTrack
from recommender.answering.walk_steps import FloatArray, IdArray, LibraryTooSmall, SameTrack, walk, waypoints
from recommender.catalogue.database import Database
from recommender.catalogue.embeddings import load_embeddings
from recommender.catalogue.files import track_of_file
from recommender.catalogue.tracks import find_track, parse_reference, tracks_by_id
from recommender.errors import NoSuchTrack, RecommenderError
from recommender.model.in_service import ServedModel
from recommender.records.tracks import TrackInfo, known_artist
from recommender.sources.folder import resolve_in_roots

# Tracks asked of the index at each point on the way; more where these leave too little choice.
NEAREST_PER_POINT = 32
WIDER = 4
ENOUGH_CANDIDATES = 5_000
LONGEST_WALK = 100
UNKNOWN = -1
_DIGITS = 4


class TrackNotHeard(RecommenderError):
    """The encoder in service has not heard the track, so nobody knows where it lies."""

    code = "track_not_heard"


@dataclass(frozen=True)
class WalkStep:
    """One track of a walk; ``similarity`` is to the one before, None for the first."""

    track: NamedTrack
    similarity: float | None


@dataclass(frozen=True)
class Walk:
    """A walk, in the shape that HTTP and the command line show; ``model`` is the bundle that knew the way."""

    model: str
    steps: tuple[WalkStep, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def walk_between(
    database: Database,
    model: ServedModel,
    start: str,
    end: str,
    *,
    length: int,
    library_roots: Callable[[], Sequence[Path]] | None,
) -> Walk:
    """Return a walk of ``length`` tracks of the library, the two named ones at its ends.

    Parameters
    ----------
    start, end : str
        A track id, ``isrc:...``, ``mbid:...``, ``spotify:track:...`` or its URL, or the path of a file that
        was scanned.
    library_roots : callable, optional
        Says where a path may lie; None lets it lie anywhere, for the person at the command line.

    Raises
    ------
    NoSuchTrack, OutsideLibrary, SameTrack, TrackNotHeard, LibraryTooSmall
    """
    with database.read_session() as session:
        ends = [_find(session, reference, library_roots) for reference in (start, end)]
        if ends[0].id == ends[1].id:
            raise SameTrack(f"{ends[0].artist} - {ends[0].title} is both ends of the walk")
        known = _Known(session, model)
        for track in ends:
            known.learn([track.id])
            if track.id not in known.embeddings:
                named = f"track {track.id} ({track.artist} - {track.title})"
                raise TrackNotHeard(f"{named} has not been heard by the model in service")
        path = _path(known, ends[0].id, ends[1].id, length)
        tracks = [known.tracks[track_id] for track_id in path]
    similarities = [None, *(known.similarity(one, other) for one, other in pairwise(path))]
    steps = (
        WalkStep(NamedTrack(id=track.id, title=track.title, artist=track.artist), similarity)
        for track, similarity in zip(tracks, similarities, strict=True)
    )
    return Walk(model.bundle.bundle_id, tuple(steps))


def _find(session: Any, reference: str, library_roots: Callable[[], Sequence[Path]] | None) -> TrackInfo:
    try:
        parse_reference(reference)
    except NoSuchTrack:
        path = Path(reference)
        resolved = path.resolve() if library_roots is None else resolve_in_roots(path, library_roots())
        return track_of_file(session, resolved)
    return find_track(session, reference)


class _Known:
    """Tracks that a walk may pass, as far as they were looked up: where they lie and whose they are."""

    def __init__(self, session: Any, model: ServedModel) -> None:
        self._session = session
        self._bundle = model.bundle
        self.embeddings: dict[int, FloatArray] = {}
        self.tracks: dict[int, TrackInfo] = {}

    @property
    def n_in_index(self) -> int:
        """How many tracks the model in service can find."""
        return 0 if self._bundle.index is None else len(self._bundle.index)

    def learn(self, track_ids: Sequence[int]) -> None:
        """Look up those of the tracks that are not known yet; one not heard, or gone, is passed over."""
        new = [track_id for track_id in dict.fromkeys(track_ids) if track_id not in self.embeddings]
        heard, raw = load_embeddings(self._session, self._bundle.config.fingerprint, new)
        tracks = tracks_by_id(self._session, heard.tolist())
        if len(heard) == 0:
            return
        # A track that equals the mean of the library lies in no direction.
        standardised = self._bundle.standardisation.standardise(raw)
        rows = [row for row, one in enumerate(heard.tolist()) if one in tracks and standardised[row].any()]
        for row, embedding in zip(rows, self._bundle.standardisation.apply(raw[rows]), strict=True):
            self.embeddings[int(heard[row])] = embedding
        self.tracks |= tracks

    def learn_around(self, points: FloatArray, k: int) -> None:
        """Look up the tracks that the index finds nearest to each point."""
        if self._bundle.index is not None and len(points):
            found, _ = self._bundle.index.search(points, k)
            self.learn([track_id for track_id in np.unique(found).tolist() if track_id >= 0])

    def similarity(self, one: int, other: int) -> float:
        """Cosine similarity of two tracks."""
        return round(float(self.embeddings[one] @ self.embeddings[other]), _DIGITS)

    def artist(self, track_id: int) -> int:
        """Number of the artist, :data:`UNKNOWN` where nobody knows them."""
        track = self.tracks[track_id]
        return track.artist_id if known_artist(track.artist) else UNKNOWN


def _path(known: _Known, start: int, end: int, length: int) -> list[int]:
    """Walk among the tracks nearest to the way; look further afield while they are too few or too alike."""
    points = waypoints(known.embeddings[start], known.embeddings[end], length - 2)
    k = NEAREST_PER_POINT
    while True:
        # The ends are found at every point, and they stand at no place between.
        known.learn_around(points, k + 2)
        track_ids = list(known.embeddings)
        is_all = k >= known.n_in_index or len(track_ids) >= max(ENOUGH_CANDIDATES, length)
        if len(track_ids) >= length:
            path = _walk_among(known, track_ids, start, end, length)
            if is_all or not _has_repeat(known, path):
                return path
        elif is_all:
            raise LibraryTooSmall(
                f"a walk of {length} tracks was asked for, and the model in service knows {len(track_ids)}"
            )
        k *= WIDER


def _walk_among(known: _Known, track_ids: list[int], start: int, end: int, length: int) -> list[int]:
    embeddings = np.stack([known.embeddings[track_id] for track_id in track_ids])
    artists = [known.artist(track_id) for track_id in track_ids]
    path: IdArray = walk(embeddings, track_ids, start, end, length, artists=artists)
    found: list[int] = path.tolist()
    return found


def _has_repeat(known: _Known, path: Sequence[int]) -> bool:
    artists = [known.artist(track_id) for track_id in path]
    return any(one == other != UNKNOWN for one, other in pairwise(artists))
