"""CSV and Parquet files as typed columns, read with DuckDB.

How a CSV cell gets its type. Every cell is read as text first; nothing is guessed from a sample.
A column is
- `empty` when no cell holds anything,
- `boolean` when every filled cell is true or false (any case),
- `integer` when every filled cell is a plain whole number of at most 18 digits,
- `number` when every filled cell is a decimal number, or nan or inf beside decimal numbers,
- `text` otherwise.
A number with a leading zero (`007`), a plus sign (`+49 30 1`), a decimal comma or more than 18
digits without a point is text: it is usually a code, and rounding it would merge two codes. Spaces
around numbers are ignored. An unfilled cell is null, quoted or not; `NA` and `N/A` are text.
Dates stay text as they are written. Files are UTF-8, or UTF-16 with a byte order mark, or what
their owner says; nothing is guessed, because that would silently change letters (`csv_encoding`).

In Parquet the stored type decides: whole numbers of up to 64 bits signed are `integer`, floating
point and decimal are `number` (64-bit floating), booleans `boolean`, everything else is text as
DuckDB prints it (dates as ISO 8601, unsigned 64-bit and 128-bit numbers as digits). Text without
any value is `empty`.

Values come back as numpy arrays, null kept as null: `integer` is int64, or float64 with NaN where
cells are null (an object array with None where that would lose digits); `number` is float64 with
NaN for null; `boolean` is bool, or an object array with None; `text` and `empty` are object arrays
with None.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from guiderail.core.csv_encoding import Encoding
from guiderail.core.errors import InputError, Place
from guiderail.measure.column_types import STORED_AS
from guiderail.measure.column_types import Column as Column
from guiderail.measure.column_types import ColumnType as ColumnType
from guiderail.measure.csv_columns import Folder, csv_columns
from guiderail.measure.csv_text import literal, refusal

Values = NDArray[Any]

_EXACT_IN_DOUBLE = 2**53
_PARQUET_TYPES: dict[str, ColumnType] = {
    "BOOLEAN": "boolean",
    "TINYINT": "integer",
    "SMALLINT": "integer",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "UTINYINT": "integer",
    "USMALLINT": "integer",
    "UINTEGER": "integer",
    "FLOAT": "number",
    "DOUBLE": "number",
}


class Table:
    """An open file. Not for use from several threads at once; `close` it or use `with`."""

    def __init__(
        self,
        path: Path,
        columns: tuple[Column, ...],
        rows: int,
        connection: duckdb.DuckDBPyConnection,
        folder: Folder | None = None,
    ) -> None:
        self.path = path
        self._folder = folder
        self.columns = columns
        self.rows = rows
        self._connection = connection
        self._place = {column.name: number for number, column in enumerate(columns)}

    def __enter__(self) -> Table:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()
        if self._folder is not None:
            self._folder.cleanup()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def type_of(self, name: str) -> ColumnType:
        """Raises InputError for a name that the file does not have."""
        return self.columns[self._index(name)].type

    def sql(self, name: str) -> str:
        """The column's identifier in the SQL that `fetch` and `batches` take."""
        return f"c{self._index(name)}"

    def column(self, name: str) -> Values:
        """All values of one column, in the order of the file. Raises InputError."""
        return self.frame((name,))[name]

    def frame(self, names: Sequence[str]) -> dict[str, Values]:
        """Several columns whose rows belong together. Raises InputError."""
        if not names:
            return {}
        wanted = ", ".join(self.sql(name) for name in names)
        try:
            # Every identifier is c0, c1, ...: no name from the file reaches the statement.
            found = self._connection.execute(f"SELECT {wanted} FROM t").fetchnumpy()  # noqa: S608 - see above
        except duckdb.Error as error:
            raise self._refusal(error) from None
        return {name: _with_nulls(found[self.sql(name)], self.type_of(name)) for name in names}

    def fetch(self, select: str) -> list[tuple[Any, ...]]:
        """Rows of `SELECT {select}`, written with identifiers from `sql` and the row source `t`.

        Never put a name or value from the file into the statement. Raises InputError.
        """
        return [row for batch in self.batches(select) for row in batch]

    def batches(self, select: str, size: int = 50_000) -> Iterator[list[tuple[Any, ...]]]:
        """As `fetch`, in lists of at most `size` rows."""
        try:
            cursor = self._cursor()
            cursor.execute(f"SELECT {select}")
            while rows := cursor.fetchmany(size):
                yield rows
        except duckdb.Error as error:
            raise self._refusal(error) from None

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        """One of its own for each question, so that two may be read side by side."""
        return self._connection.cursor()

    def arrays(self, select: str) -> Iterator[list[tuple[Values, NDArray[np.bool_] | None]]]:
        """As `fetch`, for columns of fixed width: numpy arrays and where they hold a value.

        The second is None where every cell does. An array is only valid until the next one comes:
        it is the reader's own memory. At most about a million rows at a time. One thread reads and
        hands over, so that what is read is still in its cache.
        """
        import nanoarrow

        self._connection.execute("SET threads = 1")
        try:
            relation = self._cursor().sql(f"SELECT {select}")
            for batch in nanoarrow.c_array_stream(relation):
                view = batch.view()
                yield [_fixed_width(view.child(place)) for place in range(view.n_children)]
        except duckdb.Error as error:
            raise self._refusal(error) from None
        except RuntimeError as error:  # what DuckDB refuses while the batches are read
            raise self._refusal(duckdb.Error(str(error).partition("(5): ")[2])) from None
        finally:
            self._connection.execute("RESET threads")

    def _refusal(self, error: duckdb.Error) -> InputError:
        """What the engine refuses; of a damaged Parquet file, with the column whose pages are."""
        damaged = None
        if self.path.is_file() and is_parquet(self.path):
            damaged = next(filter(self._is_damaged, self.names), None)
        if damaged is None:
            return refusal(self.path, error)
        return InputError(
            f'The column "{damaged}" cannot be read: its pages are damaged.',
            advice="Write the file again from its source; the rest of it cannot be trusted either.",
            code="data/not-readable",
            place=Place(str(self.path)),
        )

    def _is_damaged(self, name: str) -> bool:
        try:
            # An identifier of ours; `hash` makes the engine decode every cell.
            self._cursor().execute(f"SELECT max(hash({self.sql(name)})) FROM t").fetchall()  # noqa: S608
        except duckdb.Error:
            return True
        return False

    def _index(self, name: str) -> int:
        if name in self._place:
            return self._place[name]
        near = difflib.get_close_matches(name, self.names, n=1)
        guess = f'Did you mean "{near[0]}"? ' if near else ""
        raise InputError(
            f'The file has no column "{name}".',
            advice=f"{guess}Name one of its {len(self.columns)} columns.",
            code="data/unknown-column",
            place=Place(str(self.path)),
        )


