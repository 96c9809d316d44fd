"""The score card's figures from answers made up so that each can be worked out by hand."""

import json
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from recommender.records.promises import DEFAULT_PROMISE, Promise
from tests.training.worlds import VIEWS, make_context, make_labels, make_tracks, with_random_labels
from training.folds import Grouping
from training.groups.fitting import default_choice
from training.groups.labels import LabelledTracks
from training.judging.baselines import judge_baselines
from training.judging.figures import CHANCE_P_VALUE, build_scorecard
from training.judging.named_figures import describe_named
from training.judging.outer_folds import N_NEAREST, FoldAnswers, Judged, judge_group
from training.judging.strangers import CurvePoint, Strangers
from training.metrics import bootstrap_interval, chance_p_value

# Eight tracks of three playlists (the last is in two of them), and where the answers put them.
LABEL = np.array([0, 0, 0, 1, 1, 2, 2, 2])
PREDICTED = np.array([0, 0, 1, 1, 1, 2, 2, 0])


def make_world() -> LabelledTracks:
    tracks = make_tracks([3, 2, 3], n_artists=3)
    membership = tracks.membership.copy()
    membership[7, 1] = True
    return replace(tracks, membership=membership)


def make_judged(
    tracks: LabelledTracks,
    predicted: np.ndarray,
    *,
    judged_by: tuple[str, ...] = ("artist",) * 3,
    open_set: tuple[float, ...] = (0.9, 0.7, 0.8),
) -> Judged:
    """Answers with a probability of 0.6 for the playlist predicted, which is named, and rising p-values."""
    n_tracks, n_labels = tracks.membership.shape
    fits = np.arange(n_labels) == predicted[:, None]
    probability = np.full((n_tracks, n_labels), 0.4 / (n_labels - 1), np.float32)
    probability[np.arange(n_tracks), predicted] = 0.6
    evidence = (n_tracks, n_labels, N_NEAREST)
    return Judged(
        familiarity=np.zeros(n_tracks, np.int8),
        fits=fits,
        stranger_p_value=np.ones(n_tracks, np.float32),
        folds=np.arange(n_tracks) % 4,
        grouping=Grouping(tracks.artist_numbers, judged_by, np.arange(len(tracks))),
        probability=probability,
        p_value=np.linspace(0.05, 1, n_tracks * n_labels, dtype=np.float32).reshape(n_tracks, n_labels),
        nearest_ids=np.full(evidence, -1, np.int64),
        nearest_similarity=np.full(evidence, np.nan, np.float32),
        strangers=Strangers(open_set, () if np.isnan(open_set).all() else (CurvePoint(0.05, 0.04, 0.3),)),
        choices=(default_choice(VIEWS),) * 4,
    )


def build(tracks: LabelledTracks, judged: Judged, *, promise: Promise = DEFAULT_PROMISE) -> dict[str, Any]:
    labels = make_labels(tracks.membership.shape[1])
    return build_scorecard(labels, tracks, make_context(tracks), judged, promise=promise)


def test_the_figures_worked_by_hand() -> None:
    tracks = make_world()
    card = build(tracks, make_judged(tracks, PREDICTED))
    # The last track is in playlists 1 and 2 and was put in 0: it counts for the likelier of its own.
    assert card["confusion"] == [[2, 1, 0], [1, 2, 0], [0, 0, 2]]
    assert card["balanced_accuracy"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3, abs=1e-4)
    assert card["macro_f1"] == pytest.approx((4 / 6 + 4 / 6 + 1) / 3, abs=1e-4)
    assert [playlist["recall"] for playlist in card["playlists"]] == [0.6667, 0.6667, 1.0]
    assert [playlist["precision"] for playlist in card["playlists"]] == [0.6667, 0.6667, 1.0]
    assert [playlist["n_tracks"] for playlist in card["playlists"]] == [3, 3, 3]
    assert [playlist["n_artists"] for playlist in card["playlists"]] == [3, 3, 3]
    assert card["precision_at_1"] == pytest.approx(6 / 8)
    assert card["precision_at_3"] == 1
    assert card["open_set_auroc"] == {"mean": 0.8, "worst": 0.7}
    assert card["labels"] == ["playlist 0", "playlist 1", "playlist 2"]


def test_ece_is_over_bins_of_equal_mass() -> None:
    """Eight answers at 0.6, six of them right: too few for more than one bin, which is off by 0.15."""
    tracks = make_world()
    card = build(tracks, make_judged(tracks, PREDICTED))
    assert card["ece"] == pytest.approx(0.75 - 0.6, abs=1e-4)


