"""Thresholds that keep a promise: hand-worked cases, an obvious second way, and the promise itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from recommender.model.precision_threshold import find_threshold, find_thresholds, lower_bound


def test_without_errors_22_tracks_prove_nine_in_ten_and_21_do_not() -> None:
    probability = np.linspace(0.5, 0.9, 22)
    found = find_threshold(probability, np.ones(22, bool), at_most_wrong=0.1, basis="playlist")
    assert found is not None
    assert (found.probability, found.n_tracks, found.n_wrong) == (0.5, 22, 0)
    assert find_threshold(probability[1:], np.ones(21, bool), at_most_wrong=0.1, basis="playlist") is None
    assert find_threshold(np.empty(0), np.empty(0, bool), at_most_wrong=0.1, basis="playlist") is None


def test_the_threshold_lies_above_the_errors() -> None:
    probability = np.concatenate([np.full(40, 0.8), np.full(40, 0.3)])
    right = np.concatenate([np.ones(40, bool), np.zeros(40, bool)])
    found = find_threshold(probability, right, at_most_wrong=0.1, basis="group")
    assert found is not None
    assert (found.probability, found.n_tracks, found.n_wrong, found.basis) == (0.8, 40, 0, "group")


def test_equal_probabilities_are_listed_together_or_not_at_all() -> None:
    probability = np.full(100, 0.6)
    right = np.arange(100) < 60  # in any order, 60 % are right
    assert find_threshold(probability, right, at_most_wrong=0.1, basis="group") is None


@given(
    st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=80),
    st.sampled_from([0.05, 0.1, 0.5]),
)
def test_it_is_the_smallest_that_an_obvious_search_finds(
    answers: list[tuple[int, bool]], at_most_wrong: float
) -> None:
    probability = np.array([p / 20 for p, _ in answers])
    right = np.array([is_right for _, is_right in answers])
    kept = []
    for value in probability:
        listed = right[probability >= value]
        k, n = int(listed.sum()), len(listed)
        if k and beta.ppf(0.1, k, n - k + 1) >= 1 - at_most_wrong:
            kept.append(value)
    found = find_threshold(probability, right, at_most_wrong=at_most_wrong, basis="group")
    assert (found.probability if found else None) == (min(kept) if kept else None)


def test_the_bound_is_that_of_clopper_and_pearson() -> None:
    assert lower_bound(np.array([0, 22, 95]), np.array([5, 22, 100])) == pytest.approx(
        [0, 0.1 ** (1 / 22), beta.ppf(0.1, 95, 6)]
    )


def test_the_promise_is_kept_on_tracks_that_were_not_looked_at(rng: np.random.Generator) -> None:
    """Probabilities that are calibrated: of the lists drawn by the threshold, few are worse than promised."""
    n_broken = n_found = 0
    for _ in range(300):
        probability = rng.uniform(size=150)
        right = rng.uniform(size=150) < probability
        found = find_threshold(probability, right, at_most_wrong=0.2, basis="group")
        if found is not None:
            n_found += 1
            # Of tracks spread evenly above the threshold, this share is right.
            n_broken += (1 + found.probability) / 2 < 0.8
    assert n_found > 100
    assert n_broken <= 0.2 * n_found


def test_a_playlist_with_too_few_answers_is_judged_with_its_group() -> None:
    tracks = [track("big", 0.9, 0.1) for _ in range(40)] + [track("small", 0.2, 0.8) for _ in range(3)]
    tracks += [track("small", 0.95, 0.05, stranger=True)]  # wrong, but it does not fit
    card = {"labels": ["big", "small"], "tracks": tracks}
    found = find_thresholds(card, at_most_wrong=0.1)
    assert found["big"] is not None
    assert found["small"] is not None
    assert (found["big"].basis, found["big"].n_tracks) == ("playlist", 40)
    assert (found["small"].basis, found["small"].probability) == ("group", 0.8)
    assert find_thresholds({"error": "one playlist"}, at_most_wrong=0.1) == {}


def track(label: str, big: float, small: float, *, stranger: bool = False) -> dict[str, object]:
    fits = [] if stranger else ["big" if big > small else "small"]
    return {"label": label, "probabilities": {"big": big, "small": small}, "fits": fits}