def open_table(path: Path, encoding: Encoding | None = None) -> Table:
    """Open a CSV or Parquet file; see the module for types.

    encoding: how a CSV file is written, where its owner says so; Parquet needs none.
    Raises InputError (codes `data/...`) for a file that is missing, empty, damaged, in another
    encoding or format, for a row of another length and for a column name that occurs twice.
    """
    place = Place(str(path))
    if not path.is_file():
        raise InputError(
            "There is no such file.",
            advice="Check the path; it is read relative to the release.",
            code="data/missing-file",
            place=place,
        )
    if path.suffix.lower() in {".yaml", ".yml"}:
        raise InputError(
            "A source file names a table of a warehouse, and this measure reads files only.",
            advice="Hand in a CSV or Parquet file with the rows that are measured.",
            code="data/files-only",
            place=place,
        )
    if path.stat().st_size == 0:
        raise InputError(
            "The file is empty.",
            advice="Write at least a header line with the column names.",
            code="data/empty-file",
            place=place,
        )
    connection = new_connection()
    try:
        if is_parquet(path):
            return _open_parquet(path, connection)
        columns, rows, folder = csv_columns(path, encoding, connection)
        return Table(path, columns, rows, connection, folder)
    except duckdb.Error as error:
        connection.close()
        raise refusal(path, error, encoding) from None
    except BaseException:
        connection.close()
        raise


def is_parquet(path: Path) -> bool:
    """Whether a file is read as Parquet: by its ending, or by its first bytes."""
    if path.suffix.lower() in {".parquet", ".pq"}:
        return True
    with path.open("rb") as stream:
        return stream.read(4) == b"PAR1"


def new_connection() -> duckdb.DuckDBPyConnection:
    """An engine of its own that loads nothing from the network and prints nothing.

    Where a program has no file, as in a notebook, DuckDB would print a progress bar.
    """
    connection = duckdb.connect(
        ":memory:",
        config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"},
    )
    connection.execute("SET enable_progress_bar = false")
    return connection


