"""The slices of the data where a model is worst, told apart from chance.

A slice is the rows with one value of a column (numbers in quarters of the rows), or with one value
of each of two columns. It is compared with all other rows: the difference of the metric with an
interval from both influence functions (Welch's degrees of freedom). Picking the worst of many
slices finds bad luck as well as bad models, therefore every interval is wide enough for all slices
together (Bonferroni, 95 %), and a slice is called worse only where even its better end is worse.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from guiderail.core.interval import Interval
from guiderail.core.metrics import METRIC_KINDS
from guiderail.measure.attribute_values import Attribute, attribute
from guiderail.measure.influence import point_and_influence, standard_error, student
from guiderail.measure.metrics import Sums, prepared
from guiderail.measure.scored_rows import Bools, Floats, ScoredRows
from guiderail.measure.table import Values
from guiderail.measure.unmeasurable import NotMeasurable

MINIMUM = 100
"""Units that a slice and its rest need, and rows below the line of the metric a fifth of it."""

_Picked = tuple[tuple[tuple[str, str], ...], Bools]


@dataclass(frozen=True, slots=True)
class Slice:
    """One slice. by: columns and values. value: the metric there; rest: everywhere else.

    difference: value minus rest, its interval valid for all slices together.
    change: new minus old inside the slice, with an interval valid for all slices together; None
        without an old model. worse: the metric is worse here than elsewhere, beyond chance.
    grew_worse: the new version is worse here than the old one, beyond chance.
    """

    by: tuple[tuple[str, str], ...]
    n: int
    value: float
    rest: float
    difference: Interval
    worse: bool
    change: Interval | None = None
    grew_worse: bool = False


@dataclass(frozen=True, slots=True)
class Slices:
    """slices: worst first, by the better end of the interval. tested: how many were compared.

    too_small: slices with too few rows to be compared, the largest first, as (slice, rows).
    """

    slices: tuple[Slice, ...]
    tested: int
    too_small: tuple[tuple[tuple[tuple[str, str], ...], int], ...]


def slices(
    metric: str,
    rows: ScoredRows,
    columns: Mapping[str, Values],
    *,
    edges: Mapping[str, Sequence[float] | None] | None = None,
    deepest: int = 2,
) -> Slices | NotMeasurable:
    """Compare every slice of the columns, and of each two of them with deepest=2, with its rest.

    columns: one entry per row of `rows`; edges: the ranges of their numbers, else quarters of the
    rows. A column with too many values is NotMeasurable, named.
    """
    coded: dict[str, Attribute] = {}
    for name, values in columns.items():
        found = attribute(name, values, (edges or {}).get(name))
        if isinstance(found, NotMeasurable):
            return found
        coded[name] = found
    picked, small = [], []
    for by, inside in _picked(coded, deepest):
        if _enough(rows, inside):
            picked.append((by, inside))
        else:
            small.append((by, int(inside.sum())))
    if not picked:
        return Slices((), 0, tuple(sorted(small, key=lambda one: -one[1])))
    tail = 0.025 / len(picked)
    compared = [_compared(metric, rows, by, inside, tail) for by, inside in picked]
    known = [one for one in compared if one is not None]
    small += [
        (by, int(inside.sum()))
        for (by, inside), one in zip(picked, compared, strict=True)
        if one is None
    ]
    sign = -1.0 if METRIC_KINDS[metric].smaller_is_better else 1.0
    ordered = sorted(known, key=lambda one: max(sign * part for part in _ends(one.difference)))
    return Slices(tuple(ordered), len(known), tuple(sorted(small, key=lambda one: -one[1])))


def _ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


def _picked(coded: Mapping[str, Attribute], deepest: int) -> Iterator[_Picked]:
    for size in range(1, deepest + 1):
        for names in combinations(coded, size):
            key = np.zeros(len(coded[names[0]].codes), dtype=np.int64)
            for name in names:
                key = key * len(coded[name].values) + coded[name].codes
            for one in np.unique(key).tolist():
                yield _named(one, [coded[name] for name in names]), key == one


def _named(key: int, attributes: Sequence[Attribute]) -> tuple[tuple[str, str], ...]:
    parts = []
    for one in reversed(attributes):
        key, place = divmod(key, len(one.values))
        parts.append((one.name, one.values[place]))
    return tuple(reversed(parts))


def _enough(rows: ScoredRows, inside: Bools) -> bool:
    if rows.clusters is None:
        sizes = [int(inside.sum()), int((~inside).sum())]
    else:
        sizes = [len(np.unique(rows.clusters[side])) for side in (inside, ~inside)]
    return min(sizes) >= MINIMUM


def _compared(
    metric: str, rows: ScoredRows, by: tuple[tuple[str, str], ...], inside: Bools, tail: float
) -> Slice | None:
    """None where the metric is undefined on one side, or rests on too few rows."""
    sides = [rows.only(inside), rows.only(~inside)]
    news = [_side(metric, side, side.new) for side in sides]
    if news[0] is None or news[1] is None:
        return None
    here, there = news[0], news[1]
    sign = -1.0 if METRIC_KINDS[metric].smaller_is_better else 1.0
    difference = _between(metric, here, there, sides, tail)
    worse = max(sign * part for part in _ends(difference)) < 0
    plain = Slice(by, sides[0].n, here[0], there[0], difference, worse)
    before = _side(metric, sides[0], sides[0].old)
    if before is None:
        return plain
    change = _moved(here, before, sides[0], tail)
    grew = max(sign * part for part in _ends(change)) < 0
    return Slice(by, sides[0].n, here[0], there[0], difference, worse, change, grew)


def _side(metric: str, rows: ScoredRows, scores: Floats | None) -> tuple[float, Floats] | None:
    if scores is None or not _defined(metric, rows, scores):
        return None
    model = prepared(metric, rows.label, scores)
    with np.errstate(all="ignore"):
        if isinstance(model, Sums) and (
            float(model.metric.relevant(model.addends.sum(axis=0))) < MINIMUM / 5
        ):
            return None
        value, influence = point_and_influence(model, rows.weight)
    return (value, influence) if math.isfinite(value) and np.isfinite(influence).all() else None


def _defined(metric: str, rows: ScoredRows, scores: Floats) -> bool:
    if METRIC_KINDS[metric].fed == "scores":
        positives = int(rows.label.sum())
        return min(positives, rows.n - positives) >= MINIMUM / 5
    return metric != "r2" or float(np.ptp(rows.label)) > 0


def _between(
    metric: str,
    here: tuple[float, Floats],
    there: tuple[float, Floats],
    sides: Sequence[ScoredRows],
    tail: float,
) -> Interval:
    """Difference of two sides; Welch and Satterthwaite's degrees of freedom.

    Where a bounded metric shows (almost) no spread on one side, as 100 right decisions of 100 do,
    that side's error is that of one row in all.
    """
    bounded = math.isfinite(METRIC_KINDS[metric].high - METRIC_KINDS[metric].low)
    variance = squares = 0.0
    for part, side in zip((here, there), sides, strict=True):
        error = standard_error(part[1], side.clusters)
        if bounded:
            error = max(error, 1 / side.unit_count)
        variance += error**2
        squares += error**4 / (side.unit_count - 1)
    value = here[0] - there[0]
    if variance == 0:
        return Interval(value, value, value)
    half = student(max(1, int(variance**2 / squares)), tail) * math.sqrt(variance)
    return Interval(value, value - half, value + half)


def _moved(
    new: tuple[float, Floats], old: tuple[float, Floats], side: ScoredRows, tail: float
) -> Interval:
    """Paired change inside one slice."""
    value = new[0] - old[0]
    error = standard_error(new[1] - old[1], side.clusters)
    half = student(side.unit_count - 1, tail) * error
    return Interval(value, value - half, value + half)
