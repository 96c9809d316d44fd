"""The tables of imported rows and of what people decided about them."""

from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from recommender.tables import Base


class ImportedRow(Base):
    """A row of an imported playlist as it was, and the track that it was matched with.

    ``row`` counts from 1 in the source's own order; ``key`` names the row by what it says.
    """

    __tablename__ = "imported_row"
    playlist_id: Mapped[int] = mapped_column(ForeignKey("playlist.id", ondelete="CASCADE"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    key: Mapped[str]
    asked: Mapped[dict[str, Any]]
    track_id: Mapped[int | None] = mapped_column(ForeignKey("track.id", ondelete="SET NULL"), index=True)
    strength: Mapped[str]
    method: Mapped[str]
    score: Mapped[float]
    alternatives: Mapped[dict[str, Any]]
    note: Mapped[str]
    state: Mapped[str]
    code: Mapped[str]


class MatchDecision(Base):
    """A person's word that a row, wherever it turns up, is or is not a track."""

    __tablename__ = "match_decision"
    key: Mapped[str] = mapped_column(primary_key=True)
    track_id: Mapped[int] = mapped_column(
        ForeignKey("track.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    is_right: Mapped[bool]
    decided_at: Mapped[float]
