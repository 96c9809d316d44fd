"""Which tracks of the library a feed's rows mean: only what is sure counts, nobody is asked."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from recommender.feed_resolving import Meant
from recommender.identity import match_rows
from recommender.matches import Match, Strength
from recommender.sources.rows import SourceRow

UNCERTAIN = "uncertain_match"


def match_to_library(session: Session, rows: Sequence[SourceRow]) -> list[Meant]:
    """The track that each row means, in order."""
    return [_read(match) for match in match_rows(session, rows)]


def _read(match: Match) -> Meant:
    if match.strength is Strength.STRONG:
        return Meant(match.track_id)
    if match.strength is Strength.MEDIUM:
        return Meant(None, UNCERTAIN, f"the library may have it: {match.note or 'the names are similar'}")
    return Meant()
