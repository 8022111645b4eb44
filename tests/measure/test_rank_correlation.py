"""Rank correlations are those of scipy, and their intervals hold what they promise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from guiderail.core.interval import Interval
from guiderail.measure.attribute_ranks import table_ranks
from guiderail.measure.proxies import proxies
from guiderail.measure.rank_correlation import rank_correlation
from guiderail.measure.table import open_table
from guiderail.measure.unmeasurable import NotMeasurable

DRAW = np.random.default_rng(5)


def known(found: Interval | NotMeasurable | None) -> Interval:
    assert isinstance(found, Interval)
    return found


def test_the_value_is_that_of_scipy_with_ties_and_gaps() -> None:
    x = DRAW.normal(size=300).round(1)
    y = (x + DRAW.normal(size=300)).round(0)
    y[:5], x[5:9] = np.nan, np.inf
    kept = np.isfinite(x) & np.isfinite(y)
    expected = stats.spearmanr(x[kept], y[kept]).statistic
    assert known(rank_correlation(x, y)).value == pytest.approx(expected, abs=1e-12)


def test_counts_stand_for_rows() -> None:
    x, y = DRAW.integers(0, 5, 60), DRAW.integers(0, 4, 60)
    counts = DRAW.integers(0, 6, 60)
    weighted = known(rank_correlation(x, y, counts))
    assert weighted == known(rank_correlation(np.repeat(x, counts), np.repeat(y, counts)))


@pytest.mark.parametrize("slope", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("decided", [False, True])
def test_95_of_100_intervals_hold_the_correlation(slope: float, decided: bool) -> None:
    random = np.random.default_rng(9)

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        age = random.integers(18, 80, n)
        score = slope * (age - 49) / 18 + random.normal(size=n)
        return age, (score > 0.3) * 1.0 if decided else score

    true = stats.spearmanr(*draw(200_000)).statistic
    held = sum(
        found.low <= true <= found.high
        for found in (known(rank_correlation(*draw(200))) for _ in range(400))
    )
    assert held >= 0.93 * 400


def test_a_perfect_order_is_not_certain_in_few_rows() -> None:
    found = known(rank_correlation(range(25), range(25)))
    assert found.value == found.high == 1
    assert 0.99 < found.low < 1


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        (range(10), range(10), "only 10 rows"),
        ([1] * 30, range(30), "same value in every row"),
        ([np.nan] * 30, range(30), "only 0 rows"),
    ],
)
def test_what_has_no_order_is_not_measured(x: list[float], y: list[float], says: str) -> None:
    found = rank_correlation(x, y)
    assert isinstance(found, NotMeasurable)
    assert says in found.reason


def test_a_table_ranks_decisions_by_the_attribute(tmp_path: Path) -> None:
    age = DRAW.integers(18, 80, 800)
    decision = (age + DRAW.normal(scale=20, size=800) > 50).astype(int)
    lines = "".join(f"{a},{'yes' if d else 'no'}\n" for a, d in zip(age, decision, strict=True))
    (tmp_path / "a.csv").write_text("age,select\n" + lines)
    with open_table(tmp_path / "a.csv") as table:
        (found,) = table_ranks(table, {"age": None}, "select", "yes")
    assert (found.n, found.goes_with) == (800, "decision")
    expected = stats.spearmanr(age, decision).statistic
    assert known(found.found).value == pytest.approx(expected, abs=1e-12)


def test_proxies_show_the_correlation_of_numbers_only() -> None:
    age = DRAW.integers(18, 80, 400).astype(float)
    features = {"income": age * 100 + DRAW.normal(size=400), "town": DRAW.choice(["a", "b"], 400)}
    rows = {row.feature: row for row in proxies(features, {"age": age}, permutations=20).features}
    assert known(rows["income"].ranks).value > 0.99
    assert rows["town"].ranks is None
