"""How sure a proposal is, in the words of the page; each has a condition that can be checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from recommender.answering.headline import PLAIN_ODDS, PLAIN_PROBABILITY
from recommender.model.precision_threshold import Threshold


class Sureness(StrEnum):
    """What is known of where a song goes.

    ``clear``: one playlist is named, plainly; where the score card lets it be promised that few of these
    are wrong, only those that keep the promise. ``close_call``: two are about as probable. ``likely``: named,
    but not plainly. ``none``: none is named. ``said``: a person said so. ``already_in``: a playlist holds it.
    """

    CLEAR = "clear"
    LIKELY = "likely"
    CLOSE_CALL = "close_call"
    NONE = "none"
    SAID = "said"
    ALREADY_IN = "already_in"


@dataclass(frozen=True)
class Placed:
    """A playlist that a song may go into; ``fits`` where it is named, by the model or by a person."""

    id: int
    name: str
    probability: float
    fits: bool


def judge(placed: Sequence[Placed], thresholds: Mapping[str, Threshold | None]) -> Sureness:
    """Say how sure the first of ``placed`` is.

    Parameters
    ----------
    placed : playlists, those that fit first, then by falling probability
    thresholds : playlist name -> from which probability on the promise holds; without any it is not made
    """
    if not placed or not placed[0].fits:
        return Sureness.NONE
    first = placed[0]
    rest = [other.probability for other in placed[1:]]
    if any(other.fits for other in placed[1:]) or first.probability < PLAIN_ODDS * max(rest, default=0.0):
        return Sureness.CLOSE_CALL
    if first.probability < PLAIN_PROBABILITY or not rest:
        return Sureness.LIKELY
    if not can_promise(thresholds):
        return Sureness.CLEAR
    threshold = thresholds.get(first.name)
    is_kept = threshold is not None and first.probability >= threshold.probability
    return Sureness.CLEAR if is_kept else Sureness.LIKELY


def can_promise(thresholds: Mapping[str, Threshold | None]) -> bool:
    """Whether the score card lets anything be promised of any playlist."""
    return any(threshold is not None for threshold in thresholds.values())
