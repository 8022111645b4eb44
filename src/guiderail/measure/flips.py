"""Decisions that change between two versions on the same inputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from guiderail.core.interval import Interval
from guiderail.measure.attribute_values import Counts
from guiderail.measure.cells import Group, count_groups
from guiderail.measure.groups import values_problem
from guiderail.measure.intervals import exact_share, wilson
from guiderail.measure.scored_rows import as_texts
from guiderail.measure.unmeasurable import NotMeasurable

BELOW, ABOVE = 0.01, 0.04
"""How often the true share may lie on each side of its interval."""


@dataclass(frozen=True, slots=True)
class FlipGroup:
    """Flips in one group or intersection; rate is the share of its rows, 0 to 1.

    directions: as in `Flips`, those that occur in this group.
    """

    group: Group
    n: int
    flips: int
    rate: Interval
    directions: dict[str, int]


@dataclass(frozen=True, slots=True)
class Flips:
    """rate: flips / n, 0 to 1, with an exact 95 % interval: of the 5, 1 lies below and 4 above it.

    "More than 2 % flip beyond doubt" rests on the lower bound, so at most one in a hundred such
    claims is wrong, whatever the share and however few the rows are. Groups have Wilson's interval.

    directions: rows for each "old -> new" that occurs, most frequent first.
    groups: every attribute, then every intersection that occurs; empty without attributes.
    """

    n: int
    flips: int
    rate: Interval
    directions: dict[str, int]
    groups: tuple[FlipGroup, ...]


def flips(
    old: ArrayLike,
    new: ArrayLike,
    groups: Mapping[str, ArrayLike] | None = None,
    *,
    edges: Mapping[str, Sequence[float]] | None = None,
    deepest: int | None = None,
    counts: Counts | None = None,
    what: tuple[str, str] = ("decisions of the old model", "decisions of the new model"),
) -> Flips | NotMeasurable:
    """Compare decisions row by row, for any number of classes.

    Decisions are compared as text, 1, 1.0 and "1" being the same. Missing or infinite decisions,
    scores in place of decisions, no rows and versions of different length are NotMeasurable.
    edges, deepest, counts: as in `groups.count_cells`. what: how a reason calls the versions.
    """
    before, after = np.asarray(old), np.asarray(new)
    if before.ndim != 1 or before.shape != after.shape:
        return NotMeasurable("the two versions did not decide on the same rows")
    if before.size == 0:
        return NotMeasurable("there are no rows")
    for name, decisions in zip(what, (before, after), strict=True):
        problem = values_problem(name, decisions, counts)
        if problem is not None:
            return problem
    first, second = as_texts(before), as_texts(after)
    weights = np.ones(before.size) if counts is None else counts
    flipped = np.asarray(first != second, dtype=bool)
    pairs: Counter[tuple[str, str]] = Counter()
    for one, other, count in zip(
        first[flipped].tolist(), second[flipped].tolist(), weights[flipped].tolist(), strict=True
    ):
        pairs[one, other] += int(count)
    ordered = sorted(pairs, key=lambda pair: (-pairs[pair], pair))
    by_group: tuple[FlipGroup, ...] = ()
    if groups:
        numbers = {pair: place + 1 for place, pair in enumerate(ordered)}
        direction = np.zeros(before.size, dtype=np.int64)
        direction[flipped] = [
            numbers[pair]
            for pair in zip(first[flipped].tolist(), second[flipped].tolist(), strict=True)
        ]
        addends = np.zeros((before.size, len(ordered) + 1))
        addends[np.arange(before.size), direction] = weights
        counted = count_groups(groups, addends, edges=edges, deepest=deepest, counts=counts)
        if isinstance(counted, NotMeasurable):
            return counted
        names = [_direction(pair) for pair in ordered]
        by_group = tuple(
            _of_group(group, names, row)
            for part in counted
            for group, row in zip(part.groups, part.counts.astype(np.int64).tolist(), strict=True)
            if any(row)
        )
    total, rows = pairs.total(), int(weights.sum())
    directions = {_direction(pair): pairs[pair] for pair in ordered}
    return Flips(rows, total, exact_share(total, rows, BELOW, ABOVE), directions, by_group)


def _direction(pair: tuple[str, str]) -> str:
    return f"{pair[0]} -> {pair[1]}"


def _of_group(group: Group, names: Sequence[str], row: Sequence[int]) -> FlipGroup:
    n, changed = sum(row), sum(row[1:])
    directions = {name: count for name, count in zip(names, row[1:], strict=True) if count}
    return FlipGroup(group, n, changed, wilson(changed, n), directions)
