"""The score card as one HTML page that needs nothing from elsewhere and runs no script."""

import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.report import wording

Card = Mapping[str, Any]

TEMPLATES = Path(__file__).parent / "templates"
MAX_SHOWN = 25


def render_page(card: Card, *, title: str) -> str:
    """Return the page of a score card of one group, or of a bundle with its ``groups``."""
    card = printable(card)
    groups = [group | {"pictures": _draw(group)} for group in card.get("groups", [card]) if "labels" in group]
    return fill_template(
        "scorecard.html.j2",
        title=title,
        card=card,
        groups=groups,
        unjudged=[group for group in card.get("groups", []) if "labels" not in group],
        training=_draw_training(card),
    )


def fill_template(name: str, **values: Any) -> str:
    """Return a page of the reports; whatever is filled in is shown and never obeyed."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "figure": _figure}
    return environment.get_template(name).render(wording=wording, max_shown=MAX_SHOWN, **values)


def _draw(card: Card) -> dict[str, Any]:
    """Return name -> SVG of the pictures that the card has figures for."""
    from training.report import pictures

    drawn = {
        "baselines": pictures.draw_baselines(card),
        "confusion": pictures.draw_confusion(card),
        "reliability": pictures.draw_reliability(card),
        "coverage": pictures.draw_coverage(card),
    }
    if card["strangers"]:
        drawn["strangers"] = pictures.draw_strangers(card)
    if card["learning_curve"]:
        drawn["learning_curve"] = pictures.draw_learning_curve(card)
    for name, found in card["maps"].items():
        alt = f"{name.upper()} map of {len(found['points'])} tracks, coloured by playlist."
        drawn[name] = pictures.draw_map(card, found["points"], alt)
    return drawn


def _draw_training(card: Card) -> str | None:
    from training.report import pictures

    report = card.get("training")
    if not report or not report["history"]:
        return None
    return pictures.draw_training(report["history"], report["best_epoch"])


def printable(value: Any) -> Any:
    """Return the card with names as a page can hold them: no control characters, no broken bytes."""
    if isinstance(value, str):
        text = value.encode("utf-8", "replace").decode()
        return "".join(
            " " if unicodedata.category(letter) in ("Cc", "Cf", "Cs") else letter for letter in text
        )
    if isinstance(value, Mapping):
        return {printable(key): printable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [printable(inner) for inner in value]
    return value


def _percent(value: float | None) -> str:
    return "–" if value is None else wording.percent(value)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