def test_the_figures_of_named_playlists_worked_by_hand() -> None:
    """Eight tracks: one is called a stranger, two are answered with two playlists, one of them wrongly."""
    tracks = make_world()
    judged = make_judged(tracks, PREDICTED)
    judged.stranger_p_value[0], judged.fits[0] = 0.04, False
    judged.fits[1] = [True, True, False]
    judged.fits[7] = [True, False, False]  # wrong: it is in the other two
    judged.fits[2] = [False, True, True]  # wrong: it is in the first
    card = build(tracks, judged)
    assert (card["accuracy"], card["turned_away"]) == (0.75, 0.125)
    assert card["coverage"] == pytest.approx(5 / 7, abs=1e-4)
    assert card["mean_set_size"] == pytest.approx(9 / 7, abs=1e-4)
    assert card["singletons"] == pytest.approx(5 / 7, abs=1e-4)
    assert card["singleton_accuracy"] == 0.8
    assert (card["alpha"], card["alpha_none"]) == (0.1, 0.05)
    stricter = build(tracks, judged, promise=Promise(0.1, 0.03))
    assert stricter["turned_away"] == 0


def test_known_artists_have_a_column_of_their_own() -> None:
    tracks = make_world()
    judged = make_judged(tracks, PREDICTED)
    assert build(tracks, judged)["known_artists"] is None
    again = make_judged(tracks, LABEL)
    again.familiarity[:] = [1, 1, 1, 1, 1, 1, 0, 0]
    to_known = FoldAnswers(**{item.name: getattr(again, item.name) for item in fields(FoldAnswers)})
    known = build(tracks, replace(judged, to_known=to_known))["known_artists"]
    assert (known["n_tracks"], known["accuracy"], known["balanced_accuracy"]) == (6, 1, 1)
    assert (known["coverage"], known["mean_set_size"], known["singletons"]) == (1, 1, 1)


def test_strangers_caught_are_shown_against_members_turned_away() -> None:
    tracks = make_world()
    judged = make_judged(tracks, PREDICTED)
    curve = tuple(CurvePoint(alpha, alpha * 0.9, 4 * alpha) for alpha in (0.01, 0.05, 0.1))
    card = build(tracks, replace(judged, strangers=Strangers((0.9, 0.7, np.nan), curve)))
    found = card["strangers"]
    assert (found["alpha_none"], found["members_turned_away"], found["strangers_caught"]) == (
        0.05,
        0.045,
        0.2,
    )
    assert [point["strangers_caught"] for point in found["curve"]] == [0.04, 0.2, 0.4]
    assert found["auroc"] == {"mean": 0.8, "worst": 0.7}


def test_a_track_held_out_with_all_of_its_playlist_breaks_no_promise() -> None:
    tracks = make_world()
    judged = make_judged(tracks, PREDICTED)
    judged.p_value[5:7, 2] = np.nan
    judged.fits[5:7] = [True, False, False]
    figures = describe_named(judged, tracks.membership, DEFAULT_PROMISE)
    assert figures["n_tracks"] == 6
    assert figures["coverage"] == pytest.approx(4 / 6, abs=1e-4)
    nobody = describe_named(judged, np.zeros_like(tracks.membership), DEFAULT_PROMISE)
    assert (nobody["n_tracks"], nobody["coverage"], nobody["ece"]) == (0, None, None)


def test_every_track_is_listed_with_its_answers() -> None:
    tracks = make_world()
    judged = make_judged(tracks, PREDICTED)
    for row, track in enumerate(build(tracks, judged)["tracks"]):
        assert track["label"] == f"playlist {[0, 0, 0, 1, 1, 2, 2, 1][row]}"
        assert (track["artist"], track["fold"]) == (tracks.artists[row], row % 4)
        for label in range(3):
            name = f"playlist {label}"
            assert track["probabilities"][name] == pytest.approx(judged.probability[row, label], abs=1e-4)
            assert (name in track["fits"]) == (label == PREDICTED[row])
            assert track["p_values"][name] == pytest.approx(judged.p_value[row, label], abs=1e-4)


