"""Content fingerprint of a table: the same for the same cells, whatever the file looks like.

Order of rows and of columns, compression, quoting and the format (CSV or Parquet) do not matter;
every cell, its type, every column name and how often a row occurs do.

How it is made: each cell is written with a tag for its type and, for text, its length in bytes, so
that no two different rows have the same writing; each row is hashed with BLAKE2b under a key made
from the schema; the row hashes are sorted and hashed together with the schema and the row count.
Two tables with one fingerprint would need a collision of a 256-bit hash.

Limits. A CSV file knows no types (see `table`): the same cells stored in Parquet under another type
give another fingerprint, and so do dates in CSV that are not written as ISO 8601. CSV has no empty
text, only null. Numbers with a fraction count as 64-bit floating point. A column without any value
has type `empty` in both formats. Text counts byte by byte: two Unicode spellings of one letter
differ.
Memory: 32 bytes per row.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from guiderail.core.digest import canonical_json
from guiderail.measure.table import ColumnType, Table, open_table

SCHEME = "guiderail-table-1"
_HASH_BYTES = 32

_WRITTEN: dict[ColumnType, str] = {
    # 64 bits of the number as it is stored; all NaN are one value.
    "number": "CASE WHEN isnan({c}) THEN 'f' ELSE 'd' || {c}::BIT::UBIGINT::VARCHAR || ';' END",
    "integer": "'i' || {c}::VARCHAR || ';'",
    "boolean": "'b' || {c}::INTEGER::VARCHAR",
    "text": "'t' || strlen({c})::VARCHAR || ':' || {c}",
    "empty": "'n'",
}


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """schema: (name, type) of every column, sorted by name. fingerprint: `sha256:...`-style text.

    The prefix names the way it was made, so that a later way can never be mistaken for this one.
    """

    rows: int
    columns: int
    schema: tuple[tuple[str, str], ...]
    fingerprint: str


def fingerprint(source: Path | Table) -> Fingerprint:
    """Read the whole table once. Raises InputError when it cannot be read."""
    if isinstance(source, Table):
        return _of_table(source)
    with open_table(source) as table:
        return _of_table(table)


def _of_table(table: Table) -> Fingerprint:
    names = sorted(table.names)
    filled = table.fetch(", ".join(f"count({table.sql(name)})" for name in names) + " FROM t")[0]
    types: list[ColumnType] = [
        table.type_of(name) if count else "empty" for name, count in zip(names, filled, strict=True)
    ]
    schema = tuple(zip(names, types, strict=True))
    head = canonical_json([SCHEME, [list(column) for column in schema]])
    key = hashlib.blake2b(head, digest_size=_HASH_BYTES).digest()
    cells = " || ".join(
        f"coalesce({_WRITTEN[kind].format(c=table.sql(name))}, 'n')" for name, kind in schema
    )
    keyed = hashlib.blake2b(key=key, digest_size=_HASH_BYTES)
    digests = bytearray()
    rows = 0
    for batch in table.batches(f"{cells} FROM t"):
        rows += len(batch)
        for (row,) in batch:
            state = keyed.copy()
            state.update(row.encode())
            digests += state.digest()
    together = hashlib.blake2b(key=key, digest_size=_HASH_BYTES)
    together.update(rows.to_bytes(8, "big"))
    together.update(_sorted(digests))
    return Fingerprint(rows, len(names), schema, f"{SCHEME}:{together.hexdigest()}")


def _sorted(digests: bytearray) -> memoryview:
    """The 32-byte hashes in ascending order, sorted in place."""
    np.frombuffer(digests, dtype=f"S{_HASH_BYTES}").sort()
    return memoryview(digests)
