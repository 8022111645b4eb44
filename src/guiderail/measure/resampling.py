"""Paired percentile bootstrap of metrics that are functions of sums over rows.

Whole units (rows, or clusters of rows) are drawn with replacement, the same ones for both models.
Above 5,000 units, units are first put at random into 5,000 equal bundles, and bundles are drawn:
sums of independent units are independent units themselves, and the spread stays the same.
A loss that is equal in every row gives an interval without width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from guiderail.core.interval import Interval
from guiderail.measure.intervals import around, wilson
from guiderail.measure.scored_rows import Change, Floats, ScoredRows
from guiderail.measure.unmeasurable import NotMeasurable

REPLICATES = 2000
MOST_UNITS = 5000
FEWEST_UNITS = 10
"""Below that many independent units the percentile interval is known to be far too narrow."""

_SHARE_UNDEFINED = 0.01


@dataclass(frozen=True, slots=True)
class _SumMetric:
    """`terms` gives addends for each row of data; `value` turns their sums into the metric."""

    terms: Callable[[Floats, Floats], Floats]
    value: Callable[[Floats], Floats]


def _log_loss(label: Floats, score: Floats) -> Floats:
    smallest = np.finfo(np.float64).eps
    p = np.clip(score, smallest, 1 - smallest)
    return _with_ones(-(label * np.log(p) + (1 - label) * np.log1p(-p)))


def _with_ones(per_row: Floats) -> Floats:
    return np.column_stack([per_row, np.ones(len(per_row))])


def _mean(sums: Floats) -> Floats:
    return np.asarray(sums[..., 0] / sums[..., 1])


def _confusion(label: Floats, decision: Floats) -> Floats:
    hit = label * decision
    return np.column_stack([hit, (label + decision) - 2 * hit])


def _f1(sums: Floats) -> Floats:
    return np.asarray(2 * sums[..., 0] / (2 * sums[..., 0] + sums[..., 1]))


_METRICS: dict[str, _SumMetric] = {
    "accuracy": _SumMetric(lambda _, right: _with_ones(right), _mean),
    "f1": _SumMetric(_confusion, _f1),
    "log_loss": _SumMetric(_log_loss, _mean),
    "brier": _SumMetric(lambda label, score: _with_ones((label - score) ** 2), _mean),
    "mae": _SumMetric(lambda label, score: _with_ones(np.abs(label - score)), _mean),
    "rmse": _SumMetric(
        lambda label, score: _with_ones((label - score) ** 2), lambda sums: np.sqrt(_mean(sums))
    ),
}


def bootstrap_change(metric: str, rows: ScoredRows, seed: int) -> Change | NotMeasurable:
    """The metric of the new scores and its paired change."""
    kernel = _METRICS[metric]
    with np.errstate(all="ignore"):  # what overflows or is undefined is caught below
        terms = [kernel.terms(rows.label, rows.new)]
        if rows.old is not None:
            terms.append(kernel.terms(rows.label, rows.old))
        points = [float(kernel.value(part.sum(axis=0))) for part in terms]
        if not np.isfinite(points).all():
            return NotMeasurable(f"{metric} is undefined or too large on these rows")
        width = terms[0].shape[1]
        units = _units(np.column_stack(terms), rows)
        if len(units) < FEWEST_UNITS:
            return NotMeasurable(f"{len(units)} independent rows are too few for an interval")
        random = np.random.default_rng(seed)
        drawn = _draw(_bundled(units, random), random)
        new = kernel.value(drawn[:, :width])
        value = _of_share(metric, terms[0], points[0], _percentiles(points[0], new), len(units))
        method = "percentile bootstrap"
        if rows.clusters is not None:
            method += " by cluster"
        if rows.old is None:
            return _checked(metric, value, None, None, None, method)
        old = kernel.value(drawn[:, width:])
        before = _of_share(metric, terms[1], points[1], _percentiles(points[1], old), len(units))
        delta = _percentiles(points[0] - points[1], new - old)
        relative: Interval | NotMeasurable | None = None
        if points[1] != 0:
            ratio = 100 * (points[0] / points[1] - 1)
            relative = _percentiles(ratio, 100 * (new / old - 1))
    return _checked(metric, value, before, delta, relative, f"paired {method}")


def _checked(
    metric: str,
    value: Interval | NotMeasurable,
    old: Interval | NotMeasurable | None,
    delta: Interval | NotMeasurable | None,
    relative: Interval | NotMeasurable | None,
    method: str,
) -> Change | NotMeasurable:
    if isinstance(value, NotMeasurable):
        return value
    if isinstance(old, NotMeasurable):
        return old
    if isinstance(delta, NotMeasurable):
        return delta
    if isinstance(relative, NotMeasurable):
        relative = None
    return Change(value, old, delta, relative, method)


def _units(terms: Floats, rows: ScoredRows) -> Floats:
    if rows.clusters is None:
        return terms
    columns = [np.bincount(rows.clusters, weights=terms[:, i]) for i in range(terms.shape[1])]
    return np.column_stack(columns)


def _bundled(units: Floats, random: np.random.Generator) -> Floats:
    if len(units) <= MOST_UNITS:
        return units
    bundle = random.permutation(len(units)) % MOST_UNITS
    columns = [np.bincount(bundle, weights=units[:, i]) for i in range(units.shape[1])]
    return np.column_stack(columns)


def _draw(units: Floats, random: np.random.Generator) -> Floats:
    """Sums of each replicate, shape (replicates, columns)."""
    sums = np.empty((REPLICATES, units.shape[1]))
    for i in range(REPLICATES):
        times = np.bincount(random.integers(0, len(units), len(units)), minlength=len(units))
        sums[i] = times @ units
    return sums


def _percentiles(point: float, replicates: Floats) -> Interval | NotMeasurable:
    finite = replicates[np.isfinite(replicates)]
    if len(finite) < len(replicates) * (1 - _SHARE_UNDEFINED):
        return NotMeasurable("the metric is undefined in many resamples: too few relevant rows")
    low, high = np.quantile(finite, [0.025, 0.975])
    return around(point, float(low), float(high))


def _of_share(
    metric: str, terms: Floats, point: float, found: Interval | NotMeasurable, units: int
) -> Interval | NotMeasurable:
    """At 0 and 1 resampling cannot show any spread: Wilson's interval on the share behind it.

    For F1 that share is hits / (hits + errors) = F1 / (2 - F1).
    """
    if metric not in {"f1", "accuracy"} or point not in {0.0, 1.0}:
        return found
    if metric == "accuracy":
        return wilson(point * units, units)
    relevant = min(float(terms.sum()), float(units))
    share = wilson(point * relevant, relevant)
    return Interval(point, 2 * share.low / (1 + share.low), 2 * share.high / (1 + share.high))
