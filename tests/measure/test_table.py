"""Files become typed columns, or an error that names the file and the column."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest

from guiderail.core.errors import InputError
from guiderail.measure import csv_columns
from guiderail.measure.table import open_table


def write(folder: Path, text: str | bytes, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def parquet(folder: Path, select: str, name: str = "data.parquet") -> Path:
    path = folder / name
    duckdb.connect().execute(f"COPY (SELECT {select}) TO '{path}' (FORMAT parquet)")
    return path


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "-20", "0"], "integer"),
        (["1", "", "3"], "integer"),
        ([" 1", "2 "], "integer"),
        (["1", "2.5"], "number"),
        (["1e-3", ".5"], "number"),
        (["0.5", "nan", "-inf"], "number"),
        (["nan", "nan"], "text"),
        (["007", "1"], "text"),
        (["+49", "+43"], "text"),
        (["1,5", "2,5"], "text"),
        (["12345678901234567890", "1"], "text"),
        (["12345678901234567890", "0.5"], "text"),
        (["1", "NA"], "text"),
        (["2024-01-31", "2024-02-01"], "text"),
        (["true", "FALSE"], "boolean"),
        (["", ""], "empty"),
    ],
)
def test_a_csv_column_has_a_type_that_every_cell_fits(
    tmp_path: Path, cells: list[str], kind: str
) -> None:
    lines = "".join(f'x;"{cell}"\n' for cell in cells)
    table = open_table(write(tmp_path, f"first;cells\n{lines}"))
    assert table.type_of("cells") == kind
    assert table.rows == len(cells)


def test_null_stays_null_in_every_type(tmp_path: Path) -> None:
    table = open_table(write(tmp_path, "i,n,b,t,e\n1,0.5,true,x,\n,,,,\n"))
    values = table.frame(table.names)
    assert values["i"].tolist()[0] == 1.0
    assert np.isnan(values["i"][1])
    assert np.isnan(values["n"][1])
    assert values["b"].tolist() == [True, None]
    assert values["t"].tolist() == ["x", None]
    assert values["e"].tolist() == [None, None]


def test_large_whole_numbers_beside_nulls_keep_every_digit(tmp_path: Path) -> None:
    table = open_table(write(tmp_path, "a,b\n9007199254740993,1\n,2\n"))
    assert table.column("a").tolist() == [9007199254740993, None]


def test_whole_numbers_come_back_as_int64(tmp_path: Path) -> None:
    table = open_table(write(tmp_path, "a\n1\n2\n"))
    assert table.column("a").dtype == np.int64


def test_sql_words_quotes_and_patterns_in_names_are_just_names(tmp_path: Path) -> None:
    path = write(tmp_path, 'select,"a ""b"", c",x\'; DROP\n1,2,3\n', name="x[1]*'s.csv")
    write(tmp_path, "other\n9\n", name="x1s.csv")
    table = open_table(path)
    assert table.names == ("select", 'a "b", c', "x'; DROP")
    assert table.column("select").tolist() == [1]


def test_names_that_differ_in_case_are_two_columns(tmp_path: Path) -> None:
    table = open_table(write(tmp_path, "Age,age\n1,2\n"))
    assert table.column("Age").tolist() == [1]
    assert table.column("age").tolist() == [2]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_with_and_without_a_mark_is_read(tmp_path: Path, encoding: str) -> None:
    table = open_table(write(tmp_path, "größe,ort\n1,Köln\n".encode(encoding)))
    assert table.names == ("größe", "ort")
    assert table.column("ort").tolist() == ["Köln"]


def test_cells_with_line_ends_quotes_and_signs_survive(tmp_path: Path) -> None:
    random = np.random.default_rng(9)
    signs = np.array([*'a "",;\n\tä\u2028'])
    cells = ["x" + "".join(random.choice(signs, 12)) + "x" for _ in range(20_000)]
    path = tmp_path / "data.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerow(["n", "wo\u2028rds"])
        writer.writerows(enumerate(cells))
    frame = open_table(path).frame(("n", "wo\u2028rds"))
    assert frame["n"].tolist() == list(range(20_000))
    assert frame["wo\u2028rds"].tolist() == cells


def test_line_ends_of_windows_are_read(tmp_path: Path) -> None:
    table = open_table(write(tmp_path, "a,b\r\n1,x\r\n2,y\r\n"))
    assert table.column("b").tolist() == ["x", "y"]


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (b"", "data/empty-file", "empty"),
        (b"\n1,2\n", "data/no-header", "first line"),
        (b"a,,c\n1,2,3\n", "data/no-header", "Column 2"),
        (b'a,"b\nc"\n1,2\n', "data/no-header", "Column 2"),
        (b'a,"b\n1,2\n', "data/no-header", "Column 2"),
        (b"a,b,a\n1,2,3\n", "data/duplicate-column", '"a" occurs twice'),
        ("a,b\n1,Köln\n".encode("latin-1"), "data/encoding", "UTF-8"),
        (b"a,b\n1,2\n1,2,3\n", "data/ragged-row", "3 cells, the header has 2"),
        (b"a,b\n1\n", "data/ragged-row", "1 cells, the header has 2"),
        (b'a,b\n1,"2\n', "data/not-readable", "quote"),
        (b"\x00\x01\x02", "data/not-readable", "binary"),
    ],
)
def test_a_bad_csv_file_is_refused_with_its_name(
    tmp_path: Path, content: bytes, code: str, says: str
) -> None:
    path = write(tmp_path, content)
    with pytest.raises(InputError) as refused:
        open_table(path)
    assert refused.value.code == code
    assert says in refused.value.what
    assert str(path) in str(refused.value)


def test_a_wrong_letter_deep_in_the_file_is_refused_with_its_line(tmp_path: Path) -> None:
    body = b"a,b\n" + b"1,ok\n" * 200_000 + b"1,K\xf6ln\n" + b"1,ok\n" * 1_000_000
    with pytest.raises(InputError) as refused:
        open_table(write(tmp_path, body))
    assert refused.value.code == "data/encoding"
    assert refused.value.place is not None
    assert refused.value.place.line == 200_002


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        open_table(tmp_path / "absent.csv")


def test_an_unknown_column_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    table = open_table(write(tmp_path, "income,age\n1,2\n"))
    with pytest.raises(InputError) as refused:
        table.column("incom")
    assert 'Did you mean "income"?' in refused.value.advice


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    table = open_table(write(tmp_path, "a,b\n"))
    assert table.rows == 0
    assert table.column("a").tolist() == []


def test_a_file_too_large_to_keep_is_read_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "a,b\n" + "".join(f"{i},w{i}\n" for i in range(3000)))
    kept = open_table(path).frame(("a", "b"))
    monkeypatch.setattr(csv_columns, "HELD_IN_MEMORY", 0)
    streamed = open_table(path).frame(("a", "b"))
    assert streamed["a"].tolist() == kept["a"].tolist()
    assert streamed["b"].tolist() == kept["b"].tolist()


def test_nothing_of_the_reader_is_needed_to_name_a_reason() -> None:
    code = (
        "import sys, guiderail.measure.unmeasurable; "
        "print(sorted({'numpy', 'duckdb', 'scipy'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_parquet_keeps_its_stored_types(tmp_path: Path) -> None:
    table = open_table(
        parquet(
            tmp_path,
            "1::TINYINT AS i, 2.5::DECIMAL(6,2) AS d, 0.5::FLOAT AS f, true AS b, 'x' AS t, "
            "DATE '2024-01-31' AS day, 18446744073709551615::UBIGINT AS big, [1, 2] AS list",
        )
    )
    types = {column.name: column.type for column in table.columns}
    assert types == {
        "i": "integer",
        "d": "number",
        "f": "number",
        "b": "boolean",
        "t": "text",
        "day": "text",
        "big": "text",
        "list": "text",
    }
    assert table.column("day").tolist() == ["2024-01-31"]
    assert table.column("big").tolist() == ["18446744073709551615"]


def test_nested_parquet_columns_do_not_shift_the_names(tmp_path: Path) -> None:
    table = open_table(parquet(tmp_path, "{'a': 1, 'b': [2]} AS first, 7 AS second"))
    assert table.names == ("first", "second")
    assert table.column("second").tolist() == [7]


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path, "i, i * 2 AS twice FROM range(100000) AS r(i)")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError) as refused:
        open_table(path)
    assert refused.value.code == "data/not-readable"


def test_corrupt_pages_are_refused_when_they_are_read(tmp_path: Path) -> None:
    path = parquet(tmp_path, "random() AS a FROM range(100000)")
    damaged = bytearray(path.read_bytes())
    damaged[4:200] = b"\xff" * 196
    path.write_bytes(damaged)
    with pytest.raises(InputError) as refused:
        open_table(path).column("a")
    assert refused.value.code == "data/not-readable"
    assert str(path) in str(refused.value)
