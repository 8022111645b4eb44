"""Rows of a column by value, by category or by hashed category, with bounded memory."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from guiderail.measure.distinct_rows import sampled_distinct
from guiderail.measure.table import Table

MOST_CATEGORIES = 200
"""Values of a text column above which none is kept: then they are names or keys more often."""
MOST_HASHED = 100_000
BUCKETS = 64

_COUNTED_AS_VALUES = 5000


def value_counts(
    table: Table, column: str, most: int = _COUNTED_AS_VALUES
) -> dict[float, int] | None:
    """Rows of each finite number; None where there are more than `most` of them."""
    number = f"CAST({table.sql(column)} AS DOUBLE)"
    if sampled_distinct(table, [column])[column] > 2 * most:
        return None
    found = table.fetch(
        f"{number} + 0.0, count(*) FROM t WHERE isfinite({number}) GROUP BY 1 LIMIT {most + 1}"
    )
    return None if len(found) > most else {float(value): int(rows) for value, rows in found}


def bin_counts(table: Table, column: str, edges: Sequence[float]) -> tuple[int, ...]:
    """Finite values per bin (lower limit excluded, upper included); one bin more than edges.

    Any edges, at the price of a search for every value.
    """
    number = f"CAST({table.sql(column)} AS DOUBLE)"
    cut = ", ".join(f"{edge:.17e}" for edge in edges)
    found = table.fetch(f"histogram({number}, [{cut}]) FILTER (isfinite({number})) FROM t")
    per_edge: dict[float, int] = found[0][0] or {}
    return tuple(int(per_edge.get(edge, 0)) for edge in (*edges, float("inf")))


def category_counts(table: Table, column: str) -> dict[str, int] | None:
    """Rows per value of a text or boolean column; None above MOST_HASHED distinct values."""
    if sampled_distinct(table, [column])[column] > MOST_HASHED // 2:
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
