"""An experiment's report as one HTML page that needs nothing from elsewhere and runs no script."""

from collections.abc import Mapping
from typing import Any

from training.report import pictures
from training.report.page import fill_template, printable

Card = Mapping[str, Any]

WHEN = {"before": "before training", "after": "after training"}


def draw_pictures(card: Card, maps: Card) -> dict[str, str]:
    """Return name -> SVG of all pictures that there are figures for."""
    card, maps = printable(card), printable(maps)
    drawn = {"confusion": pictures.draw_confusion(card), "baselines": pictures.draw_baselines(card)}
    if card["trainings"]:
        first = card["trainings"][0]
        drawn["training"] = pictures.draw_training(first["history"], first["best_epoch"])
    if card["curve"]:
        drawn["curve"] = pictures.draw_curves(card)
    for name, points in maps["planes"].items():
        kind, _, when = name.partition("_")
        alt = f"{kind.upper()} map of {len(points)} tracks {WHEN[when]}, coloured by playlist."
        shown = {"labels": card["labels"], "tracks": maps["tracks"]}
        drawn[name] = pictures.draw_map(shown, points, alt, is_hollow=lambda track: not track["learnt"])
    return drawn


def render_report(card: Card, maps: Card, drawn: Mapping[str, str], recipe: str) -> str:
    """Return the page."""
    card = printable(card)
    return fill_template(
        "experiment.html.j2",
        card=card,
        variance=maps["variance"],
        pictures=drawn,
        rivals=[{**card, "choice": "as above"}, *card["compared"]],
        recipe=printable_lines(recipe),
        targets=[_reached(card, target) for target in card["to_beat"]],
    )


def printable_lines(text: str) -> str:
    """Return a text as a page can hold it, line by line."""
    return "\n".join(printable(line) for line in text.splitlines())


def _reached(card: Card, target: Card) -> dict[str, Any]:
    """Return a figure to beat beside the one of this run, if that says anything."""
    name = target["figure"]
    says_nothing = name.startswith("precision_at_") and int(name[-1]) >= len(card["labels"])
    return {
        **target,
        "words": name.replace("_at_", "@"),
        "here": None if says_nothing else card[name],
    }
