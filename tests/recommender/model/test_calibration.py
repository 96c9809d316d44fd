"""Temperatures that are known, blends worked by hand, and conformal p-values that keep their promise."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from recommender.model.calibration import (
    MIN_CALIBRATION_TRACKS,
    Calibration,
    Familiar,
    blend_logits,
    fit_temperature,
    sorted_closeness,
)
from recommender.model.familiarity import Familiarity
from recommender.model.heads import log_softmax

# How much the blend for familiar tracks has to say, which means nothing without one.
ANY = np.array([0.5])


def make_calibration(*closeness: list[float] | np.ndarray, **numbers: float) -> Calibration:
    values = {
        "n_neighbours": 5,
        "classifier_temperature": 1.0,
        "neighbour_temperature": 1.0,
        "classifier_weight": 0.5,
        "temperature": 1.0,
        "cosine_spread": 1.0,
        "distance_spread": 1.0,
    } | numbers
    return Calibration(closeness=sorted_closeness([np.array(column) for column in closeness]), **values)


def draw_labels(rng: np.random.Generator, probabilities: np.ndarray) -> np.ndarray:
    """(n,) labels, each drawn with its row's probabilities."""
    return (rng.random((len(probabilities), 1)) > probabilities.cumsum(axis=1)).sum(axis=1)


@pytest.mark.parametrize("known", [0.25, 1.0, 4.0])
def test_a_known_temperature_is_recovered(rng: np.random.Generator, known: float) -> None:
    logits = rng.normal(scale=3 * known, size=(20_000, 4)).astype(np.float32)
    labels = draw_labels(rng, np.exp(log_softmax(logits / known)))
    temperature, loss = fit_temperature(logits, np.eye(4)[labels])
    assert temperature == pytest.approx(known, rel=0.05)
    assert loss == pytest.approx(log_loss(labels, np.exp(log_softmax(logits / temperature))), rel=1e-6)


def test_the_fitted_temperature_is_the_best_of_a_grid(rng: np.random.Generator) -> None:
    logits = rng.normal(size=(200, 3)).astype(np.float32)
    targets = rng.random((200, 3)) * (rng.random((200, 3)) > 0.5) + 1e-3
    temperature, loss = fit_temperature(logits, targets)

    def at(tried: float) -> float:
        return float(-(targets / targets.sum() * log_softmax(logits / tried)).sum())

    assert loss == pytest.approx(at(temperature))
    assert loss <= min(at(tried) for tried in np.geomspace(0.01, 20, 60)) + 1e-5


def test_more_weight_on_a_track_is_that_track_repeated(rng: np.random.Generator) -> None:
    logits = rng.normal(size=(30, 3)).astype(np.float32)
    targets = np.eye(3)[rng.integers(0, 3, 30)]
    twice = np.where(np.arange(30)[:, None] < 10, 2, 1) * targets
    repeated = fit_temperature(np.concatenate([logits, logits[:10]]), np.concatenate([targets, targets[:10]]))
    assert fit_temperature(logits, twice) == pytest.approx(repeated, rel=1e-3)


def test_the_blend_worked_by_hand() -> None:
    classifier = np.array([[0.5, 0.5], [0.9, 0.1]], dtype=np.float32)
    neighbours = np.array([[0.8, 0.2], [0.1, 0.9]], dtype=np.float32)
    blended = make_calibration(classifier_weight=0.5).blend((classifier, classifier), neighbours, ANY)
    np.testing.assert_allclose(blended, [[2 / 3, 1 / 3], [0.5, 0.5]], atol=1e-6)  # sqrt(.4) : sqrt(.1)
    sharper = make_calibration(classifier_weight=0.5, temperature=0.5).blend(
        (classifier, classifier), neighbours, ANY
    )
    np.testing.assert_allclose(sharper[0], [0.8, 0.2], atol=1e-6)  # .4 : .1


