"""A CSV file as typed columns in DuckDB: held in memory, or converted once to Parquet.

The rules by which a cell gets its type are in `table`. A file above HELD_IN_MEMORY is written, in
two passes with bounded memory, to a temporary Parquet file, and every later question reads that
file: a column of numbers is read from it without parsing the text again. The folder is that of
`tempfile` (TMPDIR); where it lacks room, each question parses the CSV file instead.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import duckdb

from guiderail.core.csv_encoding import Encoding, write_utf8
from guiderail.core.csv_layout import csv_layout
from guiderail.measure.column_types import STORED_AS, Column, ColumnType
from guiderail.measure.csv_text import literal

HELD_IN_MEMORY = 256 * 2**20
"""Bytes: a CSV file up to this size is parsed once and kept."""

_DECODED_BY_DUCKDB = {"utf-8": "utf-8", "latin-1": "latin-1"}
"""DuckDB's own names. Windows-1252 needs an extension from the network, and its UTF-16 (2.0.0)
refuses some files whose letters of four bytes lie across the border of a buffer."""

Folder = tempfile.TemporaryDirectory[str]

_WHOLE = r" *-?(0|[1-9][0-9]{0,17}) *"
_DECIMAL = (
    r" *-?((0|[1-9][0-9]{0,17})|(0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+"
    r"|(0|[1-9][0-9]*)(\.[0-9]*)?[eE][+-]?[0-9]{1,4}|\.[0-9]+[eE][+-]?[0-9]{1,4}) *"
)
_NOT_FINITE = r" *([nN][aA][nN]|[+-]?[iI][nN][fF]([iI][nN][iI][tT][yY])?) *"


def csv_columns(
    path: Path, said: Encoding | None, connection: duckdb.DuckDBPyConnection
) -> tuple[tuple[Column, ...], int, Folder | None]:
    """Make the view `t` of the typed columns c0, c1, ...; give back the columns and the row count.

    said: the encoding that the owner names. The folder holds files that the view reads: whoever
    closes the connection cleans it up. Raises InputError, and duckdb.Error for a damaged file.
    """
    layout = csv_layout(path, said)
    large = path.stat().st_size > HELD_IN_MEMORY
    copied = layout.encoding not in _DECODED_BY_DUCKDB
    roomy = shutil.disk_usage(tempfile.gettempdir()).free > 2 * path.stat().st_size
    folder = None
    if copied or (large and roomy):
        folder = tempfile.TemporaryDirectory(prefix="guiderail-table-")
    try:
        read, encoding = path, _DECODED_BY_DUCKDB.get(layout.encoding, "utf-8")
        if copied and folder is not None:
            read = Path(folder.name) / "rows.csv"
            write_utf8(path, layout.encoding, read)
        count = len(layout.names)
        fields = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(count))
        source = (
            f"read_csv({literal(read)}, columns={{{fields}}}, header=true, auto_detect=false, "
            f"delim='{layout.delimiter}', quote='\"', escape='\"', encoding='{encoding}', "
            "nullstr='', compression='none')"
        )
        connection.execute(f"CREATE {'VIEW' if large else 'TABLE'} raw AS FROM {source}")
        rows, types = _types(connection, count)
        typed = ", ".join(
            f"CAST(trim(c{i}) AS {STORED_AS[kind]}) AS c{i}" if kind in STORED_AS else f"c{i}"
            for i, kind in enumerate(types)
        )
        select = f"SELECT {typed} FROM raw"  # noqa: S608 - generated names
        if large and folder is not None:
            select = f"FROM {_converted(connection, select, Path(folder.name) / 'rows.parquet')}"
            if copied:
                read.unlink()
        connection.execute(f"CREATE VIEW t AS {select}")
    except BaseException:
        if folder is not None:
            folder.cleanup()
        raise
    columns = tuple(Column(*pair) for pair in zip(layout.names, types, strict=True))
    return columns, rows, folder


def _types(connection: duckdb.DuckDBPyConnection, count: int) -> tuple[int, list[ColumnType]]:
    """Rows, and the type of every column, from all cells."""
    tests = ", ".join(
        f"count(c{i}), count(c{i}) FILTER (regexp_full_match(c{i}, '{_WHOLE}')), "
        f"count(c{i}) FILTER (regexp_full_match(c{i}, '{_DECIMAL}')), "
        f"count(c{i}) FILTER (regexp_full_match(c{i}, '{_NOT_FINITE}')), "
        f"count(c{i}) FILTER (lower(c{i}) IN ('true', 'false'))"
        for i in range(count)
    )
    # The statement holds only generated identifiers and the constants above.
    found = connection.execute(f"SELECT count(*), {tests} FROM raw").fetchone()  # noqa: S608 - see above
    assert found is not None  # noqa: S101 - an aggregate without GROUP BY has exactly one row
    return int(found[0]), [_csv_type(*found[1 + 5 * i : 6 + 5 * i]) for i in range(count)]


def _converted(connection: duckdb.DuckDBPyConnection, select: str, to: Path) -> str:
    """The row source of a Parquet file with the selected rows in their order."""
    connection.execute(
        f"COPY ({select}) TO {literal(to)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
    )
    connection.execute("SET parquet_metadata_cache = true")
    return f"read_parquet({literal(to)})"


def _csv_type(filled: int, whole: int, decimal: int, not_finite: int, boolean: int) -> ColumnType:
    if filled == 0:
        return "empty"
    if boolean == filled:
        return "boolean"
    if whole == filled:
        return "integer"
    if decimal and decimal + not_finite == filled:
        return "number"
    return "text"
