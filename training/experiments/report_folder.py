"""The report folder of an experiment: begun once, gone on with, and written whole at the end."""

import csv
import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recommender.errors import RecommenderError
from training.experiments.page import draw_pictures, render_report
from training.recipes.recipe import RECIPE_FILE, Recipe, load_recipe, read_recipe
from training.report.page import TEMPLATES
from training.report.svg import stand_alone

Card = Mapping[str, Any]

METRICS_FILE = "metrics.json"
PAGE_FILE = "index.html"
MISCLASSIFIED_FILE = "misclassified.csv"


class OutExists(RecommenderError):
    """The report's folder is there already, or holds something else than a run to go on with."""

    code = "out_exists"


def recipe_for(name: str, settings: tuple[str, ...], out: Path, *, resume: bool) -> Recipe:
    """Return the recipe to run; going on without any settings means going on with those of the first time."""
    if resume and not settings and (out / RECIPE_FILE).is_file():
        recipe = read_recipe(out / RECIPE_FILE)
        if recipe.name == Path(name).stem:
            return recipe
    return load_recipe(name, settings=settings)


def open_folder(out: Path, recipe: Recipe, *, resume: bool, only_look: bool = False) -> None:
    """Make the folder with the recipe in it, or see that it holds a run of this very recipe.

    Parameters
    ----------
    only_look : bool
        Raise what there is to raise, and make nothing yet: data that cannot be used should leave no folder.
    """
    if not out.exists():
        if not only_look:
            out.mkdir(parents=True)
            _write(out / RECIPE_FILE, recipe.to_toml())
        return
    if not resume:
        raise OutExists(f"{out} is there already: go on with --resume, or name another folder with --out")
    if not (out / RECIPE_FILE).is_file():
        raise OutExists(
            f"{out} holds no experiment to go on with ({RECIPE_FILE} is missing): name another --out"
        )
    before = _flat(tomllib.loads((out / RECIPE_FILE).read_text(encoding="utf-8")))
    now = _flat(tomllib.loads(recipe.to_toml()))
    changed = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    if changed:
        key = changed[0]
        raise OutExists(
            f"{out} holds a run of {before.get('name')!r} in which {key} was {before.get(key)!r}, not"
            f" {now.get(key)!r}: leave the settings out to go on with it, or name another --out"
        )


def write_report(out: Path, recipe: Recipe, card: Card, maps: Card) -> None:
    """Write everything but the logs: figures, pictures, the list of mistakes, the page that shows it all."""
    pictures = draw_pictures(card, maps)
    colours = (TEMPLATES / "colours.css").read_text(encoding="utf-8")
    for name, svg in pictures.items():
        _write(out / f"{name}.svg", stand_alone(svg, colours))
    _write_misclassified(out / MISCLASSIFIED_FILE, card)
    page = render_report(card, maps, pictures, recipe.to_toml())
    _write(out / PAGE_FILE, page)
    # Last: where it is there, the rest is.
    _write(out / METRICS_FILE, json.dumps(card, indent=1, allow_nan=False) + "\n")


def _write_misclassified(path: Path, card: Card) -> None:
    columns = ["file", "artist", "title", "label", "predicted", "own_probability", "predicted_probability"]
    n_nearest = max((len(found["nearest"]) for found in card["misclassified"]), default=0)
    near = [
        f"nearest_{number}{part}"
        for number in range(1, n_nearest + 1)
        for part in ("", "_label", "_similarity")
    ]
    with path.open("w", encoding="utf-8", newline="", errors="replace") as file:
        writer = csv.writer(file)
        writer.writerow([*columns, *near])
        for found in card["misclassified"]:
            cells = [
                cell
                for other in found["nearest"]
                for cell in (other["file"], other["playlists"][0], other["similarity"])
            ]
            writer.writerow([*(found[name] for name in columns), *cells])


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in table.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: value}
    return found


def _write(path: Path, text: str) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(text, encoding="utf-8", errors="replace")
    aside.replace(path)
