"""Intervals for shares: known values, coverage, and no false certainty at the ends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from guiderail.core.interval import Interval
from guiderail.measure.intervals import (
    error_ratio,
    exact_share,
    log_ratio,
    newcombe,
    paired_difference,
    paired_ratio,
    wilson,
)


@given(st.integers(1, 10_000), st.data())
def test_wilson_is_that_of_scipy(n: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, n))
    expected = binomtest(count, n).proportion_ci(0.95, method="wilson")
    found = wilson(count, n)
    assert found.low == pytest.approx(expected.low, abs=1e-9)
    assert found.high == pytest.approx(expected.high, abs=1e-9)


def test_newcombe_gives_the_example_of_its_paper() -> None:
    found = newcombe(56, 70, 48, 80)  # Newcombe 1998, table II, example (a), method 10
    assert (found.low, found.high) == (
        pytest.approx(0.0524, abs=1e-4),
        pytest.approx(0.3339, abs=1e-4),
    )


@pytest.mark.parametrize("counts", [(-1, 5), (6, 5), (0, 0)])
def test_what_is_no_share_is_an_error(counts: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="not a share"):
        wilson(*counts)


def test_nothing_is_certain_at_the_ends() -> None:
    assert wilson(0, 20).high > 0.1
    assert newcombe(0, 20, 0, 20).high > 0.1
    both_full = log_ratio(20, 20, 20, 20)
    assert both_full is not None
    assert both_full.ratio.low < 0.95 < 1.05 < both_full.ratio.high
    assert log_ratio(5, 20, 0, 20) is None
    assert paired_difference(0, 0, 20).high > 0.05
    never = paired_ratio(20, 0, 0)
    assert never is not None
    assert never.low < 0.95 < 1.05 < never.high
    assert paired_ratio(0, 5, 0) is None


@pytest.mark.parametrize("common", [0.5, 0.9])
def test_paired_intervals_cover_nineteen_times_in_twenty(common: float) -> None:
    random = np.random.default_rng(30)
    n, runs, difference, ratio = 200, 2000, 0, 0
    for _ in range(runs):
        shared = random.random(n) < 0.8
        first = np.where(shared, random.random(n) < 2, random.random(n) < common)
        second = np.where(shared, first, random.random(n) < common * 0.8)
        both, a, b = (first & second).sum(), (first & ~second).sum(), (~first & second).sum()
        p, q = 0.8 + 0.2 * common, 0.8 + 0.2 * common * 0.8
        delta = paired_difference(int(a), int(b), n)
        quotient = paired_ratio(int(both), int(a), int(b))
        assert quotient is not None
        difference += delta.low <= p - q <= delta.high
        ratio += quotient.low <= p / q <= quotient.high
    assert 0.94 <= difference / runs <= 0.99
    assert 0.94 <= ratio / runs <= 0.99


def test_the_log_ratio_covers_nineteen_times_in_twenty() -> None:
    random = np.random.default_rng(31)
    hits = 0
    for one, other in zip(
        random.binomial(150, 0.3, 2000), random.binomial(300, 0.4, 2000), strict=True
    ):
        found = log_ratio(int(one), 150, int(other), 300)
        assert found is not None
        hits += found.ratio.low <= 0.75 <= found.ratio.high
    assert 0.93 <= hits / 2000 <= 0.97


@given(st.integers(1, 10_000), st.data())
def test_exact_bounds_are_those_of_scipy_on_each_side(n: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, n))
    found = exact_share(count, n, below=0.01, above=0.04)
    assert found.low == pytest.approx(binomtest(count, n).proportion_ci(0.98).low, abs=1e-9)
    assert found.high == pytest.approx(binomtest(count, n).proportion_ci(0.92).high, abs=1e-9)


@pytest.mark.parametrize(("n", "share"), [(150, 0.02), (200, 0.0183), (500, 0.02), (2000, 0.1)])
def test_an_exact_lower_bound_is_above_the_truth_once_in_a_hundred_at_most(
    n: int, share: float
) -> None:
    """Summed over every count there can be; Wilson's is above it up to five times as often."""
    from scipy.stats import binom

    counts = np.arange(n + 1)
    chance = binom.pmf(counts, n, share)
    exact = np.array([exact_share(int(one), n, 0.01, 0.04).low > share for one in counts])
    assert chance[exact].sum() <= 0.01
    assert chance[np.array([wilson(int(one), n).low > share for one in counts])].sum() > 0.01


def test_no_errors_on_both_sides_are_no_growth() -> None:
    assert error_ratio(0, 0, 0) == Interval(1, 1, 1)
    assert error_ratio(0, 3, 0) is None
    found = error_ratio(10, 5, 0)
    assert found is not None
    assert found.value == pytest.approx(1.5)
