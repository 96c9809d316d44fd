"""Two score cards side by side: what each says, and the difference where both judged the same tracks."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.catalogue.database import Database
from recommender.catalogue.models import get_bundle
from recommender.model.bundle import CorruptBundle, read_report
from recommender.model.scorecards import read_scorecard
from recommender.records.models import BundleInfo
from recommender.settings import Settings

Card = Mapping[str, Any]
CountArray = NDArray[np.int64]

N_BOOTSTRAP = 1000
SEED = 0
DIGITS = 4


@dataclass(frozen=True)
class PairedDifference:
    """Balanced accuracy of both models over the tracks that both judged, and b minus a with 95 % interval."""

    n_tracks: int
    n_artists: int
    a: float
    b: float
    difference: float
    low: float
    high: float

    @property
    def better(self) -> str | None:
        """The model that is better by more than the uncertainty, None where none is."""
        if self.low > 0:
            return "b"
        return "a" if self.high < 0 else None


@dataclass(frozen=True)
class ComparedGroup:
    """One group: what each card says of it (None: nothing), and the difference.

    ``same_folds`` is None where no track was judged by both; ``paired`` too, and where fewer than two
    artists or playlists are left.
    """

    name: str
    a: Card | None
    b: Card | None
    same_folds: bool | None
    paired: PairedDifference | None

    @property
    def playlists(self) -> tuple[str, ...]:
        """Names of the playlists that either judged."""
        return tuple(dict.fromkeys(name for card in (self.a, self.b) for name in _recalls(card)))

    def recall(self, playlist: str) -> tuple[float | None, float | None]:
        """Recall of a playlist by a and by b."""
        return _recalls(self.a).get(playlist), _recalls(self.b).get(playlist)


def compare_cards(a: Card | None, b: Card | None) -> tuple[ComparedGroup, ...]:
    """Return every group of two models' score cards, by name; None is a model that was not judged."""
    groups_a, groups_b = _groups(a), _groups(b)
    return tuple(
        _compare_group(name, groups_a.get(name), groups_b.get(name))
        for name in sorted({*groups_a, *groups_b})
    )


def compare_models(database: Database, settings: Settings, a: str, b: str) -> dict[str, Any]:
    """Return two models side by side as plain values, in the shape that HTTP and the command line show.

    Raises
    ------
    NoSuchBundle
        There is none of one of these ids.
    """
    with database.read_session() as session:
        bundles = get_bundle(session, a), get_bundle(session, b)
    cards = [read_scorecard(settings, bundle.id) for bundle in bundles]
    groups = compare_cards(*cards)
    return {
        "a": _describe_model(bundles[0], cards[0]),
        "b": _describe_model(bundles[1], cards[1]),
        "same_encoder": bundles[0].fingerprint == bundles[1].fingerprint,
        "groups": [_describe_group(group) for group in groups],
        "notes": _notes(bundles, cards),
    }


def _describe_model(bundle: BundleInfo, card: Card | None) -> dict[str, Any]:
    try:
        at_training = read_report(bundle.directory).get("comparison")
    except CorruptBundle:
        at_training = None
    return {
        "id": bundle.id,
        "state": bundle.state,
        "encoder": bundle.summary.get("encoder"),
        "fingerprint": bundle.fingerprint,
        "created_at": bundle.created_at,
        "is_judged": card is not None,
        "balanced_accuracy_of_choosing": {
            group["name"]: group.get("balanced_accuracy_of_choosing")
            for group in bundle.summary.get("groups", ())
        },
        "comparison_at_training": at_training,
    }


def _describe_group(group: ComparedGroup) -> dict[str, Any]:
    paired = group.paired
    return {
        "group": group.name,
        "a": _describe_figures(group.a),
        "b": _describe_figures(group.b),
        "same_folds": group.same_folds,
        "paired": None
        if paired is None
        else {
            "n_tracks": paired.n_tracks,
            "n_artists": paired.n_artists,
            "a": round(paired.a, DIGITS),
            "b": round(paired.b, DIGITS),
            "difference": round(paired.difference, DIGITS),
            "difference_ci": [round(paired.low, DIGITS), round(paired.high, DIGITS)],
            "better": paired.better,
        },
        "playlists": [
            dict(zip(("name", "recall_a", "recall_b"), (name, *group.recall(name)), strict=True))
            for name in group.playlists
        ],
    }


def _describe_figures(card: Card | None) -> dict[str, Any] | None:
    if card is None:
        return None
    names = ("balanced_accuracy", "balanced_accuracy_ci", "beats_chance", "n_tracks", "error")
    return {name: card.get(name) for name in names}


