"""Paired percentile bootstrap of every metric.

Whole units (rows, or clusters of rows) are drawn with replacement, the same ones for both models.
Metrics that are functions of sums: above 5,000 units, units are first put at random into 5,000
equal bundles, and bundles are drawn: sums of independent units are independent units themselves,
and the spread stays the same. A loss equal in every row gives an interval without width.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from guiderail.core.interval import Interval
from guiderail.core.metrics import METRIC_KINDS
from guiderail.measure.intervals import around, wilson
from guiderail.measure.metrics import Prepared, Sums
from guiderail.measure.scored_rows import Change, Floats, ScoredRows
from guiderail.measure.unmeasurable import NotMeasurable

REPLICATES = 2000
MOST_UNITS = 5000
FEWEST_UNITS = 10
"""Below that many independent units the percentile interval is known to be far too narrow."""

_SHARE_UNDEFINED = 0.01
_SHARES = frozenset({"accuracy", "precision", "recall", "specificity"})
_CONFUSION = frozenset({"balanced_accuracy", "mcc"})


def bootstrap_change(
    metric: str, rows: ScoredRows, new: Prepared, old: Prepared | None, seed: int
) -> Change | NotMeasurable:
    """The metric of the new scores and its paired change."""
    models = [new] if old is None else [new, old]
    with np.errstate(all="ignore"):  # what overflows or is undefined is caught below
        points = [model.value(rows.weight) for model in models]
        if not np.isfinite(points).all():
            return NotMeasurable(f"{metric} is undefined or too large on these rows")
        if rows.unit_count < FEWEST_UNITS:
            return NotMeasurable(f"{rows.unit_count} independent rows are too few for an interval")
        drawn = _drawn(rows, models, np.random.default_rng(seed))
        found = [
            _of_share(metric, rows, model, point, _percentiles(point, replicates))
            for model, point, replicates in zip(models, points, drawn, strict=True)
        ]
        method = "percentile bootstrap" + (" by cluster" if rows.clusters is not None else "")
        if old is None:
            return _checked(found[0], None, None, None, None, method)
        delta = _percentiles(points[0] - points[1], drawn[0] - drawn[1])
        relative: Interval | NotMeasurable | None = None
        if points[1] > 0:
            ratio = 100 * (points[0] / points[1] - 1)
            relative = _percentiles(ratio, 100 * (drawn[0] / drawn[1] - 1))
        growth = _growth(METRIC_KINDS[metric].perfect, points, drawn)
    return _checked(found[0], found[1], delta, relative, growth, f"paired {method}")


def _growth(
    perfect: float, points: list[float], drawn: list[Floats]
) -> Interval | NotMeasurable | None:
    """Growth of the distance to a perfect value in percent of the old model's."""
    apart, was = (abs(perfect - point) for point in points)
    if was == 0:
        return Interval(0.0, 0.0, 0.0) if apart == 0 else None
    after, before = (np.abs(perfect - one) for one in drawn)
    ratios = np.where((after == 0) & (before == 0), 1.0, after / before)
    return _percentiles(100 * (apart / was - 1), 100 * (ratios - 1))


def _checked(
    value: Interval | NotMeasurable,
    old: Interval | NotMeasurable | None,
    delta: Interval | NotMeasurable | None,
    relative: Interval | NotMeasurable | None,
    growth: Interval | NotMeasurable | None,
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
    if isinstance(growth, NotMeasurable):
        growth = None
    return Change(value, old, delta, relative, growth, method)


def _drawn(rows: ScoredRows, models: list[Prepared], random: np.random.Generator) -> list[Floats]:
    """The metric of each model in each replicate."""
    sums = [model for model in models if isinstance(model, Sums)]
    if len(sums) == len(models):
        return _drawn_sums(rows, sums, random)
    found = np.empty((len(models), REPLICATES))
    for i, times in enumerate(_draws(rows.unit_count, random)):
        weights = rows.weight * (times if rows.clusters is None else times[rows.clusters])
        found[:, i] = [model.value(weights) for model in models]
    return list(found)


def _drawn_sums(rows: ScoredRows, models: list[Sums], random: np.random.Generator) -> list[Floats]:
    addends = np.column_stack([model.addends for model in models]) * rows.weight[:, None]
    units = _bundled(_by_unit(addends, rows), random)
    totals = np.empty((REPLICATES, units.shape[1]))
    for i, times in enumerate(_draws(len(units), random)):
        totals[i] = times @ units
    parts = np.split(totals.T, len(models))
    return [np.asarray(model.metric.ratio(part)) for model, part in zip(models, parts, strict=True)]


def _by_unit(addends: Floats, rows: ScoredRows) -> Floats:
    if rows.clusters is None:
        return addends
    columns = [np.bincount(rows.clusters, weights=column) for column in addends.T]
    return np.column_stack(columns)


def _bundled(units: Floats, random: np.random.Generator) -> Floats:
    if len(units) <= MOST_UNITS:
        return units
    bundle = random.permutation(len(units)) % MOST_UNITS
    columns = [np.bincount(bundle, weights=units[:, i]) for i in range(units.shape[1])]
    return np.column_stack(columns)


def _draws(units: int, random: np.random.Generator) -> Iterator[Floats]:
    """How often each unit is drawn, once per replicate."""
    for _ in range(REPLICATES):
        yield np.bincount(random.integers(0, units, units), minlength=units).astype(np.float64)


def _percentiles(point: float, replicates: Floats) -> Interval | NotMeasurable:
    finite = replicates[np.isfinite(replicates)]
    if len(finite) < len(replicates) * (1 - _SHARE_UNDEFINED):
        return NotMeasurable("the metric is undefined in many resamples: too few relevant rows")
    low, high = np.quantile(finite, [0.025, 0.975])
    return around(point, float(low), float(high))


def _of_share(
    metric: str, rows: ScoredRows, model: Prepared, point: float, found: Interval | NotMeasurable
) -> Interval | NotMeasurable:
    """At its ends resampling cannot show any spread: Wilson's interval on the share behind it.

    For F1 that share is hits / (hits + errors) = F1 / (2 - F1). Balanced accuracy and Matthews'
    correlation are taken at the furthest error rates of both classes that Wilson allows.
    """
    kind = METRIC_KINDS[metric]
    if not isinstance(model, Sums) or point not in {kind.low, kind.high}:
        return found
    counts = model.addends.sum(axis=0)  # rows, not weights: weights add no evidence
    if metric in _CONFUSION:
        return _of_confusion(model, point, counts, rows.unit_count / rows.n)
    if metric not in _SHARES and metric != "f1":
        return found
    relevant = min(float(model.metric.relevant(counts)), float(rows.unit_count))
    share = wilson(point * relevant, relevant)
    if metric in _SHARES:
        return share
    return Interval(point, 2 * share.low / (1 + share.low), 2 * share.high / (1 + share.high))


def _of_confusion(model: Sums, point: float, counts: Floats, units_per_row: float) -> Interval:
    positives, negatives = counts[0] + counts[1], counts[2] + counts[3]
    right = counts[0] / positives, counts[3] / negatives  # both 1, or both 0
    shares = [
        wilson(share * total * units_per_row, total * units_per_row)
        for share, total in zip(right, (positives, negatives), strict=True)
    ]
    hit, spared = (share.low if point == 1.0 else share.high for share in shares)
    moved = [positives * hit, positives * (1 - hit), negatives * (1 - spared), negatives * spared]
    furthest = float(model.metric.ratio(np.array(moved)))
    return around(point, furthest, furthest)
