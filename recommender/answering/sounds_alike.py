"""Which tracks sound like one, and which lead from one to another, by the ids that a player knows them by."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from recommender.answering.walk_steps import walk, waypoints
from recommender.catalogue.database import Database
from recommender.catalogue.embeddings import load_embeddings
from recommender.catalogue.identities import server_ids, tracks_with_identity
from recommender.catalogue.tracks import find_track, tracks_by_id
from recommender.errors import NoSuchEmbedding, NoSuchTrack
from recommender.model.in_service import ServedModel
from recommender.records.rows import SUBSONIC
from recommender.records.tracks import UNKNOWN_ARTIST, TrackInfo

FloatArray = NDArray[np.float32]
_NEAR_EACH_POINT = 100


@dataclass(frozen=True)
class SonicMatch:
    """A track under the id a player knows; ``similarity`` is 1 for the same sound, 0 for the most unlike."""

    id: str
    track: TrackInfo
    similarity: float


@dataclass(frozen=True)
class _Asked:
    """A track that was asked for, by its server's id or by ours."""

    track_id: int
    is_of_server: bool
    vector: FloatArray


def similar_tracks(database: Database, model: ServedModel, asked_id: str, *, count: int) -> list[SonicMatch]:
    """The tracks that sound most like one, without it, nearest first.

    Asked by the id of a server, the answer is of tracks that are there too.

    Raises
    ------
    NoSuchTrack, NoSuchEmbedding
    """
    index = model.bundle.index
    with database.read_session() as session:
        asked = _find(session, model, asked_id)
        n_wanted = 2 * count
        while index is not None:
            found, similarities = index.search(asked.vector[None], n_wanted, exclude=(asked.track_id,))
            near = {int(i): float(s) for i, s in zip(found[0], similarities[0], strict=True) if i >= 0}
            matches = _name(session, near, asked)
            if len(matches) >= count or n_wanted >= len(index):
                return matches[:count]
            n_wanted *= 4
    return []


def sonic_path(
    database: Database, model: ServedModel, start_id: str, end_id: str, *, count: int
) -> list[SonicMatch]:
    """Tracks that lead from one to another in small steps, both ends among them; fewer where there are fewer.

    Raises
    ------
    NoSuchTrack, NoSuchEmbedding, WalkError
    """
    with database.read_session() as session:
        start, end = _find(session, model, start_id), _find(session, model, end_id)
        near = _near_the_way(model, start, end, n_points=max(count - 2, 1))
        is_of_server = start.is_of_server and end.is_of_server
        known = _ids(session, sorted(near), is_of_server=is_of_server)
        ids, raw = load_embeddings(session, model.bundle.config.fingerprint, sorted(known))
        infos = tracks_by_id(session, ids.tolist())
    vectors = model.bundle.standardisation.apply(raw)
    artists = [-1 if infos[i].artist == UNKNOWN_ARTIST else infos[i].artist_id for i in ids.tolist()]
    path = walk(vectors, ids, start.track_id, end.track_id, min(count, len(ids)), artists=artists)
    similarity = dict(zip(ids.tolist(), (vectors @ start.vector).tolist(), strict=True))
    return [SonicMatch(known[i], infos[i], _as_share(similarity[i])) for i in path.tolist()]


def _find(session: Session, model: ServedModel, asked_id: str) -> _Asked:
    by_server = tracks_with_identity(session, SUBSONIC, [asked_id]).get(asked_id)
    if by_server:
        track_id = by_server[0]
    elif asked_id.isascii() and asked_id.isdigit():
        track_id = find_track(session, asked_id).id
    else:
        raise NoSuchTrack(
            f"no track has the id {asked_id[:100]!r}: `whichlist match-server` links a server's ids"
        )
    ids, raw = load_embeddings(session, model.bundle.config.fingerprint, [track_id])
    if not len(ids):
        raise NoSuchEmbedding(f"track {track_id} has not been heard by the model in service")
    return _Asked(track_id, bool(by_server), model.bundle.standardisation.apply(raw)[0])


def _near_the_way(model: ServedModel, start: _Asked, end: _Asked, *, n_points: int) -> set[int]:
    """Both ends, and the tracks about evenly spaced points between them."""
    near = {start.track_id, end.track_id}
    if model.bundle.index is not None and start.track_id != end.track_id:
        points = waypoints(start.vector, end.vector, n_points, through=start.vector[::-1].copy())
        found, _ = model.bundle.index.search(points, _NEAR_EACH_POINT)
        near |= {int(track_id) for track_id in found.ravel() if track_id >= 0}
    return near


def _name(session: Session, near: dict[int, float], asked: _Asked) -> list[SonicMatch]:
    infos = tracks_by_id(session, list(near))
    known = _ids(session, list(infos), is_of_server=asked.is_of_server)
    return [SonicMatch(known[i], infos[i], _as_share(s)) for i, s in near.items() if i in known]


def _ids(session: Session, track_ids: Sequence[int], *, is_of_server: bool) -> dict[int, str]:
    """Track id -> the id to answer with; a server's player cannot play what is not there."""
    if is_of_server:
        return server_ids(session, SUBSONIC, track_ids)
    return {track_id: str(track_id) for track_id in track_ids}


def _as_share(similarity: float) -> float:
    """A cosine as the extension counts: 1 the same, 0 the most different."""
    return min(max((1.0 + similarity) / 2.0, 0.0), 1.0)