def test_a_familiar_track_gets_the_blend_of_familiar_tracks() -> None:
    classifier = np.array([[0.9, 0.1]] * 4, dtype=np.float32)
    neighbours = np.array([[0.2, 0.8]] * 4, dtype=np.float32)
    familiar = Familiar(classifier_weight=0.0, temperature=1.0, centre=0.5, slope=20.0)
    calibration = replace(make_calibration(classifier_weight=1.0), familiar=familiar)
    similarity = np.array([-np.inf, -1.0, 0.5, 1.5], dtype=np.float32)
    share = calibration.share_known(np.full(4, Familiarity.UNNAMED), similarity)
    np.testing.assert_allclose(share, [0, 0, 0.5, 1], atol=1e-6)
    kinds = np.array([Familiarity.NEW, Familiarity.KNOWN])
    np.testing.assert_array_equal(calibration.share_known(kinds, similarity[2:]), [0, 1])
    np.testing.assert_array_equal(make_calibration().share_known(kinds, similarity[2:]), [0, 0])
    blended = calibration.blend((classifier, classifier), neighbours, share)
    np.testing.assert_allclose(blended[[0, 1]], classifier[:2], atol=1e-5)
    np.testing.assert_allclose(blended[3], neighbours[0], atol=1e-5)
    # Half of each: sqrt(.9 * .2) : sqrt(.1 * .8) = 3 : 2.
    np.testing.assert_allclose(blended[2], [0.6, 0.4], atol=1e-6)


def test_all_the_weight_on_one_part_is_that_part(rng: np.random.Generator) -> None:
    classifier, neighbours = rng.dirichlet([1, 1, 1], size=(2, 20)).astype(np.float32)
    only_classifier = make_calibration(classifier_weight=1.0).blend((classifier, classifier), neighbours, ANY)
    only_neighbours = make_calibration(classifier_weight=0.0).blend((classifier, classifier), neighbours, ANY)
    np.testing.assert_allclose(only_classifier, classifier, atol=1e-5)
    np.testing.assert_allclose(only_neighbours, neighbours, atol=1e-5)
    certain = np.array([[1, 0]], dtype=np.float32)
    assert np.isfinite(blend_logits(certain, certain[:, ::-1], 0.5)).all()


def test_each_part_has_its_own_temperature() -> None:
    calibration = make_calibration(classifier_temperature=2.0, neighbour_temperature=0.5)
    logits = np.log(np.array([[0.64, 0.04]], dtype=np.float32))
    np.testing.assert_allclose(calibration.classifiers(logits, None)[0], [[0.8, 0.2]], atol=1e-6)
    votes = np.array([[2 / 3, 1 / 3]], dtype=np.float32)
    np.testing.assert_allclose(calibration.neighbours(votes), [[0.8, 0.2]], atol=1e-6)


def test_heads_for_known_artists_speak_for_them() -> None:
    """Each classifier has its own temperature; in between they are mixed as logarithms."""
    familiar = Familiar(1.0, 1.0, centre=0.0, slope=1.0, classifier_temperature=2.0)
    calibration = replace(make_calibration(classifier_weight=1.0), familiar=familiar)
    logits = np.log(np.array([[0.2, 0.8]] * 3, dtype=np.float32))
    familiar_logits = np.log(np.array([[0.64, 0.04]] * 3, dtype=np.float32))
    both = calibration.classifiers(logits, familiar_logits)
    share = np.array([0.0, 0.5, 1.0])
    expected = [[0.2, 0.8], [0.5, 0.5], [0.8, 0.2]]
    np.testing.assert_allclose(calibration.classifier(both, share), expected, atol=1e-5)
    np.testing.assert_allclose(calibration.blend(both, both[0], share), expected, atol=1e-5)
    new, known = calibration.classifiers(logits, None)  # a model of the first format
    np.testing.assert_array_equal(new, known)


def test_the_logit_is_part_of_closeness_in_models_of_the_first_format_only() -> None:
    tables = [np.array([[value]], dtype=np.float32) for value in (4.0, 0.5, -2.0)]
    assert make_calibration().measure_closeness(*tables) == pytest.approx(2.5)
    assert make_calibration(logit_spread=2.0).measure_closeness(*tables) == pytest.approx(4.5)


def test_p_values_worked_by_hand() -> None:
    own = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
    asked = np.array([[0.5], [1.0], [4.5], [9.0], [99.0]], dtype=np.float32)
    p_values = make_calibration(own).p_values(asked)[:, 0]
    np.testing.assert_allclose(p_values, [0.1, 0.2, 0.5, 1.0, 1.0])


def test_a_small_playlist_borrows_from_the_whole_group() -> None:
    large, small = np.arange(12.0), [20.0, 21.0]
    asked = np.array([[-1.0, -1.0], [5.5, 5.5], [20.5, 20.5]], dtype=np.float32)
    p_values = make_calibration(large, small).p_values(asked)
    np.testing.assert_allclose(p_values[:, 0], [1 / 13, 7 / 13, 1])
    np.testing.assert_allclose(p_values[:, 1], [1 / 15, 7 / 15, 14 / 15])  # 12 + 2 tracks, and the asked one
    nine = make_calibration(large, 20 + np.arange(float(MIN_CALIBRATION_TRACKS))).p_values(asked)
    np.testing.assert_allclose(nine[:, 1], [0.1, 0.1, 0.2])  # enough of its own


