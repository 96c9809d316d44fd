"""Planted mistakes are found, and nothing is doubted where the model is not to be trusted."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.judging.judged import judge_world
from tests.training.worlds import make_tracks, with_random_labels
from training.groups.labels import LabelledTracks
from training.judging.doubts import HeldOutAnswers, find_doubtful, find_misplaced


def swap_labels(tracks: LabelledTracks, rows: list[int]) -> LabelledTracks:
    """The same tracks, some of them moved to the next playlist."""
    membership = tracks.membership.copy()
    membership[rows] = np.roll(membership[rows], 1, axis=1)
    return replace(tracks, membership=membership)


def make_answers(**changes: object) -> HeldOutAnswers:
    """Four tracks of two playlists; the third is in the second playlist and sounds like the first."""
    answers = HeldOutAnswers(
        membership=np.array([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=bool),
        probability=np.array([[0.97, 0.03], [0.96, 0.04], [0.95, 0.05], [0.2, 0.8]], np.float32),
        p_value=np.array([[0.5, 0.02], [0.6, 0.02], [0.7, 0.05], [0.1, 0.9]], np.float32),
        nearest=np.array([[[1, 2], [3, -1]], [[0, 2], [3, -1]], [[0, 1], [3, -1]], [[0, 1], [2, -1]]]),
        similarity=np.array(
            [
                [[0.9, 0.8], [0.1, np.nan]],
                [[0.9, 0.7], [0.2, np.nan]],
                [[0.6, 0.5], [0.55, np.nan]],
                [[0.3, 0.2], [0.4, np.nan]],
            ],
            np.float32,
        ),
    )
    return replace(answers, **changes)


def test_planted_mistakes_are_doubted_and_nothing_else() -> None:
    planted = [3, 22, 47]
    tracks = swap_labels(make_tracks([20, 20, 20], n_artists=20, distance=8.0), planted)
    answers = judge_world(tracks).answers
    assert sorted(doubt.row for doubt in find_doubtful(answers, alpha=0.1)) == planted


def test_random_labels_are_not_doubted() -> None:
    tracks = with_random_labels(make_tracks([30, 30, 30], n_artists=15))
    answers = judge_world(tracks).answers
    assert len(find_misplaced(answers)) > 40
    # Where guessing is as good, "it sounds like another playlist" is no evidence.
    assert len(find_doubtful(answers, alpha=0.1)) <= 3


def test_a_doubt_names_what_speaks_for_it() -> None:
    (doubt,) = find_doubtful(make_answers(), alpha=0.1)
    assert (doubt.row, doubt.own, doubt.other) == (2, 1, 0)
    assert (doubt.p_value, doubt.own_probability, doubt.other_probability) == pytest.approx(
        (0.05, 0.05, 0.95)
    )
    # Of both playlists together, most similar first; the gap is passed over.
    assert [row for row, _ in doubt.nearest] == [0, 3, 1]
    assert [similarity for _, similarity in doubt.nearest] == pytest.approx([0.6, 0.55, 0.5])


@pytest.mark.parametrize(
    "changes",
    [
        {"p_value": np.array([[0.5, 0.02], [0.6, 0.02], [0.7, 0.2], [0.1, 0.9]])},  # its own keeps it
        {"p_value": np.array([[0.5, 0.02], [0.6, 0.02], [0.1, 0.05], [0.1, 0.9]])},  # the other would not
        {"probability": np.array([[0.97, 0.03], [0.96, 0.04], [0.7, 0.3], [0.2, 0.8]])},  # not clearly
        {"probability": np.array([[0.9, 0.1], [0.1, 0.9], [0.95, 0.05], [0.2, 0.8]])},  # the surest is wrong
    ],
)
def test_without_all_of_the_evidence_there_is_no_doubt(changes: dict[str, np.ndarray]) -> None:
    assert find_doubtful(make_answers(**changes), alpha=0.1) == []


def test_misplaced_tracks_surest_first() -> None:
    probability = np.array([[0.4, 0.6], [0.96, 0.04], [0.95, 0.05], [0.2, 0.8]], np.float32)
    assert [doubt.row for doubt in find_misplaced(make_answers(probability=probability))] == [2, 0]


def test_a_track_in_two_playlists_is_right_in_either() -> None:
    membership = np.array([[1, 0], [1, 0], [1, 1], [0, 1]], dtype=bool)
    assert find_misplaced(make_answers(membership=membership)) == []


def test_neighbours_are_never_by_the_same_artist() -> None:
    group = judge_world(make_tracks([12, 12], n_artists=4))
    artists = np.array(group.tracks.artists)
    nearest = group.answers.nearest
    assert (nearest >= 0).all()
    assert (artists[nearest] != artists[:, None, None]).all()
    own = group.tracks.membership[nearest[:, 1]]
    assert own[..., 1].all()  # of the second playlist, as asked
