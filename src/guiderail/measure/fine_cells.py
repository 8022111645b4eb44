"""Numbers of a column counted into 65,536 cells, in one pass and with bounded memory.

A value v lies in the cell of the upper 16 bits of the 32-bit floating number nearest to v - origin:
sign, exponent and 7 bits of fraction; minus zero is zero. Around the origin cells are narrow, away
from it each is at most 1/128 of its distance wide. The cell of a value never falls when the value
rises, so counts of cells are counts between limits (`upper_limits`), and any set of limits can be
counted exactly by summing cells: no search, no sort. Numbers beyond 3.4e38 share the outermost
cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guiderail.core.errors import InputError
from guiderail.measure.remote import RemoteTable
from guiderail.measure.table import Table

CELLS = 2**16
_AT_ONCE = 2**15
"""Rows whose cells are found together: they stay in the processor's cache."""
_TOGETHER = 8
"""Columns read by one statement: each statement has its price, each column its memory."""
_LARGEST = float(np.finfo(np.float32).max)
_INFINITE = 0x7F80
"""Upper 16 bits of infinity; what is above it (and at most 0x7FFF) is NaN."""
_OUTERMOST = (2**15 - _INFINITE, 2**15 + _INFINITE - 1)
"""The cells of the lowest and of the highest finite numbers."""

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FineCells:
    """counts: rows of each cell, lowest values first; infinities and NaN are in none.

    filled: rows with a value, whatever it is.
    """

    origin: float
    counts: Counts
    filled: int

    @property
    def finite(self) -> int:
        return int(self.counts.sum())


def count_cells(table: Table | RemoteTable, column: str, origin: float = 0.0) -> FineCells:
    """Count the cells of a numeric column. Raises InputError where the file cannot be read."""
    return count_columns(table, {column: origin})[column]


def count_columns(table: Table | RemoteTable, origins: Mapping[str, float]) -> dict[str, FineCells]:
    """The same for several columns, each with its origin, some at a time."""
    if not isinstance(table, Table):
        return {
            name: _ordered_cells(origin, table.cell_bits(name, origin), table.filled(name))
            for name, origin in origins.items()
        }
    found: dict[str, FineCells] = {}
    names = list(origins)
    for start in range(0, len(names), _TOGETHER):
        group = names[start : start + _TOGETHER]
        plain = [_near(table, name, origins[name], exact=False) for name in group]
        try:
            counted = _count(table, plain)
        except InputError:  # a number beyond the 32-bit range, or a file that cannot be read
            counted = []
        for place, name in enumerate(group):
            bits, filled = counted[place] if counted else (None, 0)
            if bits is None or bits[_INFINITE] or bits[_INFINITE + 2**15]:
                # Refused, or rounded to an infinity: slower, with the outermost cells as limits.
                bits, filled = _count(table, [_near(table, name, origins[name], exact=True)])[0]
            found[name] = _ordered_cells(origins[name], bits, filled)
    return found


def _near(table: Table, column: str, origin: float, *, exact: bool) -> str:
    """SQL of the 32-bit number nearest to a value minus the origin."""
    name = table.sql(column)
    number = name if table.type_of(column) == "number" else f"CAST({name} AS DOUBLE)"
    moved = number if origin == 0 else f"{number} + {_literal(-origin)}"
    if not exact:
        return f"CAST({moved} AS FLOAT)"
    kept = f"greatest(least({moved}, {_literal(_LARGEST)}), {_literal(-_LARGEST)})"
    return f"CAST(CASE WHEN isfinite({number}) THEN {kept} ELSE {number} END AS FLOAT)"


def _ordered_cells(origin: float, bits: Counts, filled: int) -> FineCells:
    negative, positive = bits[2**15 : 2**15 + _INFINITE], bits[:_INFINITE]
    counts = np.zeros(CELLS, dtype=np.int64)
    counts[2**15 - _INFINITE : 2**15 - 1] = negative[:0:-1]
    counts[2**15 : 2**15 + _INFINITE] = positive
    counts[2**15] += negative[0]  # minus zero is zero
    return FineCells(origin, counts, filled)


