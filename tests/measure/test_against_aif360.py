"""Rates of two groups, and what is made of them, are those of AIF360."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from tests.oracles import DECIDED, Decided, german_credit, oracle, quietly

from guiderail.measure.comparisons import GroupReport
from guiderail.measure.fairness import group_rates
from guiderail.measure.groups import GroupCell, RateName

CLOSE = 1e-9
OF_A_GROUP: dict[RateName, str] = {
    "selection_rate": "selection_rate",
    "tpr": "true_positive_rate",
    "fpr": "false_positive_rate",
    "fnr": "false_negative_rate",
    "ppv": "positive_predictive_value",
    "npv": "negative_predictive_value",
    "accuracy": "accuracy",
}


class Pair(NamedTuple):
    """The unprivileged and the privileged group."""

    one: GroupCell
    best: GroupCell

    def difference(self, rate: RateName) -> float:
        ours, theirs = self.one.rate(rate), self.best.rate(rate)
        assert ours is not None
        assert theirs is not None
        return ours.value - theirs.value

    def ratio(self, rate: RateName) -> float:
        ours, theirs = self.one.rate(rate), self.best.rate(rate)
        assert ours is not None
        assert theirs is not None
        return ours.value / theirs.value

    def odds(self) -> tuple[float, float]:
        return self.difference("tpr"), self.difference("fpr")


def of_fdr(pair: Pair) -> float:
    """The false discovery rate is what the positive predictive value lacks."""
    return -pair.difference("ppv")


BETWEEN: dict[str, tuple[tuple[RateName, ...], Callable[[Pair], float]]] = {
    "statistical_parity_difference": (
        ("selection_rate",),
        lambda pair: pair.difference("selection_rate"),
    ),
    "disparate_impact": (("selection_rate",), lambda pair: pair.ratio("selection_rate")),
    "equal_opportunity_difference": (("tpr",), lambda pair: pair.difference("tpr")),
    "false_positive_rate_difference": (("fpr",), lambda pair: pair.difference("fpr")),
    "false_negative_rate_difference": (("fnr",), lambda pair: pair.difference("fnr")),
    "false_positive_rate_ratio": (("fpr",), lambda pair: pair.ratio("fpr")),
    "false_negative_rate_ratio": (("fnr",), lambda pair: pair.ratio("fnr")),
    "false_discovery_rate_difference": (("ppv",), of_fdr),
    "average_odds_difference": (("tpr", "fpr"), lambda pair: sum(pair.odds()) / 2),
    "average_abs_odds_difference": (
        ("tpr", "fpr"),
        lambda pair: sum(abs(part) for part in pair.odds()) / 2,
    ),
    "equalized_odds_difference": (
        ("tpr", "fpr"),
        lambda pair: max(abs(part) for part in pair.odds()),
    ),
    "error_rate_difference": (("accuracy",), lambda pair: -pair.difference("accuracy")),
}


def pair_of(rows: Decided, attribute: str, privileged: str, counts: Any = None) -> Pair | None:
    """Our two groups: one value of an attribute, and all others."""
    others = np.where(rows.groups[attribute] == privileged, "privileged", "others")
    found = group_rates(rows.decision, {"g": others}, rows.label, counts=counts, minimum_rows=1)
    assert isinstance(found, GroupReport), found
    cells = {cell.group[0][1]: cell for cell in found.cells}
    return Pair(cells["others"], cells["privileged"]) if len(cells) == 2 else None


def theirs(rows: Decided, attribute: str, privileged: str, counts: Any = None) -> Any:
    metrics, datasets = oracle("aif360.metrics"), oracle("aif360.datasets")
    is_privileged = (rows.groups[attribute] == privileged).astype(float)
    weights = np.ones(len(rows.label)) if counts is None else counts
    frame = pd.DataFrame({"g": is_privileged, "y": rows.label.astype(float), "w": weights})

    def dataset(label: np.ndarray) -> Any:
        return datasets.BinaryLabelDataset(
            df=frame.assign(y=label.astype(float)),
            label_names=["y"],
            protected_attribute_names=["g"],
            instance_weights_name="w",
        )

    return metrics.ClassificationMetric(
        dataset(rows.label),
        dataset(rows.decision),
        unprivileged_groups=[{"g": 0.0}],
        privileged_groups=[{"g": 1.0}],
    )


def agrees(pair: Pair, metric: Any) -> int:
    """Compares every rate and every combination of rates that is defined; how many there were."""
    compared = 0
    for cell, privileged in ((pair.one, False), (pair.best, True)):
        for rate, name in OF_A_GROUP.items():
            ours = cell.rate(rate)
            if ours is not None:
                expected = getattr(metric, name)(privileged=privileged)
                assert ours.value == pytest.approx(expected, abs=CLOSE)
                compared += 1
    for name, (rates, ours_of) in BETWEEN.items():
        if any(cell.rate(rate) is None for cell in pair for rate in rates):
            continue
        below = pair.best.counts(rates[0])
        if name.endswith(("_ratio", "impact")) and (below is None or below[0] == 0):
            continue
        assert ours_of(pair) == pytest.approx(getattr(metric, name)(), abs=CLOSE), name
        compared += 1
    return compared


@settings(max_examples=40)
@given(DECIDED.filter(lambda rows: len(set(rows.label.tolist())) == 2))
def test_two_groups_of_generated_rows_are_measured_as_by_aif360(rows: Decided) -> None:
    with quietly():
        for attribute, privileged in (("sex", "m"), ("region", "east")):
            pair = pair_of(rows, attribute, privileged)
            if pair is not None:
                assert agrees(pair, theirs(rows, attribute, privileged)) > 0


@pytest.mark.parametrize(
    ("attribute", "privileged"), [("sex", "male"), ("sex", "female"), ("age", "25 and over")]
)
def test_german_credit_is_measured_as_by_aif360(attribute: str, privileged: str) -> None:
    rows, _ = german_credit()
    pair = pair_of(rows, attribute, privileged)
    assert pair is not None
    compared = agrees(pair, theirs(rows, attribute, privileged))
    assert compared == 2 * len(OF_A_GROUP) + len(BETWEEN)


def test_counted_rows_are_rows_of_that_weight() -> None:
    rows, _ = german_credit()
    counts = np.random.default_rng(7).integers(1, 5, len(rows.label)).astype(np.float64)
    pair = pair_of(rows, "sex", "male", counts)
    assert pair is not None
    compared = agrees(pair, theirs(rows, "sex", "male", counts))
    assert compared == 2 * len(OF_A_GROUP) + len(BETWEEN)


def test_every_intersection_is_measured_as_by_aif360() -> None:
    """AIF360 has no table of intersections; each is measured against all other rows."""
    rows, _ = german_credit()
    sex, age = rows.groups["sex"], rows.groups["age"]
    both = np.char.add(np.char.add(sex.astype(str), " "), age.astype(str)).astype(object)
    crossed = group_rates(rows.decision, rows.groups, rows.label, minimum_rows=1)
    assert isinstance(crossed, GroupReport), crossed
    single = Decided(rows.label, rows.decision, {"both": both})
    cells = [cell for cell in crossed.cells if len(cell.group) == 2]
    assert len(cells) == 4
    for cell in cells:
        named = dict(cell.group)
        one = f"{named['sex']} {named['age']}"
        pair = pair_of(single, "both", one)
        assert pair is not None
        assert agrees(Pair(pair.one, cell), theirs(single, "both", one)) > 20
