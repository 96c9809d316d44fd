"""Two models side by side, for a person at a terminal."""

from collections.abc import Mapping
from typing import Any

import click

from api.terminal import print_table


def print_comparison(found: Mapping[str, Any]) -> None:
    """Print what :func:`recommender.model.comparison.compare_models` returns."""
    a, b = found["a"], found["b"]
    rows: list[tuple[Any, ...]] = [
        (name, a[key], b[key]) for name, key in (("encoder", "encoder"), ("state", "state"))
    ]
    for group in found["groups"]:
        named = f"{group['group']}: balanced accuracy"
        rows.append((named, _figures(group["a"]), _figures(group["b"])))
        rows += [
            (f"  recall of {p['name']}", _number(p["recall_a"]), _number(p["recall_b"]))
            for p in group["playlists"]
        ]
    print_table(("", f"A {a['id']}", f"B {b['id']}"), rows)
    for group in found["groups"]:
        click.echo(f"{group['group']}: {describe_difference(group)}")
    for note in found["notes"]:
        click.echo(note)


def describe_difference(group: Mapping[str, Any]) -> str:
    """Return which model is better in a group, and how sure that is."""
    paired = group["paired"]
    if paired is None:
        return "nothing to compare: no tracks of two artists in two playlists were judged by both"
    low, high = paired["difference_ci"]
    figures = (
        f"{paired['a']:.3f} against {paired['b']:.3f} on the {paired['n_tracks']} tracks judged by both;"
        f" B minus A {paired['difference']:+.3f}, between {low:+.3f} and {high:+.3f} (95 %)"
    )
    folds = (
        ""
        if group["same_folds"]
        else "; their folds differ, which adds chance that the interval does not show"
    )
    better = paired["better"]
    said = (
        f"{better.upper()} is better by more than the uncertainty" if better else "neither is clearly better"
    )
    return f"{said}: {figures}{folds}"


def _figures(figures: Mapping[str, Any] | None) -> str:
    if figures is None:
        return "not judged"
    if figures["error"]:
        return str(figures["error"])
    low, high = figures["balanced_accuracy_ci"]
    chance = "" if figures["beats_chance"] else ", no better than chance"
    return f"{figures['balanced_accuracy']:.3f} ({low:.3f} to {high:.3f}{chance})"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
