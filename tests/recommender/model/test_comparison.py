"""Two score cards side by side: worked by hand, by a slow oracle, and where nothing can be compared."""

from typing import Any

import numpy as np
import pytest

from recommender.model.comparison import ComparedGroup, compare_cards

LABELS = ("hip hop", "electro")


def make_track(
    number: int, label: str, answer: str, *, artist: str | None = None, fold: int = 0
) -> dict[str, Any]:
    other = 0.4
    return {
        "file": f"/m/{number}.mp3",
        "title": f"t{number}",
        "artist": f"artist {number}" if artist is None else artist,
        "label": label,
        "fold": fold,
        "probabilities": {name: 0.6 if name == answer else other for name in LABELS},
    }


def make_card(tracks: list[dict[str, Any]], *, group: str = "default", by: str = "artist") -> dict[str, Any]:
    playlists = [{"name": name, "recall": 0.5, "judged_by": by} for name in LABELS]
    return {"groups": [{"group": group, "playlists": playlists, "tracks": tracks}]}


def answer_with(
    share_right: float, *, n: int = 40, seed: int = 0, fold_shift: int = 0
) -> list[dict[str, Any]]:
    """So many tracks by as many artists, of which about this share is placed rightly."""
    rng = np.random.default_rng(seed)
    tracks = []
    for number in range(n):
        label = LABELS[number % 2]
        is_right = rng.random() < share_right
        answer = label if is_right else LABELS[1 - number % 2]
        tracks.append(make_track(number, label, answer, fold=(number + fold_shift) % 5))
    return tracks


def compared(a: list[dict[str, Any]], b: list[dict[str, Any]]) -> ComparedGroup:
    [group] = compare_cards(make_card(a), make_card(b))
    return group


def test_worked_by_hand() -> None:
    hip_hop, electro = LABELS
    a = [make_track(0, hip_hop, hip_hop), make_track(1, hip_hop, electro), make_track(2, electro, electro)]
    b = [make_track(0, hip_hop, hip_hop), make_track(1, hip_hop, hip_hop), make_track(2, electro, electro)]
    paired = compared(a, b).paired
    assert paired is not None
    assert (paired.n_tracks, paired.n_artists) == (3, 3)
    assert (paired.a, paired.b, paired.difference) == (0.75, 1.0, 0.25)


def test_a_clear_difference_is_one_and_a_model_is_not_better_than_itself() -> None:
    poor, good = answer_with(0.5), answer_with(1.0)
    better = compared(poor, good).paired
    assert better is not None
    assert (better.better, better.low > 0) == ("b", True)
    turned = compared(good, poor).paired
    assert turned is not None
    assert (turned.better, turned.difference) == ("a", -better.difference)
    np.testing.assert_allclose([turned.low, turned.high], [-better.high, -better.low], atol=1e-9)
    same = compared(poor, poor).paired
    assert same is not None
    assert (same.difference, same.low, same.high, same.better) == (0, 0, 0, None)


def test_a_difference_by_one_artist_is_none() -> None:
    a, b = answer_with(0.0), answer_with(0.0)
    for number in range(0, 20):
        for tracks in (a, b):
            tracks[number]["artist"] = "one artist"
        b[number]["probabilities"] = {name: float(name == b[number]["label"]) for name in LABELS}
    paired = compared(a, b).paired
    assert paired is not None
    assert (paired.n_artists, paired.difference, paired.better) == (21, 0.5, None)


