"""An answer in words, the same on the page, on the command line and over HTTP: what it comes to, and why."""

from collections.abc import Sequence

from recommender.answering.answer import RankedPlaylist, Recommendation
from recommender.model.familiarity import Familiarity

# From this probability on, and where the next one is half as probable at most, one playlist is said plainly.
PLAIN_PROBABILITY = 0.6
PLAIN_ODDS = 2.0
_WHOSE = {
    Familiarity.KNOWN.label: "by artists in your playlists",
    Familiarity.NEW.label: "by artists who are new to your playlists",
    Familiarity.UNNAMED.label: "whose artist nobody names",
}


def headline(answer: Recommendation) -> str:
    """Return what the answer comes to; the user's own word comes before what the model thinks."""
    right = [row for row in answer.playlists if row.said == "right"]
    fitting = [row for row in answer.playlists if row.fits]
    if right:
        return f"You put it in {_either(right, 'and')}."
    if not answer.playlists:
        return "There is nothing to compare it with."
    if not fitting:
        return _none(answer)
    if len(fitting) > 1:
        return f"{_either(fitting, 'or')}."
    if len(answer.playlists) == 1:
        return f"It could be in {fitting[0].name}. A second playlist is needed to say what is not."
    return f"{'Put it in' if _is_plain(fitting[0], answer.playlists) else 'Probably'} {fitting[0].name}."


def _none(answer: Recommendation) -> str:
    """Nothing fits: of a track that is somewhere already its own place is no discovery, and never denied."""
    nearest = _nearest(answer.playlists).name
    own = [playlist.name for playlist in answer.member_of]
    if not own:
        return f"None of yours. The nearest is {nearest}."
    else_nearest = "" if nearest in own else f" The nearest is {nearest}."
    return f"It is in {own[0]}, and sounds unlike what you have.{else_nearest}"


def explanation(answer: Recommendation) -> str:
    """Return what the headline rests on: why nothing is named, or how often such answers were right."""
    if not answer.playlists or any(row.said == "right" for row in answer.playlists):
        return ""
    if any(row.fits for row in answer.playlists):
        return _how_often_right(answer)
    if answer.stranger_p_value > answer.alpha_none:
        return "What would be named was ruled out, or has no other track to compare with."
    return (
        f"Of the tracks that belong into one of these playlists, {_percent(answer.stranger_p_value)}"
        f" lie as far from all of them; up to {_percent(answer.alpha_none)}, none is named."
        " The percentages only compare the playlists with each other."
    )


def _how_often_right(answer: Recommendation) -> str:
    kept, whose = answer.kept, _WHOSE[answer.familiarity]
    if kept.coverage is None or kept.basis == "none":
        return "There are too few tracks to say how often such an answer is right."
    right = f"had their own playlist among those named {_percent(kept.coverage)} of the time"
    if kept.basis == "own":
        return f"Tracks {whose}, asked about as if they were new, {right}."
    return (
        f"All tracks, asked about as if they were new, {right}; those {whose} are too few to say it of them."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else f"{100 * share:.1f} %"


def _is_plain(playlist: RankedPlaylist, playlists: Sequence[RankedPlaylist]) -> bool:
    others = [row.probability for row in playlists if row is not playlist]
    return playlist.probability >= max(PLAIN_PROBABILITY, PLAIN_ODDS * max(others))


def _nearest(playlists: Sequence[RankedPlaylist]) -> RankedPlaylist:
    """The first one that was not said to be wrong."""
    return next((row for row in playlists if row.said is None), playlists[0])


def _either(playlists: Sequence[RankedPlaylist], word: str) -> str:
    *first, last = (row.name for row in playlists)
    return f"{', '.join(first)} {word} {last}" if first else last
