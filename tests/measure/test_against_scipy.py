"""Distances between two samples, their tables and intervals are those of scipy."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon
from tests.facts.small_release import german

from guiderail.measure.drift import ColumnDrift, drift
from guiderail.measure.frames import open_frame
from guiderail.measure.intervals import wilson
from guiderail.measure.profile import make_profile

CLOSE = 1e-9
NUMBERS = st.lists(st.integers(-4, 4).map(float), min_size=30, max_size=120)
WORDS = st.lists(st.sampled_from(["car", "radio", "select", "tv"]), min_size=30, max_size=120)


def moved(old: Any, new: Any) -> ColumnDrift:
    """The movement of one column between two samples in memory."""
    profile = make_profile(open_frame(pd.DataFrame({"x": old})))
    (column,) = drift(profile, open_frame(pd.DataFrame({"x": new}))).columns
    return column


def largest_distance(old: Any, new: Any) -> float:
    return float(stats.ks_2samp(old, new, method="asymp").statistic)


def table_of(old: list[str], new: list[str]) -> np.ndarray:
    """Rows of each category in both samples, as scipy takes them."""
    before, after = Counter(old), Counter(new)
    # what the reference lacks is one bin, however many categories it holds
    unseen = sum(count for name, count in after.items() if name not in before)
    rows = [[before[name], after[name]] for name in sorted(before)]
    return np.array([*rows, *([[0, unseen]] if unseen else [])], dtype=np.float64).T


def agrees_on_categories(found: ColumnDrift, counts: np.ndarray) -> None:
    share = counts / counts.sum(axis=1, keepdims=True)
    distance = jensenshannon(share[0], share[1], base=2)
    # the root takes what rounding leaves of two equal samples; so the squares are compared
    assert found.js == pytest.approx(distance**2, abs=CLOSE)
    if counts.shape[1] < 2:
        assert found.chi2 is None
        return
    expected = stats.chi2_contingency(counts, correction=False)
    assert found.chi2 is not None
    assert found.chi2.statistic == pytest.approx(expected.statistic, abs=CLOSE)
    assert found.chi2.degrees == expected.dof
    assert found.chi2.p == pytest.approx(expected.pvalue, abs=CLOSE)


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(NUMBERS, NUMBERS)
def test_distances_of_generated_numbers_are_those_of_scipy(
    old: list[float], new: list[float]
) -> None:
    """Every value of the new sample is one of the old, so that nothing lies between the edges."""
    known = [value for value in new if value in old] or [old[0]]
    found = moved(old, known)
    assert found.ks is not None
    assert found.ks.low == found.ks.high
    assert found.ks.value == pytest.approx(largest_distance(old, known), abs=CLOSE)
    assert found.wasserstein == pytest.approx(stats.wasserstein_distance(old, known), abs=CLOSE)


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(WORDS, WORDS)
def test_distances_of_generated_words_are_those_of_scipy(old: list[str], new: list[str]) -> None:
    agrees_on_categories(moved(old, new), table_of(old, new))


TEXTS = (
    "status",
    "credit_history",
    "purpose",
    "savings",
    "personal_status",
    "housing",
    "skill_level",
)
FEW = ("investment_as_income_percentage", "residence_since", "number_of_credits")


@pytest.fixture(scope="module")
def halves() -> tuple[pd.DataFrame, pd.DataFrame]:
    """German Credit in two parts that differ: shorter credits, and longer ones."""
    frame = german()
    long = frame["month"] > 18
    return frame[~long], frame[long]


@pytest.mark.parametrize("name", TEXTS)
def test_categories_of_german_credit_are_compared_as_by_scipy(
    name: str, halves: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    old, new = (part[name].tolist() for part in halves)
    agrees_on_categories(moved(old, new), table_of(old, new))


@pytest.mark.parametrize("name", FEW)
def test_small_numbers_of_german_credit_are_compared_as_by_scipy(
    name: str, halves: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    old, new = (part[name].to_numpy(dtype=np.float64) for part in halves)
    found = moved(old, new)
    assert found.ks is not None
    assert found.ks.low == found.ks.high
    assert found.ks.value == pytest.approx(largest_distance(old, new), abs=CLOSE)
    assert found.ks.value > 0
    assert found.wasserstein == pytest.approx(stats.wasserstein_distance(old, new), abs=CLOSE)


@pytest.mark.parametrize("name", ["credit_amount", "age", "month"])
def test_the_distance_of_scipy_lies_between_the_bounds(
    name: str, halves: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    old, new = (part[name].to_numpy(dtype=np.float64) for part in halves)
    found = moved(old, new)
    assert found.ks is not None
    expected = largest_distance(old, new)
    assert found.ks.low - CLOSE <= expected <= found.ks.high + CLOSE
    assert found.ks.high - found.ks.low < 0.1


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_of_shares_are_those_of_scipy(pair: tuple[int, int]) -> None:
    hits, rows = pair
    found = wilson(hits, rows)
    expected = stats.binomtest(hits, rows).proportion_ci(0.95, method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=CLOSE)
