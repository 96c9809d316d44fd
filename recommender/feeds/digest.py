"""The results of a feed for a person to read, as a page that loads nothing and as plain text."""

from pathlib import Path
from typing import Any

from recommender.feeds.results import FeedResults
from recommender.records.feeds import FeedState

TEMPLATES = Path(__file__).parent / "templates"
MAX_SHOWN = 50
STATES = {
    FeedState.SEEN: "not looked at yet",
    FeedState.RESOLVED: "found, not scored yet",
    FeedState.SCORED: "scored",
    FeedState.NO_AUDIO: "without audio",
    FeedState.SKIPPED: "skipped",
    FeedState.FAILED: "set aside",
}
_REASONS = {
    "not_in_library": "nothing in the library is this recording",
    "uncertain_match": "something in the library may be it",
    "missing_file": "the file is gone",
    "outside_library": "the file lies outside the library",
    "duplicate": "the same recording as an earlier one",
    "names_nothing": "the row names no recording",
    "undecodable_audio": "no audio that can be read",
    "decoder_crashed": "it crashes the decoder",
}


def render_html(results: FeedResults) -> str:
    """The digest as a page."""
    return _render("digest.html.j2", results, autoescape=True)


def render_text(results: FeedResults) -> str:
    """The digest as plain text."""
    return _render("digest.txt.j2", results, autoescape=False)


def sentence(n_items: dict[str, int], bundle_id: str) -> str:
    """What became of a feed's items, in one line."""
    words = {
        FeedState.SCORED: "scored",
        FeedState.NO_AUDIO: "without audio",
        FeedState.SKIPPED: "skipped",
        FeedState.FAILED: "set aside",
    }
    said = ", ".join(f"{n_items[state]} {word}" for state, word in words.items() if n_items[state])
    return f"{sum(n_items.values())} items: {said or 'nothing yet'}; model {bundle_id}"


def _render(template: str, results: FeedResults, *, autoescape: bool) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda share: f"{100 * share:.0f} %"
    return environment.get_template(template).render(
        results=results, counts=_counts(results), max_shown=MAX_SHOWN, printable=_printable
    )


def _counts(results: FeedResults) -> list[dict[str, Any]]:
    """How many items there are in each state that has any, and why."""
    n_items = results.feed.n_items
    return [
        {
            "state": words,
            "n_items": n_items[state],
            "reasons": [
                (_REASONS.get(code, code.replace("_", " ")), n)
                for found, code, n in results.reasons
                if found == state
            ],
        }
        for state, words in STATES.items()
        if n_items.get(state)
    ]


def _printable(value: object) -> str:
    """Text on one line, without what would not be shown."""
    text = str(value).encode("utf-8", "replace").decode("utf-8")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
