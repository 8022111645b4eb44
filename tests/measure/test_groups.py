"""Groups and intersections: counts, intervals and a verdict of three values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from guiderail.measure.attribute_values import ranges
from guiderail.measure.comparisons import GroupReport
from guiderail.measure.fairness import group_rates
from guiderail.measure.groups import group_name
from guiderail.measure.unmeasurable import NotMeasurable


def reported(*arguments: Any, **options: Any) -> GroupReport:
    found = group_rates(*arguments, **options)
    assert isinstance(found, GroupReport), found
    return found


def draw(rates: dict[tuple[str, str], float], each: int, seed: int) -> tuple[Any, dict[str, Any]]:
    """Decisions with a selection rate per (sex, age) cell, `each` rows in every cell."""
    random = np.random.default_rng(seed)
    decision = np.concatenate([random.random(each) < rate for rate in rates.values()])
    sex = np.repeat([key[0] for key in rates], each)
    age = np.repeat([key[1] for key in rates], each)
    return decision.astype(int), {"sex": sex, "age": age}


HARM_IN_THE_INTERSECTION = {
    ("f", "young"): 0.72,
    ("f", "old"): 0.12,
    ("m", "young"): 0.15,
    ("m", "old"): 0.74,
}
NO_HARM = dict.fromkeys(HARM_IN_THE_INTERSECTION, 0.43)


def test_counts_are_those_of_scikit_learn_in_every_cell() -> None:
    random = np.random.default_rng(3)
    label, decision = random.integers(0, 2, 500), random.integers(0, 2, 500)
    sex, region = random.integers(0, 2, 500), random.integers(0, 3, 500)
    report = reported(decision, {"sex": sex, "region": region}, label)
    assert len(report.cells) == 2 + 3 + 6
    for cell in report.cells:
        chosen = np.ones(500, dtype=bool)
        for attribute, value in cell.group:
            chosen &= {"sex": sex, "region": region}[attribute] == int(value)
        expected = confusion_matrix(label[chosen], decision[chosen]).ravel().tolist()
        assert [cell.tn, cell.fp, cell.fn, cell.tp] == expected
        assert cell.n == chosen.sum()
        assert cell.selected == decision[chosen].sum()


def test_a_rate_without_rows_is_undefined_and_not_zero() -> None:
    report = reported([1, 0, 1], {"g": ["a", "a", "b"]}, [0, 0, 1])
    a, b = report.cells
    assert a.rate("tpr") is None
    assert b.rate("fpr") is None
    assert b.rate("npv") is None
    tpr = b.rate("tpr")
    assert tpr is not None
    assert tpr.value == 1


def test_harm_only_in_intersections_is_found() -> None:
    decision, groups = draw(HARM_IN_THE_INTERSECTION, 300, seed=1)
    verdict = reported(decision, groups).verdict("selection_rate")
    assert verdict.verdict == "fail"
    assert verdict.lowest is not None
    assert group_name(verdict.lowest.group) == "sex=f, age=old"
    alone = reported(decision, groups, deepest=1).verdict("selection_rate")
    assert alone.verdict == "pass"


def test_its_null_passes_in_99_of_100_draws_of_sufficient_size() -> None:
    verdicts = [
        reported(*draw(NO_HARM, 2000, seed)).verdict("selection_rate").verdict
        for seed in range(100)
    ]
    assert verdicts.count("pass") >= 99


def test_a_fair_model_with_many_small_cells_does_not_fail() -> None:
    random = np.random.default_rng(4)
    failed = 0
    for _ in range(200):
        decision = (random.random(1400) < 0.3).astype(int)
        cell = np.repeat(np.arange(14), 100)
        names = np.char.add("group ", cell.astype(str))
        failed += reported(decision, {"g": names}).verdict("selection_rate").verdict == "fail"
    assert failed <= 4


def test_a_small_group_leaves_the_verdict_open() -> None:
    decision, groups = draw({("f", "x"): 0.5, ("m", "x"): 0.5}, 1000, seed=2)
    sex = np.append(groups["sex"], ["d"] * 29)
    report = reported(np.append(decision, [1] * 29), {"sex": sex})
    verdict = report.verdict("selection_rate")
    assert verdict.verdict == "insufficient"
    assert "sex=d (29)" in verdict.reason
    assert [(one.group, one.n) for one in report.underpowered] == [((("sex", "d"),), 29)]


def test_a_small_intersection_is_listed_and_does_not_decide() -> None:
    decision, groups = draw(dict.fromkeys(HARM_IN_THE_INTERSECTION, 0.5), 3000, seed=5)
    few = np.flatnonzero((groups["sex"] == "f") & (groups["age"] == "old"))[:2980]
    kept = np.setdiff1d(np.arange(len(decision)), few)
    report = reported(decision[kept], {name: values[kept] for name, values in groups.items()})
    assert report.verdict("selection_rate").verdict == "pass"
    assert (("sex", "f"), ("age", "old")) in [one.group for one in report.underpowered]


def test_the_minimum_counts_the_rows_of_the_rate_itself() -> None:
    label = np.array([1] * 20 + [0] * 80 + [1] * 50 + [0] * 50)
    report = reported(label, {"g": ["a"] * 100 + ["b"] * 100}, label)
    assert report.verdict("tpr").verdict == "insufficient"
    assert "g=a (20)" in report.verdict("tpr").reason
    weak = {(one.rate, one.group[0][1]): one.n for one in report.underpowered}
    assert weak["tpr", "a"] == 20
    assert ("selection_rate", "a") not in weak


def test_rows_without_the_attribute_are_a_group_that_is_shown() -> None:
    values = np.array(["f", "m"] * 500 + [None] * 10, dtype=object)
    decision = np.append(np.tile([0, 0, 1, 1], 250), [1] * 10)
    report = reported(decision, {"sex": values})
    assert [cell.group[0][1] for cell in report.cells] == ["f", "m", "(unknown)"]
    assert report.verdict("selection_rate").verdict in {"pass", "insufficient"}
    assert "(unknown)" not in report.verdict("selection_rate").reason


def test_the_selected_value_may_be_any_label() -> None:
    report = reported(["good", "bad"] * 50, {"g": ["a"] * 50 + ["b"] * 50}, selected="good")
    assert [cell.selected for cell in report.cells] == [25, 25]
    numbers = reported([1, 2] * 50, {"g": ["a"] * 50 + ["b"] * 50}, [1, 1] * 50, selected="1")
    assert [(cell.tp, cell.fn) for cell in numbers.cells] == [(25, 25), (25, 25)]


def test_nobody_selected_has_no_ratio_and_no_verdict() -> None:
    report = reported([0] * 200, {"g": ["a", "b"] * 100}, [0, 1] * 100)
    (comparison,) = (one for one in report.comparisons if one.rate == "selection_rate")
    assert comparison.ratio is None
    assert comparison.difference.value == 0
    assert report.verdict("selection_rate").verdict == "insufficient"


def test_a_group_never_selected_fails_and_its_ratio_has_an_upper_bound() -> None:
    report = reported([1] * 200 + [0] * 200, {"g": ["a"] * 200 + ["b"] * 200})
    (comparison,) = report.comparisons
    assert comparison.ratio is not None
    assert comparison.ratio.value == comparison.ratio.low == 0
    assert 0 < comparison.ratio.high < 0.1
    assert comparison.verdict == "fail"


def test_one_group_alone_is_no_comparison() -> None:
    verdict = reported([0, 1] * 100, {"sex": ["f"] * 200}).verdict("selection_rate")
    assert (verdict.verdict, verdict.reason) == ("insufficient", "sex has one group only")


def test_the_accuracy_gap_names_both_groups() -> None:
    label = np.tile([0, 1], 200)
    decision = label.copy()
    decision[:60] = 1 - decision[:60]
    gap = reported(decision, {"sex": ["f"] * 200 + ["m"] * 200}, label).accuracy_gap
    assert gap is not None
    assert gap.gap.value == pytest.approx(0.3)
    assert (group_name(gap.best), group_name(gap.worst)) == ("sex=m", "sex=f")


def test_ages_fall_into_named_ranges() -> None:
    ages = [18, 25, 39.5, 40, 80, float("nan")]
    assert ranges(ages, [25, 40]).tolist() == [
        "under 25",
        "25 to under 40",
        "25 to under 40",
        "40 and over",
        "40 and over",
        None,
    ]


def test_ages_without_edges_fall_into_quartiles() -> None:
    report = reported(np.tile([0, 1], 200), {"age": np.arange(400) % 80})
    assert [cell.n for cell in report.cells] == [95, 100, 100, 105]


def test_edges_out_of_order_are_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="ascend"):
        ranges([1, 2], [40, 25])


def test_ten_thousand_categories_are_refused_by_name() -> None:
    codes = np.char.add("c", (np.arange(20_000) % 10_000).astype(str))
    found = group_rates(np.tile([0, 1], 10_000), {"city": codes})
    assert isinstance(found, NotMeasurable)
    assert "city has more than 200 different values" in found.reason


@pytest.mark.parametrize(
    ("decision", "groups", "label", "says"),
    [
        ([], {"g": []}, None, "no decisions"),
        ([1, None], {"g": ["a", "b"]}, None, "1 of 2 decisions are missing"),
        ([1, 0], {"g": ["a", "b"]}, [1, None], "1 of 2 labels are missing"),
        ([1, 0], {"g": ["a", "b"]}, [1], "1 labels are given for 2 rows"),
        ([1, 0], {"g": ["a"]}, None, "g has 1 values for 2 rows"),
        (["yes", "no"], {"g": ["a", "b"]}, None, 'none of the decisions is "1"'),
    ],
)
def test_what_cannot_be_counted_says_why(decision: Any, groups: Any, label: Any, says: str) -> None:
    found = group_rates(decision, groups, label)
    assert isinstance(found, NotMeasurable)
    assert says in found.reason


@pytest.mark.parametrize(
    ("decision", "label", "says"),
    [
        ([0.2, 0.9, 0.4], [0, 1, 0], "apply a threshold first"),
        ([1.0, float("inf"), 0.0], [0, 1, 0], "infinite"),
        ([1, 0, 1], ["good", "bad", "good"], "not written with the same values"),
        ([1, 0, 1], [1, 2, 1], "not written with the same values"),
        ([True, False, True], [1, 0, 1], "not written with the same values"),
    ],
)
def test_wrong_numbers_are_refused(decision: Any, label: Any, says: str) -> None:
    selected = decision[0] if isinstance(decision[0], bool) else 1
    found = group_rates(decision, {"g": ["a", "b", "a"]}, label, selected=selected)
    assert isinstance(found, NotMeasurable)
    assert says in found.reason


def test_ten_thousand_decisions_of_their_own_are_refused() -> None:
    keys = np.array([f"key {i}" for i in range(10_000)], dtype=object)
    found = group_rates(keys, {"g": ["a", "b"] * 5000}, selected="key 1")
    assert isinstance(found, NotMeasurable)
    assert "more than 200 different values" in found.reason


def test_everybody_selected_is_equal_and_known_as_well_as_rows_allow() -> None:
    few, many = (
        reported([1] * n, {"g": ["a", "b"] * (n // 2)}).verdict("selection_rate").verdict
        for n in (60, 1000)
    )
    assert (few, many) == ("pass", "pass")


def test_one_class_of_labels_leaves_the_rates_of_the_other_undefined() -> None:
    report = reported([0, 1] * 200, {"g": ["a"] * 200 + ["b"] * 200}, [0] * 400)
    assert all(cell.rate("tpr") is None for cell in report.cells)
    assert report.verdict("tpr").verdict == "insufficient"
    assert report.verdict("fpr").verdict == "pass"


def test_an_attribute_without_values_says_so() -> None:
    report = reported([0, 1] * 200, {"g": np.full(400, None, dtype=object)})
    assert report.verdict("selection_rate").reason == "g has no values"