def _open_parquet(path: Path, connection: duckdb.DuckDBPyConnection) -> Table:
    # Every statement reads the footer, and one with many columns takes longer than a column.
    connection.execute("SET parquet_metadata_cache = true")
    source = f"read_parquet({literal(path)})"
    names = _parquet_names(path, connection)
    # `literal` quotes the path; everything else is generated.
    described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()  # noqa: S608
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or len(described) != len(names):
        raise InputError(
            f'The column name "{(twice or list(names))[0]}" occurs twice.',
            advice="Give every column its own name.",
            code="data/duplicate-column",
            place=Place(str(path)),
        )
    columns, rows = typed_view(connection, source, names, [str(row[1]) for row in described])
    if rows and any(column.type == "text" for column in columns):
        empty = _without_values(path, connection, rows)
        columns = tuple(
            Column(column.name, "empty")
            if column.type == "text" and column.name in empty
            else column
            for column in columns
        )
    return Table(path, columns, rows, connection)


def typed_view(
    connection: duckdb.DuckDBPyConnection, source: str, names: Sequence[str], stored: Sequence[str]
) -> tuple[tuple[Column, ...], int]:
    """Make the view `t` over a row source that is generated or quoted, never taken as it stands.

    stored: what DuckDB calls the type of each column. Gives back the columns and the row count.
    """
    types = [_parquet_type(kind) for kind in stored]
    typed = ", ".join(
        f"CAST(c{i} AS {STORED_AS.get(kind, 'VARCHAR')}) AS c{i}" for i, kind in enumerate(types)
    )
    aliases = ", ".join(f"c{i}" for i in range(len(names)))
    connection.execute(f"CREATE VIEW t AS SELECT {typed} FROM {source} AS s({aliases})")  # noqa: S608 - generated
    counted = connection.execute("SELECT count(*) FROM t").fetchone()
    columns = tuple(Column(*pair) for pair in zip(names, types, strict=True))
    return columns, int(counted[0]) if counted else 0


def _parquet_names(path: Path, connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Names of the top-level columns, as stored (DuckDB itself renames duplicates silently)."""
    nodes = connection.execute(
        # Names are made by us (c0, c1, ...) or quoted by `literal`, never taken as they stand.
        f"SELECT name, coalesce(num_children, 0) FROM parquet_schema({literal(path)})"  # noqa: S608
    ).fetchall()
    names: list[str] = []
    position = 1  # the first node is the root
    while position < len(nodes):
        names.append(str(nodes[position][0]))
        pending = 1
        while pending and position < len(nodes):  # step over the children of a nested column
            pending += int(nodes[position][1]) - 1
            position += 1
    return tuple(names)


def _without_values(path: Path, connection: duckdb.DuckDBPyConnection, rows: int) -> set[str]:
    """Top-level columns of which the statistics of the file say that every cell is null."""
    found = connection.execute(
        f"SELECT path_in_schema FROM parquet_metadata({literal(path)}) "  # noqa: S608 - quoted
        "GROUP BY 1 HAVING sum(stats_null_count) = ? AND count(stats_null_count) = count(*)",
        [rows],
    ).fetchall()
    return {str(name) for (name,) in found}


def _parquet_type(stored: str) -> ColumnType:
    if stored.startswith("DECIMAL"):
        return "number"
    return _PARQUET_TYPES.get(stored, "text")


def _fixed_width(column: Any) -> tuple[Values, NDArray[np.bool_] | None]:
    """An Arrow array of numbers as numpy reads it; nulls hold anything."""
    first, last = column.offset, column.offset + column.length
    values = np.asarray(column.buffer(1))[first:last]
    if not column.null_count:
        return values, None
    bits = np.unpackbits(np.asarray(column.buffer(0)), bitorder="little")
    return values, bits[first:last].astype(bool)


def _with_nulls(values: Values, kind: ColumnType) -> Values:
    if not isinstance(values, np.ma.MaskedArray):
        return values if kind != "text" else values.astype(object)
    null = np.ma.getmaskarray(values)
    data = np.asarray(values.data)
    if kind == "number" or (kind == "integer" and _fits_double(data[~null])):
        filled = data.astype(np.float64)
        filled[null] = np.nan
        return filled
    cells = data.astype(object)
    cells[null] = None
    return cells


def _fits_double(numbers: Values) -> bool:
    return numbers.size == 0 or bool(np.abs(numbers).max() <= _EXACT_IN_DOUBLE)
