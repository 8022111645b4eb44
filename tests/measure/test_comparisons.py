"""Comparisons: the correction, the interval that a gate judges, and laws that must hold."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from scipy.stats.contingency import relative_risk

from guiderail.core.interval import Interval
from guiderail.measure.comparisons import GroupReport, compare_cells, lowest_ratio, weak_groups
from guiderail.measure.groups import GroupCell, group_name
from guiderail.measure.unmeasurable import NotMeasurable

Pairs = Sequence[tuple[int, int]]


def level(pairs: Pairs, attribute: str = "g") -> list[GroupCell]:
    """Groups a, b, c, ... of (selected, rows)."""
    return [
        GroupCell(((attribute, chr(97 + i)),), n, selected) for i, (selected, n) in enumerate(pairs)
    ]


def labelled(name: str, tn: int, fp: int, fn: int, tp: int) -> GroupCell:
    return GroupCell((("g", name),), tn + fp + fn + tp, fp + tp, tn, fp, fn, tp)


def ratio(report: GroupReport, *rates: str) -> Interval:
    found = lowest_ratio(report, rates or ("selection_rate",))  # type: ignore[arg-type]  # names of rates
    assert isinstance(found, Interval), found
    return found


GROUPS = st.lists(
    st.integers(30, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    min_size=2,
    max_size=6,
)


@given(GROUPS)
def test_ratios_are_those_of_scipy(pairs: Pairs) -> None:
    report = compare_cells([level(pairs)])
    by_name = {cell.group: cell for cell in report.cells}
    for one in report.comparisons:
        cell, best = by_name[one.group], by_name[one.reference]
        if not 0 < cell.selected < cell.n or not 0 < best.selected < best.n:
            continue
        theirs = relative_risk(cell.selected, cell.n, best.selected, best.n)
        bounds = theirs.confidence_interval(0.95)
        assert one.ratio is not None
        assert one.ratio.value == pytest.approx(theirs.relative_risk, abs=1e-9)
        assert one.ratio.low == pytest.approx(bounds.low, abs=1e-9)
        assert one.ratio.high == pytest.approx(max(bounds.high, theirs.relative_risk), abs=1e-9)


@given(GROUPS, st.floats(0.3, 0.95))
def test_a_lowest_ceiling_below_any_limit_is_a_failure_by_holm(pairs: Pairs, limit: float) -> None:
    report = compare_cells([level(pairs)], ratio_limit=limit)
    found = lowest_ratio(report, ("selection_rate",))
    if isinstance(found, NotMeasurable) or math.isclose(found.high, limit, rel_tol=1e-9):
        return
    assert (found.high < limit) == (report.verdict("selection_rate").verdict == "fail")


def test_a_ceiling_is_the_one_sided_bound_shared_by_all_comparisons() -> None:
    report = compare_cells([level([(300, 1000), (500, 1000), (480, 1000)])])
    first = next(one for one in report.comparisons if group_name(one.group) == "g=a")
    error = math.sqrt(1 / 300 - 1 / 1000 + 1 / 500 - 1 / 1000)
    expected = math.exp(math.log(0.6) + norm.ppf(1 - 0.025 / 2) * error)
    assert first.ceiling == pytest.approx(expected, abs=1e-9)


def test_selection_and_the_chosen_error_rates_are_corrected_together() -> None:
    cells = [labelled("a", 300, 100, 100, 300), labelled("b", 300, 100, 190, 210)]
    alone = compare_cells([cells], error_rates=("tpr",))
    both = compare_cells([cells], error_rates=("tpr", "fpr"))
    tpr = {
        report: next(one.ceiling for one in report.comparisons if one.rate == "tpr")
        for report in (alone, both)
    }
    assert tpr[both] is not None
    assert tpr[alone] is not None
    assert tpr[both] > tpr[alone]
    assert both.deciding == ("selection_rate", "tpr", "fpr")


def test_the_worse_of_both_error_rates_counts() -> None:
    report = compare_cells([[labelled("a", 500, 500, 500, 500), labelled("b", 900, 100, 500, 500)]])
    assert ratio(report, "tpr").value == 1
    assert ratio(report, "tpr", "fpr").value == pytest.approx(0.2)
    assert ratio(report, "tpr", "fpr").high < 0.8


def test_the_lowest_ratio_fails_where_another_comparison_does() -> None:
    """A tiny group has the lowest ratio and no certainty, a large one fails beyond doubt."""
    report = compare_cells([level([(9, 31), (3000, 10_000), (5000, 10_000)])])
    assert report.verdict("selection_rate").verdict == "fail"
    found = ratio(report)
    assert found.value == pytest.approx(9 / 31 / 0.5)
    assert found.high < 0.8


def test_an_undefined_ratio_keeps_a_report_from_passing() -> None:
    undefined = level([(0, 500), (0, 500)], "region")
    report = compare_cells([level([(5000, 10_000), (5000, 10_000)]), undefined])
    found = ratio(report)
    assert (found.value, found.low) == (1, 0)
    assert "undefined" in report.verdict("selection_rate").reason


def test_a_rate_that_no_group_can_be_compared_by_keeps_a_report_from_passing() -> None:
    cells = [labelled("a", 500, 500, 0, 5), labelled("b", 500, 500, 5, 0)]
    report = compare_cells([cells])
    assert ratio(report, "tpr", "fpr").low == 0
    assert ratio(report, "fpr").low > 0.8
    found = lowest_ratio(report, ("tpr",))
    assert isinstance(found, NotMeasurable)
    assert "fewer than 30 rows: g=a (5), g=b (5)" in found.reason


def test_groups_too_small_for_the_error_rate_are_weak_with_the_reason() -> None:
    cells = [labelled("a", 500, 500, 10, 10), labelled("b", 500, 500, 300, 300)]
    assert weak_groups(compare_cells([cells])) == {(("g", "a"),): "20 rows for tpr"}
    assert weak_groups(compare_cells([cells], error_rates=("fpr",))) == {}


def test_the_only_known_group_of_an_attribute_is_weak() -> None:
    only = [GroupCell((("sex", "f"),), 500, 250), GroupCell((("sex", "(unknown)"),), 500, 250)]
    assert list(weak_groups(compare_cells([only]))) == [(("sex", "f"),)]
    none = [GroupCell((("sex", "(unknown)"),), 500, 250)]
    assert weak_groups(compare_cells([none])) == {
        (("sex", "no known value"),): "no row has a value"
    }


def test_the_accuracy_gap_looks_into_intersections() -> None:
    singles = [labelled("a", 500, 100, 100, 500), labelled("b", 500, 100, 100, 500)]
    crossed = [
        GroupCell((("g", "a"), ("h", "x")), 600, 300, 200, 100, 100, 200),
        GroupCell((("g", "b"), ("h", "x")), 600, 300, 300, 0, 0, 300),
    ]
    gap = compare_cells([singles, crossed]).accuracy_gap
    assert gap is not None
    assert gap.gap.value == pytest.approx(1 / 3)
    assert group_name(gap.worst) == "g=a, h=x"


@given(GROUPS, st.randoms(use_true_random=False))
def test_swapping_names_permutes_the_results(pairs: Pairs, random: object) -> None:
    order = list(range(len(pairs)))
    random.shuffle(order)  # type: ignore[attr-defined]  # a random.Random
    before = compare_cells([level(pairs)])
    after = compare_cells([level([pairs[i] for i in order])])
    assert before.verdict("selection_rate").verdict == after.verdict("selection_rate").verdict
    said = [
        sorted(
            (-1.0 if one.ratio is None else one.ratio.value, one.difference.value, one.verdict)
            for one in report.comparisons
        )
        for report in (before, after)
    ]
    assert said[0] == said[1]


@given(GROUPS)
def test_an_empty_group_changes_no_verdict(pairs: Pairs) -> None:
    before = compare_cells([level(pairs)])
    after = compare_cells([[*level(pairs), GroupCell((("g", "nobody"),), 0, 0)]])
    assert before.verdicts == after.verdicts
    assert before.comparisons == after.comparisons
    assert weak_groups(before) == weak_groups(after)
    assert [one.n for one in after.underpowered] == [0]
    assert after.cells[-1].rate("selection_rate") is None


@given(GROUPS, st.integers(2, 50))
def test_more_rows_of_the_same_rates_never_turn_a_pass_into_a_failure(
    pairs: Pairs, times: int
) -> None:
    before = compare_cells([level(pairs)]).verdict("selection_rate").verdict
    more = [(selected * times, n * times) for selected, n in pairs]
    after = compare_cells([level(more)]).verdict("selection_rate").verdict
    assert (before, after) != ("pass", "fail")
    assert (before, after) != ("fail", "pass")


def test_more_rows_of_equal_groups_settle_the_matter() -> None:
    verdicts = [
        compare_cells([level([(n // 2, n)] * 4)]).verdict("selection_rate").verdict
        for n in (40, 400, 4000)
    ]
    assert verdicts == ["insufficient", "pass", "pass"]


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_equal_groups_fail_less_often_than_the_level_says(seed: int) -> None:
    random = np.random.default_rng(seed)
    failed = sum(
        compare_cells([level([(int(random.binomial(150, 0.4)), 150) for _ in range(6)])])
        .verdict("selection_rate")
        .verdict
        == "fail"
        for _ in range(20)
    )
    assert failed <= 2
