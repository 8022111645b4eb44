"""One metric of a model, and its change against another model on the same rows.

Intervals are 95 %. ROC AUC: DeLong (1988), paired, by cluster after Obuchowski (1997); accuracy:
Wilson for the value, Bonett and Price for the paired change. Every other metric, and accuracy by
cluster or with weights: the closed form from influence functions where the metric rests on enough
rows, else a paired percentile bootstrap over rows or clusters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from guiderail.core.interval import Interval
from guiderail.core.metrics import METRIC_KINDS
from guiderail.core.rows_needed import rows_to_settle
from guiderail.measure.auc import auc_change
from guiderail.measure.influence import influence_change
from guiderail.measure.intervals import error_ratio, paired_difference, paired_ratio, wilson
from guiderail.measure.metrics import Prepared, Sums, prepared
from guiderail.measure.resampling import MOST_UNITS, bootstrap_change
from guiderail.measure.scored_rows import Change, Floats, ScoredRows, scored_rows
from guiderail.measure.unmeasurable import NotMeasurable

METRICS = tuple(METRIC_KINDS)
BANDS = (5.0, 15.0)
"""Percent: the limits that `rows_needed` settles unless others are given."""

_ENOUGH_RELEVANT = 200
_MOST_RESAMPLED_RANKS = 20_000
"""A resample of ranked rows takes as long as all of them; beyond that it is not worth it."""


@dataclass(frozen=True, slots=True)
class Performance:
    """The metric of the new model, and its paired change against the old one.

    value, old, delta: in the unit of the metric; delta is new minus old.
    relative_pct: the change in percent of the old value, plus = better whatever the metric's
        direction; None without an old model or where the old value is not above 0.
    error_growth_pct: growth of the distance to a perfect value in percent (AUC .99 to .95 = 400),
        0 where both are perfect; None without an old model, where only the old one is perfect, or
        where its errors are too few for an interval.
    n: rows. method: how the intervals were made, for people.
    rows_needed: rows that would settle which side of a band the change is on; None when it is
        settled, when it lies on the limit itself, or when there is no relative change.
    """

    metric: str
    value: Interval
    old: Interval | None
    delta: Interval | None
    relative_pct: Interval | None
    error_growth_pct: Interval | None
    n: int
    method: str
    rows_needed: int | None


def paired_change(
    metric: str,
    label: ArrayLike,
    new: ArrayLike,
    old: ArrayLike | None = None,
    *,
    positive: object = None,
    clusters: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    seed: int = 0,
    limits: Sequence[float] = BANDS,
    names: Mapping[str, str] | None = None,
) -> Performance | NotMeasurable:
    """Measure `new`, and its change against `old` on the same rows.

    label, new, old, clusters, weights: one entry per row, in the same order. new and old are what
    `MetricKind.fed` says: scores or probabilities of the positive class, decisions written as the
    labels are, or predicted numbers.
    positive: the label that counts as positive, compared as text; None takes 1, True or the
        larger of the two labels.
    clusters: the unit that several rows share; rows of one unit are then not taken as independent.
    weights: how much each row counts, 0 or more, in any unit; they add no evidence.
    seed: of the bootstrap; the same seed gives the same interval.
    names: the columns of label, new, old, clusters and weights, for the reasons.
    Raises ValueError for an unknown metric. Everything that the data do not support is returned as
    NotMeasurable: missing or infinite scores, one class, constant scores for AUC, too few rows.
    """
    if metric not in METRICS:
        raise ValueError(f"{metric!r} is none of {', '.join(METRICS)}")
    rows = scored_rows(
        metric,
        label,
        new,
        old,
        positive=positive,
        clusters=clusters,
        weights=weights,
        names=names or {},
    )
    if isinstance(rows, NotMeasurable):
        return rows
    found = _change(metric, rows, seed)
    if isinstance(found, NotMeasurable):
        return found
    return performance_of(metric, found, rows.n, limits)


def performance_of(
    metric: str, found: Change, n: int, limits: Sequence[float] = BANDS
) -> Performance:
    """A measured change with what follows from it."""
    relative = found.relative_pct
    if relative is not None and METRIC_KINDS[metric].smaller_is_better:
        relative = Interval(-relative.value, -relative.high, -relative.low)
    return Performance(
        metric,
        found.value,
        found.old,
        found.delta,
        relative,
        found.growth_pct,
        n,
        found.method,
        rows_to_settle(relative, n, both_ways(limits)) if relative is not None else None,
    )


def _change(metric: str, rows: ScoredRows, seed: int) -> Change | NotMeasurable:
    if metric == "roc_auc":
        return auc_change(rows)
    if metric == "accuracy" and rows.clusters is None and rows.weights is None:
        return _accuracy(rows)
    new = prepared(metric, rows.label, rows.new)
    old = None if rows.old is None else prepared(metric, rows.label, rows.old)
    if _closed(rows, [new] if old is None else [new, old]):
        return influence_change(metric, rows, new, old)
    return bootstrap_change(metric, rows, new, old, seed)


def _closed(rows: ScoredRows, models: Sequence[Prepared]) -> bool:
    """Whether the closed form is as good as resampling, or the only one that ends in time."""
    for model in models:
        if isinstance(model, Sums):
            counts = model.addends.sum(axis=0)
            if rows.unit_count <= MOST_UNITS or not _rests_on_enough(model, counts):
                return False
        elif rows.n <= _MOST_RESAMPLED_RANKS:
            return False
    return True


def _rests_on_enough(model: Sums, counts: Floats) -> bool:
    """Enough rows below the line, and the value not at an end, where influences are all 0."""
    with np.errstate(all="ignore"):
        relevant = float(model.metric.relevant(counts))
        value = float(model.metric.ratio(counts))
    return relevant >= _ENOUGH_RELEVANT and value not in (-1.0, 0.0, 1.0)


def both_ways(limits: Sequence[float]) -> list[float]:
    """Each limit for a change for the better and for one for the worse."""
    return [sign * limit for limit in limits for sign in (1, -1)]


def _accuracy(rows: ScoredRows) -> Change:
    right = int(rows.new.sum())
    value = wilson(right, rows.n)
    if rows.old is None:
        return Change(value, None, None, None, None, "Wilson")
    both = int(np.sum(rows.new * rows.old))
    only_new, only_old = right - both, int(rows.old.sum()) - both
    delta = paired_difference(only_new, only_old, rows.n)
    ratio = paired_ratio(both, only_new, only_old)
    errors = error_ratio(rows.n - both - only_new - only_old, only_old, only_new)
    before = wilson(both + only_old, rows.n)
    method = "Wilson; change paired, Bonett and Price"
    return Change(value, before, delta, _percent(ratio), _percent(errors), method)


def _percent(ratio: Interval | None) -> Interval | None:
    if ratio is None:
        return None
    return Interval(*(100 * (part - 1) for part in (ratio.value, ratio.low, ratio.high)))
