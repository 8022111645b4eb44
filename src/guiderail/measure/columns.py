"""Which columns hold personal or protected data, from their names and their values.

The name proposes, the values confirm. A name without confirming values stays a proposal of low
confidence, and says so. Values alone decide only where a check can fail (a checksum, a country
code). Free text and keys that nothing identifies are `unknown`: only their owner can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from guiderail.measure.column_names import NameRule, rule_for, words_of
from guiderail.measure.column_values import (
    CHECKS,
    VALUE_KINDS,
    share_mentioning_email,
    share_valid,
)
from guiderail.measure.table import Column, ColumnType, Table, open_table

SAMPLE_ROWS = 10_000
"""At most that many rows are looked at, spread evenly over the table."""

_MOST_DISTINCT = 1000
_MOST_GROUPS = 300
_CONFIRMED, _SOME, _MENTIONED = 0.8, 0.2, 0.01
_FEWEST_BY_VALUE = 5


@dataclass(frozen=True, slots=True)
class ColumnClass:
    """One column. cls: `unknown` means that its owner has to say. kind: in words, "" where plain.

    why: one sentence for people; it never quotes a value.
    """

    name: str
    cls: Literal["protected", "personal", "plain", "unknown"]
    kind: str
    confidence: Literal["high", "medium", "low"]
    why: str


@dataclass(frozen=True, slots=True)
class _Cells:
    """Distinct filled cells of a column as text, out of `filled` cells of `type`."""

    type: ColumnType
    distinct: tuple[str, ...]
    filled: int


def classify_columns(source: Path | Table, sample: int = SAMPLE_ROWS) -> tuple[ColumnClass, ...]:
    """Classify every column, in the order of the file. Raises InputError for an unreadable file."""
    if isinstance(source, Table):
        return _classify(source, sample)
    with open_table(source) as table:
        return _classify(table, sample)


def _classify(table: Table, sample: int) -> tuple[ColumnClass, ...]:
    step = max(1, -(-table.rows // max(1, sample)))
    names = set(table.names)
    return tuple(_column(column, _cells(table, column, step), names) for column in table.columns)


def _cells(table: Table, column: Column, step: int) -> _Cells:
    name = table.sql(column.name)
    # `name` is an identifier that the table made, never text from the file.
    chosen = f"(SELECT {name}, row_number() OVER () AS place FROM t)"  # noqa: S608
    where = f"WHERE place % {step} = 0 AND {name} IS NOT NULL"
    filled = int(table.fetch(f"count(*) FROM {chosen} {where}")[0][0])
    found = table.fetch(
        f"DISTINCT CAST({name} AS VARCHAR) AS cell FROM {chosen} {where} "
        f"ORDER BY cell LIMIT {_MOST_DISTINCT}"
    )
    texts = (str(cell) for (cell,) in found)
    if column.type == "number":
        texts = (cell.removesuffix(".0") for cell in texts)
    return _Cells(column.type, tuple(texts), filled)


def _column(column: Column, cells: _Cells, names: set[str]) -> ColumnClass:
    rule = rule_for(column.name)
    if rule is not None and not _is_month(column.name, names):
        return _by_name(column.name, rule, cells)
    return _by_values(column.name, cells)


def _is_month(name: str, names: set[str]) -> bool:
    return name.lower() == "mar" and any(other.lower() in {"feb", "apr"} for other in names)


def _by_name(name: str, rule: NameRule, cells: _Cells) -> ColumnClass:
    says = f"the name says {rule.kind}"
    if not cells.distinct:
        return ColumnClass(name, rule.cls, rule.kind, "low", f"{says}; the column holds no values")
    if rule.kind in CHECKS:
        share = share_valid(rule.kind, cells.distinct, strict=False)
        if share >= _CONFIRMED:
            why = f"{says}, and the values are of that form"
            return ColumnClass(name, rule.cls, rule.kind, "high", why)
        confidence: Literal["medium", "low"] = "medium" if share >= _SOME else "low"
        why = f"{says}, but only {share:.0%} of the distinct values are of that form"
        if share == 0:
            why = f"{says}, but no value is of that form: it may be a code or a yes/no flag"
        return ColumnClass(name, rule.cls, rule.kind, confidence, why)
    if rule.cls == "protected" and len(cells.distinct) > _MOST_GROUPS:
        why = f"{says}, but the column has too many distinct values for groups of people"
        return ColumnClass(name, rule.cls, rule.kind, "low", why)
    why = f"{says}; no pattern exists that could confirm the values"
    return ColumnClass(name, rule.cls, rule.kind, "medium", why)


def _by_values(name: str, cells: _Cells) -> ColumnClass:
    if len(cells.distinct) >= _FEWEST_BY_VALUE and cells.type in {"text", "integer"}:
        for kind in VALUE_KINDS:
            if kind == "phone" and cells.type != "text":
                continue
            share = share_valid(kind, cells.distinct, strict=True)
            if share >= _CONFIRMED:
                why = f"{share:.0%} of the distinct values are a valid {kind}, unlike the name"
                return ColumnClass(name, "personal", kind, "high", why)
            if share >= _SOME and cells.type == "text":
                why = f"{share:.0%} of the distinct values are a valid {kind}"
                return ColumnClass(name, "personal", kind, "medium", why)
    if cells.type == "text" and cells.distinct:
        return _by_text(name, cells)
    return _number_or_code(name, cells)


def _by_text(name: str, cells: _Cells) -> ColumnClass:
    mentioning = share_mentioning_email(cells.distinct)
    if mentioning >= _MENTIONED:
        why = f"{mentioning:.0%} of the distinct texts mention an e-mail address"
        return ColumnClass(name, "personal", "email", "medium", why)
    long = sum(len(cell.split()) >= 5 for cell in cells.distinct) / len(cells.distinct)
    if long >= 0.5 and _mostly_distinct(cells):
        why = "free text may speak of people; its owner has to say"
        return ColumnClass(name, "unknown", "free text", "low", why)
    return _number_or_code(name, cells)


def _number_or_code(name: str, cells: _Cells) -> ColumnClass:
    if not cells.distinct:
        return ColumnClass(name, "plain", "", "low", "neither the name nor a value says anything")
    keys = {"id", "key", "uuid", "guid", "nr", "number", "nummer", "kennung"}
    if cells.type in {"text", "integer"} and keys & set(words_of(name)) and _mostly_distinct(cells):
        why = "the column is a key that may stand for a person; its owner has to say"
        return ColumnClass(name, "unknown", "key", "low", why)
    why = "neither the name nor the values speak of people"
    return ColumnClass(name, "plain", "", "medium", why)


def _mostly_distinct(cells: _Cells) -> bool:
    return len(cells.distinct) >= min(_MOST_DISTINCT, 0.9 * cells.filled)


def named(found: Sequence[ColumnClass], cls: str) -> tuple[str, ...]:
    """Names of the columns of one class, in the order of the file."""
    return tuple(column.name for column in found if column.cls == cls)
