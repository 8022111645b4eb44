"""Closed-form intervals of any metric from the influence of each row (infinitesimal jackknife).

The standard error of a metric is the root of the summed squares of weight times influence; of a
paired change, of the differences of both models' influences; of clustered rows, of their sums by
cluster (Liang and Zeger 1986, with the factor c / (c - 1)). The interval takes the quantile of
Student's t with one degree of freedom less than there are units.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from guiderail.core.interval import Interval
from guiderail.core.metrics import METRIC_KINDS
from guiderail.measure.intervals import around
from guiderail.measure.metrics import Prepared
from guiderail.measure.scored_rows import Change, Floats, ScoredRows
from guiderail.measure.unmeasurable import NotMeasurable


def influence_change(
    metric: str, rows: ScoredRows, new: Prepared, old: Prepared | None
) -> Change | NotMeasurable:
    """The metric of the new scores and its paired change."""
    with np.errstate(all="ignore"):  # what overflows or is undefined is caught below
        value, of_new = point_and_influence(new, rows.weight)
        if not math.isfinite(value) or not np.isfinite(of_new).all():
            return NotMeasurable(f"{metric} is undefined or too large on these rows")
        reach = student(rows.unit_count - 1)
        method = "influence functions" if rows.clusters is None else "influence functions by unit"
        within = _bounded(metric, value, reach * standard_error(of_new, rows.clusters))
        if old is None:
            return Change(within, None, None, None, None, method)
        before, of_old = point_and_influence(old, rows.weight)
        if not math.isfinite(before) or not np.isfinite(of_old).all():
            return NotMeasurable(f"{metric} of the old model is undefined or too large")
        error = reach * standard_error(of_new - of_old, rows.clusters)
        relative = None
        if before > 0:
            ratio = value / before
            spread = standard_error((of_new - ratio * of_old) / before, rows.clusters)
            relative = _symmetric(100 * (ratio - 1), 100 * reach * spread)
        growth = None
        apart, was = (abs(METRIC_KINDS[metric].perfect - one) for one in (value, before))
        if was > 0:
            ratio = apart / was
            spread = standard_error((of_new - ratio * of_old) / was, rows.clusters)
            growth = _symmetric(100 * (ratio - 1), 100 * reach * spread)
        elif apart == 0:
            growth = Interval(0.0, 0.0, 0.0)
    return Change(
        within,
        _bounded(metric, before, reach * standard_error(of_old, rows.clusters)),
        _symmetric(value - before, error),
        relative,
        growth,
        f"paired {method}",
    )


def point_and_influence(metric: Prepared, weight: Floats) -> tuple[float, Floats]:
    """The metric, and for each row its weight times its influence; these sum to 0."""
    return metric.value(weight), weight * metric.influence(weight)


def standard_error(influence: Floats, clusters: NDArray[np.int64] | None) -> float:
    """From weighted influences; infinite for a single unit, which shows no spread."""
    parts = influence if clusters is None else np.bincount(clusters, weights=influence)
    units = len(parts)
    if units < 2:
        return math.inf
    return math.sqrt(float(parts @ parts) * units / (units - 1))


@lru_cache(maxsize=1024)
def student(degrees: int, tail: float = 0.025) -> float:
    """The upper quantile of Student's t distribution."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 1 - tail))


def _symmetric(value: float, half: float) -> Interval:
    return Interval(value, value - half, value + half)


def _bounded(metric: str, value: float, half: float) -> Interval:
    kind = METRIC_KINDS[metric]
    return around(value, max(kind.low, value - half), min(kind.high, value + half))
