"""Rows counted by group: every attribute on its own and every intersection.

Counting happens once, in the finest cells; coarser groups are sums of those. Intersections of
known values that hold no row are listed with zeros, so that nobody takes them for tested.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from guiderail.measure.attribute_values import UNKNOWN, Attribute, Counts, attribute
from guiderail.measure.unmeasurable import NotMeasurable

MOST_EMPTY = 2000
"""Attribute sets with more combinations than that list only those that occur."""

MOST_CELLS = 20_000
"""Deeper intersections are left out where more groups than that would be formed."""

_DENSE = 2**20

Group = tuple[tuple[str, str], ...]
"""(attribute, value) pairs; one pair for a group, several for an intersection."""


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """Sums over the rows of every group of one set of attributes. counts: (groups, columns)."""

    attributes: tuple[str, ...]
    groups: tuple[Group, ...]
    counts: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Finest:
    """The finest cells that occur. codes: (cells, attributes); cell_of_row: one per row."""

    attributes: tuple[Attribute, ...]
    codes: NDArray[np.int64]
    cell_of_row: NDArray[np.int64]

    def sums(self, addends: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums of `addends` (rows, columns) in every cell (cells, columns)."""
        return _sums(self.cell_of_row, addends, len(self.codes))


def count_groups(
    groups: Mapping[str, ArrayLike],
    addends: NDArray[np.float64],
    *,
    edges: Mapping[str, Sequence[float]] | None = None,
    deepest: int | None = None,
    counts: Counts | None = None,
) -> tuple[GroupCounts, ...] | NotMeasurable:
    """Sums of `addends` (rows, columns) by every attribute, then every intersection.

    edges: limits between the ranges of numeric attributes.
    deepest: most attributes in one intersection; 1 for none; None for all.
    counts: how many rows each entry stands for; the addends have to be multiplied already.
    """
    cells = finest(groups, len(addends), edges=edges, counts=counts)
    if isinstance(cells, NotMeasurable):
        return cells
    return roll_up(cells, cells.sums(addends), deepest)


def finest(
    groups: Mapping[str, ArrayLike],
    rows: int,
    *,
    edges: Mapping[str, Sequence[float]] | None = None,
    counts: Counts | None = None,
) -> Finest | NotMeasurable:
    """Give every row its finest cell."""
    if rows == 0:
        return NotMeasurable("there are no rows")
    attributes = []
    for name, values in groups.items():
        given = np.asarray(values)
        if given.shape != (rows,):
            return NotMeasurable(
                f"{name} has {given.shape[0] if given.ndim else 1} values for {rows} rows"
            )
        found = attribute(name, given, (edges or {}).get(name), counts)
        if isinstance(found, NotMeasurable):
            return found
        attributes.append(found)
    return _finest(tuple(attributes), rows)


def roll_up(
    cells: Finest, sums: NDArray[np.float64], deepest: int | None = None
) -> tuple[GroupCounts, ...]:
    """Every attribute, then every intersection, from sums of the finest cells."""
    places = range(len(cells.attributes))
    found: list[GroupCounts] = []
    formed = 0
    for size in range(1, min(deepest or len(places), len(places)) + 1):
        level = [_rolled_up(cells, chosen, sums) for chosen in itertools.combinations(places, size)]
        formed += sum(len(part.groups) for part in level)
        if size > 1 and formed > MOST_CELLS:
            break
        found += level
    return tuple(found)


def _finest(attributes: tuple[Attribute, ...], rows: int) -> Finest:
    combined = np.zeros(rows, dtype=np.int64)
    sizes = [len(one.values) for one in attributes]
    if math.prod(sizes) <= _DENSE:
        for one in attributes:
            combined = combined * len(one.values) + one.codes
        occurs = np.flatnonzero(np.bincount(combined, minlength=math.prod(sizes)))
        place = np.empty(math.prod(sizes), dtype=np.int64)
        place[occurs] = np.arange(len(occurs))
        codes = np.empty((len(occurs), len(sizes)), dtype=np.int64)
        if sizes:
            codes[:] = np.column_stack(np.unravel_index(occurs, sizes))
        return Finest(attributes, codes, place[combined])
    for one in attributes:  # renumbered after each attribute, so that codes stay small
        combined = combined * len(one.values) + one.codes
        combined = np.unique(combined, return_inverse=True)[1].reshape(-1).astype(np.int64)
    codes = np.empty((int(combined.max()) + 1, len(attributes)), dtype=np.int64)
    for i, one in enumerate(attributes):
        codes[combined, i] = one.codes
    return Finest(attributes, codes, combined)


def _sums(
    codes: NDArray[np.int64], addends: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    columns = [
        np.bincount(codes, weights=addends[:, i], minlength=count) for i in range(addends.shape[1])
    ]
    return np.column_stack(columns)


def _rolled_up(cells: Finest, chosen: tuple[int, ...], sums: NDArray[np.float64]) -> GroupCounts:
    attributes = [cells.attributes[i] for i in chosen]
    codes = cells.codes[:, chosen]
    sizes = [len(one.values) for one in attributes]
    names = tuple(one.name for one in attributes)
    if math.prod(sizes) <= MOST_EMPTY:
        combined = np.ravel_multi_index(tuple(codes.T), sizes)
        table = _sums(combined, sums, math.prod(sizes))
        occurs = np.bincount(combined, minlength=math.prod(sizes)) > 0
        distinct = np.array(np.unravel_index(np.arange(math.prod(sizes)), sizes)).T
        shown = [
            bool(occurs[i])
            or all(a.values[code] != UNKNOWN for a, code in zip(attributes, row, strict=True))
            for i, row in enumerate(distinct.tolist())
        ]
        distinct, table = distinct[shown], table[shown]
    else:
        distinct, group = np.unique(codes, axis=0, return_inverse=True)
        table = _sums(group.reshape(-1), sums, len(distinct))
    named = tuple(
        tuple((a.name, a.values[code]) for a, code in zip(attributes, row, strict=True))
        for row in distinct.tolist()
    )
    return GroupCounts(names, named, table)
