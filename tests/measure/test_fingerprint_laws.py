"""Whoever changes data on purpose changes their fingerprint; whoever repacks them does not."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guiderail.measure.fingerprint import fingerprint
from guiderail.measure.frames import open_frame

signs = st.text(st.sampled_from(list("abnit0:;1\\\"', .null")), max_size=6)
cells = st.one_of(st.none(), signs)
rows = st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=5)
few = settings(max_examples=20, deadline=None)


def of(rows: list[Any], names: tuple[str, ...] = ("a", "b", "c")) -> str:
    """The fingerprint of rows of text in memory."""
    columns = {
        name: pd.Series([row[place] for row in rows], dtype="str")
        for place, name in enumerate(names)
    }
    with open_frame(pd.DataFrame(columns)) as table:
        return fingerprint(table).fingerprint


def held(rows: list[Any]) -> list[tuple[tuple[bool, str], ...]]:
    """The rows in an order of their own, null before every text."""
    return sorted(tuple((cell is not None, cell or "") for cell in row) for row in rows)


def typed(rows: list[Any]) -> list[bool]:
    """Which columns hold anything: a column without any value has no type."""
    return [any(row[place] is not None for row in rows) for place in range(3)]


@few
@given(rows, rows)
def test_two_tables_have_one_fingerprint_only_if_they_hold_the_same_rows(
    first: list[Any], second: list[Any]
) -> None:
    assert (of(first) == of(second)) is (held(first) == held(second))


@few
@given(rows, st.randoms())
def test_shuffled_rows_and_columns_are_the_same_table(first: list[Any], random: Any) -> None:
    shuffled = list(first)
    random.shuffle(shuffled)
    places = [0, 1, 2]
    random.shuffle(places)
    moved = [tuple(row[place] for place in places) for row in shuffled]
    assert of(moved, tuple("abc"[place] for place in places)) == of(first)


@few
@given(rows, st.integers(0, 4), st.integers(0, 2), cells)
def test_every_changed_cell_is_seen(
    first: list[Any], row: int, column: int, cell: str | None
) -> None:
    place = row % len(first)
    changed = [list(one) for one in first]
    changed[place][column] = cell
    same = first[place][column] == cell
    assert (of(first) == of(changed)) is same


@few
@given(rows, st.data())
def test_a_row_more_or_less_is_seen(first: list[Any], data: st.DataObject) -> None:
    again = data.draw(st.sampled_from(first))
    assert of([*first, again]) != of(first)
    assert of([*first, again, again]) != of([*first, again])


def test_cells_that_run_together_alike_are_told_apart() -> None:
    tables = [
        [("ab", "", "c")], [("a", "b", "c")], [("", "ab", "c")], [("abc", "", "")],
        [("a", "bc", "")], [(None, "ab", "c")], [("n", "ab", "c")], [("null", "ab", "c")],
        [("t1:a", "b", "c")], [("t2:", "ab", "c")], [("a;", "b", "c")], [("a", ";b", "c")],
        [("a", "b", "c"), ("a", "b", "c")],
    ]  # fmt: skip
    prints = [of(table) for table in tables]
    assert len(set(prints)) == len(tables)


def test_cells_swapped_between_rows_or_columns_are_seen() -> None:
    table = [("x", "1", "p"), ("y", "2", "q")]
    others = [
        [("y", "1", "p"), ("x", "2", "q")],
        [("1", "x", "p"), ("2", "y", "q")],
        [("x", "1", "q"), ("y", "2", "p")],
    ]
    assert len({of(one) for one in [table, *others]}) == 4


def test_names_swapped_between_columns_are_seen() -> None:
    table = [("x", "1", "p")]
    prints = {of(table, names) for names in itertools.permutations(("a", "b", "c"))}
    assert len(prints) == 6


def test_the_same_text_under_another_type_is_another_table() -> None:
    frames = [
        pd.DataFrame({"a": ["1", "0"]}),
        pd.DataFrame({"a": [1, 0]}),
        pd.DataFrame({"a": [1.0, 0.0]}),
        pd.DataFrame({"a": [True, False]}),
    ]
    assert len({_of_frame(frame) for frame in frames}) == 4


def _of_frame(frame: pd.DataFrame) -> str:
    with open_frame(frame) as table:
        return fingerprint(table).fingerprint


@pytest.mark.parametrize("codec", ["uncompressed", "snappy", "gzip", "zstd"])
@pytest.mark.parametrize("size", [2048, 100_000])
def test_the_codec_and_the_row_groups_do_not_matter(tmp_path: Path, codec: str, size: int) -> None:
    select = (
        "SELECT i AS whole, i / 7 AS part, 'w' || (i % 13) AS words, i % 2 = 0 AS flag, "
        "CASE WHEN i % 5 = 0 THEN NULL ELSE i % 3 END AS hole FROM range(5000) AS r(i)"
    )
    connection = duckdb.connect()
    connection.execute(f"COPY ({select}) TO '{tmp_path / 'plain.parquet'}' (FORMAT parquet)")
    connection.execute(
        f"COPY ({select} ORDER BY hash(i)) TO '{tmp_path / 'other.parquet'}' "
        f"(FORMAT parquet, CODEC '{codec}', ROW_GROUP_SIZE {size})"
    )
    plain = fingerprint(tmp_path / "plain.parquet")
    assert fingerprint(tmp_path / "other.parquet") == plain
    with open_frame(connection.sql(select).df()) as table:
        assert fingerprint(table).rows == plain.rows
