"""The same content has the same fingerprint; any other content has another one."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guiderail.core.errors import InputError
from guiderail.measure.fingerprint import fingerprint

Row = tuple[int | None, float | None, str | None, bool | None]

texts = st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Cs",)), min_size=1
)
cells = st.tuples(
    st.one_of(st.none(), st.integers(-(10**17), 10**17)),
    st.one_of(st.none(), st.floats(allow_infinity=False, allow_nan=False)),
    st.one_of(st.none(), texts),
    st.one_of(st.none(), st.booleans()),
)
# One fixed row makes every type certain in CSV.
CERTAIN: Row = (1, 0.5, "text", True)
tables = st.lists(cells, max_size=8).map(lambda rows: [*rows, CERTAIN])
relaxed = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
NAMES = ("whole", "number", "words", "flag")


def as_csv(path: Path, rows: list[Row], names: tuple[str, ...] = NAMES) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerow(names)
        writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return path


def as_parquet(
    path: Path, rows: Sequence[Sequence[Any]], order: str = "whole, number, words, flag"
) -> Path:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE t (whole BIGINT, number DOUBLE, words VARCHAR, flag BOOLEAN)")
    connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
    connection.table("t").project(order).write_parquet(str(path))
    return path


def of(path: Path) -> str:
    return fingerprint(path).fingerprint


@relaxed
@given(tables)
def test_csv_and_parquet_agree(tmp_path: Path, rows: list[Row]) -> None:
    first = fingerprint(as_csv(tmp_path / "a.csv", rows))
    second = fingerprint(as_parquet(tmp_path / "a.parquet", rows))
    assert first == second
    assert first.rows == len(rows)


@relaxed
@given(tables, st.randoms())
def test_order_of_rows_and_columns_does_not_matter(
    tmp_path: Path, rows: list[Row], random: Any
) -> None:
    mixed = list(rows)
    random.shuffle(mixed)
    other = as_parquet(tmp_path / "b.parquet", mixed, order="flag, words, whole, number")
    assert of(as_parquet(tmp_path / "a.parquet", rows)) == of(other)


@relaxed
@given(tables, st.data())
def test_any_changed_cell_is_seen(tmp_path: Path, rows: list[Row], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.integers(0, 3))
    other = data.draw(cells)[column]
    changed: list[Sequence[Any]] = list(rows)
    row = list(rows[place])
    same = row[column] == other and str(row[column]) == str(other)
    row[column] = other
    changed[place] = row
    before = of(as_parquet(tmp_path / "a.parquet", rows))
    assert (before == of(as_parquet(tmp_path / "b.parquet", changed))) is same


OTHERS: list[tuple[Any, ...]] = [
    (None, 0, 1, -1),
    (None, 0.0, -0.0, 1.0, 5e-324),
    (None, "n", "t0:", "null", " "),
    (None, True, False),
]


@pytest.mark.parametrize("column", range(4))
def test_null_is_no_value_and_no_value_is_another(tmp_path: Path, column: int) -> None:
    found = set()
    for i, value in enumerate(OTHERS[column]):
        row = [*CERTAIN]
        row[column] = value
        found.add(of(as_parquet(tmp_path / f"{i}.parquet", [CERTAIN, row])))
    assert len(found) == len(OTHERS[column])


def test_many_rows_are_sorted_like_their_bytes(tmp_path: Path) -> None:
    relation = duckdb.connect().sql("SELECT i AS a, i % 7 AS b FROM range(120000) AS r(i)")
    relation.write_parquet(str(tmp_path / "a.parquet"))
    relation.order("hash(a)").write_parquet(str(tmp_path / "b.parquet"))
    assert of(tmp_path / "a.parquet") == of(tmp_path / "b.parquet")


def test_how_often_a_row_occurs_counts(tmp_path: Path) -> None:
    once = of(as_csv(tmp_path / "a.csv", [CERTAIN]))
    twice = of(as_csv(tmp_path / "b.csv", [CERTAIN, CERTAIN]))
    thrice = of(as_csv(tmp_path / "c.csv", [CERTAIN] * 3))
    assert len({once, twice, thrice}) == 3


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a,b\nx,yz\n", "a,b\nxy,z\n"),
        ("a,b\nx,\n", "a,b\n,x\n"),
        ("a\nx\n", "b\nx\n"),
        ("a\n1\n", "a\n1.0\n"),
        ("a,b\n1,x\n2,y\n", "a,b\n1,y\n2,x\n"),
        ("a,b\nt1:x,y\n", "a,b\nt1:,xy\n"),
        ("a\n0.0\n", "a\n-0.0\n"),
        ("a\n0.1\n", "a\n0.10000000000000002\n"),
        ("a\n", "a,b\n"),
    ],
)
def test_contents_that_look_alike_differ(tmp_path: Path, first: str, second: str) -> None:
    (tmp_path / "a.csv").write_text(first)
    (tmp_path / "b.csv").write_text(second)
    assert of(tmp_path / "a.csv") != of(tmp_path / "b.csv")


def test_the_way_a_cell_is_written_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n0.5,x\n10,y\n")
    (tmp_path / "b.csv").write_bytes('"a";"b"\r\n1e1;"y"\r\n.50;x\r\n'.encode("utf-16"))
    assert of(tmp_path / "a.csv") == of(tmp_path / "b.csv")


def test_a_column_without_values_has_one_type(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,\n2,\n")
    rows = duckdb.connect().sql("SELECT i + 1 AS a, NULL::DOUBLE AS b FROM range(2) AS r(i)")
    rows.write_parquet(str(tmp_path / "b.parquet"))
    assert fingerprint(tmp_path / "a.csv") == fingerprint(tmp_path / "b.parquet")


def test_the_fingerprint_of_a_content_never_changes(tmp_path: Path) -> None:
    rows: list[Row] = [CERTAIN, (None, -2.5, "größer", None), (-7, 1e300, "a,b\n", False)]
    found = fingerprint(as_csv(tmp_path / "a.csv", rows))
    assert found.schema == (
        ("flag", "boolean"),
        ("number", "number"),
        ("whole", "integer"),
        ("words", "text"),
    )
    assert found.fingerprint == (
        "guiderail-table-1:d44aa9ecc9c796bdf339dcc2702e24c6198ef5de597e32bd12a247523bf8f7b0"
    )


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        fingerprint(tmp_path / "absent.csv")
