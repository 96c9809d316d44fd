"""The tables of imported rows, of what people decided about them, and of what AcoustID was asked."""

from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from recommender.catalogue.tables.base import Base, owned_by
from recommender.catalogue.tables.library import Track
from recommender.catalogue.tables.playlists import Playlist


class ImportedRow(Base):
    """A row of an imported playlist as it was, and the track that it was matched with.

    ``row`` counts from 1 in the source's own order; ``key`` names the row by what it says.
    """

    __tablename__ = "imported_row"
    playlist_id: Mapped[int] = mapped_column(owned_by(Playlist.id), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    key: Mapped[str]
    asked: Mapped[dict[str, Any]]
    track_id: Mapped[int | None] = mapped_column(owned_by(Track.id, keep=True), index=True)
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
    track_id: Mapped[int] = mapped_column(owned_by(Track.id), primary_key=True, index=True)
    is_right: Mapped[bool]
    decided_at: Mapped[float]


class AcoustIdLookup(Base):
    """What came of asking what a track sounds like; ``acoustid`` is empty where nothing did."""

    __tablename__ = "acoustid_lookup"
    track_id: Mapped[int] = mapped_column(owned_by(Track.id), primary_key=True)
    outcome: Mapped[str]
    acoustid: Mapped[str]
    score: Mapped[float]
    asked_at: Mapped[float]


class ColumnChoice(Base):
    """What a person said that the columns below a head hold: ``columns`` is column -> place from 0."""

    __tablename__ = "column_choice"
    key: Mapped[str] = mapped_column(primary_key=True)
    columns: Mapped[dict[str, Any]]
    decided_at: Mapped[float]
