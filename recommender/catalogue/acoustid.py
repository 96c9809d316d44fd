"""Catalogue queries about tracks without a MusicBrainz id, and what AcoustID said of them."""

import os
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from recommender.catalogue.database import insert_or_keep, insert_or_update
from recommender.catalogue.identities import NamedTrack
from recommender.catalogue.tables.imports import AcoustIdLookup
from recommender.catalogue.tables.library import Artist, AudioFile, Identity, Track
from recommender.catalogue.tables.playlists import Membership

_MBID = "mbid"


class ScannedFile(NamedTuple):
    """A file as it was when a scan read it."""

    path: Path
    size: int
    mtime_ns: int


class NamelessTrack(NamedTuple):
    """A track that MusicBrainz' ids do not name yet; ``outcome`` is empty until AcoustID was asked."""

    track: NamedTrack
    files: tuple[ScannedFile, ...]
    outcome: str


def tracks_without_mbid(session: Session, *, playlist_id: int | None = None) -> list[NamelessTrack]:
    """Tracks with audio and without a MusicBrainz recording id, by id; of one playlist or of all.

    Of an album in one file no track has a file here: what the file sounds like is none of its tracks.
    """
    files: dict[int, list[ScannedFile]] = defaultdict(list)
    chosen = _without_mbid(playlist_id)
    listed = select(AudioFile.track_id, AudioFile.path, AudioFile.size, AudioFile.mtime_ns).where(
        AudioFile.track_id.in_(chosen), AudioFile.start_s == 0, AudioFile.end_s.is_(None)
    )
    for track_id, path, size, mtime_ns in session.execute(listed.order_by(AudioFile.path)):
        if track_id is not None:
            files[track_id].append(ScannedFile(Path(os.fsdecode(path)), size, mtime_ns))
    statement = (
        select(Track.id, Track.title, Artist.name, Track.album, Track.duration_s, AcoustIdLookup.outcome)
        .join(Artist, Artist.id == Track.artist_id)
        .outerjoin(AcoustIdLookup, AcoustIdLookup.track_id == Track.id)
        .where(Track.id.in_(chosen))
        .order_by(Track.id)
    )
    return [
        NamelessTrack(NamedTrack(*row[:5]), tuple(files[row[0]]), row[5] or "")
        for row in session.execute(statement)
    ]


def record_lookup(
    session: Session, track_id: int, outcome: str, *, acoustid: str, score: float, mbids: Sequence[str]
) -> None:
    """Remember what AcoustID said of a track, and let these recording ids name it."""
    row = {
        "track_id": track_id,
        "outcome": outcome,
        "acoustid": acoustid,
        "score": score,
        "asked_at": time.time(),
    }
    insert_or_update(session, AcoustIdLookup, row, ("track_id",))
    insert_or_keep(
        session, Identity, [{"track_id": track_id, "scheme": _MBID, "value": value} for value in mbids]
    )


def _without_mbid(playlist_id: int | None) -> Select[int]:
    named = select(Identity.track_id).where(Identity.scheme == _MBID)
    statement = select(Track.id).where(Track.content_sha256.is_not(None), Track.id.not_in(named))
    if playlist_id is None:
        return statement
    members = select(Membership.track_id).where(Membership.playlist_id == playlist_id)
    return statement.where(Track.id.in_(members))
