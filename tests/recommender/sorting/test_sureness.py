"""How sure a proposal is: the conditions behind the words."""

import pytest

from recommender.model.precision_threshold import Threshold
from recommender.sorting.sureness import Placed, Sureness, can_promise, judge

LATE = Threshold(0.9, n_tracks=60, n_wrong=0, basis="group")


def _placed(*pairs: tuple[float, bool]) -> list[Placed]:
    return [Placed(n, f"p{n}", probability, fits) for n, (probability, fits) in enumerate(pairs)]


@pytest.mark.parametrize(
    ("pairs", "sureness"),
    [
        ([(0.8, True), (0.2, False)], Sureness.CLEAR),
        ([(0.59, True), (0.2, False)], Sureness.LIKELY),
        ([(0.62, True), (0.38, False)], Sureness.CLOSE_CALL),
        ([(0.9, True), (0.1, True)], Sureness.CLOSE_CALL),
        ([(0.9, False), (0.1, False)], Sureness.NONE),
        ([(1.0, True)], Sureness.LIKELY),  # with one playlist there is nothing to tell it from
        ([], Sureness.NONE),
    ],
)
def test_each_word_has_its_condition(pairs: list[tuple[float, bool]], sureness: Sureness) -> None:
    assert judge(_placed(*pairs), {}) is sureness


@pytest.mark.parametrize(
    ("thresholds", "sureness"),
    [
        ({"p0": None, "p1": None}, Sureness.CLEAR),  # nothing is promised of anything
        ({"p0": LATE, "p1": LATE}, Sureness.LIKELY),  # 0.8 does not keep the promise
        ({"p0": None, "p1": LATE}, Sureness.LIKELY),  # a promise of others is none of this one
        ({"p0": Threshold(0.8, 60, 0, "group"), "p1": None}, Sureness.CLEAR),
    ],
)
def test_where_a_promise_is_made_only_what_keeps_it_is_clear(
    thresholds: dict[str, Threshold | None], sureness: Sureness
) -> None:
    assert judge(_placed((0.8, True), (0.2, False)), thresholds) is sureness
    assert can_promise(thresholds) is any(thresholds.values())
