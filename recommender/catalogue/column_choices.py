"""Catalogue queries about tables whose columns a person explained, known by their head."""

import hashlib
import time
from collections.abc import Mapping

from sqlalchemy.orm import Session

from recommender.catalogue.database import insert_or_update
from recommender.catalogue.tables.imports import ColumnChoice


def remember_columns(session: Session, head: str, columns: Mapping[str, int]) -> None:
    """Keep what the columns below a head hold, in place of what was said before."""
    row = {"key": _key(head), "columns": dict(columns), "decided_at": time.time()}
    insert_or_update(session, ColumnChoice, row, ("key",))


def columns_below(session: Session, head: str) -> dict[str, int] | None:
    """What a person said that the columns below a head hold, or None."""
    found = session.get(ColumnChoice, _key(head))
    return None if found is None else dict(found.columns)


def _key(head: str) -> str:
    """Heads are longer than some databases can index."""
    return hashlib.sha256(head.encode("utf-8", "replace")).hexdigest()
