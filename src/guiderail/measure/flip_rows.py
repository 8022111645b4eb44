"""The flipped rows of a table: a sample for the reviewer, and the values of all of them.

The sample depends on the content digest alone, so that nobody picks the cases that look best and
everybody who has the data draws the same ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from guiderail.measure.distinct_rows import as_values
from guiderail.measure.remote import RemoteTable
from guiderail.measure.table import Table, Values
from guiderail.measure.unmeasurable import NotMeasurable

SAMPLED = 10


@dataclass(frozen=True, slots=True)
class FlippedRow:
    """row: number in the file, the first row being 1. columns: the cells that may be shown."""

    row: int
    old: Any
    new: Any
    columns: dict[str, Any]


def drawn(total: int, size: int, digest: str) -> tuple[int, ...]:
    """`size` places out of `total`, ascending, by a digest written in hexadecimal digits."""
    random = np.random.default_rng(int(digest, 16))
    return tuple(sorted(random.choice(total, min(size, total), replace=False).tolist()))


def flipped_rows(
    table: Table, old: str, new: str, shown: Sequence[str], digest: str, size: int = SAMPLED
) -> tuple[FlippedRow, ...]:
    """A sample of the rows in which the two decisions differ. Raises InputError."""
    flip = _differs(table, old, new)
    total = int(table.fetch(f"count(*) FROM t WHERE {flip}")[0][0])
    if not total:
        return ()
    places = ", ".join(str(place + 1) for place in drawn(total, size, digest))
    # Identifiers are generated and places are numbers: nothing of the file is in a statement.
    # Windows without an order number the rows as they stand, one after the other.
    lines = table.fetch(
        "line FROM (SELECT line, row_number() OVER () AS place FROM "  # noqa: S608 - see above
        f"(SELECT {flip} AS flip, row_number() OVER () AS line FROM t) WHERE flip) "
        f"WHERE place IN ({places})"
    )
    names = [old, new, *shown]
    read = ", ".join(f"{table.sql(name)} AS d{place}" for place, name in enumerate(names))
    kept = ", ".join(f"d{place}" for place in range(len(names)))
    chosen = ", ".join(str(int(line)) for (line,) in lines)
    found = table.fetch(
        f"line, {kept} FROM (SELECT {read}, row_number() OVER () AS line FROM t) "  # noqa: S608 - see above
        f"WHERE line IN ({chosen}) ORDER BY line"
    )
    return tuple(
        FlippedRow(int(line), before, after, dict(zip(shown, map(_shown, cells), strict=True)))
        for line, before, after, *cells in found
    )


def _shown(cell: Any) -> Any:
    """The cell; a number that is none as its word, for reports hold numbers only."""
    return str(cell) if isinstance(cell, float) and not math.isfinite(cell) else cell


def flipped_values(
    table: Table | RemoteTable, old: str, new: str, value: str
) -> tuple[Values, Values, Values] | NotMeasurable:
    """Old decision, new decision and value of every flipped row. Raises InputError."""
    names = (old, new, value)
    if isinstance(table, Table):
        read = ", ".join(table.sql(name) for name in names)
        rows = table.fetch(f"{read} FROM t WHERE {_differs(table, old, new)}")
    else:
        found = table.differing(old, new, value)
        if found is None:
            return NotMeasurable(
                f"{old} is {table.type_of(old)} and {new} is {table.type_of(new)}; give both one "
                "type, for example in a view"
            )
        rows = list(found)
    cells = list(zip(*rows, strict=True)) or [(), (), ()]
    first, second, third = (
        as_values(part, table.type_of(name)) for part, name in zip(cells, names, strict=True)
    )
    return first, second, third


def _differs(table: Table, old: str, new: str) -> str:
    kinds = {table.type_of(old), table.type_of(new)}
    if kinds in ({"boolean"}, {"integer"}, {"number"}, {"integer", "number"}):
        return f"({table.sql(old)} IS DISTINCT FROM {table.sql(new)})"
    return f"({_text(table, old)} IS DISTINCT FROM {_text(table, new)})"


def _text(table: Table, name: str) -> str:
    """The cell as `scored_rows.as_text` writes it."""
    column, kind = table.sql(name), table.type_of(name)
    text = f"CAST({column} AS VARCHAR)"
    if kind == "number":
        whole = f"CAST(TRY_CAST({column} AS HUGEINT) AS VARCHAR)"
        return (
            f"CASE WHEN {column} = floor({column}) THEN coalesce({whole}, {text}) ELSE {text} END"
        )
    return f"CASE WHEN lower({text}) IN ('true', 'false') THEN lower({text}) ELSE {text} END"
