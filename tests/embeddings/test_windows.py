"""Where a track is read: properties that hold for every length and sample rate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.windows import plan_windows

TO_HZ = 16_000
N_WINDOW = 48_128
RATES_HZ = [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000]


@settings(deadline=None)
@given(
    from_hz=st.sampled_from([*RATES_HZ, 44_099]),
    duration_s=st.floats(min_value=0.01, max_value=21_600),
    max_windows=st.integers(min_value=1, max_value=12),
)
def test_windows_lie_inside_the_track_in_order(from_hz: int, duration_s: float, max_windows: int) -> None:
    n_samples = int(duration_s * from_hz)
    plan = plan_windows(n_samples, from_hz=from_hz, to_hz=TO_HZ, n_window=N_WINDOW, max_windows=max_windows)
    assert plan.n_window == min(N_WINDOW, n_samples * TO_HZ // from_hz)
    assert 1 <= len(plan.spans) <= max_windows
    assert (np.diff(plan.start_s) > 0).all()
    assert plan.duration_s == n_samples / from_hz
    for span, start_s in zip(plan.spans, plan.start_s, strict=True):
        assert span.start >= 0
        assert span.start + span.n_samples <= n_samples
        # After resampling and dropping, the window is complete and begins where the plan says.
        assert span.n_samples * TO_HZ // from_hz - span.n_drop >= plan.n_window
        assert span.start / from_hz + span.n_drop / TO_HZ == pytest.approx(start_s, abs=1e-9)


@settings(deadline=None)
@given(from_hz=st.sampled_from(RATES_HZ), duration_s=st.floats(min_value=3.1, max_value=600))
def test_each_window_is_in_the_middle_of_an_equal_share(from_hz: int, duration_s: float) -> None:
    plan = plan_windows(
        int(duration_s * from_hz), from_hz=from_hz, to_hz=TO_HZ, n_window=N_WINDOW, max_windows=8
    )
    window_s, n_windows = N_WINDOW / TO_HZ, len(plan.spans)
    assert n_windows == min(8, int(duration_s / window_s))
    middles_s = plan.start_s + window_s / 2
    shares_s = (np.arange(n_windows) + 0.5) * duration_s / n_windows
    np.testing.assert_allclose(middles_s, shares_s, atol=0.05)


def test_a_known_plan() -> None:
    """30 s at 44.1 kHz: shares of 3.75 s; 10 ms is the grid; read are 100 ms before and 20 ms after."""
    plan = plan_windows(30 * 44_100, from_hz=44_100, to_hz=TO_HZ, n_window=N_WINDOW, max_windows=8)
    np.testing.assert_allclose(plan.start_s, [0.37, 4.12, 7.87, 11.62, 15.37, 19.12, 22.87, 26.62])
    assert plan.spans[0].start == round(0.27 * 44_100)
    assert plan.spans[0].n_drop == round(0.1 * TO_HZ)
    assert plan.spans[0].n_samples == pytest.approx((0.12 + N_WINDOW / TO_HZ) * 44_100, abs=1)


def test_a_track_shorter_than_a_window_is_read_whole() -> None:
    plan = plan_windows(44_100, from_hz=44_100, to_hz=TO_HZ, n_window=N_WINDOW, max_windows=8)
    assert plan.spans == ((0, 44_100, 0),)
    assert plan.n_window == TO_HZ