def _notes(bundles: Sequence[BundleInfo], cards: Sequence[Card | None]) -> list[str]:
    notes = [
        f"model {bundle.id} has not been judged"
        for bundle, card in zip(bundles, cards, strict=True)
        if card is None
    ]
    if bundles[0].fingerprint == bundles[1].fingerprint:
        notes.append(
            "both have the same encoder, and a score card judges encoder and fitting on the playlists of its"
            " day: a difference comes from the playlists"
        )
    return notes


def _groups(card: Card | None) -> dict[str, Card]:
    return {} if card is None else {group["group"]: group for group in card["groups"]}


def _recalls(card: Card | None) -> dict[str, float | None]:
    return {p["name"]: p["recall"] for p in (card or {}).get("playlists", ())}


def _compare_group(name: str, a: Card | None, b: Card | None) -> ComparedGroup:
    shared = _shared_tracks(a, b)
    if a is None or b is None or not shared:
        return ComparedGroup(name, a, b, same_folds=None, paired=None)
    folds = {(track_a["fold"], track_b["fold"]) for track_a, track_b in shared}
    same_folds = len(folds) == len({fold for fold, _ in folds}) == len({fold for _, fold in folds})
    return ComparedGroup(name, a, b, same_folds=same_folds, paired=_pair(shared, _counted(a, b)))


def _shared_tracks(a: Card | None, b: Card | None) -> list[tuple[Card, Card]]:
    """Return the tracks that both judged; copies under one name cannot be told apart and are left out."""
    tracks_a, tracks_b = _named_tracks(a), _named_tracks(b)
    return [(track, tracks_b[name]) for name, track in tracks_a.items() if name in tracks_b]


def _named_tracks(card: Card | None) -> dict[tuple[str, ...], Card]:
    tracks = (card or {}).get("tracks", ())
    names = [(track["file"], track["title"], track["artist"]) for track in tracks]
    n_times = Counter(names)
    return {name: track for name, track in zip(names, tracks, strict=True) if n_times[name] == 1}


def _counted(a: Card, b: Card) -> list[str]:
    """Return the playlists that both judged by artist; all that both judged where those are too few."""
    by = [{p["name"]: p["judged_by"] for p in card["playlists"]} for card in (a, b)]
    shared = [name for name in by[0] if name in by[1]]
    honest = [name for name in shared if by[0][name] == by[1][name] == "artist"]
    return honest if len(honest) > 1 else shared


def _pair(shared: Sequence[tuple[Card, Card]], labels: Sequence[str]) -> PairedDifference | None:
    """Compare by a bootstrap over artists, the same ones for both, as their tracks stand or fall together."""
    shared = [pair for pair in shared if all(track["label"] in labels for track in pair)]
    # Nobody knows whether two unknown artists are one.
    artists = [a["artist"] or f"track {number}" for number, (a, _) in enumerate(shared)]
    n_artists = len(set(artists))
    if n_artists < 2 or len(labels) < 2:
        return None
    rows = np.unique(np.array(artists), return_inverse=True)[1]
    counts = [_count([pair[side] for pair in shared], rows, labels) for side in (0, 1)]
    rng = np.random.default_rng(SEED)
    drawn = rng.multinomial(n_artists, np.full(n_artists, 1 / n_artists), size=N_BOOTSTRAP)
    whole = np.ones((1, n_artists), dtype=np.int64)
    a, b = (float(_balanced_accuracy(side, whole)[0]) for side in counts)
    differences = _balanced_accuracy(counts[1], drawn) - _balanced_accuracy(counts[0], drawn)
    low, high = (float(value) for value in np.nanquantile(differences, [0.025, 0.975]))
    return PairedDifference(len(shared), n_artists, a, b, b - a, low, high)


def _count(tracks: Sequence[Card], rows: CountArray, labels: Sequence[str]) -> tuple[CountArray, CountArray]:
    """(asked, right), both (n_artists, n_labels): an artist's tracks of a label, and those placed there."""
    column = {label: number for number, label in enumerate(labels)}
    asked = np.zeros((int(rows.max()) + 1, len(labels)), dtype=np.int64)
    right = np.zeros_like(asked)
    for row, track in zip(rows.tolist(), tracks, strict=True):
        first = max(track["probabilities"].items(), key=lambda named: -1.0 if named[1] is None else named[1])[
            0
        ]
        asked[row, column[track["label"]]] += 1
        right[row, column[track["label"]]] += first == track["label"]
    return asked, right


def _balanced_accuracy(counts: tuple[CountArray, CountArray], drawn: CountArray) -> NDArray[np.float64]:
    """(n_draws,): mean recall among the artists drawn, of the labels that have a track among them."""
    asked, right = (drawn @ table for table in counts)
    recall = np.divide(right, asked, out=np.full(asked.shape, np.nan), where=asked > 0)
    has_any = ~np.isnan(recall)
    means: NDArray[np.float64] = np.nansum(recall, axis=1) / np.maximum(has_any.sum(axis=1), 1)
    return means
