"""What changed for each group between two versions that decided on the same rows.

Rates over the same rows in both versions are compared as pairs (Bonett and Price 2012). The rows
below the line of PPV and NPV are other ones in each version; their difference has Newcombe's
interval for independent shares, which is too wide rather than too narrow where versions agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from guiderail.core.interval import Interval
from guiderail.measure.attribute_values import Counts
from guiderail.measure.cells import Group, count_groups
from guiderail.measure.groups import RATES, GroupCell, RateName, decision_problem, is_selected
from guiderail.measure.intervals import newcombe, paired_difference
from guiderail.measure.unmeasurable import NotMeasurable


@dataclass(frozen=True, slots=True)
class RateChange:
    """difference: new minus old, -1 to 1; None where the rate is undefined in a version."""

    rate: RateName
    group: Group
    n: int
    old: float | None
    new: float | None
    difference: Interval | None


def rate_changes(
    old: ArrayLike,
    new: ArrayLike,
    groups: Mapping[str, ArrayLike],
    label: ArrayLike | None = None,
    *,
    selected: object = 1,
    edges: Mapping[str, Sequence[float]] | None = None,
    deepest: int | None = None,
    counts: Counts | None = None,
) -> tuple[RateChange, ...] | NotMeasurable:
    """Change of every rate in every group; parameters as in `groups.count_cells`."""
    before, after = np.asarray(old), np.asarray(new)
    labels = None if label is None else np.asarray(label)
    for who, decisions in (("old", before), ("new", after)):
        problem = decision_problem(decisions, labels, selected, counts)
        if problem is not None:
            return NotMeasurable(f"the {who} version: {problem.reason}")
    if before.shape != after.shape:
        return NotMeasurable("the two versions did not decide on the same rows")
    weights = np.ones(len(before)) if counts is None else counts
    was, now = is_selected(before, selected), is_selected(after, selected)
    true = None if labels is None else is_selected(labels, selected)
    addends = np.zeros((len(before), 8))
    place = 4 * (0 if true is None else true) + 2 * was + now
    addends[np.arange(len(before)), place.astype(np.int64)] = weights
    counted = count_groups(groups, addends, edges=edges, deepest=deepest, counts=counts)
    if isinstance(counted, NotMeasurable):
        return counted
    rates = RATES if labels is not None else RATES[:1]
    return tuple(
        change
        for part in counted
        for group, row in zip(part.groups, part.counts.astype(np.int64).tolist(), strict=True)
        for change in _changes(rates, group, row)
    )


def _changes(rates: Sequence[RateName], group: Group, table: Sequence[int]) -> Iterator[RateChange]:
    """table: rows by label, old decision and new decision, the last one turning fastest."""
    a, b, c, d, e, f, g, h = table
    old = GroupCell(group, sum(table), c + d + g + h, a + b, c + d, e + f, g + h)
    new = GroupCell(group, sum(table), b + d + f + h, a + c, b + d, e + g, f + h)
    for rate in rates:
        before, after = old.counts(rate), new.counts(rate)
        difference = None
        if before is not None and after is not None and before[1] and after[1]:
            if rate in {"ppv", "npv"}:
                difference = newcombe(*after, *before)
            else:
                difference = paired_difference(*_discordant(rate, table), before[1])
        yield RateChange(rate, group, old.n, _share(before), _share(after), difference)


def _share(counts: tuple[int, int] | None) -> float | None:
    return counts[0] / counts[1] if counts is not None and counts[1] else None


def _discordant(rate: RateName, table: Sequence[int]) -> tuple[int, int]:
    """Rows that count above the line in the new version only, and in the old one only."""
    came = {0: table[1], 1: table[5]}  # not selected before, selected now, by label
    went = {0: table[2], 1: table[6]}
    if rate == "selection_rate":
        return came[0] + came[1], went[0] + went[1]
    if rate == "tpr":
        return came[1], went[1]
    if rate == "fpr":
        return came[0], went[0]
    if rate == "fnr":
        return went[1], came[1]
    return came[1] + went[0], went[1] + came[0]  # accuracy: right now and wrong before
