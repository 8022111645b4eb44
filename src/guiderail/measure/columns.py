"""Which columns hold personal or protected data, from their names and their values.

The name proposes, the values confirm. A name without confirming values stays a proposal of low
confidence, and says so. Values alone decide only where a check can fail (a checksum, a country
code) or where lists of names settle it (`person_names`). Free text, keys that nothing identifies
and what may be names are `unknown`: only their owner can tell.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from guiderail.core.csv_encoding import SINGLE_BYTES, Encoding, encoding_of
from guiderail.measure.column_dictionary import NO_DICTIONARY, ColumnDictionary
from guiderail.measure.column_names import NameRule, rule_for, words_of
from guiderail.measure.column_values import (
    CHECKS,
    VALUE_KINDS,
    share_mentioning_email,
    share_valid,
)
from guiderail.measure.csv_sample import write_csv_sample
from guiderail.measure.government_numbers import kind_in
from guiderail.measure.person_names import look_like_names, name_lists, person_names
from guiderail.measure.rows_here import brought
from guiderail.measure.table import Column, ColumnType, Table, is_parquet, open_table

if TYPE_CHECKING:
    from guiderail.measure.warehouse_table import WarehouseTable

SAMPLE_ROWS = 10_000
"""At most that many rows are looked at, spread evenly over the table."""

LARGE_CSV = 256 * 2**20
"""Bytes: a larger CSV file is looked at in blocks."""

_MOST_DISTINCT = 1000
_LONGEST_CELL = 2_000
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


def classify_columns(
    source: Path | Table | WarehouseTable,
    sample: int = SAMPLE_ROWS,
    dictionary: ColumnDictionary = NO_DICTIONARY,
    encoding: Encoding | None = None,
) -> tuple[ColumnClass, ...]:
    """Classify every column, in the order of the file. Raises InputError for an unreadable file.

    encoding: of a CSV file, where its owner says so.

    Of a table in a warehouse the rows that are looked at are brought here, and no others. A large
    CSV file is looked at in blocks from all over it (`csv_sample`), unless it is UTF-16.
    """
    if isinstance(source, Table):
        return _classify(source, sample, dictionary)
    if not isinstance(source, Path):
        with brought(source, every=_step(source.rows, sample)) as table:
            return _classify(table, sample, dictionary)
    with _opened(source, encoding) as table:
        return _classify(table, sample, dictionary)


@contextmanager
def _opened(path: Path, encoding: Encoding | None) -> Iterator[Table]:
    """The table itself, or a sample of a CSV file that is too large to be read for this."""
    if not is_large_csv(path, encoding):
        with open_table(path, encoding) as table:
            yield table
        return
    with tempfile.TemporaryDirectory(prefix="guiderail-columns-") as place:
        sampled = Path(place) / "sample.csv"
        write_csv_sample(path, sampled, said=encoding)
        with open_table(sampled) as table:
            yield table


def is_large_csv(path: Path, encoding: Encoding | None = None) -> bool:
    """Whether `classify_columns` looks at blocks of this file instead of all of it."""
    try:
        if path.stat().st_size <= LARGE_CSV or is_parquet(path):
            return False
        return encoding_of(path, encoding) in SINGLE_BYTES
    except OSError:
        return False  # opening it says what is wrong


def _classify(table: Table, sample: int, dictionary: ColumnDictionary) -> tuple[ColumnClass, ...]:
    step = _step(table.rows, sample)
    names = set(table.names)
    return tuple(
        _with_dictionary(_column(column, cells, names), cells, dictionary)
        for column, cells in zip(table.columns, _cells(table, step), strict=True)
    )


def _step(rows: int, sample: int) -> int:
    """Each so manyth row is looked at."""
    return max(1, -(-rows // max(1, sample)))


def _with_dictionary(
    found: ColumnClass, cells: _Cells, dictionary: ColumnDictionary
) -> ColumnClass:
    """What the organisation says over what was found; it can add and settle, not hide."""
    entry = dictionary.known(found.name)
    if entry is None:
        rule = dictionary.rule_for(found.name) if found.cls in {"plain", "unknown"} else None
        if rule is None:
            return found
        why = f"the organisation's dictionary says that such a name means {rule.kind}"
        return ColumnClass(
            found.name, rule.cls, rule.kind, "medium" if cells.filled else "low", why
        )
    by = f" ({entry.said_by})" if entry.said_by else ""
    why = f"the organisation's dictionary says so{by}"
    if entry.cls != "plain":
        return ColumnClass(found.name, entry.cls, entry.kind or found.kind, "high", why)
    if found.cls in {"plain", "unknown"} or found.confidence == "low":
        return ColumnClass(found.name, "plain", "", "high", why)
    contradicts = (
        f"{found.why}; the organisation's dictionary calls it plain, which does not hide it"
    )
    return replace(found, why=contradicts)


def _cells(table: Table, step: int) -> tuple[_Cells, ...]:
    """Cells of every `step`-th row, for all columns in one pass."""
    names = [table.sql(column.name) for column in table.columns]
    cast = ", ".join(f"CAST({name} AS VARCHAR)" for name in names)
    # Every name is an identifier that the table made, never text from the file.
    chosen = f"(SELECT {', '.join(names)}, row_number() OVER () AS place FROM t)"  # noqa: S608 - see above
    distinct: list[set[str]] = [set() for _ in names]
    filled = [0] * len(names)
    for batch in table.batches(f"{cast} FROM {chosen} WHERE place % {step} = 0", size=2_000):
        for place, column in enumerate(zip(*batch, strict=True)):
            cells = [cell[:_LONGEST_CELL] for cell in column if cell is not None]
            filled[place] += len(cells)
            distinct[place].update(cells)
    return tuple(
        _Cells(column.type, _texts(column, found), count)
        for column, found, count in zip(table.columns, distinct, filled, strict=True)
    )


def _texts(column: Column, found: set[str]) -> tuple[str, ...]:
    first = sorted(found)[:_MOST_DISTINCT]
    if column.type == "number":
        return tuple(cell.removesuffix(".0") for cell in first)
    return tuple(first)


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
    if rule.kind == "government number" and kind_in(cells.distinct, named=True) is not None:
        why = f"{says}, and the values pass its check digits"
        return ColumnClass(name, rule.cls, rule.kind, "high", why)
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
        number = kind_in(cells.distinct, named=False)
        if number is not None:
            country = number.module.split(".")[1].upper()
            why = f"the distinct values pass the check digits of a government number ({country})"
            return ColumnClass(name, "personal", "government number", "high", why)
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
    if look_like_names(cells.distinct):
        return _by_name_lists(name, cells)
    long = sum(len(cell.split()) >= 5 for cell in cells.distinct) / len(cells.distinct)
    if long >= 0.5 and _mostly_distinct(cells):
        why = "free text may speak of people; its owner has to say"
        return ColumnClass(name, "unknown", "free text", "low", why)
    return _number_or_code(name, cells)


def _by_name_lists(name: str, cells: _Cells) -> ColumnClass:
    lists = name_lists()
    if lists is None:
        plain = _number_or_code(name, cells)
        if plain.cls != "plain":
            return plain
        why = "names of people were not looked for: pip install 'guiderail[names]'"
        return ColumnClass(name, "plain", "", "low", why)
    found = person_names(cells.distinct, lists)
    if found is None:
        return _number_or_code(name, cells)
    if found.sure:
        return ColumnClass(name, "personal", "person name", found.confidence, found.why)
    why = f"{found.why}; its owner has to say"
    return ColumnClass(name, "unknown", "person name", found.confidence, why)


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