def cell_of(values: NDArray[np.float64], origin: float, finer: int = 0) -> NDArray[np.int64]:
    """The cell of each finite value, as `count_cells` counts it.

    finer: how many further bits of the fraction tell cells apart, each doubling their number.
    """
    with np.errstate(over="ignore", under="ignore"):
        moved = values if origin == 0 else values + -origin
        near = np.clip(moved, -_LARGEST, _LARGEST).astype(np.float32)
    bits = (near.view(np.uint32) >> (16 - finer)).astype(np.int64)
    half = 2 ** (15 + finer)
    return np.asarray(np.where(bits > half, 2 * half - 1 - bits, half + bits % half))


def middle_of(cells: FineCells) -> float:
    """The upper limit of the cell of the median: an origin around which cells are narrow."""
    median = np.searchsorted(np.cumsum(cells.counts), cells.finite / 2)
    return float(upper_limits(np.array([median], dtype=np.int64), cells.origin)[0])


def upper_limits(cells: NDArray[np.int64], origin: float) -> NDArray[np.float64]:
    """The largest number of each cell, or of the nearest lower one that any number falls into."""
    last, lowest, highest = float(np.finfo(np.float64).max), *_OUTERMOST
    border = _border(np.clip(cells, lowest, highest - 1))
    with np.errstate(over="ignore", under="ignore"):
        # One number further on each side than rounding the sum can be off.
        below = np.nextafter(np.nextafter(border, -np.inf) + origin, -np.inf)
        above = np.nextafter(np.nextafter(border, np.inf) + origin, np.inf)
    low, high = (_ordered(np.clip(ends, -last, last)) for ends in (below, above))
    while (low < high).any():  # bisection over the floating numbers between, a few rounds mostly
        middle = low // 2 + high // 2 + (low % 2 + high % 2 + 1) // 2
        inside = cell_of(_number(middle), origin) <= cells
        low = np.where(inside, middle, low)
        high = np.where(inside, high, middle - 1)
    return np.where(cells < lowest, -last, np.where(cells < highest, _number(low), last))


def _border(cells: NDArray[np.int64]) -> NDArray[np.float64]:
    """The middle between the last 32-bit number of each cell and the next one, which is exact."""
    half = 2**15
    # Just below the cell of zero is one that is never counted: its numbers are taken for zero.
    negative = np.minimum(cells, half - 2)
    bits = np.where(cells < half, (2 * half - 1 - negative) << 16, ((cells - half) << 16) + 0xFFFF)
    last = bits.astype(np.uint32).view(np.float32)
    following = np.nextafter(last, np.float32(np.inf))
    return (last.astype(np.float64) + following.astype(np.float64)) / 2


def _ordered(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole numbers in the order of the floating ones."""
    bits = values.view(np.int64)
    return np.where(bits < 0, np.iinfo(np.int64).min - bits, bits)


def _number(ordered: NDArray[np.int64]) -> NDArray[np.float64]:
    bits = np.where(ordered < 0, np.iinfo(np.int64).min - ordered, ordered)
    return bits.astype(np.int64).view(np.float64) + 0.0


def _count(table: Table, columns: Sequence[str]) -> list[tuple[Counts, int]]:
    """Of each 32-bit column, rows by its upper 16 bits, and how many are not null."""
    bits = np.zeros((len(columns), CELLS), dtype=np.int64)
    place = np.empty(_AT_ONCE, dtype=np.intp)
    filled = [0] * len(columns)
    for batch in table.arrays(f"{', '.join(columns)} FROM t"):
        for i, (values, known) in enumerate(batch):
            kept = values if known is None else values[known]
            upper = kept.view(np.uint16)[1::2]  # little-endian: the upper half comes second
            for start in range(0, len(upper), _AT_ONCE):
                part = upper[start : start + _AT_ONCE]
                place[: len(part)] = part
                np.add.at(bits[i], place[: len(part)], 1)
            filled[i] += len(kept)
    return list(zip(bits, filled, strict=True))


def _literal(value: float) -> str:
    return f"'{value!r}'::DOUBLE"
