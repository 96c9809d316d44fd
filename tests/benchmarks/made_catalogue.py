"""A made catalogue of any size, filled in bulk: heard tracks with files, and playlists to learn from.

Tracks lie in 300 clusters, and a playlist draws most of its tracks from five of them. Files are empty: a scan
of unchanged ones reads no more than their names, sizes and times.
"""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert
from sqlalchemy.orm import Session

from embeddings.encoder_files import load_encoder_config
from recommender.catalogue.database import Database
from recommender.catalogue.tables.library import Artist, AudioFile, Embedding, LibraryRoot, Track
from recommender.catalogue.tables.playlists import Membership, Playlist, PlaylistGroup
from recommender.records.playlists import DEFAULT_GROUP, EDITED
from recommender.settings import Settings

N_CLUSTERS, N_LATENT = 300, 24
N_PATCHES, TRACKS_PER_ARTIST, FILES_PER_FOLDER = 8, 10, 200
CHUNK = 2_000


def fill_catalogue(
    database: Database,
    encoder_directory: Path,
    *,
    n_tracks: int,
    n_playlists: int,
    n_members: int,
    music: Path,
) -> None:
    """Fill an empty catalogue; playlists of ``n_members`` (all tracks, if there are fewer) in one group."""
    config, rng = load_encoder_config(encoder_directory), np.random.default_rng(440)
    world = _World(rng, config.embedding_dim)
    clusters = rng.integers(N_CLUSTERS, size=n_tracks)
    now = time.time()
    with database.session() as session:
        session.execute(insert(LibraryRoot), [{"path": os.fsencode(music), "path_text": str(music)}])
        artists = [
            {"name": f"Artist number {n}", "key": f"artist number {n}"} for n in range(n_tracks // 10 + 1)
        ]
        _insert(session, Artist, artists)
    for start in range(0, n_tracks, CHUNK):
        numbers = range(start, min(start + CHUNK, n_tracks))
        vectors = world.draw(clusters[numbers.start : numbers.stop])
        with database.session() as session:
            _insert(session, Track, [_track(n, now) for n in numbers])
            _insert(session, AudioFile, list(_files(music, numbers, now)))
            rows = zip(numbers, vectors, strict=True)
            _insert(session, Embedding, [_embedding(n, row, config.fingerprint, now) for n, row in rows])
    with database.session() as session:
        session.execute(insert(PlaylistGroup), [{"id": 1, "name": DEFAULT_GROUP}])
        for number in range(n_playlists):
            values = {"group_id": 1, "name": f"Playlist {number:02}", "source": EDITED}
            _insert(session, Playlist, [{"id": number + 1, **values, "created_at": now, "changed_at": now}])
            members = _draw_members(rng, clusters, min(n_members, n_tracks))
            _insert(session, Membership, [_member(number + 1, *row) for row in enumerate(members.tolist())])


def adopt_encoder(settings: Settings, data: Path) -> Path:
    """Copy the encoders of a prepared data folder; directory of the one to begin with."""
    if not settings.encoders_directory.exists():
        shutil.copytree(data / "encoders", settings.encoders_directory)
    return next(path.parent for path in sorted(settings.encoders_directory.glob("*/encoder.tflite")))


class _World:
    """Raw vectors in clusters."""

    def __init__(self, rng: np.random.Generator, dim: int) -> None:
        self._rng, self._dim = rng, dim
        self._mapping = rng.standard_normal((N_LATENT, dim)).astype(np.float32)
        self._centres = rng.standard_normal((N_CLUSTERS, N_LATENT)).astype(np.float32)

    def draw(self, clusters: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n,) -> (n, dim) float32."""
        n = len(clusters)
        latent = self._centres[clusters] + self._rng.standard_normal((n, N_LATENT), np.float32)
        noise = 1.5 * self._rng.standard_normal((n, self._dim), np.float32)
        drawn: NDArray[np.float32] = latent @ self._mapping + noise
        return drawn


def _draw_members(rng: np.random.Generator, clusters: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Rows of tracks, most of them of five clusters; the first ones of what is drawn without replacement."""
    weight = np.where(np.isin(clusters, rng.choice(N_CLUSTERS, size=5, replace=False)), 1.0, 1e-4)
    waiting = rng.exponential(size=len(clusters)) / weight
    return np.argpartition(waiting, n - 1)[:n]


def _insert(session: Session, table: type[Any], rows: list[dict[str, Any]]) -> None:
    session.connection().execute(insert(table.__table__), rows)


def _track(number: int, now: float) -> dict[str, Any]:
    return {
        "id": number + 1,
        "title": f"A title of usual length {number}",
        "artist_id": number // TRACKS_PER_ARTIST + 1,
        "album": f"Album {number // TRACKS_PER_ARTIST}",
        "duration_s": 120.0 + number % 240 + number % 977 / 977,
        "content_sha256": f"{number:064x}",
        "source": "local",
        "licence": "",
        "trainable": True,
        "created_at": now,
    }


def _files(music: Path, numbers: range, now: float) -> Iterator[dict[str, Any]]:
    for number in numbers:
        path = music / f"{number // FILES_PER_FOLDER:05}" / f"{number}.flac"
        if number % FILES_PER_FOLDER == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        yield {
            "track_id": number + 1,
            "path": os.fsencode(path),
            "path_text": str(path),
            "size": 0,
            "mtime_ns": path.stat().st_mtime_ns,
            "content_sha256": f"{number:064x}",
            "seen_at": now,
        }


def _embedding(number: int, vector: NDArray[np.float32], fingerprint: str, now: float) -> dict[str, Any]:
    return {
        "track_id": number + 1,
        "fingerprint": fingerprint,
        "dim": len(vector),
        "vector": vector.astype("<f4").tobytes(),
        "n_patches": N_PATCHES,
        "patches": np.tile(vector.astype("<f2"), N_PATCHES).tobytes(),
        "start_s": np.arange(N_PATCHES, dtype="<f8").tobytes(),
        "patch_s": 3.0,
        "created_at": now,
    }


def _member(playlist_id: int, position: int, row: int) -> dict[str, Any]:
    return {"playlist_id": playlist_id, "track_id": row + 1, "position": position, "source": EDITED}