def test_the_bootstrap_is_what_slow_drawing_gives() -> None:
    """Artists drawn one by one, recalls counted track by track: the same interval within its own noise."""
    a, b = answer_with(0.6, seed=1), answer_with(0.8, seed=2)
    for number, (first, second) in enumerate(zip(a, b, strict=True)):
        first["artist"] = second["artist"] = f"artist {number // 3}"
    paired = compared(a, b).paired
    assert paired is not None
    rng = np.random.default_rng(7)
    names = sorted({track["artist"] for track in a})
    differences = []
    for _ in range(2000):
        drawn = [names[i] for i in rng.integers(len(names), size=len(names))]
        recalls = []
        for tracks in (a, b):
            right: dict[str, list[bool]] = {}
            for name in drawn:
                for track in tracks:
                    if track["artist"] == name:
                        first_answer = max(track["probabilities"], key=track["probabilities"].get)
                        right.setdefault(track["label"], []).append(first_answer == track["label"])
            recalls.append(np.mean([np.mean(found) for found in right.values()]))
        differences.append(recalls[1] - recalls[0])
    np.testing.assert_allclose([paired.low, paired.high], np.quantile(differences, [0.025, 0.975]), atol=0.04)


def test_tracks_without_a_known_artist_are_not_one_artists() -> None:
    a, b = answer_with(0.5), answer_with(1.0)
    for track in (*a, *b):
        track["artist"] = ""
    paired = compared(a, b).paired
    assert paired is not None
    assert paired.n_artists == len(a)


def test_only_what_both_judged_is_compared() -> None:
    a, b = answer_with(1.0, n=40), answer_with(1.0, n=30)
    b += [make_track(99, LABELS[0], LABELS[1])]
    paired = compared(a, b).paired
    assert paired is not None
    assert (paired.n_tracks, paired.difference) == (30, 0)
    twice = compared([*a, a[0]], [*b, b[0]]).paired  # which is which cannot be told
    assert twice is not None
    assert twice.n_tracks == 29


def test_folds_are_the_same_when_they_part_the_tracks_alike() -> None:
    a = answer_with(0.5)
    assert compared(a, answer_with(0.9)).same_folds is True
    assert compared(a, answer_with(0.9, fold_shift=1)).same_folds is True  # other numbers, same parts
    other = answer_with(0.9)
    other[0]["fold"], other[1]["fold"] = other[1]["fold"], other[0]["fold"]
    assert compared(a, other).same_folds is False


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (None, None),
        (make_card(answer_with(1.0)), None),
        (make_card(answer_with(1.0)), {"groups": [{"group": "default", "error": "It has one playlist"}]}),
        (make_card(answer_with(1.0)), make_card(answer_with(1.0), group="taste")),
        (make_card(answer_with(1.0, n=1)), make_card(answer_with(1.0, n=1))),
        (make_card([]), make_card([])),
    ],
)
def test_where_nothing_can_be_compared(a: Any, b: Any) -> None:
    for group in compare_cards(a, b):
        assert group.paired is None
        assert group.same_folds in (None, True)


def test_groups_and_playlists_of_either_are_named() -> None:
    first, second = make_card(answer_with(1.0)), make_card(answer_with(1.0), group="taste")
    second["groups"][0]["playlists"][0]["name"] = "liked"
    assert [group.name for group in compare_cards(first, second)] == ["default", "taste"]
    merged = {"groups": [*first["groups"], *second["groups"]]}
    default, taste = compare_cards(merged, second)
    assert (default.b, default.recall("electro")) == (None, (0.5, None))
    assert taste.playlists == ("liked", "electro")


def test_playlists_judged_by_track_flatter_nobody_where_two_others_remain() -> None:
    names = (*LABELS, "one artist's")
    tracks = [*answer_with(1.0), *(make_track(n, names[2], names[2]) for n in range(50, 60))]
    wrong = [*answer_with(1.0), *(make_track(n, names[2], names[0]) for n in range(50, 60))]
    for found in (tracks, wrong):
        for track in found:
            track["probabilities"].setdefault(names[2], 0.9 if track in tracks[40:] else 0.0)
    cards = [make_card(tracks), make_card(wrong)]
    for card in cards:
        card["groups"][0]["playlists"].append({"name": names[2], "recall": 1.0, "judged_by": "track"})
    [group] = compare_cards(*cards)
    assert group.paired is not None
    assert (group.paired.n_tracks, group.paired.difference) == (40, 0)
