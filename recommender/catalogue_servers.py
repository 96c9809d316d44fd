"""Catalogue queries about the ids that tracks have on the user's own servers."""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from recommender.database import CHUNK_ROWS, insert_or_keep
from recommender.tables import Identity


def remember_server_ids(session: Session, scheme: str, found: Iterable[tuple[int, str]]) -> int:
    """Let ids of a server name these tracks and no others; how many ids that were."""
    pairs = {value: track_id for track_id, value in found}
    values = sorted(pairs)
    for start in range(0, len(values), CHUNK_ROWS):
        chunk = values[start : start + CHUNK_ROWS]
        session.execute(delete(Identity).where(Identity.scheme == scheme, Identity.value.in_(chunk)))
    rows = [{"track_id": pairs[value], "scheme": scheme, "value": value} for value in values]
    insert_or_keep(session, Identity, rows)
    return len(rows)


def server_ids(session: Session, scheme: str, track_ids: Sequence[int]) -> dict[int, str]:
    """Track id -> its id on the server (the first by spelling); tracks that are not there are left out."""
    found: dict[int, str] = {}
    wanted = sorted(set(track_ids))
    for start in range(0, len(wanted), CHUNK_ROWS):
        chunk = wanted[start : start + CHUNK_ROWS]
        statement = select(Identity.track_id, Identity.value).where(
            Identity.scheme == scheme, Identity.track_id.in_(chunk)
        )
        for track_id, value in session.execute(statement.order_by(Identity.value.desc())):
            found[track_id] = value
    return found
