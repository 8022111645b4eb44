"""Child side only: the rows of a table that a model is fed with."""

from __future__ import annotations

import codecs
import warnings
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from guiderail.core.csv_encoding import CODECS, Encoding
from guiderail.core.csv_layout import csv_layout
from guiderail.core.errors import InputError
from guiderail.sandbox.load import LoadedModel


class UnusableTableError(ValueError):
    """The table does not fit the model, or the two together cannot give what is asked for."""


def read_rows(
    path: Path, most: int | None = None, encoding: Encoding | None = None
) -> pd.DataFrame:
    """A CSV or Parquet file, at most its first `most` rows.

    encoding: of a CSV file, where its owner names one. Raises UnusableTableError, also for a
    column name that occurs twice and for rows that are longer than the header: pandas would rename
    the one and move the cells of the other to columns where they do not belong.
    """
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return _parquet(path, most)
        layout = csv_layout(path, encoding)
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                path,
                nrows=most,
                sep=layout.delimiter,
                encoding=_codec(path, layout.encoding),
                index_col=False,
            )
    except InputError as problem:
        raise UnusableTableError(f"the table {path.name} cannot be read: {problem.what}") from None
    except pd.errors.ParserWarning:
        raise UnusableTableError(
            f"the table {path.name} cannot be read: its rows are longer than its header"
        ) from None
    except (ValueError, OSError, UnicodeDecodeError) as problem:
        raise UnusableTableError(f"the table {path.name} cannot be read: {problem}") from problem


def _codec(path: Path, encoding: str) -> str:
    """Python's name of an encoding, of the form that takes a byte order mark away."""
    with path.open("rb") as stream:
        marked = stream.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    return "utf-16" if marked else "utf-8-sig" if encoding == "utf-8" else CODECS[encoding]


def _parquet(path: Path, most: int | None) -> pd.DataFrame:
    """DuckDB reads Parquet here; it is installed with Guiderail, other engines may not be."""
    import duckdb

    try:
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.execute("SET enable_progress_bar = false")
            rows = connection.read_parquet(str(path))
            columns = (rows if most is None else rows.limit(most)).fetchnumpy()
    except duckdb.Error as problem:
        raise ValueError(str(problem).splitlines()[0]) from problem
    return pd.DataFrame(columns)


def input_columns(
    model: LoadedModel, table: pd.DataFrame, inputs: Sequence[str] | None, exclude: Sequence[str]
) -> pd.DataFrame:
    """The columns to feed, in the model's order. Raises UnusableTableError where they do not fit.

    inputs: None for a model that names none: then every column but `exclude` is fed.
    """
    if table.empty:
        raise UnusableTableError("the table has no rows")
    if inputs is not None:
        missing = [name for name in inputs if name not in table.columns]
        if missing:
            raise UnusableTableError(f"the table lacks the model's input {missing[0]!r}")
        return table.loc[:, list(inputs)]
    rest = [name for name in table.columns if name not in exclude]
    wanted = model.summary.input_count
    if wanted != len(rest):
        raise UnusableTableError(
            f"the model names no inputs and takes {wanted}, the table offers {len(rest)}"
        )
    return table.loc[:, rest]