def test_without_anything_to_compare_with_nothing_speaks_against_a_playlist() -> None:
    p_values = make_calibration([], []).p_values(np.array([[-9.0, 0.0]], dtype=np.float32))
    np.testing.assert_array_equal(p_values, [[1, 1]])


def test_what_cannot_be_compared_has_no_p_value() -> None:
    p_values = make_calibration([1.0, 2.0], []).p_values(np.array([[np.nan, 3.0]], dtype=np.float32))
    assert np.isnan(p_values[0, 0]) and p_values[0, 1] == 1


@given(
    columns=st.lists(st.lists(st.integers(-9, 9), max_size=14), min_size=1, max_size=3),
    asked=st.lists(st.integers(-10, 10), min_size=1, max_size=6),
)
@settings(max_examples=80, deadline=None)
def test_p_values_are_what_counting_gives(columns: list[list[int]], asked: list[int]) -> None:
    """The slow re-implementation, ties included."""
    closeness = np.array(asked, dtype=np.float32)[:, None].repeat(len(columns), axis=1)
    found = make_calibration(*(np.array(column, dtype=float) for column in columns)).p_values(closeness)
    everybody = [value for column in columns for value in column]
    for label, column in enumerate(columns):
        own = column if len(column) >= MIN_CALIBRATION_TRACKS else everybody
        for row, value in enumerate(asked):
            expected = (1 + sum(other <= value for other in own)) / (len(own) + 1)
            assert found[row, label] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.2, 0.5])
@pytest.mark.parametrize("n_own", [9, 19, 60])
def test_a_true_member_is_turned_away_as_often_as_promised(
    rng: np.random.Generator, alpha: float, n_own: int
) -> None:
    """For exchangeable tracks of fresh playlists p <= alpha has the share floor(alpha (n + 1)) / (n + 1)."""
    n_playlists = 3000
    draws = rng.gumbel(size=(n_playlists, n_own + 1)).astype(np.float32)
    n_away = sum(make_calibration(own[:-1]).p_values(own[None, -1:])[0, 0] <= alpha + 1e-6 for own in draws)
    expected = np.floor(alpha * (n_own + 1) + 1e-9) / (n_own + 1)
    assert expected <= alpha
    deviation = np.sqrt(max(expected * (1 - expected), 1e-6) / n_playlists)
    assert abs(n_away / n_playlists - expected) < 4 * deviation


def test_the_promise_holds_for_each_playlist_not_only_on_average(rng: np.random.Generator) -> None:
    """A tight and a loose playlist: a common threshold would turn away the loose one's tracks only."""
    alpha, n_worlds, spreads = 0.1, 1500, np.array([0.1, 5.0])
    away = np.zeros(2)
    for _ in range(n_worlds):
        own = rng.normal(size=(2, 40)) * spreads[:, None]
        asked = (rng.normal(size=2) * spreads).astype(np.float32)
        away += make_calibration(*own).p_values(asked[None])[0] <= alpha
    expected = np.floor(alpha * 41) / 41
    assert (np.abs(away / n_worlds - expected) < 4 * np.sqrt(expected * (1 - expected) / n_worlds)).all()


def test_nearer_never_fits_worse(rng: np.random.Generator) -> None:
    asked = np.sort(rng.normal(size=50)).astype(np.float32)[:, None]
    p_values = make_calibration(rng.normal(size=30)).p_values(asked)[:, 0]
    assert (np.diff(p_values) >= 0).all()
    assert (p_values > 0).all() and (p_values <= 1).all()


def test_arguments_are_only_read(rng: np.random.Generator) -> None:
    closeness = rng.normal(size=(20, 2)).astype(np.float32)
    closeness[3, 0] = np.nan
    probabilities = rng.dirichlet([1, 1], size=20).astype(np.float32)
    before = closeness.copy(), probabilities.copy()
    kept = sorted_closeness(list(closeness.T))
    calibration = make_calibration(*closeness.T)
    calibration.p_values(closeness)
    calibration.blend((probabilities, probabilities), probabilities, np.zeros(len(probabilities)))
    calibration.neighbours(probabilities)
    fit_temperature(probabilities, np.eye(2)[np.arange(20) % 2])
    np.testing.assert_array_equal(closeness, before[0])
    np.testing.assert_array_equal(probabilities, before[1])
    np.testing.assert_array_equal(kept[0], np.sort(np.delete(closeness[:, 0], 3)))
