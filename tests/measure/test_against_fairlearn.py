"""Rates, differences and ratios of groups and intersections are those of Fairlearn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from tests.oracles import DECIDED, Decided, as_frame, german_credit, oracle, quietly

from guiderail.measure.comparisons import GroupReport
from guiderail.measure.fairness import group_rates
from guiderail.measure.groups import RATES, RateName

CLOSE = 1e-9
SETS = (("sex",), ("region",), ("sex", "region"))


def report(rows: Decided) -> GroupReport:
    """Every group is compared, however small, as Fairlearn does."""
    found = group_rates(rows.decision, rows.groups, rows.label, minimum_rows=1)
    assert isinstance(found, GroupReport), found
    return found


def theirs(rows: Decided, attributes: tuple[str, ...]) -> Any:
    """Fairlearn's table of the rates that it and scikit-learn define, one row per group."""
    from sklearn.metrics import accuracy_score, precision_score

    metrics = oracle("fairlearn.metrics")

    def precision(label: Any, decision: Any) -> float:
        return float(precision_score(label, decision, zero_division=np.nan))

    def negative_precision(label: Any, decision: Any) -> float:
        return float(precision_score(label, decision, pos_label=0, zero_division=np.nan))

    functions: Mapping[RateName, Callable[..., float]] = {
        "selection_rate": metrics.selection_rate,
        "tpr": metrics.true_positive_rate,
        "fpr": metrics.false_positive_rate,
        "fnr": metrics.false_negative_rate,
        "ppv": precision,
        "npv": negative_precision,
        "accuracy": accuracy_score,
    }
    return metrics.MetricFrame(
        metrics=dict(functions),
        y_true=rows.label,
        y_pred=rows.decision,
        sensitive_features=as_frame(rows)[list(attributes)],
    )


def agrees_on_rates(rows: Decided, attributes: tuple[str, ...]) -> int:
    """Compares every defined rate of every group that occurs; how many there were."""
    by_group = theirs(rows, attributes).by_group
    compared = 0
    for cell in report(rows).cells:
        if tuple(name for name, _ in cell.group) != attributes or cell.n == 0:
            continue
        values = tuple(value for _, value in cell.group)
        row = by_group.loc[values if len(values) > 1 else values[0]]
        for rate in RATES:
            ours = cell.rate(rate)
            if ours is not None:  # where nothing is below the line Fairlearn says 0, we say nothing
                assert ours.value == pytest.approx(row[rate], abs=CLOSE)
                compared += 1
    return compared


def agrees_on_comparisons(rows: Decided, attributes: tuple[str, ...]) -> int:
    """Compares the largest difference and the smallest ratio of every rate that all groups have."""
    frame, found = theirs(rows, attributes), report(rows)
    differences = frame.difference(method="between_groups")
    ratios = frame.ratio(method="between_groups")
    compared = 0
    for rate in RATES:
        cells = [c for c in found.cells if tuple(n for n, _ in c.group) == attributes and c.n]
        if len(cells) < 2 or any(cell.rate(rate) is None for cell in cells):
            continue
        ours = [
            one
            for one in found.comparisons
            if one.rate == rate and tuple(name for name, _ in one.group) == attributes
        ]
        widest = max(-one.difference.value for one in ours)
        assert widest == pytest.approx(differences[rate], abs=CLOSE)
        defined = [one.ratio.value for one in ours if one.ratio is not None]
        if len(defined) == len(ours):
            assert min(defined) == pytest.approx(ratios[rate], abs=CLOSE)
        else:  # nobody has the rate: 0 divided by 0
            assert np.isnan(ratios[rate])
        compared += 1
    return compared


@settings(max_examples=15)
@given(DECIDED)
def test_rates_of_generated_rows_are_those_of_fairlearn(rows: Decided) -> None:
    with quietly():
        for attributes in SETS:
            assert agrees_on_rates(rows, attributes) > 0


@settings(max_examples=15)
@given(DECIDED)
def test_differences_and_ratios_of_generated_rows_are_those_of_fairlearn(rows: Decided) -> None:
    with quietly():
        for attributes in SETS:
            agrees_on_comparisons(rows, attributes)


@pytest.mark.parametrize("attributes", [("sex",), ("age",), ("sex", "age")])
def test_german_credit_is_measured_as_by_fairlearn(attributes: tuple[str, ...]) -> None:
    rows, _ = german_credit()
    groups = 2 ** len(attributes)
    assert agrees_on_rates(rows, attributes) == groups * len(RATES)
    assert agrees_on_comparisons(rows, attributes) == len(RATES)


def extremes(rows: Decided, rates: tuple[RateName, ...], *, ratio: bool) -> float:
    """The worst value over the intersections, as Fairlearn's summaries take it."""
    found = [one for one in report(rows).comparisons if one.rate in rates and len(one.group) == 2]
    if not ratio:
        return max(-one.difference.value for one in found)
    return min(one.ratio.value for one in found if one.ratio is not None)


@pytest.mark.parametrize(
    ("summary", "rates"),
    [
        ("demographic_parity", ("selection_rate",)),
        ("equalized_odds", ("tpr", "fpr")),
        ("equal_opportunity", ("tpr",)),
    ],
)
def test_summaries_over_intersections_are_those_of_fairlearn(
    summary: str, rates: tuple[RateName, ...]
) -> None:
    metrics = oracle("fairlearn.metrics")
    rows, _ = german_credit()
    options = {"sensitive_features": as_frame(rows)}
    for kind in ("difference", "ratio"):
        expected = getattr(metrics, f"{summary}_{kind}")(rows.label, rows.decision, **options)
        assert 0 < expected < 1
        found = extremes(rows, rates, ratio=kind == "ratio")
        assert found == pytest.approx(expected, abs=CLOSE)


def test_counted_rows_are_rows_of_that_weight() -> None:
    """A combination that stands for three rows is a row of weight 3."""
    metrics = oracle("fairlearn.metrics")
    rows, _ = german_credit()
    counts = np.random.default_rng(6).integers(1, 5, len(rows.label)).astype(np.float64)
    found = group_rates(rows.decision, rows.groups, rows.label, counts=counts, minimum_rows=1)
    assert isinstance(found, GroupReport), found
    expected = metrics.demographic_parity_ratio(
        rows.label, rows.decision, sensitive_features=as_frame(rows), sample_weight=counts
    )
    ours = [
        one.ratio.value
        for one in found.comparisons
        if one.rate == "selection_rate" and len(one.group) == 2 and one.ratio is not None
    ]
    assert min(ours) == pytest.approx(expected, abs=CLOSE)
