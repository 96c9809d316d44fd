"""Catalogue queries about embeddings, keyed (track, encoder fingerprint)."""

import time
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from recommender.catalogue.database import CHUNK_ROWS, insert_or_update
from recommender.catalogue.tables.library import AudioFile, Embedding, Track
from recommender.errors import NoSuchEmbedding, RecommenderError
from recommender.records.models import StoredPatches


def store_embedding(
    session: Session,
    track_id: int,
    *,
    fingerprint: str,
    vector: NDArray[np.float32],
    patches: NDArray[np.float32],
    start_s: NDArray[np.float64],
    patch_s: float,
) -> None:
    """Keep what an encoder heard in a track; storing it again replaces it.

    vector : (dim,) raw, pooled.  patches : (n_patches, dim) raw, kept as float16.  start_s : (n_patches,)
    """
    if patches.shape != (len(start_s), len(vector)):
        raise RecommenderError(
            f"patches must be (n_patches, dim) = ({len(start_s)}, {len(vector)}), got {patches.shape}"
        )
    row = {
        "track_id": track_id,
        "fingerprint": fingerprint,
        "dim": len(vector),
        "vector": np.ascontiguousarray(vector, dtype="<f4").tobytes(),
        "n_patches": len(patches),
        "patches": np.ascontiguousarray(patches, dtype="<f2").tobytes(),
        "start_s": np.ascontiguousarray(start_s, dtype="<f8").tobytes(),
        "patch_s": patch_s,
        "created_at": time.time(),
    }
    insert_or_update(session, Embedding, row, key=("track_id", "fingerprint"))


def load_embeddings(
    session: Session, fingerprint: str, track_ids: Sequence[int] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Raw track vectors of one encoder, by track id.

    Returns
    -------
    track_ids : (n,) int64
    vectors : (n, dim) float32
        Tracks this encoder has not heard are left out; with none at all the shape is (0, 0).
    """
    found: dict[int, bytes] = {}
    for statement in _chunks(select(Embedding.track_id, Embedding.vector), fingerprint, track_ids):
        found.update(session.execute(statement).tuples().all())
    ids = np.array(sorted(found), dtype=np.int64)
    if not found:
        return ids, np.empty((0, 0), dtype=np.float32)
    stacked = np.frombuffer(b"".join(found[track_id] for track_id in sorted(found)), dtype="<f4")
    return ids, stacked.reshape(len(found), -1).astype(np.float32)


def load_patches(session: Session, track_id: int, fingerprint: str) -> StoredPatches:
    """Raw patch embeddings of a track.

    Raises
    ------
    NoSuchEmbedding
        This encoder has not heard the track.
    """
    mine = (Embedding.track_id == track_id, Embedding.fingerprint == fingerprint)
    columns = (Embedding.patches, Embedding.start_s, Embedding.patch_s, Embedding.n_patches, Embedding.dim)
    row = session.execute(select(*columns).where(*mine)).first()
    if row is None:
        raise NoSuchEmbedding(f"track {track_id} has no embedding of encoder {fingerprint}")
    patches, start_s, patch_s, n_patches, dim = row
    return StoredPatches(
        patches=np.frombuffer(patches, dtype="<f2").reshape(n_patches, dim).astype(np.float32),
        start_s=np.frombuffer(start_s, dtype="<f8").astype(np.float64),
        patch_s=patch_s,
    )


def has_embedding(session: Session, track_id: int, fingerprint: str) -> bool:
    """Whether this encoder has heard the track."""
    mine = (Embedding.track_id == track_id, Embedding.fingerprint == fingerprint)
    return session.scalar(select(func.count()).select_from(Embedding).where(*mine)) == 1


def heard_tracks(session: Session, track_ids: Sequence[int], fingerprint: str) -> set[int]:
    """Those of the tracks that this encoder has heard."""
    found: set[int] = set()
    for start in range(0, len(track_ids), CHUNK_ROWS):
        chunk = [int(track_id) for track_id in track_ids[start : start + CHUNK_ROWS]]
        mine = (Embedding.fingerprint == fingerprint, Embedding.track_id.in_(chunk))
        found |= set(session.scalars(select(Embedding.track_id).where(*mine)))
    return found


def heard_moments(session: Session, fingerprint: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Ids of all tracks that an encoder has heard, (n,) int64 and rising, and when each was stored, float64.

    What changed since an earlier look shows in the difference: an index of the table answers alone.
    """
    mine = select(Embedding.track_id, Embedding.created_at).where(Embedding.fingerprint == fingerprint)
    rows = session.execute(mine.order_by(Embedding.track_id)).tuples().all()
    ids, moments = zip(*rows, strict=True) if rows else ((), ())
    return np.array(ids, dtype=np.int64), np.array(moments, dtype=np.float64)


def embedded_tracks(session: Session, fingerprint: str) -> set[int]:
    """Ids of all tracks this encoder has heard."""
    return set(session.scalars(select(Embedding.track_id).where(Embedding.fingerprint == fingerprint)))


def tracks_without_embedding(session: Session, fingerprint: str) -> list[int]:
    """Ids of the tracks that have a file this encoder has not heard."""
    heard = select(Embedding.track_id).where(Embedding.fingerprint == fingerprint)
    with_file = select(AudioFile.track_id).where(AudioFile.track_id.is_not(None))
    wanted = select(Track.id).where(Track.id.in_(with_file), Track.id.not_in(heard))
    return list(session.scalars(wanted.order_by(Track.id)))


def _chunks(
    statement: Select[int, bytes], fingerprint: str, track_ids: Sequence[int] | None
) -> Iterator[Select[int, bytes]]:
    """The statement for one encoder, asked in pieces when only some tracks are wanted."""
    statement = statement.where(Embedding.fingerprint == fingerprint)
    if track_ids is None:
        yield statement
        return
    for start in range(0, len(track_ids), CHUNK_ROWS):
        wanted = [int(track_id) for track_id in track_ids[start : start + CHUNK_ROWS]]
        yield statement.where(Embedding.track_id.in_(wanted))
