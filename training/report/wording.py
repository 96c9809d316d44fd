"""A score card's figures in sentences, for people who would rather not read a table."""

from collections.abc import Mapping
from typing import Any

Card = Mapping[str, Any]

_BASELINES = {
    "random": "guessing",
    "popularity": "always naming the largest playlist",
    "mean_mel_cosine": "comparing mean spectra",
    "mfcc_logistic": "logistic regression on MFCC statistics, the usual classifier without a network",
}


def headline(card: Card) -> str:
    """Return what the balanced accuracy means, with its interval."""
    low, high = card["balanced_accuracy_ci"]
    # An experiment may be judged on a split whose artists nobody knows.
    asked = "by an artist it had never heard" if card.get("artists_apart", True) else "it had not learnt from"
    return (
        f"Asked about a track {asked}, the model names the right one of"
        f" {len(card['labels'])} playlists {percent(card['balanced_accuracy'])} of the time"
        f" (every playlist counted alike; {percent(0.95)} interval over artists {percent(low)} to"
        f" {percent(high)})."
    )


def verdict(card: Card) -> str:
    """Return how that compares with guessing and with the best of the baselines on the same folds."""
    low, high = card["balanced_accuracy_ci"]
    if not card["beats_chance"]:
        return (
            f"That is no better than chance: guessing is right {percent(card['chance'])} of the time, and"
            " answers dealt out at random do as well too often. Do not rely on its answers."
        )
    rivals = {name: value for name, value in card["baselines"].items() if name != "random"}
    name, value = max(rivals.items(), key=lambda item: item[1])
    if value < low:
        compared = "clearly better than"
    elif value > high:
        compared = "worse than"
    elif value > card["balanced_accuracy"]:
        compared = "within its uncertainty, but not better than"
    else:
        compared = "better, though within its uncertainty, than"
    return (
        f"Guessing would be right {percent(card['chance'])} of the time. It is {compared} the best simple"
        f" method, {_BASELINES.get(name, name)}, with {percent(value)}."
    )


def calibration(card: Card) -> str:
    """Return how far its probabilities can be taken at their word."""
    return (
        f"When it names a probability, it is off by {card['ece'] * 100:.1f} points on average (expected"
        f" calibration error, {len(card['reliability'])} bins of equal mass)."
    )


def coverage(card: Card) -> str:
    """Return whether its two promises to tracks that have a playlist were kept."""
    if card["coverage"] is None:
        return "Nothing could be held out to check what it promises."
    known = card["known_artists"]
    kinds = [("new", card)] + ([("known", known)] if known and known["coverage"] is not None else [])
    turned_away = " and ".join(
        f"{percent(figures['turned_away'])} of those by {kind} artists" for kind, figures in kinds
    )
    held = " and ".join(percent(figures["coverage"]) for _, figures in kinds)
    return (
        f"It promises to say of at most {percent(card['alpha_none'])} of the tracks with a playlist that none"
        f" fits: held out, it said so of {turned_away}. Of the others, it promises that the playlists named"
        f" hold the right one {percent(1 - card['alpha'])} of the time: they did so {held} of the time."
    )


def none_fits(card: Card) -> str:
    """Return how well it notices that no playlist fits."""
    strangers = card["strangers"]
    if strangers is None or strangers["auroc"] is None:
        return "Whether it notices that no playlist fits cannot be told with fewer than three playlists."
    auroc = strangers["auroc"]
    return (
        f"When one playlist is left out, its tracks lie farther from all others than tracks of those"
        f" {percent(auroc['mean'])} of the time (AUROC; a coin would manage {percent(0.5)}; worst playlist"
        f" {percent(auroc['worst'])}); {percent(strangers['strangers_caught'])} of them are said to fit none,"
        f" and {percent(strangers['members_turned_away'])} of the tracks that have a playlist."
    )


def sibling(pair: Mapping[str, Any]) -> str:
    """Return what to do about two playlists that are hard to tell apart."""
    a, b = pair["playlists"]
    shared = f" They share {pair['n_shared']} tracks." if pair["n_shared"] else ""
    if pair["told_apart"] is None:
        return f"“{a}” and “{b}” hold the same tracks. Merge them?"
    low, high = pair["told_apart_ci"]
    told = (
        f"“{a}” and “{b}”: given a track of each, it says rightly which is which"
        f" {percent(pair['told_apart'])} of the time ({percent(0.95)} interval {percent(low)} to"
        f" {percent(high)}; guessing: {percent(0.5)}), and {pair['n_confused']} tracks of one were placed in"
        f" the other.{shared}"
    )
    advice = "Merge them?" if pair["advice"] == "merge" else "There are too few artists to be sure."
    return f"{told} {advice}"


def percent(value: float) -> str:
    """Return a share in per cent, not to be broken over two lines."""
    return f"{100 * value:.0f}\N{NARROW NO-BREAK SPACE}%"
