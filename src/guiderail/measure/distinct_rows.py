"""A table of any size as its distinct rows of a few columns, each with the number of its rows.

One `GROUP BY` reads the file once, or runs where a warehouse keeps the table; what comes back is
small enough for the kernels that take arrays. Before it, a sample (one percent, and at least
100,000 rows) says which numbers need ranges and which columns have far too many values; what the
sample missed is caught in the result.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from guiderail.measure.attribute_values import (
    MOST_DISTINCT_NUMBERS,
    MOST_VALUES,
    Counts,
    ascending,
    quartile_edges,
    too_many_values,
)
from guiderail.measure.groups import MOST_DECISIONS
from guiderail.measure.remote import RemoteTable
from guiderail.measure.table import ColumnType, Table, Values
from guiderail.measure.unmeasurable import NotMeasurable

BINS = 10
"""Equally wide bins of a score between 0 and 1."""

_SAMPLE_ROWS = 100_000
_COUNTED_FULLY = 5000


@dataclass(frozen=True, slots=True)
class DistinctRows:
    """Distinct combinations: `frame[name][i]` occurs `counts[i]` times.

    edges: the ranges of the numeric attributes, declared or quartiles; their column in `frame`
        holds one number of each range, and NaN for null and infinities.
    bins, score_sums: only with a score, see `distinct_rows`.
    """

    frame: Mapping[str, Values]
    counts: Counts
    edges: Mapping[str, tuple[float, ...]]
    bins: Values | None = None
    score_sums: Counts | None = None


def distinct_rows(
    table: Table | RemoteTable,
    attributes: Mapping[str, Sequence[float] | None],
    outcomes: Sequence[str],
    *,
    score: str | None = None,
) -> DistinctRows | NotMeasurable:
    """Count the combinations of attributes and outcomes.

    attributes: columns that make groups, with the edges of their ranges or None.
    outcomes: decisions and labels. score: a column of numbers from 0 to 1; its bin, one of BINS,
        is part of the combination and the sum of the scores is given back.
    Raises InputError for a column that the file does not have, ValueError for edges that do not
    ascend. An attribute or outcome with too many values and a score that is none are NotMeasurable.
    """
    if table.rows == 0:
        return NotMeasurable("there are no rows")
    edges = _edges(table, attributes, outcomes)
    if isinstance(edges, NotMeasurable):
        return edges
    if score is not None:
        problem = _score_problem(table, score)
        if problem is not None:
            return problem
    names = list(dict.fromkeys([*attributes, *outcomes]))
    rows = _combinations(table, names, edges, score)
    columns = list(zip(*rows, strict=True))
    frame = {
        name: as_values(columns[i], "number" if name in edges else table.type_of(name))
        for i, name in enumerate(names)
    }
    place = len(names) if score is None else len(names) + 1
    counts = np.array(columns[place], dtype=np.float64)
    if score is None:
        return DistinctRows(frame, counts, edges)
    bins = np.array(columns[len(names)], dtype=np.int64)
    return DistinctRows(frame, counts, edges, bins, np.array(columns[-1], dtype=np.float64))


def _combinations(
    table: Table | RemoteTable,
    names: Sequence[str],
    edges: Mapping[str, tuple[float, ...]],
    score: str | None,
) -> list[tuple[Any, ...]]:
    """The combinations, the bin of the score, the rows and the sum of the scores."""
    if not isinstance(table, Table):
        found = table.combinations(names, edges, score, BINS)
        return [_with_numbers(row, names, edges) for row in found]
    # Identifiers are c0, c1, ... and limits are numbers: nothing of the file is in the statement.
    keys = [_binned(table, name, edges.get(name)) for name in names]
    added = ["count(*)"]
    if score is not None:
        column = table.sql(score)
        keys.append(f"least(CAST(floor({column} * {BINS}) AS BIGINT), {BINS - 1})")
        added.append(f"sum({column})")
    numbers = ", ".join(str(place + 1) for place in range(len(keys)))
    return table.fetch(f"{', '.join(keys + added)} FROM t GROUP BY {numbers}")


def _with_numbers(
    row: tuple[Any, ...], names: Sequence[str], edges: Mapping[str, tuple[float, ...]]
) -> tuple[Any, ...]:
    """One number of each range in place of the number of the range."""
    cells = list(row)
    for i, name in enumerate(names):
        if name in edges and cells[i] is not None:
            cells[i] = edges[name][cells[i]] if cells[i] >= 0 else _below(edges[name])
    return tuple(cells)


def as_values(cells: Sequence[Any], kind: ColumnType) -> Values:
    """Cells of one column as `Table.frame` gives them, null kept as null."""
    null = any(cell is None for cell in cells)
    if kind == "number":
        return np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)
    if kind == "integer" and not null:
        return np.array(cells, dtype=np.int64)
    if kind == "integer" and all(cell is None or abs(cell) <= 2**53 for cell in cells):
        return np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)
    if kind == "boolean" and not null:
        return np.array(cells, dtype=bool)
    found = np.empty(len(cells), dtype=object)
    found[:] = cells
    return found


def _edges(
    table: Table | RemoteTable,
    attributes: Mapping[str, Sequence[float] | None],
    outcomes: Sequence[str],
) -> dict[str, tuple[float, ...]] | NotMeasurable:
    """The ranges of every attribute that is put into ranges."""
    found: dict[str, tuple[float, ...]] = {}
    numeric = {name for name in attributes if table.type_of(name) in {"integer", "number"}}
    distinct = sampled_distinct(table, [*attributes, *outcomes])
    for name in outcomes:
        if distinct[name] > 2 * MOST_DECISIONS:
            return NotMeasurable(
                f"{name} has more than {MOST_DECISIONS} different values: it holds scores or keys, "
                "and no decisions"
            )
    for name, declared in attributes.items():
        if declared is not None:
            if name not in numeric and not _is_empty(table, name):
                return NotMeasurable(f"{name} is {table.type_of(name)}, only numbers have ranges")
            if name in numeric:
                found[name] = tuple(ascending(declared))
        elif name not in numeric:
            if distinct[name] > 2 * MOST_VALUES:
                return too_many_values(name)
        elif distinct[name] > MOST_DISTINCT_NUMBERS:
            edges = _quartiles(table, name, distinct[name])
            if edges is not None:
                found[name] = edges
    return found


def sampled_distinct(table: Table | RemoteTable, names: Sequence[str]) -> dict[str, int]:
    """About how many different values each column has in a sample; less than in the table."""
    unique = list(dict.fromkeys(names))
    if not unique:
        return {}
    if not isinstance(table, Table):
        return table.distinct(unique)
    source = "t"
    if table.rows > _SAMPLE_ROWS:
        percent = max(1, math.ceil(100 * _SAMPLE_ROWS / table.rows))
        source = f"t USING SAMPLE {percent} PERCENT (system, 7)"
    counted = ", ".join(f"approx_count_distinct({table.sql(name)})" for name in unique)
    read = ", ".join(dict.fromkeys(table.sql(name) for name in unique))
    row = table.fetch(f"{counted} FROM (SELECT {read} FROM {source})")[0]  # noqa: S608 - generated
    return {name: int(count) for name, count in zip(unique, row, strict=True)}


def _quartiles(table: Table | RemoteTable, name: str, sampled: int) -> tuple[float, ...] | None:
    """Edges of the quarters; None where the numbers are few after all."""
    if not isinstance(table, Table):
        counted = table.values(name, _COUNTED_FULLY) if sampled <= 2 * _COUNTED_FULLY else None
        return _remote_quartiles(table, name) if counted is None else _few_or_quarters(counted)
    if sampled > _COUNTED_FULLY:
        return tuple(quartile_edges(table.column(name), None))
    column = table.sql(name)
    return _few_or_quarters(table.fetch(f"{column}, count(*) FROM t GROUP BY 1"))


def _remote_quartiles(table: RemoteTable, name: str) -> tuple[float, ...]:
    """As `quartile_edges` of the whole column, without fetching it."""
    known = table.summary(name).finite
    lowest = table.at_ranks(name, [1])
    found = table.at_ranks(name, [math.ceil(known * quarter / 4) for quarter in (1, 2, 3)])
    return tuple(edge for edge in found if edge > lowest[0])


def _few_or_quarters(rows: Sequence[tuple[Any, ...]]) -> tuple[float, ...] | None:
    values = as_values([value for value, _ in rows], "number")
    if int(np.isfinite(values).sum()) <= MOST_DISTINCT_NUMBERS:
        return None
    return tuple(quartile_edges(values, np.array([count for _, count in rows], dtype=np.float64)))


def _binned(table: Table, name: str, edges: tuple[float, ...] | None) -> str:
    """The column, or one number of the range that its number falls into."""
    column = table.sql(name)
    if edges is None:
        return column
    unknown = f"{column} IS NULL"
    if table.type_of(name) == "number":
        unknown += f" OR NOT isfinite({column})"
    cases = f"CASE WHEN {unknown} THEN NULL"
    before = repr(_below(edges))
    for edge in edges:
        cases += f" WHEN {column} < {_number(edge)} THEN {_number(before)}"
        before = repr(edge)
    return f"{cases} ELSE {_number(before)} END"


def _below(edges: Sequence[float]) -> float:
    """A number of the lowest range."""
    return math.nextafter(edges[0], -math.inf) if edges else 0.0


def _number(value: float | str) -> str:
    return f"'{float(value)!r}'::DOUBLE"


def _score_problem(table: Table | RemoteTable, score: str) -> NotMeasurable | None:
    if _is_empty(table, score):
        return NotMeasurable(f"{score} holds no values, a score is a number from 0 to 1")
    if table.type_of(score) not in {"integer", "number"}:
        return NotMeasurable(f"{score} is {table.type_of(score)}, a score is a number from 0 to 1")
    row = _missing_and_outside(table, score)
    if row[0]:
        return NotMeasurable(f"{row[0]} of {table.rows} cells of {score} are missing or no number")
    if row[1]:
        return NotMeasurable(f"{row[1]} of {table.rows} cells of {score} lie outside 0 to 1")
    return None


def _is_empty(table: Table | RemoteTable, name: str) -> bool:
    """Whether no row has a value: outside CSV such a column has a type all the same."""
    kind = table.type_of(name)
    if kind != "text":
        return kind == "empty"
    if not isinstance(table, Table):
        return not table.filled(name)
    return not table.fetch(f"count({table.sql(name)}) FROM t")[0][0]


def _missing_and_outside(table: Table | RemoteTable, score: str) -> tuple[Any, ...]:
    if not isinstance(table, Table):
        return table.outside(score, 0.0, 1.0)
    column = table.sql(score)
    return table.fetch(
        f"count(*) FILTER ({column} IS NULL OR isnan(CAST({column} AS DOUBLE))), "
        f"count(*) FILTER ({column} < 0 OR {column} > 1) FROM t"
    )[0]
