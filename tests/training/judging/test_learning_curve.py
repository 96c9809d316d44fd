"""Whether more tracks would help: exact on made curves, right on worlds where the answer is known."""

import numpy as np
import pytest

from tests.training.judging.judged import judge_world
from tests.training.worlds import make_tracks, with_random_labels
from training.judging.judged_group import JudgedGroup
from training.judging.learning_curve import (
    HELPFUL_GAIN,
    LearningCurve,
    draw_learning_curve,
    extrapolate,
    read_curve,
)
from training.metrics import balanced_accuracy


def draw(group: JudgedGroup) -> LearningCurve | None:
    counted = np.ones(len(group.names), dtype=bool)
    return draw_learning_curve(group.labels, group.tracks, group.context, group.judged, counted=counted)


def make_counts(accuracies: list[float], *, n_keys: int = 40, n_tracks: int = 100) -> np.ndarray:
    """Confusions of two playlists in which every key has the same share right."""
    counts = np.zeros((len(accuracies), n_keys, 2, 2))
    for step, accuracy in enumerate(accuracies):
        counts[step, :, [0, 1], [0, 1]] = accuracy * n_tracks
        counts[step, :, [0, 1], [1, 0]] = (1 - accuracy) * n_tracks
    return counts


def read(accuracies: list[float], n_tracks: list[float]) -> LearningCurve:
    return read_curve(
        np.array(n_tracks), make_counts(accuracies), np.ones(2, dtype=bool), np.random.default_rng(0)
    )


@pytest.mark.parametrize(("scale", "power"), [(2.0, 0.3), (8.0, 0.7)])
def test_a_power_law_is_continued_exactly(scale: float, power: float) -> None:
    n_tracks = np.array([50.0, 100.0, 200.0, 400.0])
    errors = scale * n_tracks**-power
    n_more = extrapolate(n_tracks, 1 - errors)
    assert n_more is not None
    assert 1 - scale * (400.0 + n_more) ** -power == pytest.approx(1 - errors[-1] + HELPFUL_GAIN, abs=2e-4)


@pytest.mark.parametrize(
    "accuracies", [[0.6, 0.6, 0.6], [0.7, 0.65, 0.6], [0.600, 0.601, 0.602], [0.9, 0.95, 0.99]]
)
def test_what_cannot_be_continued_is_not(accuracies: list[float]) -> None:
    assert extrapolate(np.array([50.0, 100.0, 200.0]), np.array(accuracies)) is None


def test_a_rising_curve_says_how_many_more() -> None:
    curve = read([0.5, 0.6, 0.68], [25.0, 50.0, 100.0])
    assert curve.still_rises
    assert curve.gain == pytest.approx(0.08)
    assert curve.n_more_tracks is not None
    assert 20 < curve.n_more_tracks < 60
    assert f"About {curve.n_more_tracks} more tracks" in curve.advice


def test_a_flat_curve_says_that_more_would_not_help() -> None:
    curve = read([0.6, 0.7, 0.7], [25.0, 50.0, 100.0])
    assert not curve.still_rises
    assert "would not visibly help" in curve.advice


def test_the_noise_between_artists_counts(rng: np.random.Generator) -> None:
    counts = make_counts([0.6, 0.6], n_keys=8)
    # With more to learn from, some artists fare better and others worse.
    counts[1] = [make_counts([0.62 + change], n_keys=1)[0, 0] for change in rng.choice([-0.3, 0.3], size=8)]
    curve = read_curve(np.array([50.0, 100.0]), counts, np.ones(2, dtype=bool), rng)
    assert curve.gain_low < 0 < curve.gain_high
    assert not curve.still_rises


def test_where_artists_differ_more_of_them_help() -> None:
    tracks = make_tracks([90, 90, 90], n_artists=45, distance=1.6, artist_spread=0.9)
    group = judge_world(tracks)
    curve = draw(group)
    assert curve is not None
    assert curve.still_rises
    n_tracks = [point.n_tracks for point in curve.points]
    assert n_tracks == sorted(n_tracks)
    assert n_tracks[-1] == pytest.approx(270 * 3 / 4)
    assert curve.points[0].balanced_accuracy < curve.points[-1].balanced_accuracy
    # The last point is the judgement itself.
    predicted = group.judged.probability.argmax(axis=1)
    expected = balanced_accuracy(tracks.membership.argmax(axis=1), predicted, 3)
    assert curve.points[-1].balanced_accuracy == pytest.approx(expected)


def test_random_labels_do_not_get_better_by_more_of_them() -> None:
    curve = draw(judge_world(with_random_labels(make_tracks([30, 30], n_artists=15))))
    assert curve is not None
    assert not curve.still_rises


def test_too_few_artists_make_no_curve() -> None:
    assert draw(judge_world(make_tracks([8, 8], n_artists=2))) is None
