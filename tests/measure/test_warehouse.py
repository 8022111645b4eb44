"""A source file says where a table is; it holds no secret, and no answer does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from tests import warehouses
from tests.postgres import server

from guiderail.cli.main import cli
from guiderail.core.errors import InputError
from guiderail.measure.table import Table, open_table
from guiderail.measure.warehouse import open_source, read_source

COLUMNS = {"sex": "text", "decision": "integer"}
ROWS = [("f" if number % 3 else "m", number % 2) for number in range(120)]
SECRET = "S3cret-of-the-warehouse"


def written(folder: Path, text: str) -> Path:
    path = folder / "decisions.yaml"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    warehouses.ibis_or_skip()
    with server() as found:
        warehouses.postgres_table(found, "public.decisions", COLUMNS, ROWS)
        yield found


def test_a_file_of_data_is_opened_as_before(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n")
    with open_source(tmp_path / "a.csv") as table:
        assert isinstance(table, Table)


@pytest.mark.parametrize(
    ("text", "said", "code"),
    [
        ("engine: postgresql\ndatabase: d\ntable: t\npassword: x\n", "no secret", "secret-in-file"),
        ("engine: postgresql\ndatabase: d\ntable: t\nDSN: x\n", "no secret", "secret-in-file"),
        ("engine: oracle\ntable: t\n", "engine", "source-file"),
        ("engine: postgresql\ntable: t\n", "database", "source-file"),
        ("engine: postgresql\ndatabase: d\ntable: a.b.c.d\n", "table", "source-file"),
        ("engine: postgresql\ndatabase: d\ntable: t\nport: 0\n", "port", "source-file"),
        ("engine: postgresql\ndatabase: d\ntable: t\nrows: 3\n", "rows", "source-file"),
        ("engine: pyspark\n", "either a table or Parquet", "source-file"),
        ("engine: pyspark\ntable: t\nparquet: p\n", "either a table or Parquet", "source-file"),
        ("- a\n", "source file", "source-file"),
    ],
)
def test_a_file_that_names_no_table_is_refused_with_its_place(
    tmp_path: Path, text: str, said: str, code: str
) -> None:
    with pytest.raises(InputError, match=said) as error:
        read_source(written(tmp_path, text))
    assert error.value.code == f"data/{code}"
    assert "decisions.yaml" in str(error.value.place)


def test_a_refused_value_is_not_quoted(tmp_path: Path) -> None:
    text = f"engine: postgresql\ndatabase: d\ntable: t\npassword_from: '{SECRET}'\n"
    with pytest.raises(InputError, match="password_from") as error:
        read_source(written(tmp_path, text))
    assert SECRET not in str(error.value)


def test_measures_that_read_files_say_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="reads files only"):
        open_table(written(tmp_path, "engine: pyspark\ntable: t\n"))


def test_the_password_must_be_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouses.ibis_or_skip()
    monkeypatch.delenv("WAREHOUSE_PASSWORD", raising=False)
    text = "engine: postgresql\ndatabase: d\ntable: t\npassword_from: WAREHOUSE_PASSWORD\n"
    with pytest.raises(InputError, match="WAREHOUSE_PASSWORD is not set"):
        open_source(written(tmp_path, text))


def test_a_server_that_does_not_answer_is_an_error_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouses.ibis_or_skip()
    monkeypatch.setenv("WAREHOUSE_PASSWORD", SECRET)
    text = (
        f"engine: postgresql\nhost: {tmp_path}\ndatabase: d\ntable: t\n"
        "password_from: WAREHOUSE_PASSWORD\n"
    )
    with pytest.raises(InputError, match="could not be answered") as error:
        open_source(written(tmp_path, text))
    assert SECRET not in str(error.value)
    assert error.value.__cause__ is None


def test_the_command_prints_the_groups_of_a_table(address: str, tmp_path: Path) -> None:
    source = warehouses.source_file(tmp_path / "decisions.yaml", address, "public.decisions")
    asked = ["measure", "fairness", str(source), "--prediction", "decision", "--by", "sex"]
    result = CliRunner().invoke(cli, [*asked, "--format", "json"])
    assert result.exit_code == 0, result.output
    groups = {tuple(row["by"].items()): row["n"] for row in json.loads(result.output)["groups"]}
    assert groups == {(("sex", "f"),): 80, (("sex", "m"),): 40}


def test_nothing_can_be_written_through_a_source(address: str, tmp_path: Path) -> None:
    source = warehouses.source_file(tmp_path / "decisions.yaml", address, "public.decisions")
    table = open_source(source)
    assert not isinstance(table, Table)
    with table, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        table._backend.raw_sql("DELETE FROM public.decisions")


def test_rows_that_arrive_while_we_ask_do_not_count(address: str, tmp_path: Path) -> None:
    warehouses.postgres_table(address, "public.growing", COLUMNS, ROWS)
    table = open_source(warehouses.source_file(tmp_path / "s.yaml", address, "public.growing"))
    assert not isinstance(table, Table)
    with table:
        assert table.rows == len(ROWS)
        with psycopg.connect(address.replace("+psycopg", "")) as other:
            other.execute("INSERT INTO public.growing VALUES ('f', 1)")
        assert table.filled("sex") == len(ROWS)
        assert sum(row[-1] for row in table.combinations(["sex", "decision"], {})) == len(ROWS)


def test_a_table_that_is_not_there_is_an_error(address: str, tmp_path: Path) -> None:
    source = warehouses.source_file(tmp_path / "decisions.yaml", address, "public.absent")
    with pytest.raises(InputError, match="absent"):
        open_source(source)


def test_files_are_measured_without_importing_ibis(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("sex,d\nf,1\nm,0\n")
    code = (
        "import sys; from pathlib import Path;"
        "from guiderail.service.measure_fairness import flips;"
        f"flips(Path({str(tmp_path / 'a.csv')!r}), old='d', new='d', by=['sex']);"
        "print(sorted({'ibis', 'sqlglot', 'pyarrow', 'pyspark'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "HOME", "PASSWORD_FILE", "password"])
def test_no_other_variable_than_a_password_is_sent_to_the_host_of_a_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, SECRET)
    text = f"engine: postgresql\ndatabase: d\ntable: t\npassword_from: {name}\n"
    with pytest.raises(InputError, match="password_from") as error:
        read_source(written(tmp_path, text))
    assert SECRET not in str(error.value)
