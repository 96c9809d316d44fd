"""The score card's page: whole, self-contained, accessible, and never taken in by a name."""

import math
from typing import Any

import pytest

from tests.training.judging.judged import judge_world
from tests.training.report.html_check import Page
from tests.training.worlds import make_tracks, with_random_labels
from training.judging.findings import complete_scorecard
from training.judging.judged_group import JudgedGroup
from training.report.page import render_page

NASTY = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "cash $100$ & co",
    "\udcff\x00bytes\u202e",
    "a name so long that no picture has room for all of it",
)


def make_card(group: JudgedGroup, **more: Any) -> dict[str, Any]:
    """The card of a judged group as ``evaluate_folder`` completes it, without the slow map."""
    card = complete_scorecard(group, with_maps=False)
    points = [[math.cos(row), math.sin(row)] for row in range(len(group.tracks))]
    about = {"encoder": "tiny", "seed": 0, "seconds": 1.25, "failed": []}
    return card | about | {"maps": {"pca": {"points": points, "variance": 0.5}}} | more


@pytest.fixture(scope="module")
def card() -> dict[str, Any]:
    """Of three playlists, with some mistakes."""
    return make_card(
        judge_world(make_tracks([24, 24, 24], n_artists=12, distance=1.5), names=("calm", "loud", "odd"))
    )


@pytest.fixture(scope="module")
def page(card: dict[str, Any]) -> Page:
    return Page(render_page(card, title="Score card of mine"))


def test_the_page_is_whole_and_loads_and_runs_nothing(page: Page) -> None:
    assert page.faults == []
    assert len(page.all("svg")) == 7
    assert page.all("html") == [{"lang": "en"}]


def test_pictures_say_what_they_show(page: Page, card: dict[str, Any]) -> None:
    pictures = page.all("svg")
    assert all(picture["role"] == "img" and picture["aria-label"] for picture in pictures)
    spoken = " ".join(str(picture["aria-label"]) for picture in pictures)
    assert f"expected calibration error {card['ece']:.3f}" in spoken
    assert f"This model {card['balanced_accuracy']:.0%}" in spoken
    point = card["strangers"]["curve"][0]
    first = f"{point['members_turned_away']:.0%} and {point['strangers_caught']:.0%}"
    assert f"Members turned away and strangers caught: {first}" in spoken
    assert f"Promised 90%; calm {card['playlists'][0]['coverage']:.0%}" in spoken


def test_tables_name_their_rows_and_columns(page: Page) -> None:
    scopes = [heading.get("scope") for heading in page.all("th")]
    assert set(scopes) == {"row", "col"}
    assert scopes.count("row") == 2 * 3 + 8  # playlists twice, and the figures of new and known artists
    regions = [part for part in page.all("div") if "scroll" in str(part.get("class"))]
    assert all(part["tabindex"] == "0" and part["aria-label"] for part in regions)


def test_the_headline_says_how_sure_it_is(page: Page, card: dict[str, Any]) -> None:
    low, high = (f"{100 * value:.0f} %" for value in card["balanced_accuracy_ci"])
    assert f"one of 3 playlists {100 * card['balanced_accuracy']:.0f} % of the time" in page.text
    assert f"over artists {low} to {high}" in page.text
    assert "Guessing would be right 33 % of the time" in page.text


def test_each_dot_of_the_map_has_its_title(page: Page, card: dict[str, Any]) -> None:
    titles = {f"{track['artist']} – {track['title']} ({track['label']})" for track in card["tracks"]}
    assert len(titles) == len(card["tracks"]) == len(page.all("title")) - 1
    assert all(title in page.text for title in titles)


@pytest.mark.filterwarnings("error")
def test_names_are_shown_and_never_obeyed() -> None:
    tracks = make_tracks([9, 9, 9, 9, 9], n_artists=9)
    titles = [f"{NASTY[row % 5]} {row}" for row in range(45)]
    card = make_card(judge_world(with_random_labels(tracks), names=NASTY, titles=titles))
    written = render_page(card, title=NASTY[0])
    page = Page(written)
    assert page.faults == []
    assert "<script>alert(1)</script>" in page.text
    assert '"><img src=x onerror=alert(1)>' in page.text
    assert "cash $100$ & co" in page.text
    assert page.all("img") == []
    written.encode("utf-8")
    assert not {"\x00", "\u202e", "\udcff"} & set(written)


def test_random_labels_are_no_better_than_chance() -> None:
    card = make_card(judge_world(with_random_labels(make_tracks([20, 20, 20], n_artists=15))))
    assert any("no better than chance" in warning for warning in card["warnings"])
    text = Page(render_page(card, title="noise")).text
    assert "That is no better than chance" in text
    assert "Do not rely on its answers." in text
    assert "More tracks like these would not visibly help" in text


def test_a_bundle_has_a_section_for_each_group(card: dict[str, Any]) -> None:
    history = [
        {"loss": 1.0 / n, "cross_entropy": 0.5 + 0.1 * n, "accuracy": 0.5, "seconds": 1.0} for n in (1, 2, 3)
    ]
    training = {
        "mode": "frozen",
        "history": history,
        "best_epoch": 0,
        "stopped": "patience",
        "validated_by": "artist",
        "n_tracks": 60,
        "n_validation_tracks": 12,
    }
    groups = [card | {"group": "default"}, {"group": "mood", "error": "It has one playlist."}]
    whole = {"encoder": "tiny+dense", "n_folds": 5, "seed": 0, "seconds": 3.0, "about": ["It was trained."]}
    page = Page(render_page(whole | {"groups": groups, "training": training, "failed": []}, title="A model"))
    assert page.faults == []
    assert "It has one playlist." in page.text
    assert "It was trained." in page.text
    assert "stopped by patience" in page.text
    spoken = str(page.all("svg")[-1]["aria-label"])
    assert "at the kept epoch 1: loss 1.000, cross entropy 0.600, accuracy 0.500" in spoken


def test_what_could_not_be_judged_is_said() -> None:
    # Two artists in all: no learning curve, no left-out playlist, wide intervals.
    card = make_card(judge_world(make_tracks([3, 3], n_artists=2)))
    page = Page(render_page(card, title="little"))
    assert page.faults == []
    assert "There are too few artists to learn from a part of them" in page.text
    assert "cannot be told with fewer than three playlists" in page.text


def test_files_that_could_not_be_heard_are_named(card: dict[str, Any]) -> None:
    failed = [
        {"file": f"{number}.mp3", "code": "undecodable_audio", "error": "no audio"} for number in range(30)
    ]
    page = Page(render_page(card | {"failed": failed}, title="some"))
    assert "0.mp3: no audio" in page.text
    assert "And 5 more, in the JSON." in page.text
