"""How far the lists of a feed can be relied on, by the score card of the model that scored it."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from recommender.catalogue.models import list_bundles
from recommender.catalogue.playlists import list_playlists
from recommender.model.precision_threshold import Threshold, find_thresholds
from recommender.model.scorecards import read_scorecard
from recommender.settings import Settings


def judged_card(
    session: Session, settings: Settings, group: str, *, models: Sequence[str]
) -> Mapping[str, Any]:
    """Return the score card of the model that scored; else of the last one judged on the same playlists.

    What is taught by hand makes a new model within seconds, and judging one takes minutes.
    """
    nothing: Mapping[str, Any] = {"groups": []}
    if len(models) != 1:
        return nothing
    card = read_scorecard(settings, models[0])
    if card is not None:
        return card
    names = {playlist.name for playlist in list_playlists(session, group=group) if playlist.n_tracks}
    for bundle in list_bundles(session):
        card = read_scorecard(settings, bundle.id)
        groups = card["groups"] if card else []
        if any(found.get("group") == group and names <= set(found.get("labels", ())) for found in groups):
            return card or nothing
    return nothing


class ListPromises:
    """From which probability on the promise is kept, for each playlist, and the words for it."""

    def __init__(
        self, at_most_wrong: float | None, group: str, *, models: Sequence[str], card: Mapping[str, Any]
    ) -> None:
        self.asked = at_most_wrong
        self._found: dict[str, Threshold | None] = {}
        self._why_not = ""
        if self.asked is None:
            return
        if len(models) != 1:
            self._why_not = (
                "the scores come from several models: score the feed again" if models else "no score"
            )
            return
        mine = next((found for found in card["groups"] if found.get("group") == group), None)
        if mine is None:
            self._why_not = f"model {models[0]} was not judged yet"
        elif "error" in mine:
            self._why_not = str(mine["error"])
        elif any("fits" not in track for track in mine.get("tracks", ())):
            self._why_not = "the score card is of an earlier version; the next training makes a new one"
        else:
            self._found = find_thresholds(mine, at_most_wrong=self.asked)

    def find(self, name: str) -> tuple[Threshold | None, str]:
        """(threshold, what it rests on in words); without one the words say what is missing."""
        if self.asked is None:
            return None, ""
        found = self._found.get(name)
        if found is None:
            why = self._why_not or "too few held-out tracks were answered rightly enough"
            return None, f"at most {self.asked:.0%} wrong cannot be promised: {why}"
        return found, (
            f"at most {self.asked:.0%} wrong, with 90 % confidence: {found.n_wrong} of {found.n_tracks}"
            f" held-out answers of this {found.basis} from {found.probability:.3f} on were wrong. These were"
            " tracks of your playlists; of tracks that belong in none, more may slip in"
        )