def test_the_interval_and_the_baselines_are_of_the_same_answers_and_folds() -> None:
    tracks = make_tracks([20, 20, 20], n_artists=5)
    rng = np.random.default_rng(0)
    label = tracks.membership.argmax(axis=1)
    judged = make_judged(tracks, np.where(rng.random(60) < 0.7, label, rng.integers(0, 3, 60)))
    card = build(tracks, judged)
    predicted = judged.probability.argmax(axis=1)
    low, high = bootstrap_interval(label, predicted, tracks.artist_numbers, 3, np.random.default_rng(0))
    assert card["balanced_accuracy_ci"] == [round(low, 4), round(high, 4)]
    expected = judge_baselines(tracks.raw, VIEWS, label, judged.folds, counted=np.ones(3, bool))
    assert card["baselines"] == {name: round(value, 4) for name, value in expected.items()}


def test_a_playlist_without_two_artists_is_listed_but_not_averaged() -> None:
    tracks = make_tracks([10, 10, 10], n_artists=[5, 5, 1])
    predicted = np.repeat([0, 1, 0], 10)
    card = build(tracks, make_judged(tracks, predicted, judged_by=("artist", "artist", "track")))
    assert card["balanced_accuracy"] == 1
    assert card["balanced_accuracy_all_labels"] == pytest.approx(2 / 3, abs=1e-4)
    assert card["playlists"][2]["judged_by"] == "track"
    assert any("'playlist 2' has no two known artists" in warning for warning in card["warnings"])
    # With fewer than two honest playlists all are averaged, because something has to be said.
    some = build(tracks, make_judged(tracks, predicted, judged_by=("artist", "track", "track")))
    assert some["balanced_accuracy"] == some["balanced_accuracy_all_labels"] == pytest.approx(2 / 3, abs=1e-4)


def says_chance(card: dict[str, Any]) -> bool:
    found = any("no better than chance" in warning for warning in card["warnings"])
    assert found == (not card["beats_chance"])
    return found


def test_random_answers_are_called_chance_and_good_ones_are_not() -> None:
    tracks = make_tracks([20, 20, 20], n_artists=10)
    label = tracks.membership.argmax(axis=1)
    rng = np.random.default_rng(0)
    assert says_chance(build(tracks, make_judged(tracks, rng.integers(0, 3, 60))))
    assert says_chance(build(tracks, make_judged(tracks, np.zeros(60, int))))
    good = build(tracks, make_judged(tracks, np.where(rng.random(60) < 0.7, label, 0)))
    assert not says_chance(good)
    assert good["chance_p_value"] <= CHANCE_P_VALUE


def test_answers_without_a_mistake_are_not_held_against_a_small_library() -> None:
    """Of two artists a playlist, dealt out at random all answers are right one time in six."""
    tracks = make_tracks([6, 6], n_artists=2)
    label = tracks.membership.argmax(axis=1)
    judged = make_judged(tracks, label, judged_by=("artist",) * 2, open_set=(np.nan, np.nan))
    card = build(tracks, judged)
    assert chance_p_value(label, label, tracks.artist_numbers, 2, np.random.default_rng(0)) > 0.1
    assert not says_chance(card)
    one_wrong = make_judged(tracks, 1 - label, judged_by=("artist",) * 2, open_set=(np.nan, np.nan))
    assert says_chance(build(tracks, one_wrong))


def test_random_playlists_are_called_chance_from_end_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.groups.head_choice.N_REPEATS", 1)
    tracks = with_random_labels(make_tracks([24, 24], n_artists=12, distance=0))
    context = make_context(tracks)
    judged = judge_group(make_labels(2), tracks, context, n_folds=4)
    assert says_chance(build_scorecard(make_labels(2), tracks, context, judged, promise=DEFAULT_PROMISE))


@pytest.mark.filterwarnings("error")
def test_what_cannot_be_said_is_null_and_the_card_is_json() -> None:
    """A playlist of one track: no p-value, never found, never predicted."""
    tracks = make_tracks([10, 10, 1], n_artists=5)
    judged = make_judged(tracks, np.repeat([0, 1, 0], [10, 10, 1]), open_set=(np.nan,) * 3)
    p_value = judged.p_value.copy()
    p_value[20, 2] = np.nan
    card = build(tracks, replace(judged, p_value=p_value))
    assert card["open_set_auroc"] is None
    assert card["playlists"][2]["precision"] is None
    assert card["playlists"][2]["open_set_auroc"] is None
    assert card["tracks"][20]["p_values"]["playlist 2"] is None
    assert json.loads(json.dumps(card, allow_nan=False)) == card


def test_arguments_are_only_read() -> None:
    tracks = make_world()
    judged = make_judged(tracks, PREDICTED)
    arrays = (tracks.raw, tracks.membership, judged.probability, judged.p_value, judged.folds)
    before = [array.copy() for array in arrays]
    build(tracks, judged)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)
