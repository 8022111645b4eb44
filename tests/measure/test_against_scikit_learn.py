"""Every metric of generated rows and of German Credit is that of scikit-learn, weights included."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle
from tests.oracles import german_credit, quietly

from guiderail.core.metrics import METRIC_KINDS
from guiderail.measure.metrics import prepared
from guiderail.measure.performance import Performance, paired_change
from guiderail.measure.scored_rows import scored_rows
from guiderail.measure.unmeasurable import NotMeasurable

CLOSE = 1e-9


def _root(label: Any, said: Any, **options: Any) -> float:
    return float(np.sqrt(oracle.mean_squared_error(label, said, **options)))


def _specificity(label: Any, said: Any, **options: Any) -> float:
    return float(oracle.recall_score(label, said, pos_label=0, **options))


OF_SCORES: dict[str, Callable[..., float]] = {
    "roc_auc": oracle.roc_auc_score,
    "pr_auc": oracle.average_precision_score,
    "log_loss": oracle.log_loss,
    "brier": oracle.brier_score_loss,
}
OF_DECISIONS: dict[str, Callable[..., float]] = {
    "accuracy": oracle.accuracy_score,
    "f1": oracle.f1_score,
    "precision": oracle.precision_score,
    "recall": oracle.recall_score,
    "specificity": _specificity,
    "balanced_accuracy": oracle.balanced_accuracy_score,
    "mcc": oracle.matthews_corrcoef,
}
OF_NUMBERS: dict[str, Callable[..., float]] = {
    "rmse": _root,
    "mae": oracle.mean_absolute_error,
    "r2": oracle.r2_score,
    "mape": oracle.mean_absolute_percentage_error,
}
CONSTANT = {name for name, kind in METRIC_KINDS.items() if kind.fed == "scores"}
"""Metrics of a ranking, which a constant score is not."""
UNDEFINED = {
    "f1": lambda label, said: not (label.any() or said.any()),
    "precision": lambda label, said: not said.any(),
    "mcc": lambda label, said: len(set(said.tolist())) < 2,
}
"""Where scikit-learn says 0 because something has to be said."""

CLASSIFIED = st.lists(
    st.tuples(st.booleans(), st.floats(0, 1), st.booleans(), st.integers(1, 4)),
    min_size=12,
    max_size=60,
).filter(lambda rows: 2 <= sum(positive for positive, *_ in rows) <= len(rows) - 2)
ESTIMATED = st.lists(
    st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), st.integers(1, 4)),
    min_size=12,
    max_size=60,
)


def value(metric: str, label: Any, said: Any, weights: Any) -> float:
    """The value alone, without the interval that needs resampling; NaN where it is undefined."""
    rows = scored_rows(metric, label, said, None, positive=None, clusters=None, weights=weights)
    if isinstance(rows, NotMeasurable):
        return math.nan
    with np.errstate(invalid="ignore"):
        return prepared(metric, rows.label, rows.new).value(rows.weight)


def same(metric: str, label: Any, said: Any, weights: Any, expected: Callable[..., float]) -> bool:
    """Compares the metric with and without weights; False where it is undefined."""
    defined = 0
    for given_weights in (None, weights):
        found = value(metric, label, said, given_weights)
        if math.isnan(found):
            continue
        with quietly():
            wanted = expected(label, said, sample_weight=given_weights)
        assert found == pytest.approx(wanted, abs=CLOSE, rel=CLOSE), metric
        defined += 1
    assert defined != 1, metric
    return defined == 2


@settings(max_examples=40)
@given(CLASSIFIED)
def test_metrics_of_generated_classes_are_those_of_scikit_learn(
    rows: list[tuple[bool, float, bool, int]],
) -> None:
    label, score, said, weights = (np.array(column) for column in zip(*rows, strict=True))
    label, said = label.astype(int), said.astype(int)
    for metric, expected in OF_SCORES.items():
        constant = metric in CONSTANT and score.min() == score.max()
        assert same(metric, label, score, weights, expected) != constant, metric
    for metric, expected in OF_DECISIONS.items():
        undefined = metric in UNDEFINED and bool(UNDEFINED[metric](label, said))
        assert same(metric, label, said, weights, expected) != undefined, metric


@settings(max_examples=40)
@given(ESTIMATED)
def test_metrics_of_generated_numbers_are_those_of_scikit_learn(
    rows: list[tuple[float, float, int]],
) -> None:
    label, said, weights = (
        np.array(column, dtype=np.float64) for column in zip(*rows, strict=True)
    )
    for metric in ("rmse", "mae"):
        assert same(metric, label, said, weights, OF_NUMBERS[metric])
    if np.abs(label).min() > 1e-3:
        assert same("mape", label, said, weights, OF_NUMBERS["mape"])
    if np.ptp(label) > 1.0:
        assert same("r2", label, said, weights, OF_NUMBERS["r2"])


@pytest.mark.parametrize("metric", METRIC_KINDS)
def test_metrics_of_german_credit_are_those_of_scikit_learn(metric: str) -> None:
    rows, score = german_credit()
    weights = np.random.default_rng(9).gamma(1, 2, len(score))
    label: Any = rows.label
    said: Any = rows.decision if metric in OF_DECISIONS else score
    if metric in OF_NUMBERS:  # the score as an estimate of a number that is never 0
        label = rows.label + 1.0
    expected = {**OF_SCORES, **OF_DECISIONS, **OF_NUMBERS}[metric]
    assert same(metric, label, said, weights, expected)
    found = paired_change(metric, label, said, weights=weights)
    assert isinstance(found, Performance), found
    assert found.value.value == pytest.approx(value(metric, label, said, weights), abs=CLOSE)
    assert found.value.low < found.value.value < found.value.high


def test_both_versions_and_their_difference_are_those_of_scikit_learn() -> None:
    rows, score = german_credit()
    other = np.round(score, 1)  # with ties
    for metric, expected in OF_SCORES.items():
        found = paired_change(metric, rows.label, other, score)
        assert isinstance(found, Performance), found
        assert found.delta is not None
        wanted = expected(rows.label, other) - expected(rows.label, score)
        assert wanted != 0
        assert found.delta.value == pytest.approx(wanted, abs=CLOSE)
