"""Labels and scores of one evaluation, checked before any number is made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from guiderail.core.interval import Interval
from guiderail.measure.unmeasurable import NotMeasurable

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_OF_A_CLASS = frozenset({"roc_auc", "f1", "log_loss", "brier"})
_OF_DECISIONS = frozenset({"accuracy", "f1"})
_OF_PROBABILITIES = frozenset({"log_loss", "brier"})


@dataclass(frozen=True, slots=True)
class ScoredRows:
    """What a metric is computed from, one entry per row.

    label: 1.0 for positive and 0.0 otherwise; for rmse and mae the true number; for accuracy 1.0.
    new, old: scores or predictions; for f1 1.0 where the decision is positive; for accuracy 1.0
        where the decision is the label.
    clusters: number of the row's unit from 0 on, or None when rows are independent.
    """

    label: Floats
    new: Floats
    old: Floats | None
    clusters: NDArray[np.int64] | None

    @property
    def n(self) -> int:
        return len(self.label)


@dataclass(frozen=True, slots=True)
class Change:
    """A metric and its paired change, `relative_pct` being 100 * (new / old - 1) with its sign."""

    value: Interval
    old: Interval | None
    delta: Interval | None
    relative_pct: Interval | None
    method: str


def scored_rows(
    metric: str,
    label: ArrayLike,
    new: ArrayLike,
    old: ArrayLike | None,
    *,
    positive: object,
    clusters: ArrayLike | None,
) -> ScoredRows | NotMeasurable:
    """Check and convert; every problem of the data comes back as NotMeasurable with its reason."""
    truth = np.asarray(label)
    named = [("new model", np.asarray(new))]
    if old is not None:
        named.append(("old model", np.asarray(old)))
    if truth.size == 0:
        return NotMeasurable("there are no rows")
    for who, values in named:
        if values.ndim != 1 or truth.ndim != 1 or len(values) != len(truth):
            return NotMeasurable(
                f"the {who} gives {_shape(values)} scores for {_shape(truth)} labels"
            )
    absent = count_missing(truth)
    if absent:
        return NotMeasurable(f"{absent} of {truth.size} labels are missing")
    target = _target(metric, truth, positive)
    if isinstance(target, NotMeasurable):
        return target
    columns: list[Floats] = []
    for who, values in named:
        column = _column(metric, who, truth, values, positive)
        if isinstance(column, NotMeasurable):
            return column
        columns.append(column)
    units = _units(clusters, truth.size)
    if isinstance(units, NotMeasurable):
        return units
    return ScoredRows(target, columns[0], columns[1] if old is not None else None, units)


def missing(values: NDArray[Any]) -> Bools:
    """Where cells are None or NaN."""
    if values.dtype.kind == "f":
        return np.asarray(np.isnan(values), dtype=bool)
    if values.dtype.kind == "O":
        absent = [cell is None or (isinstance(cell, float) and cell != cell) for cell in values]
        return np.array(absent, dtype=bool)
    return np.zeros(values.shape, dtype=bool)


def count_missing(values: NDArray[Any]) -> int:
    return int(missing(values).sum())


def as_texts(values: NDArray[Any]) -> NDArray[Any]:
    """Cells as comparable text: 1, 1.0 and "1" are the same, and so are True and "true"."""
    if values.dtype.kind == "b":
        return np.where(values, "true", "false").astype(object)
    if values.dtype.kind in "iuf":
        distinct, inverse = np.unique(values, return_inverse=True)
        texts = np.array([as_text(value) for value in distinct.tolist()], dtype=object)
        return texts[inverse]
    return np.array([as_text(value) for value in values.tolist()], dtype=object)


def as_text(value: object) -> str:
    """One cell as `as_texts` writes it."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value)
    return text.lower() if text.lower() in {"true", "false"} else text


def wanted_text(value: object, values: NDArray[Any]) -> str:
    """A value that somebody named, as `as_texts` writes it among `values`.

    Beside numbers, the text "1.0" names the number 1.
    """
    if isinstance(value, str) and values.dtype.kind in "iuf":
        try:
            return as_text(float(value))
        except ValueError:
            return value
    return as_text(value)


