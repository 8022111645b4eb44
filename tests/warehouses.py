"""The same rows in every engine: PostgreSQL and Spark for the tests that need a warehouse."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

COLUMN_TYPES = {"integer": "BIGINT", "number": "DOUBLE PRECISION", "boolean": "BOOLEAN"}

Rows = Sequence[Sequence[Any]]


def ibis_or_skip() -> None:
    """`make test` installs Ibis, so that its absence there is a failure and no skip."""
    if importlib.util.find_spec("ibis") is None:
        reason = "WAREHOUSES ARE NOT TESTED in this run: ibis is not installed"
        if os.environ.get("GUIDERAIL_NO_SKIP"):
            pytest.fail(reason)
        pytest.skip(reason)


def spark_or_skip() -> Any:
    """A local session. Skipped, loudly, without PySpark and Java, which nothing here installs."""
    ibis_or_skip()
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("SPARK IS NOT TESTED in this run: pyspark is not installed (pip install it)")
    if shutil.which("java") is None:
        pytest.skip("SPARK IS NOT TESTED in this run: there is no java on the path")
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]").appName("guiderail-tests")
    for key, value in {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
    }.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def parquet_file(path: Path, columns: dict[str, str], rows: Rows) -> Path:
    """The rows as Parquet, for DuckDB and Spark. columns: name and type as in `measure.table`."""
    connection = duckdb.connect()
    named = ", ".join(f'"{name}" {_sql(kind)}' for name, kind in columns.items())
    connection.execute(f"CREATE TABLE t ({named})")
    marks = ", ".join("?" for _ in columns)
    connection.executemany(f"INSERT INTO t VALUES ({marks})", rows)  # noqa: S608 - question marks
    connection.table("t").write_parquet(str(path))
    return path


def postgres_table(address: str, name: str, columns: dict[str, str], rows: Rows) -> None:
    """The rows as a table of the running server."""
    import psycopg

    named = ", ".join(f'"{column}" {_sql(kind)}' for column, kind in columns.items())
    with psycopg.connect(address.replace("+psycopg", "")) as connection:
        connection.execute(f"DROP TABLE IF EXISTS {name}")
        connection.execute(f"CREATE TABLE {name} ({named})")
        marks = ", ".join("%s" for _ in columns)
        connection.cursor().executemany(f"INSERT INTO {name} VALUES ({marks})", rows)  # noqa: S608 - names of tests


def source_file(path: Path, address: str, table: str) -> Path:
    """A source file for a table of the running server."""
    import psycopg

    with psycopg.connect(address.replace("+psycopg", "")) as connection:
        info = connection.info
        text = (
            f"engine: postgresql\nhost: {info.host}\nport: {info.port}\n"
            f"database: {info.dbname}\nuser: {info.user}\ntable: {table}\n"
        )
    path.write_text(text)
    return path


def _sql(kind: str) -> str:
    return COLUMN_TYPES.get(kind, "TEXT" if kind == "text" else kind)
