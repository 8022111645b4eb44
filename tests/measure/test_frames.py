"""Frames in memory are tables like files: the same types, values, groups and fingerprints."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from guiderail.core.errors import InputError
from guiderail.measure.distinct_rows import DistinctRows, distinct_rows
from guiderail.measure.fingerprint import fingerprint
from guiderail.measure.frames import open_frame
from guiderail.measure.table import open_table

CELLS: dict[str, list[Any]] = {
    "whole": [1, -20, 10**17],
    "part": [0.5, None, -0.0],
    "words": ["a", None, "null"],
    "flag": [True, None, False],
    "select": ["é", "it's", '"'],
}
CSV = """\
whole,part,words,flag,select
1,0.5,a,true,é
-20,,,,it's
100000000000000000,-0.0,null,false,\"\"\"\"
"""


def library(name: str) -> Any:
    """`make test` installs the libraries, so that their absence there is a failure and no skip."""
    try:
        return importlib.import_module(name)
    except ImportError:
        reason = f"FRAMES OF {name.upper()} ARE NOT TESTED in this run: it is not installed"
        if os.environ.get("GUIDERAIL_NO_SKIP"):
            pytest.fail(reason)
        pytest.skip(reason)


def as_pandas() -> Any:
    return pd.DataFrame({**CELLS, "flag": pd.array(CELLS["flag"], dtype="boolean")})


def as_polars() -> Any:
    return library("polars").DataFrame(CELLS)


def as_lazy_polars() -> Any:
    return library("polars").LazyFrame(CELLS)


def as_arrow() -> Any:
    return library("pyarrow").table(CELLS)


def as_batch() -> Any:
    return library("pyarrow").RecordBatch.from_pydict(CELLS)


MAKERS = [as_pandas, as_polars, as_lazy_polars, as_arrow, as_batch]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_a_frame_is_the_same_table_as_the_file(tmp_path: Path, make: Any) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    with open_frame(make()) as frame, open_table(tmp_path / "a.csv") as file:
        assert frame.columns == file.columns
        assert frame.rows == file.rows == 3
        for name in file.names:
            assert repr(frame.column(name).tolist()) == repr(file.column(name).tolist())
        assert fingerprint(frame) == fingerprint(file)
        here, there = (distinct_rows(table, {"words": None}, ["flag"]) for table in (frame, file))
        assert isinstance(here, DistinctRows)
        assert isinstance(there, DistinctRows)
        assert here.counts.sum() == there.counts.sum() == 3


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        (pd.Series([1, None, 3], dtype=object), "integer", [1.0, np.nan, 3.0]),
        (pd.Series([1, 2.5, None], dtype=object), "number", [1.0, 2.5, np.nan]),
        (pd.Series([True, None, False], dtype=object), "boolean", [True, None, False]),
        (pd.Series([1, "x", None], dtype=object), "text", ["1", "x", None]),
        (pd.Series(["a", None, float("nan")], dtype=object), "text", ["a", None, None]),
        (pd.Series([None, None, None], dtype=object), "text|integer", [None, None, None]),
        (pd.array([1, None, 3], dtype="Int64"), "integer", [1.0, np.nan, 3.0]),
        (pd.Categorical(["u", None, "v"]), "text", ["u", None, "v"]),
        (pd.to_datetime(["2024-02-29", None, "1999-12-31"]), "text",
         ["2024-02-29 00:00:00", None, "1999-12-31 00:00:00"]),
        (np.array([1, 2, 2**63], dtype=np.uint64), "text", ["1", "2", "9223372036854775808"]),
        ([1.0, np.inf, -np.inf], "number", [1.0, np.inf, -np.inf]),
    ],
)  # fmt: skip
def test_a_pandas_column_has_the_type_of_all_its_cells(
    cells: Any, kind: str, values: list[Any]
) -> None:
    with open_frame(pd.DataFrame({"a": cells})) as table:
        assert table.type_of("a") in kind.split("|")
        found = table.column("a").tolist()
    missing = [one is None or one != one for one in values]
    assert [one is None or one != one for one in found] == missing
    assert [one for one, gone in zip(found, missing, strict=True) if not gone] == [
        one for one, gone in zip(values, missing, strict=True) if not gone
    ]


def test_the_last_of_many_objects_decides_too() -> None:
    cells = [*range(20_000), "x"]
    with open_frame(pd.DataFrame({"a": pd.Series(cells, dtype=object)})) as table:
        assert table.type_of("a") == "text"
        assert table.column("a")[-1] == "x"


def test_nan_is_missing_in_pandas_and_a_number_elsewhere() -> None:
    polars = library("polars")
    cells = [1.0, float("nan")]
    with open_frame(pd.DataFrame({"a": cells})) as table:
        assert table.fetch("count(c0) FROM t") == [(1,)]
    with open_frame(polars.DataFrame({"a": cells})) as table:
        assert table.fetch("count(c0) FROM t") == [(2,)]


def test_names_that_differ_in_case_are_two_columns() -> None:
    with open_frame(pd.DataFrame({"a": [1], "A": [2]})) as table:
        assert [table.column(name).tolist() for name in ("a", "A")] == [[1], [2]]


def test_the_index_is_no_column() -> None:
    with open_frame(pd.DataFrame({"a": [1, 2]}, index=["x", "y"])) as table:
        assert table.names == ("a",)


def test_a_name_that_occurs_twice_is_refused() -> None:
    frame = pd.DataFrame([[1, 2]], columns=["income", "income"])
    with pytest.raises(InputError, match='"income" occurs twice'):
        open_frame(frame)


@pytest.mark.parametrize("name", [0, "", " ", "a\nb", None])
def test_a_column_without_a_proper_name_is_refused(name: Any) -> None:
    with pytest.raises(InputError, match="Column 1 has no name"):
        open_frame(pd.DataFrame({name: [1]}))


@pytest.mark.parametrize("thing", [[1], {"a": [1]}, np.zeros(3), "a.csv", pd.Series([1]), None])
def test_what_is_no_frame_is_refused(thing: Any) -> None:
    with pytest.raises(InputError, match="is no table"):
        open_frame(thing)


def test_a_frame_without_columns_is_refused() -> None:
    with pytest.raises(InputError, match="no columns"):
        open_frame(pd.DataFrame())


def test_a_frame_without_rows_has_columns() -> None:
    with open_frame(pd.DataFrame({"a": pd.Series([], dtype="int64")})) as table:
        assert (table.rows, table.type_of("a")) == (0, "integer")


def test_an_unknown_column_is_named_with_the_frame() -> None:
    with open_frame(pd.DataFrame({"income": [1]}), "applicants") as table:
        with pytest.raises(InputError, match="incme") as error:
            table.column("incme")
        assert "applicants" in str(error.value)
