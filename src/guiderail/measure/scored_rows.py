"""Labels and scores of one evaluation, checked before any number is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from guiderail.core.interval import Interval
from guiderail.core.metrics import METRIC_KINDS, Fed
from guiderail.measure.unmeasurable import NotMeasurable

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_NO_NAMES: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class ScoredRows:
    """What a metric is computed from, one entry per row.

    label: 1.0 for positive and 0.0 otherwise; the true number where numbers are fed; 1.0 where
        matches are.
    new, old: scores or predictions; 1.0 where a decision is positive; 1.0 where a match is one.
    clusters: number of the row's unit from 0 on, or None when rows are independent.
    weights: above 0, or None when every row counts alike.
    """

    label: Floats
    new: Floats
    old: Floats | None
    clusters: NDArray[np.int64] | None
    weights: Floats | None = None

    @property
    def n(self) -> int:
        return len(self.label)

    @property
    def unit_count(self) -> int:
        """How many independent units there are."""
        return self.n if self.clusters is None else int(self.clusters.max()) + 1

    @property
    def weight(self) -> Floats:
        return np.ones(self.n) if self.weights is None else self.weights

    def only(self, kept: Bools) -> ScoredRows:
        """The rows where `kept` is true, clusters numbered anew."""
        clusters = self.clusters
        if clusters is not None:
            clusters = np.asarray(np.unique(clusters[kept], return_inverse=True)[1], dtype=np.int64)
        return ScoredRows(
            self.label[kept],
            self.new[kept],
            None if self.old is None else self.old[kept],
            clusters,
            None if self.weights is None else self.weights[kept],
        )


@dataclass(frozen=True, slots=True)
class Change:
    """A metric and its paired change.

    relative_pct: 100 * (new / old - 1) with its sign. growth_pct: the same of the distances to a
    perfect value; None where the old model is perfect and the new one is not, or where too many
    resamples leave the old one without an error.
    """

    value: Interval
    old: Interval | None
    delta: Interval | None
    relative_pct: Interval | None
    growth_pct: Interval | None
    method: str


def scored_rows(
    metric: str,
    label: ArrayLike,
    new: ArrayLike,
    old: ArrayLike | None,
    *,
    positive: object,
    clusters: ArrayLike | None,
    weights: ArrayLike | None = None,
    names: Mapping[str, str] = _NO_NAMES,
) -> ScoredRows | NotMeasurable:
    """Check and convert; every problem of the data comes back as NotMeasurable with its reason.

    names: the columns that label, new, old, clusters and weights stand in, for the reasons. Rows
    of weight 0 are left out.
    """
    truth = np.asarray(label)
    named = [(f"new model{_in_column(names, 'new')}", np.asarray(new))]
    if old is not None:
        named.append((f"old model{_in_column(names, 'old')}", np.asarray(old)))
    if truth.size == 0:
        return NotMeasurable("there are no rows")
    for who, values in named:
        if values.ndim != 1 or truth.ndim != 1 or len(values) != len(truth):
            return NotMeasurable(
                f"the {who} gives {_shape(values)} scores for {_shape(truth)} labels"
            )
    labels = f"labels{_in_column(names, 'label')}"
    absent = count_missing(truth)
    if absent:
        return NotMeasurable(f"{absent} of {truth.size} {labels} are missing")
    infinite = count_infinite(truth)
    if infinite:
        return NotMeasurable(f"{infinite} of {truth.size} {labels} are infinite")
    fed = METRIC_KINDS[metric].fed
    target = _target(fed, labels, truth, positive)
    if isinstance(target, NotMeasurable):
        return target
    columns: list[Floats] = []
    for who, values in named:
        column = _column(fed, who, truth, values, positive)
        if isinstance(column, NotMeasurable):
            return column
        columns.append(column)
    units = _units(clusters, truth.size, _in_column(names, "clusters"))
    if isinstance(units, NotMeasurable):
        return units
    weight = _weights(weights, truth.size, _in_column(names, "weights"))
    if isinstance(weight, NotMeasurable):
        return weight
    rows = ScoredRows(target, columns[0], columns[1] if old is not None else None, units, weight)
    if weight is not None and not weight.all():
        rows = rows.only(weight > 0)
    return _defined(metric, rows, labels, named)


def _in_column(names: Mapping[str, str], role: str) -> str:
    return f" in the column {names[role]}" if role in names else ""


def _defined(
    metric: str, rows: ScoredRows, labels: str, named: list[tuple[str, NDArray[Any]]]
) -> ScoredRows | NotMeasurable:
    """What one metric asks beyond the kind of its columns, of the rows that count."""
    if METRIC_KINDS[metric].fed == "scores":
        for (who, _), scores in zip(named, (rows.new, rows.old), strict=False):
            if scores is not None and scores.min() == scores.max():
                return NotMeasurable(f"the {who} gives every row the same score")
        if rows.label.min() == rows.label.max():
            return NotMeasurable(f"the {labels} are of one class where the weights are above 0")
    if metric == "mape" and not rows.label.all():
        zeros = int((rows.label == 0).sum())
        return NotMeasurable(f"{zeros} {labels} are 0, and {metric} divides by them")
    if metric == "r2" and rows.label.min() == rows.label.max():
        return NotMeasurable(f"the {labels} are all the same, and {metric} compares their spread")
    return rows


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


def count_infinite(values: NDArray[Any]) -> int:
    return int(np.isinf(values).sum()) if values.dtype.kind == "f" else 0


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


def _target(fed: Fed, labels: str, truth: NDArray[Any], positive: object) -> Floats | NotMeasurable:
    if fed == "matches":
        return np.ones(truth.size)
    if fed == "numbers":
        return _numbers(labels, truth)
    return positives(labels, truth, positive)


def _column(
    fed: Fed, who: str, truth: NDArray[Any], values: NDArray[Any], positive: object
) -> Floats | NotMeasurable:
    if fed in ("decisions", "matches"):
        return _decisions(fed, who, truth, values, positive)
    scores = _numbers(f"scores of the {who}", values)
    if isinstance(scores, NotMeasurable):
        return scores
    if fed == "probabilities" and (scores.min() < 0 or scores.max() > 1):
        return NotMeasurable(f"the {who} gives scores outside 0 to 1, which are no probabilities")
    return scores


def _decisions(
    fed: Fed, who: str, truth: NDArray[Any], values: NDArray[Any], positive: object
) -> Floats | NotMeasurable:
    absent = count_missing(values)
    if absent:
        return NotMeasurable(f"{absent} of {values.size} decisions of the {who} are missing")
    infinite = count_infinite(values)
    if infinite:
        return NotMeasurable(f"{infinite} of {values.size} decisions of the {who} are infinite")
    labels, decisions = as_texts(truth), as_texts(values)
    known, given = set(labels.tolist()), set(decisions.tolist())
    strangers = sorted(given - known)
    if not given & known or (fed == "decisions" and strangers):
        return NotMeasurable(f'the {who} decides "{strangers[0]}", which is not among the labels')
    if fed == "matches":
        return np.asarray(labels == decisions, dtype=np.float64)
    wanted = _positive_text(truth, positive)
    return np.asarray(decisions == wanted, dtype=np.float64)


def positives(what: str, truth: NDArray[Any], positive: object) -> Floats | NotMeasurable:
    """1.0 for each positive label; two classes are needed. what: how a reason calls the labels."""
    labels = as_texts(truth)
    distinct = sorted(set(labels.tolist()))
    if len(distinct) == 1:
        return NotMeasurable(f'the {what} are all "{distinct[0]}", two classes are needed')
    if len(distinct) > 2:
        return NotMeasurable(f"the {what} have {len(distinct)} classes, two are needed")
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


def _units(
    named: ArrayLike | None, rows: int, where: str
) -> NDArray[np.int64] | NotMeasurable | None:
    if named is None:
        return None
    clusters = np.asarray(named)
    if clusters.shape != (rows,):
        return NotMeasurable(f"{_shape(clusters)} units{where} are named for {rows} rows")
    absent = count_missing(clusters)
    if absent:
        return NotMeasurable(f"{absent} of {rows} rows name no unit{where}")
    if clusters.dtype.kind == "O":
        clusters = as_texts(clusters).astype(str)
    return np.asarray(np.unique(clusters, return_inverse=True)[1], dtype=np.int64)


def _weights(named: ArrayLike | None, rows: int, where: str) -> Floats | NotMeasurable | None:
    if named is None:
        return None
    given = np.asarray(named)
    if given.shape != (rows,):
        return NotMeasurable(f"{_shape(given)} weights{where} are given for {rows} rows")
    weights = _numbers(f"weights{where}", given)
    if isinstance(weights, NotMeasurable):
        return weights
    negative = int((weights < 0).sum())
    if negative:
        return NotMeasurable(f"{negative} of {rows} weights{where} are negative")
    if not weights.any():
        return NotMeasurable(f"all weights{where} are 0")
    weights = weights / weights.max()  # first, so that their sum is finite
    return np.asarray(weights / weights.mean())
