"""Rows of a column by value, by category or by hashed category, with bounded memory."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from guiderail.measure.distinct_rows import sampled_distinct
from guiderail.measure.table import Table

MOST_CATEGORIES = 200
"""Values of a text column above which none is kept: then they are names or keys more often."""
MOST_HASHED = 100_000
BUCKETS = 64

_COUNTED_AS_VALUES = 5000


@dataclass(frozen=True, slots=True)
class ValueCounts:
    """Rows of each finite number, and rows with a value, finite or not."""

    rows: dict[float, int]
    filled: int


def value_counts(
    table: Table, column: str, most: int = _COUNTED_AS_VALUES, *, sampled: int | None = None
) -> ValueCounts | None:
    """Rows of each number; None where there are more than `most` of them.

    sampled: about how many a sample holds, where that is known already.
    """
    if sampled is None:
        sampled = sampled_distinct(table, [column])[column]
    if sampled > 2 * most:
        return None
    number = f"CAST({table.sql(column)} AS DOUBLE)"
    found = table.fetch(f"{number}, count(*) FROM t GROUP BY 1 LIMIT {most + 4}")
    finite: dict[float, int] = {}
    filled = 0
    for value, rows in found:
        if value is None:
            continue
        filled += int(rows)
        if math.isfinite(value):
            finite[value + 0.0] = finite.get(value + 0.0, 0) + int(rows)
    return None if len(finite) > most else ValueCounts(finite, filled)


def bin_counts(table: Table, column: str, edges: Sequence[float]) -> tuple[int, ...]:
    """Finite values per bin (lower limit excluded, upper included); one bin more than edges.

    Any edges, at the price of a search for every value.
    """
    number = f"CAST({table.sql(column)} AS DOUBLE)"
    cut = ", ".join(f"{edge:.17e}" for edge in edges)
    found = table.fetch(f"histogram({number}, [{cut}]) FILTER (isfinite({number})) FROM t")
    per_edge: dict[float, int] = found[0][0] or {}
    return tuple(int(per_edge.get(edge, 0)) for edge in (*edges, float("inf")))


def category_counts(
    table: Table, column: str, *, sampled: int | None = None
) -> dict[str, int] | None:
    """Rows per value of a text or boolean column; None above MOST_HASHED distinct values."""
    if sampled is None:
        sampled = sampled_distinct(table, [column])[column]
    if sampled > MOST_HASHED // 2:
        return None
    name = table.sql(column)
    found = table.fetch(
        f"CAST({name} AS VARCHAR), count(*) FROM t WHERE {name} IS NOT NULL "
        f"GROUP BY {name} LIMIT {MOST_HASHED + 1}"
    )
    if len(found) > MOST_HASHED:
        return None
    return {str(value): int(count) for value, count in sorted(found)}


def hashed(categories: Mapping[str, int]) -> tuple[int, ...]:
    """Rows in BUCKETS buckets, by the first byte of the SHA-256 of the value.

    Many values share a bucket, so none can be read back, and a bucket moves when its values do.
    """
    counts = np.zeros(BUCKETS, dtype=np.int64)
    for value, rows in categories.items():
        counts[hashlib.sha256(value.encode()).digest()[0] % BUCKETS] += rows
    return tuple(int(count) for count in counts)
