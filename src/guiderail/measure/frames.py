"""Data in memory as a `Table`: pandas and Polars frames, Arrow tables and record batches.

The stored type decides, as in Parquet (see `table`). What is special here:

- A pandas column of objects gets its type from all of its cells: `integer`, `number` or `boolean`
  where every filled cell is one, else `text`. In pandas NaN means that a cell is missing, so it is
  null; in Polars and Arrow NaN is a number that is none, and null is null.
- The index of a pandas frame is no column.
- A lazy Polars frame is computed once, when it is opened.

Nothing is copied where DuckDB can read the memory as it is: leave the data alone while the table
is open.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from guiderail.core.errors import InputError, Place
from guiderail.measure.csv_text import refusal
from guiderail.measure.table import Column, Table, new_connection, typed_view


def open_frame(frame: object, name: str = "data in memory") -> Table:
    """Open a frame. name: what errors call it.

    Raises InputError (codes `data/...`) for another kind of object, for a frame without columns,
    for a column without a name and for a column name that occurs twice.
    """
    place = Path(name)
    data = _readable(frame, place)
    names = _names(data, place)
    connection = new_connection()
    held = _renamed(data, len(names))
    try:
        # Types of object columns come from every row, never from a sample.
        connection.execute(f"SET GLOBAL pandas_analyze_sample = {max(1, _rows(data))}")
        connection.register("frame", held)
        described = connection.execute("DESCRIBE SELECT * FROM frame").fetchall()
        columns, rows = typed_view(connection, "frame", names, [str(row[1]) for row in described])
    except (duckdb.Error, ImportError) as error:
        connection.close()
        problem = error if isinstance(error, duckdb.Error) else duckdb.Error(str(error))
        raise refusal(place, problem) from None
    return _FrameTable(place, columns, rows, connection, held)


class _FrameTable(Table):
    def __init__(
        self,
        path: Path,
        columns: tuple[Column, ...],
        rows: int,
        connection: duckdb.DuckDBPyConnection,
        held: Any,
    ) -> None:
        super().__init__(path, columns, rows, connection)
        self._held = held

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        cursor = super()._cursor()
        cursor.register("frame", self._held)  # what is registered belongs to one cursor
        return cursor


def _readable(frame: Any, place: Path) -> Any:
    """The object as one that DuckDB reads: pandas, a Polars DataFrame or an Arrow table."""
    kind = _kind(frame)
    if kind == ("polars", "LazyFrame"):
        return frame.collect()
    if kind == ("pyarrow", "RecordBatch"):
        import pyarrow as pa

        return pa.Table.from_batches([frame])
    if kind in {("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "Table")}:
        return frame
    raise InputError(
        f"An object of type {type(frame).__name__} is no table.",
        advice="Hand in a pandas or Polars DataFrame or an Arrow table.",
        code="data/frame",
        place=Place(str(place)),
    )


def _kind(frame: object) -> tuple[str, str]:
    """The library and the name of the class, of the nearest base that is one of a library's.

    Nothing is imported to find out.
    """
    for base in type(frame).__mro__:
        library = base.__module__.partition(".")[0]
        if library in {"pandas", "polars", "pyarrow"}:
            return library, base.__name__
    return "", type(frame).__name__


def _names(data: Any, place: Path) -> tuple[str, ...]:
    found = data.column_names if _kind(data)[0] == "pyarrow" else data.columns
    names = tuple(found)
    if not names:
        raise _bad_names("The frame has no columns.", "Hand in a frame with columns.", place)
    for number, name in enumerate(names, start=1):
        if not isinstance(name, str) or not name.strip() or "\n" in name or "\r" in name:
            raise _bad_names(
                f"Column {number} has no name that is a text on one line.",
                "Give every column its own name.",
                place,
            )
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f'The column name "{name}" occurs twice.',
                advice="Give every column its own name.",
                code="data/duplicate-column",
                place=Place(str(place)),
            )
    return names


def _bad_names(what: str, advice: str, place: Path) -> InputError:
    return InputError(what, advice=advice, code="data/no-header", place=Place(str(place)))


def _rows(data: Any) -> int:
    return int(data.num_rows if _kind(data)[0] == "pyarrow" else len(data))


def _renamed(data: Any, count: int) -> Any:
    """The same data with generated names: names that differ in case only are no duplicates."""
    names = [f"c{place}" for place in range(count)]
    library = _kind(data)[0]
    if library == "pyarrow":
        return data.rename_columns(names)
    if library == "polars":
        return data.rename(dict(zip(data.columns, names, strict=True))).to_arrow()
    return data.set_axis(names, axis=1)
