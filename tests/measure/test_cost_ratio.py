"""Processor time relative to the calibration kernel: medians, intervals, spikes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guiderail.core.interval import Interval
from guiderail.measure.cost_ratio import change_percent, cpu_ratio, median_interval, spike
from guiderail.measure.unmeasurable import NotMeasurable


def test_a_ratio_is_taken_round_by_round() -> None:
    kernel = [0.01, 0.02, 0.01, 0.04, 0.01, 0.02]
    found = cpu_ratio([3 * one for one in kernel], kernel)

    assert isinstance(found, Interval)
    assert (found.low, found.value, found.high) == pytest.approx((3, 3, 3))


def test_the_interval_is_the_one_of_the_order_statistics() -> None:
    """For 15 values the 4th smallest and 4th largest enclose the median with 96.5 %."""
    found = median_interval([float(one) for one in range(1, 16)])

    assert found == Interval(8.0, 4.0, 12.0)


def test_the_interval_holds_the_true_median_at_least_as_often_as_it_says() -> None:
    random = np.random.default_rng(5)
    inside = 0
    for _ in range(2_000):
        found = median_interval(random.lognormal(0.0, 1.0, 15).tolist())
        assert isinstance(found, Interval)
        inside += found.low <= 1.0 <= found.high
    assert inside / 2_000 > 0.95


@pytest.mark.parametrize("count", range(6))
def test_too_few_rounds_say_so(count: int) -> None:
    found = median_interval([1.0] * count)

    assert isinstance(found, NotMeasurable)
    assert f"{count} rounds are too few" in found.reason


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_a_time_that_is_no_number_is_not_measurable(odd: float) -> None:
    assert isinstance(median_interval([*[1.0] * 14, odd]), NotMeasurable)


def test_a_change_is_paired_so_that_a_slow_moment_cancels() -> None:
    slow = [1.0, 1.0, 3.0, 1.0, 9.0, 1.0, 2.0]
    found = change_percent([1.5 * one for one in slow], slow)

    assert isinstance(found, Interval)
    assert (found.low, found.high) == pytest.approx((50, 50))


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        (Interval(40, 30, 50), "rise"),
        (Interval(20, 10, 25), "no rise"),
        (Interval(26, 20, 30), "insufficient"),
    ],
)
def test_a_rise_is_one_only_when_the_whole_interval_says_so(change: Interval, verdict: str) -> None:
    assert spike(change, 25) == verdict


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(1e-6, 1e3), min_size=6, max_size=25),
    st.floats(0.01, 100),
)
def test_a_machine_of_another_speed_gives_the_same_ratio(times: list[float], speed: float) -> None:
    kernel = [0.01 + 0.001 * place for place in range(len(times))]
    here = cpu_ratio(times, kernel)
    there = cpu_ratio([one * speed for one in times], [one * speed for one in kernel])

    assert isinstance(here, Interval)
    assert isinstance(there, Interval)
    assert there.value == pytest.approx(here.value)
    assert there.high == pytest.approx(here.high)
