"""The stored profile of a table's columns: fixed bins and counts, against which drift is measured.

Stored as JSON with a version and a digest over everything else. Numbers with a fraction are decimal
strings, so that the digest is the same everywhere. Text columns with more than 200 distinct values
keep counts of hash buckets and no values at all: such values are names or keys of people more often
than categories.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from guiderail.core.digest import Digest, decimal_string, json_digest
from guiderail.core.errors import InputError, IntegrityError, Place
from guiderail.measure.column_counts import (
    MOST_CATEGORIES,
    category_counts,
    hashed,
    value_counts,
)
from guiderail.measure.fine_cells import (
    FineCells,
    cell_of,
    count_cells,
    count_columns,
    middle_of,
    upper_limits,
)
from guiderail.measure.table import ColumnType, Table, open_table

PROFILE_VERSION = 2
MOST_EDGES = 100
"""A numeric column with more distinct values is binned at its percentiles."""
_SHARES = (0.0001, 0.001, 0.005, *(i / 100 for i in range(1, 100)), 0.995, 0.999, 0.9999)
"""Finer at both ends, where few rows may lie far apart."""
_FINE_ENOUGH = 0.005
"""Share of the rows in one cell; where more fall into one, cells are counted from the median."""
_MOST_MOVED = 1e30


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column of the reference.

    nulls, not_finite: rows without a value, and with NaN or an infinity.
    edges: for numbers, the ascending upper limits of the bins; counts has one bin more, for values
        above the last edge. With `exact` the edges are all distinct values that occur.
    low, high: smallest and largest finite value; None where there is none.
    origin: of the fine cells at whose limits the edges lie; None where `exact`.
    categories: (value, rows) for text and booleans, or None above 200 distinct values; buckets
        then holds rows by hashed value, or is empty above 100,000. distinct: how many there are.
    """

    name: str
    type: ColumnType
    nulls: int
    not_finite: int = 0
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    exact: bool = False
    low: float | None = None
    high: float | None = None
    origin: float | None = None
    categories: tuple[tuple[str, int], ...] | None = None
    buckets: tuple[int, ...] = ()
    distinct: int | None = None

    @property
    def numeric(self) -> bool:
        return self.type in {"integer", "number"}


@dataclass(frozen=True, slots=True)
class Profile:
    """Profile of `rows` rows; `digest` identifies it in reports."""

    rows: int
    columns: tuple[ColumnProfile, ...]

    @property
    def digest(self) -> Digest:
        return json_digest(self._content())

    def to_json(self) -> str:
        return json.dumps({**self._content(), "digest": self.digest}, indent=1) + "\n"

    def _content(self) -> dict[str, Any]:
        return {
            "profile_version": PROFILE_VERSION,
            "rows": self.rows,
            "columns": [_to_plain(column) for column in self.columns],
        }


def make_profile(source: Path | Table, columns: Sequence[str] | None = None) -> Profile:
    """Profile the named columns, or all. Raises InputError for an unknown name or a bad file."""
    if isinstance(source, Table):
        return _of_table(source, columns)
    with open_table(source) as table:
        return _of_table(table, columns)


