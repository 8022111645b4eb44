"""Rates per group and intersection, and how groups compare.

Selection is whatever the caller names as the selected value; a true positive is a row whose label
and decision are both that value. For each rate the reference is the group with the highest one, so
that every ratio is at most 1 and a small ratio means a large gap; for the selection rate that is
the most selected group. A rate that has no rows below the line is undefined, never 0.
Groups below the minimum number of rows *of that rate's own denominator* are listed, not compared.

A comparison passes when even its lower bound reaches the limit, and fails when its ratio is below
the limit after Holm's correction over all comparisons of that rate (one-sided, 2.5 %); everything
else is insufficient. Intervals are 95 %: Wilson, Newcombe for differences, Katz for ratios.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from guiderail.core.interval import Interval
from guiderail.measure.cells import MISSING, Group, count_groups
from guiderail.measure.intervals import log_ratio, newcombe, wilson
from guiderail.measure.scored_rows import as_texts, count_missing, wanted_text
from guiderail.measure.unmeasurable import NotMeasurable

MINIMUM_ROWS = 30
FOUR_FIFTHS = 0.80

RateName = Literal["selection_rate", "tpr", "fpr", "fnr", "ppv", "npv", "accuracy"]
RATES: tuple[RateName, ...] = ("selection_rate", "tpr", "fpr", "fnr", "ppv", "npv", "accuracy")
Verdict = Literal["pass", "fail", "insufficient"]
_LEVEL = 0.025


@dataclass(frozen=True, slots=True)
class GroupCell:
    """Counts of one group or intersection; tn, fp, fn, tp are None without labels."""

    group: Group
    n: int
    selected: int
    tn: int | None = None
    fp: int | None = None
    fn: int | None = None
    tp: int | None = None

    @property
    def is_missing(self) -> bool:
        """Whether an attribute of these rows is null."""
        return any(value == MISSING for _, value in self.group)

    def counts(self, rate: RateName) -> tuple[int, int] | None:
        """Rows above and below the line of a rate; None without labels."""
        if rate == "selection_rate":
            return self.selected, self.n
        if self.tn is None or self.fp is None or self.fn is None or self.tp is None:
            return None
        return {
            "tpr": (self.tp, self.tp + self.fn),
            "fpr": (self.fp, self.fp + self.tn),
            "fnr": (self.fn, self.tp + self.fn),
            "ppv": (self.tp, self.tp + self.fp),
            "npv": (self.tn, self.tn + self.fn),
            "accuracy": (self.tp + self.tn, self.n),
        }[rate]

    def rate(self, rate: RateName) -> Interval | None:
        """The rate, 0 to 1, with Wilson's interval; None where it is undefined."""
        counts = self.counts(rate)
        return wilson(*counts) if counts is not None and counts[1] else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One group against the group with the highest rate.

    difference: the group's rate minus the reference's, -1 to 1. ratio: group over reference, 0 to
    1 at the point; None where the reference's rate is 0.
    """

    rate: RateName
    group: Group
    reference: Group
    difference: Interval
    ratio: Interval | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Underpowered:
    """A group with fewer rows below the line of a rate than the minimum."""

    rate: RateName
    group: Group
    n: int


@dataclass(frozen=True, slots=True)
class RateVerdict:
    """What all comparisons of one rate say together, and the one with the lowest ratio."""

    rate: RateName
    verdict: Verdict
    lowest: Comparison | None
    reason: str


@dataclass(frozen=True, slots=True)
class AccuracyGap:
    """The largest difference of accuracy between two groups of one attribute, 0 to 1."""

    best: Group
    worst: Group
    gap: Interval


@dataclass(frozen=True, slots=True)
class GroupReport:
    """cells: every attribute, then every intersection that occurs."""

    n: int
    cells: tuple[GroupCell, ...]
    comparisons: tuple[Comparison, ...]
    underpowered: tuple[Underpowered, ...]
    verdicts: tuple[RateVerdict, ...]
    accuracy_gap: AccuracyGap | None

    def verdict(self, rate: RateName) -> RateVerdict:
        """Raises KeyError for a rate that needs labels where there are none."""
        for found in self.verdicts:
            if found.rate == rate:
                return found
        raise KeyError(rate)


def group_rates(
    decision: ArrayLike,
    groups: Mapping[str, ArrayLike],
    label: ArrayLike | None = None,
    *,
    selected: object = 1,
    edges: Mapping[str, Sequence[float]] | None = None,
    minimum_rows: int = MINIMUM_ROWS,
    ratio_limit: float = FOUR_FIFTHS,
    deepest: int | None = None,
) -> GroupReport | NotMeasurable:
    """Count and compare.

    decision, label, groups: one entry per row. A null attribute forms the group "(missing)".
    selected: the decision that counts as selected, compared as text; labels are read the same way.
    edges: limits between the ranges of numeric attributes; others with many values are put into
        quartiles. deepest: most attributes in an intersection, 1 for none, None for all.
    Missing decisions or labels, a selected value that occurs nowhere and arrays of another length
    are NotMeasurable.
    """
    decisions = np.asarray(decision)
    labels = None if label is None else np.asarray(label)
    problem = _problem(decisions, labels, selected)
    if problem is not None:
        return problem
    chosen = (as_texts(decisions) == wanted_text(selected, decisions)).astype(np.float64)
    addends = [np.ones(len(chosen)), chosen]
    if labels is not None:
        true = (as_texts(labels) == wanted_text(selected, labels)).astype(np.float64)
        addends += [(1 - true) * (1 - chosen), (1 - true) * chosen, true * (1 - chosen)]
        addends += [true * chosen]
    counted = count_groups(groups, np.column_stack(addends), edges=edges, deepest=deepest)
    if isinstance(counted, NotMeasurable):
        return counted
    levels = tuple(
        tuple(
            GroupCell(group, *(int(count) for count in counts))
            for group, counts in zip(part.groups, part.counts.tolist(), strict=True)
        )
        for part in counted
    )
    return compare_cells(levels, minimum_rows=minimum_rows, ratio_limit=ratio_limit)


def compare_cells(
    levels: Sequence[Sequence[GroupCell]],
    *,
    minimum_rows: int = MINIMUM_ROWS,
    ratio_limit: float = FOUR_FIFTHS,
) -> GroupReport:
    """Compare counts that were made elsewhere; one level holds the groups of one attribute set."""
    cells = tuple(cell for level in levels for cell in level)
    labelled = all(cell.tn is not None for cell in cells)
    comparisons: list[Comparison] = []
    underpowered: list[Underpowered] = []
    verdicts = []
    for rate in RATES if labelled else RATES[:1]:
        found, weak = _compare(rate, levels, minimum_rows, ratio_limit)
        comparisons += found
        underpowered += weak
        verdicts.append(_rate_verdict(rate, levels, found, weak, minimum_rows))
    return GroupReport(
        n=sum(cell.n for cell in levels[0]) if levels else 0,
        cells=cells,
        comparisons=tuple(comparisons),
        underpowered=tuple(underpowered),
        verdicts=tuple(verdicts),
        accuracy_gap=_accuracy_gap(levels, minimum_rows) if labelled else None,
    )


def _problem(
    decisions: NDArray[Any], labels: NDArray[Any] | None, selected: object
) -> NotMeasurable | None:
    if decisions.ndim != 1 or decisions.size == 0:
        return NotMeasurable("there are no decisions, one per row")
    named = [("decisions", decisions)]
    if labels is not None:
        named.append(("labels", labels))
    found = False
    for what, values in named:
        if values.shape != decisions.shape:
            return NotMeasurable(f"{values.size} {what} are given for {decisions.size} rows")
        absent = count_missing(values)
        if absent:
            return NotMeasurable(f"{absent} of {values.size} {what} are missing")
        found = found or bool(np.any(as_texts(values) == wanted_text(selected, values)))
    if not found:
        return NotMeasurable(f'no decision is "{selected}", the value that is selected')
    return None


def _compare(
    rate: RateName,
    levels: Sequence[Sequence[GroupCell]],
    minimum_rows: int,
    ratio_limit: float,
) -> tuple[list[Comparison], list[Underpowered]]:
    found: list[Comparison] = []
    chances: list[float] = []
    weak: list[Underpowered] = []
    for level in levels:
        powered: list[tuple[int, int, Group]] = []
        for cell in level:
            counts = cell.counts(rate)
            if counts is not None and counts[1] >= minimum_rows:
                powered.append((*counts, cell.group))
            else:
                weak.append(Underpowered(rate, cell.group, counts[1] if counts else 0))
        if len(powered) < 2:
            continue
        best = max(powered, key=lambda group: (group[0] / group[1], group[1]))
        for one in powered:
            if one is not best:
                comparison, chance = _against(rate, one, best, ratio_limit)
                found.append(comparison)
                chances.append(chance)
    failing = _holm(chances)
    return [
        replace(comparison, verdict="fail") if i in failing else comparison
        for i, comparison in enumerate(found)
    ], weak


def _against(
    rate: RateName,
    one: tuple[int, int, Group],
    best: tuple[int, int, Group],
    ratio_limit: float,
) -> tuple[Comparison, float]:
    """A comparison that passes or is insufficient, and the chance of it under the limit itself."""
    difference = newcombe(one[0], one[1], best[0], best[1])
    measured = log_ratio(one[0], one[1], best[0], best[1])
    if measured is None:
        return Comparison(rate, one[2], best[2], difference, None, "insufficient"), 1.0
    ratio = measured.ratio
    distance = (measured.centre - math.log(ratio_limit)) / measured.error
    chance = 0.5 * math.erfc(-distance / math.sqrt(2))
    verdict: Verdict = "pass" if ratio.low >= ratio_limit else "insufficient"
    return Comparison(rate, one[2], best[2], difference, ratio, verdict), chance


def _holm(chances: Sequence[float]) -> set[int]:
    """Places of the comparisons that stay below the level when all are judged together."""
    rejected: set[int] = set()
    for step, place in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        if chances[place] * (len(chances) - step) > _LEVEL:
            break
        rejected.add(place)
    return rejected


def _rate_verdict(
    rate: RateName,
    levels: Sequence[Sequence[GroupCell]],
    found: Sequence[Comparison],
    weak: Sequence[Underpowered],
    minimum_rows: int,
) -> RateVerdict:
    measured = [(c.ratio.value, c) for c in found if c.ratio is not None]
    lowest = min(measured, key=lambda pair: pair[0])[1] if measured else None
    failed = [c for c in found if c.verdict == "fail"]
    if failed:
        return RateVerdict(rate, "fail", lowest, f"{len(failed)} of {len(found)} comparisons fail")
    missing = {cell.group for level in levels for cell in level if cell.is_missing}
    small = [one for one in weak if len(one.group) == 1 and one.group not in missing]
    if small:
        names = ", ".join(f"{group_name(one.group)} ({one.n})" for one in small[:5])
        more = f" and {len(small) - 5} more" if len(small) > 5 else ""
        reason = f"fewer than {minimum_rows} rows: {names}{more}"
        return RateVerdict(rate, "insufficient", lowest, reason)
    alone = [
        level[0].group[0][0] for level in levels if len(level) < 2 and len(level[0].group) == 1
    ]
    if alone:
        return RateVerdict(rate, "insufficient", lowest, f"{alone[0]} has one group only")
    open_ones = [c for c in found if c.verdict == "insufficient"]
    if open_ones or not found:
        reason = f"{len(open_ones)} of {len(found)} comparisons need more rows"
        return RateVerdict(rate, "insufficient", lowest, reason)
    return RateVerdict(rate, "pass", lowest, f"all {len(found)} comparisons pass")


def _accuracy_gap(levels: Sequence[Sequence[GroupCell]], minimum_rows: int) -> AccuracyGap | None:
    gaps = []
    for level in levels:
        powered = [
            (cell.counts("accuracy") or (0, cell.n), cell.group)
            for cell in level
            if len(cell.group) == 1 and cell.n >= minimum_rows
        ]
        if len(powered) < 2:
            continue
        best = max(powered, key=lambda one: one[0][0] / one[0][1])
        worst = min(powered, key=lambda one: one[0][0] / one[0][1])
        gaps.append(AccuracyGap(best[1], worst[1], newcombe(*best[0], *worst[0])))
    return max(gaps, key=lambda one: one.gap.value) if gaps else None


def group_name(group: Group) -> str:
    """For people: "sex=female, age=under 25"."""
    return ", ".join(f"{attribute}={value}" for attribute, value in group)
