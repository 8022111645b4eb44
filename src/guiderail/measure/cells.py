"""Rows counted by group: every attribute on its own and every intersection that occurs.

Counting happens once, in the finest cells; coarser groups are sums of those.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from guiderail.measure.scored_rows import as_texts, missing
from guiderail.measure.unmeasurable import NotMeasurable

MISSING = "(missing)"
"""Name of the group of rows whose attribute is null."""

MOST_DISTINCT_NUMBERS = 12
"""A numeric attribute with more distinct values is put into quartiles."""

Group = tuple[tuple[str, str], ...]
"""(attribute, value) pairs; one pair for a group, several for an intersection."""


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """Sums over the rows of every group of one set of attributes. counts: (groups, columns)."""

    attributes: tuple[str, ...]
    groups: tuple[Group, ...]
    counts: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Attribute:
    name: str
    values: tuple[str, ...]
    codes: NDArray[np.int64]


def count_groups(
    groups: Mapping[str, ArrayLike],
    addends: NDArray[np.float64],
    *,
    edges: Mapping[str, Sequence[float]] | None = None,
    deepest: int | None = None,
) -> tuple[GroupCounts, ...] | NotMeasurable:
    """Sums of `addends` (rows, columns) by every attribute, then every intersection that occurs.

    edges: limits between the ranges of a numeric attribute, see `ranges`.
    deepest: most attributes in one intersection; 1 for none; None for all.
    """
    if len(addends) == 0:
        return NotMeasurable("there are no rows")
    attributes = []
    for name, values in groups.items():
        cells = np.asarray(values)
        if cells.shape != (len(addends),):
            return NotMeasurable(
                f"{name} has {cells.shape[0] if cells.ndim else 1} values for {len(addends)} rows"
            )
        attributes.append(_attribute(name, cells, (edges or {}).get(name)))
    finest, sums = _finest(attributes, addends)
    found = []
    for size in range(1, min(deepest or len(attributes), len(attributes)) + 1):
        for chosen in itertools.combinations(range(len(attributes)), size):
            found.append(_rolled_up([attributes[i] for i in chosen], finest[:, chosen], sums))
    return tuple(found)


def ranges(values: ArrayLike, edges: Sequence[float] | None = None) -> NDArray[Any]:
    """Numbers as names of ranges: "under 25", "25 to under 40", "40 and over"; null stays None.

    edges: ascending lower limits of all ranges but the first; None takes the quartiles of the
    values. Infinite values fall into the outermost ranges. Raises ValueError for edges that do not
    ascend and for values that are not numbers.
    """
    numbers = np.asarray(values, dtype=np.float64)
    known = ~np.isnan(numbers)
    if edges is None:
        if not known.any():
            return np.full(numbers.shape, None, dtype=object)
        edges = np.unique(np.quantile(numbers[known], [0.25, 0.5, 0.75], method="lower")).tolist()
        if edges[0] == numbers[known].min():
            edges = edges[1:]  # nothing lies below the smallest value
    limits = [float(edge) for edge in edges]
    if limits != sorted(set(limits)):
        raise ValueError(f"the edges {limits} do not ascend")
    if not limits:
        names = np.array(["all"], dtype=object)
    else:
        names = np.array(
            [
                f"under {limits[0]:g}",
                *(f"{low:g} to under {high:g}" for low, high in itertools.pairwise(limits)),
                f"{limits[-1]:g} and over",
            ],
            dtype=object,
        )
    cells = names[np.searchsorted(limits, numbers, side="right")]
    cells[~known] = None
    return np.asarray(cells)


def _attribute(name: str, values: NDArray[Any], edges: Sequence[float] | None) -> _Attribute:
    numeric = values.dtype.kind in "iuf"
    if edges is not None or (numeric and len(np.unique(values)) > MOST_DISTINCT_NUMBERS):
        values = ranges(values, edges)
    names, codes = _coded(values)
    order = sorted(range(len(names)), key=names.__getitem__)
    place = np.empty(len(names), dtype=np.int64)
    place[order] = np.arange(len(names))
    return _Attribute(name, tuple(names[i] for i in order), place[codes])


def _coded(values: NDArray[Any]) -> tuple[list[str], NDArray[np.int64]]:
    """Distinct values as text, and the number of each row's one."""
    if values.dtype.kind in "biuf":
        distinct, codes = np.unique(values, return_inverse=True)
        names = as_texts(distinct)
        names[missing(distinct)] = MISSING
        return names.tolist(), codes.astype(np.int64)
    texts = as_texts(values)
    texts[missing(values)] = MISSING
    numbers: dict[str, int] = {}
    found = [numbers.setdefault(text, len(numbers)) for text in texts.tolist()]
    return list(numbers), np.array(found, dtype=np.int64)


def _finest(
    attributes: Sequence[_Attribute], addends: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Codes (cells, attributes) and sums (cells, columns) of the finest cells that occur."""
    combined = np.zeros(len(addends), dtype=np.int64)
    for attribute in attributes:  # renumbered after each attribute, so that codes stay small
        combined = combined * len(attribute.values) + attribute.codes
        combined = np.unique(combined, return_inverse=True)[1].astype(np.int64)
    count = int(combined.max()) + 1
    codes = np.empty((count, len(attributes)), dtype=np.int64)
    for i, attribute in enumerate(attributes):
        codes[combined, i] = attribute.codes
    return codes, _sums(combined, addends, count)


def _sums(
    codes: NDArray[np.int64], addends: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    columns = [
        np.bincount(codes, weights=addends[:, i], minlength=count) for i in range(addends.shape[1])
    ]
    return np.column_stack(columns)


def _rolled_up(
    attributes: Sequence[_Attribute], codes: NDArray[np.int64], sums: NDArray[np.float64]
) -> GroupCounts:
    distinct, group = np.unique(codes, axis=0, return_inverse=True)
    named = tuple(
        tuple((a.name, a.values[code]) for a, code in zip(attributes, row, strict=True))
        for row in distinct.tolist()
    )
    names = tuple(attribute.name for attribute in attributes)
    return GroupCounts(names, named, _sums(group.reshape(-1), sums, len(named)))
