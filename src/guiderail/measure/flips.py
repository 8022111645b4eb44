"""Decisions that change between two versions on the same inputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from guiderail.core.interval import Interval
from guiderail.measure.cells import Group, count_groups
from guiderail.measure.intervals import wilson
from guiderail.measure.scored_rows import as_texts, count_missing
from guiderail.measure.unmeasurable import NotMeasurable


@dataclass(frozen=True, slots=True)
class FlipGroup:
    """Flips in one group or intersection; rate is the share of its rows, 0 to 1."""

    group: Group
    n: int
    flips: int
    rate: Interval


@dataclass(frozen=True, slots=True)
class Flips:
    """rate: flips / n, 0 to 1, with Wilson's 95 % interval.

    directions: rows for each "old -> new" that occurs, most frequent first.
    groups: every attribute, then every intersection; empty when no attribute is given.
    """

    n: int
    flips: int
    rate: Interval
    directions: dict[str, int]
    groups: tuple[FlipGroup, ...]


def flips(
    old: ArrayLike, new: ArrayLike, groups: Mapping[str, ArrayLike] | None = None
) -> Flips | NotMeasurable:
    """Compare decisions row by row, for any number of classes.

    Decisions are compared as text, 1, 1.0 and "1" being the same. A missing decision, no rows or
    versions of different length are NotMeasurable.
    """
    before, after = np.asarray(old), np.asarray(new)
    if before.ndim != 1 or before.shape != after.shape:
        return NotMeasurable("the two versions did not decide on the same rows")
    if before.size == 0:
        return NotMeasurable("there are no rows")
    for who, decisions in (("old", before), ("new", after)):
        absent = count_missing(decisions)
        if absent:
            return NotMeasurable(
                f"{absent} of {before.size} decisions of the {who} model are missing"
            )
    first, second = as_texts(before), as_texts(after)
    flipped = np.asarray(first != second, dtype=bool)
    by_group: tuple[FlipGroup, ...] = ()
    if groups:
        counted = _by_group(groups, flipped)
        if isinstance(counted, NotMeasurable):
            return counted
        by_group = counted
    pairs = Counter(zip(first[flipped].tolist(), second[flipped].tolist(), strict=True))
    directions = {
        f"{a} -> {b}": count for (a, b), count in sorted(pairs.items(), key=lambda p: (-p[1], p[0]))
    }
    total = int(flipped.sum())
    return Flips(before.size, total, wilson(total, before.size), directions, by_group)


def _by_group(
    groups: Mapping[str, ArrayLike], flipped: NDArray[Any]
) -> tuple[FlipGroup, ...] | NotMeasurable:
    addends = np.column_stack([np.ones(len(flipped)), flipped.astype(np.float64)])
    counted = count_groups(groups, addends)
    if isinstance(counted, NotMeasurable):
        return counted
    return tuple(
        FlipGroup(group, int(n), int(changed), wilson(int(changed), int(n)))
        for part in counted
        for group, (n, changed) in zip(part.groups, part.counts.tolist(), strict=True)
    )
