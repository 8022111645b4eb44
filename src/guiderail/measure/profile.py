"""The stored profile of a table's columns: fixed bins and counts, against which drift is measured.

Stored as JSON with a version and a digest over everything else. Numbers with a fraction are decimal
strings, so that the digest is the same everywhere. Text columns with more than 200 distinct values
keep no values at all: such values are names or keys of people more often than categories.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guiderail.core.digest import Digest, decimal_string, json_digest
from guiderail.core.errors import InputError, IntegrityError, Place
from guiderail.measure.table import ColumnType, Table, open_table

PROFILE_VERSION = 1
MOST_EDGES = 100
"""A numeric column with more distinct values is binned at its percentiles."""
MOST_CATEGORIES = 200
_SHARES = (0.0001, 0.001, 0.005, *(i / 100 for i in range(1, 100)), 0.995, 0.999, 0.9999)
"""Finer at both ends, where few rows may lie far apart."""


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column of the reference.

    nulls, not_finite: rows without a value, and with NaN or an infinity.
    edges: for numbers, the ascending upper limits of the bins; counts has one bin more, for values
        above the last edge. With `exact` the edges are all distinct values that occur.
    low, high: smallest and largest finite value; None where there is none.
    categories: (value, rows) for text and booleans, or None above 200 distinct values.
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
    categories: tuple[tuple[str, int], ...] | None = None

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


def bin_counts(table: Table, column: str, edges: Sequence[float]) -> tuple[int, ...]:
    """Finite values per bin (lower limit excluded, upper included); one bin more than edges."""
    if not edges:
        number = f"CAST({table.sql(column)} AS DOUBLE)"
        found = table.fetch(f"count(*) FILTER (isfinite({number})) FROM t")
        return (int(found[0][0]),)
    cut = ", ".join(f"{edge:.17e}" for edge in edges)
    number = f"CAST({table.sql(column)} AS DOUBLE)"
    found = table.fetch(f"histogram({number}, [{cut}]) FILTER (isfinite({number})) FROM t")
    per_edge: dict[float, int] = found[0][0] or {}
    return tuple(int(per_edge.get(edge, 0)) for edge in (*edges, float("inf")))


def category_counts(table: Table, column: str, most: int) -> dict[str, int] | None:
    """Rows per value of a text or boolean column; None above `most` distinct values."""
    name = table.sql(column)
    found = table.fetch(
        f"CAST({name} AS VARCHAR), count(*) FROM t WHERE {name} IS NOT NULL "
        f"GROUP BY {name} LIMIT {most + 1}"
    )
    if len(found) > most:
        return None
    return {str(value): int(count) for value, count in sorted(found)}


def _of_table(table: Table, names: Sequence[str] | None) -> Profile:
    wanted = table.names if names is None else tuple(names)
    return Profile(table.rows, tuple(_column(table, name) for name in wanted))


def _column(table: Table, name: str) -> ColumnProfile:
    kind = table.type_of(name)
    sql = table.sql(name)
    nulls = table.rows - int(table.fetch(f"count({sql}) FROM t")[0][0])
    if kind not in {"integer", "number"}:
        categories = category_counts(table, name, MOST_CATEGORIES)
        kept = None if categories is None else tuple(categories.items())
        return ColumnProfile(name, kind, nulls, categories=kept)
    number = f"CAST({sql} AS DOUBLE)"
    finite, low, high = table.fetch(
        f"count(*), min({number}), max({number}) FROM t WHERE isfinite({number})"
    )[0]
    edges, exact = _edges(table, number)
    return ColumnProfile(
        name,
        kind,
        nulls,
        not_finite=table.rows - nulls - int(finite),
        edges=edges,
        counts=bin_counts(table, name, edges),
        exact=exact,
        low=low,
        high=high,
    )


def _edges(table: Table, number: str) -> tuple[tuple[float, ...], bool]:
    """All distinct values where there are few, else the distinct percentiles of `_SHARES`."""
    distinct = table.fetch(
        f"DISTINCT {number} FROM t WHERE isfinite({number}) LIMIT {MOST_EDGES + 1}"
    )
    if len(distinct) <= MOST_EDGES:
        return tuple(sorted(_plain_zero(value) for (value,) in distinct)), True
    shares = ", ".join(str(share) for share in _SHARES)
    found = table.fetch(f"quantile_disc({number}, [{shares}]) FROM t WHERE isfinite({number})")
    return tuple(sorted({_plain_zero(value) for value in found[0][0]})), False


def _plain_zero(value: float) -> float:
    return value + 0.0  # minus zero and zero are one edge


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
        }
    categories = column.categories
    listed = None if categories is None else [list(category) for category in categories]
    return plain | {"categories": listed}


def _from_plain(plain: dict[str, Any]) -> ColumnProfile:
    name, kind, nulls = str(plain["name"]), plain["type"], _count(plain["nulls"])
    if kind in {"integer", "number"}:
        edges = tuple(float(edge) for edge in plain["edges"])
        counts = tuple(_count(count) for count in plain["counts"])
        low, high = (None if plain[end] is None else float(plain[end]) for end in ("low", "high"))
        if (
            list(edges) != sorted(set(edges))
            or len(counts) != len(edges) + 1
            or bool(edges) != (low is not None and high is not None and low <= high)
        ):
            raise ValueError(f"the bins of {name}")
        return ColumnProfile(
            name,
            kind,
            nulls,
            not_finite=_count(plain["not_finite"]),
            edges=edges,
            counts=counts,
            exact=bool(plain["exact"]),
            low=low,
            high=high,
        )
    if kind not in {"text", "boolean", "empty"}:
        raise ValueError(f"the type of {name}")
    listed = plain["categories"]
    categories = (
        None if listed is None else tuple((str(value), _count(count)) for value, count in listed)
    )
    return ColumnProfile(name, kind, nulls, categories=categories)


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
