"""Curves as pictures: the moving average, and where the line lies."""

import numpy as np
import pytest

from embeddings.errors import EmbeddingError
from embeddings.line_plots import draw_lines, smooth


def test_a_moving_average_is_the_slow_one(rng):
    y = rng.normal(size=200).astype(np.float32)
    for n_samples in (1, 2, 7, 50, 1000):
        slow = [y[max(k - n_samples // 2, 0) : k - n_samples // 2 + n_samples].mean() for k in range(len(y))]
        assert np.allclose(smooth(y, n_samples), slow, atol=1e-6)


def test_whole_periods_vanish_and_a_constant_stays():
    t = np.arange(8000) / 8000
    y = np.sin(2 * np.pi * 50 * t).astype(np.float32)
    assert np.abs(smooth(y, 1600)[1000:-1000]).max() < 1e-6
    assert np.allclose(smooth(np.full(5000, 0.25, np.float32), 1234), 0.25)


def test_a_long_signal_does_not_drift(rng):
    y = (rng.normal(scale=0.2, size=4_000_000) + 0.01).astype(np.float32)
    assert smooth(y, 8000)[-9000] == pytest.approx(y[-13000:-5000].mean(dtype=np.float64), abs=1e-7)


def test_a_level_line_covers_one_row_of_pixels():
    picture = draw_lines(np.full((1, 64), 2.5), top=8.0, width=16, height=8)[0]

    assert picture.shape == (16, 8)
    assert np.array_equal(picture, np.tile(np.eye(8)[2], (16, 1)))


def test_a_rising_line_rises_and_joins_its_pixels():
    picture = draw_lines(np.linspace(1, 7, 320)[None], top=8.0, width=32, height=8)[0]

    middles = (picture * (np.arange(8) + 0.5)).sum(axis=1) / picture.sum(axis=1)
    assert (np.diff(middles) >= 0).all()
    assert middles[[0, -1]] == pytest.approx([1.1, 6.9], abs=0.1)
    # Every column touches the next one: no row begins above where the last one ended.
    bottom, peak = (picture > 0).argmax(axis=1), 7 - (picture[:, ::-1] > 0).argmax(axis=1)
    assert (bottom[1:] <= peak[:-1]).all()


def test_a_jump_is_drawn_as_an_upright_line():
    curve = np.concatenate([np.full(50, 0.5), np.full(50, 7.5)])[None]
    picture = draw_lines(curve, top=8.0, width=10, height=8)[0]

    assert (picture[4] > 0).all()
    assert picture[3].sum() == picture[6].sum() == 1


def test_what_lies_outside_the_axes_is_cut_off():
    for level in (-5.0, 20.0):
        assert draw_lines(np.full((1, 64), level), top=8.0, width=16, height=8).max() == 0
    swing = draw_lines(np.tile([-100.0, 100.0], 32)[None], top=8.0, width=16, height=8)
    assert swing.min() == 1


def test_a_picture_does_not_depend_on_the_others():
    curves = np.stack([np.linspace(0, 1, 64), np.linspace(5, 1, 64)])
    together = draw_lines(curves, top=8.0, width=16, height=8)
    for row in range(2):
        alone = draw_lines(curves[row : row + 1], top=8.0, width=16, height=8)[0]
        assert np.array_equal(together[row], alone)


@pytest.mark.parametrize(
    ("shape", "top", "width"), [((4, 8), 1.0, 16), ((64,), 1.0, 16), ((1, 64), 0.0, 16), ((1, 64), 1.0, 0)]
)
def test_what_cannot_be_drawn_is_refused(shape, top, width):
    with pytest.raises(EmbeddingError, match="cannot draw"):
        draw_lines(np.zeros(shape), top=top, width=width, height=8)


def test_no_average_over_nothing():
    with pytest.raises(EmbeddingError, match="at least 1 sample"):
        smooth(np.zeros(4, np.float32), 0)
