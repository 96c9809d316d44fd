"""The table of what AcoustID was asked."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from recommender.tables import Base


class AcoustIdLookup(Base):
    """What came of asking what a track sounds like; ``acoustid`` is empty where nothing did."""

    __tablename__ = "acoustid_lookup"
    track_id: Mapped[int] = mapped_column(ForeignKey("track.id", ondelete="CASCADE"), primary_key=True)
    outcome: Mapped[str]
    acoustid: Mapped[str]
    score: Mapped[float]
    asked_at: Mapped[float]
