"""The worst slices are found, honest noise is not, and small slices are named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as oracle

from guiderail.core.interval import Interval
from guiderail.measure.scored_rows import ScoredRows, scored_rows
from guiderail.measure.slices import Slices, slices
from guiderail.measure.unmeasurable import NotMeasurable


def rows(metric: str, *columns: Any, **options: Any) -> ScoredRows:
    label, new = columns[:2]
    old = columns[2] if len(columns) > 2 else None
    options = {"positive": None, "clusters": None} | options
    found = scored_rows(metric, label, new, old, **options)
    assert isinstance(found, ScoredRows), found
    return found


def sliced(*arguments: Any, **options: Any) -> Slices:
    found = slices(*arguments, **options)
    assert isinstance(found, Slices), found
    return found


def case(seed: int, n: int = 3000) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    random = np.random.default_rng(seed)
    label = random.integers(0, 2, n)
    score = 1 / (1 + np.exp(-(2 * label - 1 + random.normal(0, 1.2, n))))
    by = {
        "region": random.choice(["north", "south", "west"], n),
        "age": random.uniform(18, 80, n),
        "channel": random.choice(["web", "shop"], n),
    }
    return label, score, by


def test_a_slice_and_its_rest_have_the_values_of_scikit_learn() -> None:
    label, score, by = case(1)
    found = sliced("roc_auc", rows("roc_auc", label, score), {"region": by["region"]})
    assert found.tested == 3
    for one in found.slices:
        inside = by["region"] == one.by[0][1]
        assert one.value == pytest.approx(
            oracle.roc_auc_score(label[inside], score[inside]), abs=1e-9
        )
        assert one.rest == pytest.approx(
            oracle.roc_auc_score(label[~inside], score[~inside]), abs=1e-9
        )
        assert one.difference.value == pytest.approx(one.value - one.rest, abs=1e-12)


@pytest.mark.parametrize("metric", ["roc_auc", "log_loss"])
def test_harm_in_an_intersection_comes_first(metric: str) -> None:
    label, score, by = case(2)
    hurt = (by["region"] == "north") & (by["channel"] == "web")
    score = np.where(hurt, 1 - score, score)
    found = sliced(metric, rows(metric, label, score), by)
    assert found.slices[0].by == (("region", "north"), ("channel", "web"))
    assert found.slices[0].worse
    assert not found.slices[-1].worse


def test_where_the_new_version_got_worse_is_told_apart_from_where_both_are_bad() -> None:
    label, old, by = case(3)
    old = np.where(by["channel"] == "web", 1 - old, old)  # bad in both versions
    new = np.where(by["region"] == "south", 0.5 * old + 0.25, old)
    found = sliced("brier", rows("brier", label, new, old), {"c": by["channel"], "r": by["region"]})
    by_name = {one.by: one for one in found.slices}
    both_bad = by_name[("c", "web"), ("r", "west")]
    assert both_bad.worse
    assert (both_bad.change, both_bad.grew_worse) == (Interval(0, 0, 0), False)
    spoiled = by_name[("c", "shop"), ("r", "south")]
    assert spoiled.grew_worse
    eased = by_name[("c", "web"), ("r", "south")]  # halfway to the middle: better where it was bad
    assert eased.worse
    assert eased.change is not None
    assert eased.change.high < 0


@pytest.mark.parametrize("metric", ["accuracy", "roc_auc", "recall"])
def test_equal_slices_are_called_worse_in_few_of_many_tables(metric: str) -> None:
    alarms = 0
    for seed in range(60):
        label, score, by = case(100 + seed, n=1200)
        column = score if metric == "roc_auc" else (score > 0.35).astype(int)
        found = sliced(metric, rows(metric, label, column), by)
        assert found.tested > 15
        alarms += any(one.worse for one in found.slices)
    assert alarms <= 6  # 3 of 60 are allowed by the intervals; 6 is two standard errors more


def test_small_slices_are_named_and_decide_nothing() -> None:
    label, score, _ = case(4, n=1000)
    by = np.array(["big"] * 950 + ["small"] * 50)
    found = sliced("roc_auc", rows("roc_auc", label, score), {"by": by})
    assert found.slices == ()
    assert found.tested == 0
    assert found.too_small == (((("by", "big"),), 950), ((("by", "small"),), 50))


def test_a_slice_of_one_class_has_no_auc_and_is_named() -> None:
    label, score, _ = case(5, n=1000)
    by = np.where(label == 1, "ones", "mixed")
    by[::3] = "mixed"
    found = sliced("roc_auc", rows("roc_auc", label, score), {"by": by})
    assert {one for one, _ in found.too_small} == {(("by", "mixed"),), (("by", "ones"),)}


def test_rows_of_one_person_count_once() -> None:
    label, score, _ = case(6, n=300)
    person = np.arange(300) // 4
    by = np.where(person % 2 == 0, "a", "b")
    found = sliced("brier", rows("brier", label, score, clusters=person), {"by": by})
    assert found.tested == 0  # 150 rows each, but only 38 persons
    wide = sliced("brier", rows("brier", label, score), {"by": by})
    assert wide.tested == 2


def test_missing_values_are_a_slice_and_declared_ranges_are_used() -> None:
    label, score, by = case(7, n=1500)
    age = by["age"].copy()
    age[:300] = np.nan
    found = sliced("brier", rows("brier", label, score), {"age": age}, edges={"age": [40.0]})
    assert {one.by[0][1] for one in found.slices} == {"(unknown)", "under 40", "40 and over"}


def test_a_column_of_keys_makes_no_slices() -> None:
    label, score, _ = case(8, n=1000)
    keys = np.array([f"k{i}" for i in range(1000)], dtype=object)
    found = slices("brier", rows("brier", label, score), {"key": keys})
    assert isinstance(found, NotMeasurable)
    assert "key has more than" in found.reason
