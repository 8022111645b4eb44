"""How groups compare: differences, ratios, and a verdict of three values.

For each rate the reference is the group with the highest one, so that every ratio is at most 1 and
a small ratio means a large gap; for the selection rate that is the most selected group. Groups
below the minimum number of rows *of that rate's own denominator* are listed, not compared; their
rows still count in the wider groups that hold them. Empty groups are shown and change nothing.

A comparison passes when even its lower bound reaches the limit, and fails when its ratio is below
the limit after Holm's correction (one-sided, 2.5 %); everything else is insufficient. Holm's family
is every comparison that can block, of the selection rate and the chosen error rates together; a
rate that cannot block is a family of its own. Intervals are 95 %: Newcombe for differences, Katz
for ratios.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, NamedTuple

from guiderail.core.interval import Interval
from guiderail.measure.cells import Group
from guiderail.measure.groups import RATES, GroupCell, RateName, group_name
from guiderail.measure.intervals import log_ratio, newcombe
from guiderail.measure.unmeasurable import NotMeasurable

MINIMUM_ROWS = 30
FOUR_FIFTHS = 0.80
ERROR_RATES: tuple[RateName, ...] = ("tpr", "fpr")
"""Where no error rate was chosen: both sides of equalised odds, and the worse one counts."""

Verdict = Literal["pass", "fail", "insufficient"]
_LEVEL = 0.025


@dataclass(frozen=True, slots=True)
class Comparison:
    """One group against the group with the highest rate.

    difference: the group's rate minus the reference's, -1 to 1. ratio: group over reference, 0 to
    1 at the point; None where the reference's rate is 0.
    ceiling: one-sided 97.5 % upper bound of the ratio that holds for the whole family of
    comparisons at once; one comparison fails any limit by Holm exactly when the lowest ceiling of
    the family is below that limit.
    """

    rate: RateName
    group: Group
    reference: Group
    difference: Interval
    ratio: Interval | None
    verdict: Verdict
    ceiling: float | None = None


@dataclass(frozen=True, slots=True)
class Underpowered:
    """A group with fewer rows below the line of a rate than the minimum; 0 for an empty one."""

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
    """The largest difference of accuracy between two groups of one attribute set, 0 to 1."""

    best: Group
    worst: Group
    gap: Interval


@dataclass(frozen=True, slots=True)
class GroupReport:
    """cells: every attribute, then every intersection. deepest: attributes in the deepest one.

    deciding: the rates that can block.
    """

    n: int
    cells: tuple[GroupCell, ...]
    comparisons: tuple[Comparison, ...]
    underpowered: tuple[Underpowered, ...]
    verdicts: tuple[RateVerdict, ...]
    accuracy_gap: AccuracyGap | None
    deciding: tuple[RateName, ...]
    deepest: int

    def verdict(self, rate: RateName) -> RateVerdict:
        """Raises KeyError for a rate that needs labels where there are none."""
        for found in self.verdicts:
            if found.rate == rate:
                return found
        raise KeyError(rate)


class _Pair(NamedTuple):
    """A group and its reference, each with the rows above and below the line of the rate."""

    rate: RateName
    one: tuple[int, int, Group]
    best: tuple[int, int, Group]


def compare_cells(
    levels: Sequence[Sequence[GroupCell]],
    *,
    minimum_rows: int = MINIMUM_ROWS,
    ratio_limit: float = FOUR_FIFTHS,
    error_rates: Sequence[RateName] = ERROR_RATES,
) -> GroupReport:
    """Compare the groups of every level; one level holds the groups of one attribute set."""
    cells = tuple(cell for level in levels for cell in level)
    labelled = bool(cells) and all(cell.tn is not None for cell in cells)
    rates = RATES if labelled else RATES[:1]
    deciding = tuple(rate for rate in rates if rate in {"selection_rate", *error_rates})
    families = [deciding, *((rate,) for rate in rates if rate not in deciding)]
    found: dict[RateName, list[Comparison]] = {}
    weak: dict[RateName, list[Underpowered]] = {}
    for family in families:
        pairs: list[_Pair] = []
        for rate in family:
            compared, weak[rate] = _compare(rate, levels, minimum_rows)
            pairs += compared
        judged = _judged(pairs, ratio_limit)
        for rate in family:
            found[rate] = [one for one in judged if one.rate == rate]
    return GroupReport(
        n=sum(cell.n for cell in levels[0]) if levels else 0,
        cells=cells,
        comparisons=tuple(one for rate in rates for one in found[rate]),
        underpowered=tuple(one for rate in rates for one in weak[rate]),
        verdicts=tuple(
            _rate_verdict(rate, levels, found[rate], weak[rate], minimum_rows) for rate in rates
        ),
        accuracy_gap=_accuracy_gap(levels, minimum_rows) if labelled else None,
        deciding=deciding,
        deepest=max((len(cell.group) for cell in cells), default=0),
    )


def lowest_ratio(report: GroupReport, rates: Sequence[RateName]) -> Interval | NotMeasurable:
    """The interval that a gate judges, over all comparisons of these rates.

    value: the lowest ratio. low: the lowest lower bound (95 %), so that it reaches a limit only
    where every comparison does. high: the lowest ceiling, so that it falls below a limit exactly
    where Holm's correction confirms that some comparison does. Where a rate could not be compared
    or a ratio is undefined, low is 0: such a report can fail and never pass.
    """
    compared = [one for one in report.comparisons if one.rate in rates]
    ratios = [one.ratio for one in compared if one.ratio is not None]
    ceilings = [one.ceiling for one in compared if one.ceiling is not None]
    if not ratios:
        reasons = dict.fromkeys(report.verdict(rate).reason for rate in rates)
        return NotMeasurable("; ".join(reasons))
    complete = len(ratios) == len(compared) and {one.rate for one in compared} >= set(rates)
    value = min(ratio.value for ratio in ratios)
    low = min(ratio.low for ratio in ratios) if complete else 0.0
    return Interval(value, low, max(value, min(ceilings)))


def weak_groups(report: GroupReport) -> dict[Group, str]:
    """Single groups that cannot be compared by every rate that can block, and why.

    Groups with too few rows, and the only known group of an attribute. Empty groups and rows
    without the attribute are not among them.
    """
    unknown = {cell.group for cell in report.cells if cell.is_unknown or cell.n == 0}
    found: dict[Group, str] = {}
    for one in report.underpowered:
        if one.rate in report.deciding and len(one.group) == 1 and one.group not in unknown:
            found.setdefault(one.group, f"{one.n} rows for {one.rate}")
    single = [c.group for c in report.cells if len(c.group) == 1 and c.group not in unknown]
    attributes = dict.fromkeys(c.group[0][0] for c in report.cells if len(c.group) == 1)
    for name in attributes:
        known = [group for group in single if group[0][0] == name]
        if len(known) == 1:
            found.setdefault(known[0], "the only group of its attribute")
        elif not known:
            found.setdefault(((name, "no known value"),), "no row has a value")
    return found


def _compare(
    rate: RateName, levels: Sequence[Sequence[GroupCell]], minimum_rows: int
) -> tuple[list[_Pair], list[Underpowered]]:
    found: list[_Pair] = []
    weak: list[Underpowered] = []
    for level in levels:
        powered: list[tuple[int, int, Group]] = []
        for cell in level:
            counts = cell.counts(rate)
            if counts is not None and counts[1] >= max(1, minimum_rows):
                powered.append((*counts, cell.group))
            else:
                weak.append(Underpowered(rate, cell.group, counts[1] if counts else 0))
        if len(powered) < 2:
            continue
        best = max(powered, key=lambda group: (group[0] / group[1], group[1]))
        found += [_Pair(rate, one, best) for one in powered if one is not best]
    return found, weak


def _judged(pairs: Sequence[_Pair], ratio_limit: float) -> list[Comparison]:
    """The comparisons of one family, with ceilings and verdicts."""
    if not pairs:
        return []
    simultaneous = NormalDist().inv_cdf(1 - _LEVEL / len(pairs))
    logarithm = math.log(ratio_limit)
    ratios = [log_ratio(*pair.one[:2], *pair.best[:2]) for pair in pairs]
    chances = [
        1.0 if r is None else 0.5 * math.erfc((logarithm - r.centre) / (r.error * math.sqrt(2)))
        for r in ratios
    ]
    failing = _holm(chances)
    found = []
    for place, (pair, r) in enumerate(zip(pairs, ratios, strict=True)):
        verdict: Verdict = "insufficient"
        if place in failing:
            verdict = "fail"
        elif r is not None and r.ratio.low >= ratio_limit:
            verdict = "pass"
        ceiling = None
        if r is not None:
            ceiling = max(r.ratio.value, math.exp(r.centre + simultaneous * r.error))
        difference = newcombe(*pair.one[:2], *pair.best[:2])
        ratio = None if r is None else r.ratio
        found.append(
            Comparison(pair.rate, pair.one[2], pair.best[2], difference, ratio, verdict, ceiling)
        )
    return found


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
    aside = {cell.group for level in levels for cell in level if cell.is_unknown or cell.n == 0}
    small = [one for one in weak if len(one.group) == 1 and one.group not in aside]
    if small:
        names = ", ".join(f"{group_name(one.group)} ({one.n})" for one in small[:5])
        more = f" and {len(small) - 5} more" if len(small) > 5 else ""
        reason = f"fewer than {minimum_rows} rows: {names}{more}"
        return RateVerdict(rate, "insufficient", lowest, reason)
    for level in levels:
        known = [cell for cell in level if len(cell.group) == 1 and cell.group not in aside]
        if len(level[0].group) == 1 and len(known) < 2:
            few = "has one group only" if known else "has no values"
            return RateVerdict(rate, "insufficient", lowest, f"{level[0].group[0][0]} {few}")
    undefined = [c for c in found if c.ratio is None]
    if undefined:
        reason = f"{len(undefined)} of {len(found)} ratios are undefined: the highest rate is 0"
        return RateVerdict(rate, "insufficient", lowest, reason)
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
            if cell.n >= max(1, minimum_rows)
        ]
        if len(powered) < 2:
            continue
        best = max(powered, key=lambda one: one[0][0] / one[0][1])
        worst = min(powered, key=lambda one: one[0][0] / one[0][1])
        gaps.append(AccuracyGap(best[1], worst[1], newcombe(*best[0], *worst[0])))
    return max(gaps, key=lambda one: one.gap.value) if gaps else None
