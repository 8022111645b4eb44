"""How decisions and scores go with a protected attribute that is a number, without ranges.

Positive means: the larger the number, the more often selected (or the higher the score).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from guiderail.core.interval import Interval
from guiderail.measure.distinct_rows import as_values, sampled_distinct
from guiderail.measure.groups import is_selected
from guiderail.measure.rank_correlation import rank_correlation, rows_with_both
from guiderail.measure.remote import RemoteTable
from guiderail.measure.scored_rows import missing
from guiderail.measure.table import Table
from guiderail.measure.unmeasurable import NotMeasurable

MOST_NUMBERS = 50_000
"""Different values of an attribute that are counted; with more, every row would come back."""

MOST_SCORED = 1_000_000
"""Rows whose scores are ranked one by one."""

NUMERIC = frozenset({"integer", "number"})


@dataclass(frozen=True, slots=True)
class AttributeRanks:
    """One attribute. n: rows in which both are known."""

    attribute: str
    goes_with: Literal["decision", "score"]
    n: int
    found: Interval | NotMeasurable


def table_ranks(
    table: Table | RemoteTable, attributes: Mapping[str, Any], decision: str, selected: object
) -> tuple[AttributeRanks, ...]:
    """Of every numeric attribute with the decision, from counts. Raises InputError."""
    numeric = [name for name in attributes if table.type_of(name) in NUMERIC]
    distinct = sampled_distinct(table, numeric)
    found = []
    for name in numeric:
        if distinct[name] > MOST_NUMBERS:
            reason = f"{name} has more than {MOST_NUMBERS} different values"
            found.append(AttributeRanks(name, "decision", 0, NotMeasurable(reason)))
            continue
        rows = _pairs(table, name, decision)
        numbers = as_values([row[0] for row in rows], "number")
        decided = as_values([row[1] for row in rows], table.type_of(decision))
        counts = np.array([row[2] for row in rows], dtype=np.float64)
        found.append(decision_ranks(name, numbers, decided, selected, counts))
    return tuple(found)


def decision_ranks(
    name: str,
    numbers: NDArray[Any],
    decided: NDArray[Any],
    selected: object,
    counts: NDArray[np.float64] | None = None,
) -> AttributeRanks:
    """Of one attribute. counts: how many rows each entry stands for."""
    yes = np.where(missing(decided), np.nan, is_selected(decided, selected).astype(np.float64))
    return _ranks(name, "decision", numbers, yes, counts)


def score_ranks(table: Table, attributes: Mapping[str, Any], score: str) -> list[AttributeRanks]:
    """Of every numeric attribute with a score, row by row. Raises InputError."""
    numeric = [name for name in attributes if table.type_of(name) in NUMERIC]
    if table.type_of(score) not in NUMERIC:
        return []
    if table.rows > MOST_SCORED:
        why = NotMeasurable(f"more than {MOST_SCORED} rows are not ranked by their scores")
        return [AttributeRanks(name, "score", 0, why) for name in numeric]
    frame = table.frame([*dict.fromkeys([*numeric, score])])
    return [_ranks(name, "score", frame[name], frame[score], None) for name in numeric]


def _ranks(
    name: str,
    goes_with: Literal["decision", "score"],
    numbers: NDArray[Any],
    other: NDArray[Any],
    counts: NDArray[np.float64] | None,
) -> AttributeRanks:
    x, y = numbers.astype(np.float64), other.astype(np.float64)
    n = rows_with_both(x, y, counts)
    return AttributeRanks(name, goes_with, n, rank_correlation(x, y, counts))


def _pairs(table: Table | RemoteTable, name: str, decision: str) -> list[tuple[Any, ...]]:
    """Each number with each decision, and the rows of both."""
    if not isinstance(table, Table):
        return [tuple(row) for row in table.combinations([name, decision], {})]
    return table.fetch(f"{table.sql(name)}, {table.sql(decision)}, count(*) FROM t GROUP BY 1, 2")