def _shape(values: NDArray[Any]) -> str:
    return " x ".join(str(size) for size in values.shape) or "one"


def _target(metric: str, truth: NDArray[Any], positive: object) -> Floats | NotMeasurable:
    if metric in _OF_A_CLASS:
        return _positives(truth, positive)
    if metric == "accuracy":
        return np.ones(truth.size)
    return _numbers("labels", truth)


def _column(
    metric: str, who: str, truth: NDArray[Any], values: NDArray[Any], positive: object
) -> Floats | NotMeasurable:
    if metric in _OF_DECISIONS:
        return _decisions(metric, who, truth, values, positive)
    scores = _numbers(f"scores of the {who}", values)
    if isinstance(scores, NotMeasurable):
        return scores
    if metric == "roc_auc" and scores.min() == scores.max():
        return NotMeasurable(f"the {who} gives every row the same score")
    if metric in _OF_PROBABILITIES and (scores.min() < 0 or scores.max() > 1):
        return NotMeasurable(f"the {who} gives scores outside 0 to 1, which are no probabilities")
    return scores


def _decisions(
    metric: str, who: str, truth: NDArray[Any], values: NDArray[Any], positive: object
) -> Floats | NotMeasurable:
    absent = count_missing(values)
    if absent:
        return NotMeasurable(f"{absent} of {values.size} decisions of the {who} are missing")
    labels, decisions = as_texts(truth), as_texts(values)
    known, given = set(labels.tolist()), set(decisions.tolist())
    strangers = sorted(given - known)
    if not given & known or (metric == "f1" and strangers):
        return NotMeasurable(f'the {who} decides "{strangers[0]}", which is not among the labels')
    if metric == "accuracy":
        return np.asarray(labels == decisions, dtype=np.float64)
    wanted = _positive_text(truth, positive)
    return np.asarray(decisions == wanted, dtype=np.float64)


def _positives(truth: NDArray[Any], positive: object) -> Floats | NotMeasurable:
    labels = as_texts(truth)
    distinct = sorted(set(labels.tolist()))
    if len(distinct) == 1:
        return NotMeasurable(f'every label is "{distinct[0]}", two classes are needed')
    if len(distinct) > 2:
        return NotMeasurable(f"the labels have {len(distinct)} classes, two are needed")
    wanted = _positive_text(truth, positive)
    if wanted not in distinct:
        return NotMeasurable(f'the positive label "{wanted}" does not occur')
    return np.asarray(labels == wanted, dtype=np.float64)


def _positive_text(truth: NDArray[Any], positive: object) -> str:
    """The positive label as text; without a choice the larger one, as numbers or as texts."""
    if positive is not None:
        return wanted_text(positive, truth)
    if truth.dtype.kind not in "biuf":
        return str(max(as_texts(truth).tolist()))
    return as_text(truth.max().item())


def _numbers(what: str, values: NDArray[Any]) -> Floats | NotMeasurable:
    absent = count_missing(values)
    if absent:
        return NotMeasurable(f"{absent} of {values.size} {what} are missing or not a number")
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        return NotMeasurable(f"the {what} are not numbers")
    if values.dtype.kind in "USM" or (
        values.dtype.kind == "O" and any(isinstance(value, str) for value in values.tolist())
    ):
        return NotMeasurable(f"the {what} are texts, not numbers")
    infinite = int(np.isinf(numbers).sum())
    if infinite:
        return NotMeasurable(f"{infinite} of {values.size} {what} are infinite")
    return numbers


def _units(named: ArrayLike | None, rows: int) -> NDArray[np.int64] | NotMeasurable | None:
    if named is None:
        return None
    clusters = np.asarray(named)
    if clusters.shape != (rows,):
        return NotMeasurable(f"{_shape(clusters)} units are named for {rows} rows")
    absent = count_missing(clusters)
    if absent:
        return NotMeasurable(f"{absent} of {rows} rows name no unit")
    if clusters.dtype.kind == "O":
        clusters = as_texts(clusters).astype(str)
    return np.asarray(np.unique(clusters, return_inverse=True)[1], dtype=np.int64)