def read_profile(path: Path) -> Profile:
    """Read a stored profile.

    Raises InputError when it is missing, not a profile or of another version, and IntegrityError
    when its content does not match its digest.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        raise _not_a_profile(path, f"The profile cannot be read: {reason}.") from None
    except (ValueError, RecursionError):
        raise _not_a_profile(path, "The file is not JSON.") from None
    if not isinstance(stored, dict) or "profile_version" not in stored:
        raise _not_a_profile(path, "The file is not a profile.")
    if stored["profile_version"] != PROFILE_VERSION:
        raise _not_a_profile(
            path, f"The profile has version {stored['profile_version']}, not {PROFILE_VERSION}."
        )
    try:
        profile = Profile(
            _count(stored["rows"]), tuple(_from_plain(column) for column in stored["columns"])
        )
        digest = profile.digest
    except (KeyError, TypeError, ValueError) as error:
        raise _not_a_profile(path, f"The profile is incomplete or damaged ({error}).") from None
    if digest != stored.get("digest"):
        raise IntegrityError(
            "The profile does not match its digest.",
            advice="Make it again from the reference data.",
            code="integrity/profile",
            place=Place(str(path)),
        )
    return profile


def _of_table(table: Table, names: Sequence[str] | None) -> Profile:
    wanted = table.names if names is None else tuple(names)
    numeric = [name for name in wanted if table.type_of(name) in {"integer", "number"}]
    cells = count_columns(table, dict.fromkeys(numeric, 0.0)) if table.rows else {}
    return Profile(table.rows, tuple(_column(table, name, cells) for name in wanted))


def _column(table: Table, name: str, counted: Mapping[str, FineCells]) -> ColumnProfile:
    kind = table.type_of(name)
    if kind not in {"integer", "number"}:
        return _of_categories(table, name, kind)
    number = f"CAST({table.sql(name)} AS DOUBLE)"
    filled, finite, low, high = table.fetch(
        f"count({table.sql(name)}), count(*) FILTER (isfinite({number})), "
        f"min({number}) FILTER (isfinite({number})), max({number}) FILTER (isfinite({number})) "
        "FROM t"
    )[0]
    plain = ColumnProfile(
        name,
        kind,
        table.rows - int(filled),
        not_finite=int(filled) - int(finite),
        low=None if low is None else float(low) + 0.0,
        high=None if high is None else float(high) + 0.0,
    )
    if plain.low is None or plain.high is None:
        return plain
    cells = counted[name]
    if np.count_nonzero(cells.counts) <= MOST_EDGES:
        values = value_counts(table, name, MOST_EDGES)
        if values is not None:
            edges = tuple(sorted(values.rows))
            counts = (*(values.rows[edge] for edge in edges), 0)
            return replace(plain, edges=edges, counts=counts, exact=True)
    if cells.counts.max() > _FINE_ENOUGH * cells.finite and abs(plain.high) < _MOST_MOVED:
        origin = middle_of(cells)
        if abs(origin) < _MOST_MOVED:
            cells = count_cells(table, name, min(max(origin, plain.low), plain.high))
    return _of_cells(plain, plain.high, cells)


def _of_cells(plain: ColumnProfile, high: float, cells: FineCells) -> ColumnProfile:
    """Edges at the cells where the wanted shares are reached."""
    reached = np.cumsum(cells.counts)
    wanted = np.ceil(np.array(_SHARES) * cells.finite)
    ends = np.unique(np.searchsorted(reached, wanted))
    limits = upper_limits(ends, cells.origin)
    inner = limits < high
    at_edge = reached[ends[inner]]
    counts = np.diff([0, *at_edge.tolist(), cells.finite])
    return replace(
        plain,
        edges=tuple(float(limit) for limit in limits[inner]),
        counts=tuple(int(count) for count in counts),
        origin=cells.origin,
    )


def _of_categories(table: Table, name: str, kind: ColumnType) -> ColumnProfile:
    nulls = table.rows - int(table.fetch(f"count({table.sql(name)}) FROM t")[0][0])
    found = {} if kind == "empty" else category_counts(table, name)
    if found is None:
        return ColumnProfile(name, kind, nulls)
    if len(found) > MOST_CATEGORIES:
        return ColumnProfile(name, kind, nulls, buckets=hashed(found), distinct=len(found))
    return ColumnProfile(name, kind, nulls, categories=tuple(found.items()), distinct=len(found))


def _to_plain(column: ColumnProfile) -> dict[str, Any]:
    plain: dict[str, Any] = {"name": column.name, "type": column.type, "nulls": column.nulls}
    if column.numeric:
        return plain | {
            "not_finite": column.not_finite,
            "edges": [decimal_string(edge) for edge in column.edges],
            "counts": list(column.counts),
            "exact": column.exact,
            "low": None if column.low is None else decimal_string(column.low),
            "high": None if column.high is None else decimal_string(column.high),
            "origin": None if column.origin is None else decimal_string(column.origin),
        }
    categories = column.categories
    listed = None if categories is None else [list(category) for category in categories]
    found = {"categories": listed, "buckets": list(column.buckets), "distinct": column.distinct}
    return plain | found


def _from_plain(plain: dict[str, Any]) -> ColumnProfile:
    name, kind, nulls = str(plain["name"]), plain["type"], _count(plain["nulls"])
    if kind in {"integer", "number"}:
        return _numbers_from_plain(name, kind, nulls, plain)
    if kind not in {"text", "boolean", "empty"}:
        raise ValueError(f"the type of {name}")
    listed = plain["categories"]
    return ColumnProfile(
        name,
        kind,
        nulls,
        categories=None
        if listed is None
        else tuple((str(value), _count(count)) for value, count in listed),
        buckets=tuple(_count(count) for count in plain["buckets"]),
        distinct=None if plain["distinct"] is None else _count(plain["distinct"]),
    )


def _numbers_from_plain(
    name: str, kind: ColumnType, nulls: int, plain: dict[str, Any]
) -> ColumnProfile:
    edges = tuple(float(edge) for edge in plain["edges"])
    counts = tuple(_count(count) for count in plain["counts"])
    low, high, origin = (
        None if plain[key] is None else float(plain[key]) for key in ("low", "high", "origin")
    )
    exact = bool(plain["exact"])
    bounded = low is not None and high is not None and low <= high
    if (
        list(edges) != sorted(set(edges))
        or len(counts) != (len(edges) + 1 if bounded else 0)
        or (exact or origin is not None) != bounded
        or not all(math.isfinite(edge) for edge in edges)
        or not (exact or _at_limits(edges, origin or 0.0))
    ):
        raise ValueError(f"the bins of {name}")
    return ColumnProfile(
        name,
        kind,
        nulls,
        not_finite=_count(plain["not_finite"]),
        edges=edges,
        counts=counts,
        exact=exact,
        low=low,
        high=high,
        origin=origin,
    )


def _at_limits(edges: tuple[float, ...], origin: float) -> bool:
    """Whether each edge is the last number of its fine cell, so that cells count the bins."""
    at = np.array(edges, dtype=np.float64)
    return bool((cell_of(np.nextafter(at, np.inf), origin) > cell_of(at, origin)).all())


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is not a count")
    return value


def _not_a_profile(path: Path, what: str) -> InputError:
    return InputError(
        what,
        advice="Make the profile again from the reference data.",
        code="data/profile",
        place=Place(str(path)),
    )
