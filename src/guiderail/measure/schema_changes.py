"""What changed between the columns of a profile and those of a table: names, types, gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from guiderail.measure.profile import Profile
from guiderail.measure.table import Table

Kind = Literal["removed", "added", "type", "missing values"]


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """kind: `missing values` where a column that had a value in every row no longer has.

    before, after: types, or shares of rows without a value in words; None where there is none.
    """

    column: str
    kind: Kind
    before: str | None
    after: str | None


def schema_changes(
    reference: Profile, current: Table, columns: Sequence[str], nulls: dict[str, int]
) -> tuple[SchemaChange, ...]:
    """Changes of the wanted columns, and columns that only the current table has.

    nulls: rows without a value in the current table, of the columns in both. A number that became
    another kind of number is a change of type too, though both are compared as numbers.
    """
    known = {column.name: column for column in reference.columns}
    found: list[SchemaChange] = []
    for name in columns:
        before = known.get(name)
        if before is None:
            continue
        if name not in current.names:
            found.append(SchemaChange(name, "removed", before.type, None))
            continue
        now = current.type_of(name)
        if now != before.type and current.rows and reference.rows:
            found.append(SchemaChange(name, "type", before.type, now))
        if before.nulls == 0 and reference.rows and nulls.get(name, 0):
            share = f"{nulls[name]} of {current.rows}"
            found.append(SchemaChange(name, "missing values", f"0 of {reference.rows}", share))
    new = [name for name in current.names if name not in known]
    return (*found, *(SchemaChange(name, "added", None, current.type_of(name)) for name in new))
