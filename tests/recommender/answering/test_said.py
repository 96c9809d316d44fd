"""The user's word over an answer: first in it, never overruled, the model's own opinion beside it."""

import pytest

from recommender.answering.answer import Verdict, verdict_of
from recommender.answering.said import RIGHT, WRONG, fitting_after

A, B, C = 1, 2, 3


@pytest.mark.parametrize(
    ("fitting", "said", "expected"),
    [
        ({A, B}, {}, {A, B}),
        ({A, B}, {A: WRONG}, {B}),
        ({A}, {A: WRONG}, set()),
        ({A, B}, {C: RIGHT}, {C}),
        ({A, B}, {A: RIGHT, C: RIGHT}, {A, C}),
        (set(), {B: RIGHT, A: WRONG}, {B}),
    ],
)
def test_what_was_said_to_be_right_is_all_that_fits_and_what_is_wrong_never_does(
    fitting: set[int], said: dict[int, str], expected: set[int]
) -> None:
    assert fitting_after(fitting, said) == expected


def test_the_verdict_counts_what_is_left() -> None:
    assert [verdict_of(n) for n in range(3)] == [Verdict.NONE_FITS, Verdict.FITS, Verdict.SEVERAL_FIT]
