"""The current data counted into the bins of a profile, each column in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guiderail.measure.column_counts import bin_counts, value_counts
from guiderail.measure.distinct_rows import sampled_distinct
from guiderail.measure.fine_cells import (
    FineCells,
    cell_of,
    count_cells,
    count_columns,
    upper_limits,
)
from guiderail.measure.profile import ColumnProfile
from guiderail.measure.table import Table

Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bins:
    """Rows of the current data in the bins of the profile, and beside them.

    edges: where both distribution functions are known; old, new: rows up to each edge and above
    the last. exact: nothing lies between the edges. filled: rows with a value.
    """

    edges: tuple[float, ...]
    old: Counts
    new: Counts
    exact: bool
    filled: int
    outside: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted of several columns of the current data together.

    cells: of the numeric ones. sampled: about how many different values a sample holds, of those
    that are counted value by value.
    """

    cells: Mapping[str, FineCells]
    sampled: Mapping[str, int]


def counted_together(profiles: Sequence[ColumnProfile], current: Table) -> Counted:
    """profiles: those of the wanted columns."""
    origins: dict[str, float] = {}
    single = []
    for before in profiles:
        if before.name not in current.names or current.rows == 0:
            continue
        numeric = current.type_of(before.name) in {"integer", "number"}
        if before.numeric and not before.exact and numeric:
            origins[before.name] = before.origin or 0.0
        elif before.exact or not numeric:
            single.append(before.name)
    return Counted(count_columns(current, origins), sampled_distinct(current, single))


def bins_of(before: ColumnProfile, current: Table, counted: Counted) -> Bins:
    """The bins of one column."""
    none = (0.0, 0.0)
    if before.low is None or before.high is None:
        cells = counted.cells.get(before.name)
        filled = finite = 0
        if cells is not None:
            filled, finite = cells.filled, cells.finite
        elif current.type_of(before.name) != "empty":
            filled = filled_rows(current, before.name)
            finite = count_cells(current, before.name).finite
        return Bins((), np.zeros(1), np.array([float(finite)]), False, filled, none)
    empty = current.type_of(before.name) == "empty"
    if before.exact:
        edges = (float(np.nextafter(before.low, -np.inf)), *before.edges)
        old = np.array([0, *before.counts], dtype=np.float64)
        if empty:
            return Bins(edges, old, np.zeros(len(old)), True, 0, none)
        return _exact_bins(before, current, edges, old, counted.sampled.get(before.name))
    origin = before.origin or 0.0
    first, last = cell_of(np.array([before.low, before.high]), origin).tolist()
    below, above = upper_limits(np.array([first - 1, last]), origin).tolist()
    edges, old = (below, *before.edges, above), np.array([0, *before.counts, 0], dtype=np.float64)
    if empty:
        return Bins(edges, old, np.zeros(len(old)), False, 0, none)
    cells = counted.cells[before.name]
    reached = np.cumsum(cells.counts)
    inner = cell_of(np.array(before.edges, dtype=np.float64), origin)
    ends = reached[[first - 1, *inner.tolist(), last]]
    new = np.diff([0, *ends.tolist(), cells.finite]).astype(np.float64)
    outside = (
        _distance(cells, below, slice(0, first)),
        _distance(cells, above, slice(last + 1, None)),
    )
    return Bins(edges, old, new, False, cells.filled, outside)


def _distance(cells: FineCells, limit: float, where: slice) -> float:
    """How far the mean row lies beyond a limit; each row in the middle of its cell."""
    held = np.flatnonzero(cells.counts[where]) + (where.start or 0)
    if len(held) == 0:
        return 0.0
    with np.errstate(over="ignore"):
        ends = upper_limits(np.concatenate([held, held - 1]), cells.origin).reshape(2, -1)
        away = np.abs(ends[0] / 2 + ends[1] / 2 - limit)
        return float(np.sum(cells.counts[held] * away)) / cells.finite


def _exact_bins(
    before: ColumnProfile,
    current: Table,
    edges: tuple[float, ...],
    old: Counts,
    sampled: int | None,
) -> Bins:
    """The reference has few different values: count those of the current data one by one."""
    found = value_counts(current, before.name, sampled=sampled)
    if found is None:
        return _between_values(before, current, edges, old)
    low, high = edges[1], edges[-1]
    at = np.array(list(found.rows), dtype=np.float64)
    counted = np.array(list(found.rows.values()), dtype=np.float64)
    place = np.searchsorted(np.array(edges), at, side="left")
    new = np.bincount(place, weights=counted, minlength=len(old)).astype(np.float64)
    rows = max(1.0, float(counted.sum()))
    outside = (
        float(np.sum(counted * np.maximum(0.0, low - at))) / rows,
        float(np.sum(counted * np.maximum(0.0, at - high))) / rows,
    )
    known = set(found.rows) <= set(before.edges)
    return Bins(edges, old, new, known, found.filled, outside)


def _between_values(
    before: ColumnProfile, current: Table, edges: tuple[float, ...], old: Counts
) -> Bins:
    """The same where the current data have too many values to hold: some lie between the edges."""
    new = np.array(bin_counts(current, before.name, edges), dtype=np.float64)
    cells = count_cells(current, before.name)
    low, high = edges[1], edges[-1]
    first, last = cell_of(np.array([low, high]), 0.0).tolist()
    outside = _distance(cells, low, slice(0, first)), _distance(cells, high, slice(last + 1, None))
    return Bins(edges, old, new, False, cells.filled, outside)


def filled_rows(current: Table, column: str) -> int:
    return int(current.fetch(f"count({current.sql(column)}) FROM t")[0][0])
