"""Fairness, flips and drift in PostgreSQL and Spark beside the same rows as Parquet (Linux).

Run `python bench/bench_warehouse.py [ROWS ...]`. PostgreSQL is started from the wheel that the
tests use; Spark runs where PySpark and Java are found. Processor seconds of this process and of the
engine are told apart: the first is what Guiderail takes, the second what the warehouse would bill.
Each line is the quicker of two rounds, after one that warms the engine up.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.postgres import server
from tests.warehouses import source_file, spark_or_skip

from guiderail.service.measure_drift import drift
from guiderail.service.measure_fairness import fairness, flips

COLUMNS = (
    "CASE WHEN random() < 0.5 THEN 'female' ELSE 'male' END AS sex",
    "(random() * 4.999)::BIGINT AS region",
    "18 + (random() * 60)::BIGINT AS age",
    *(f"(random() < 0.5)::BIGINT AS {name}" for name in ("label", "old", "new")),
    "random() AS score",
    "random() * 100 AS income",
)
TYPES = (
    "sex TEXT, region BIGINT, age BIGINT, label BIGINT, old BIGINT, new BIGINT, "
    "score DOUBLE PRECISION, income DOUBLE PRECISION"
)
BY = ["sex", "region", "age:25,40,60"]


def measure_fairness(data: Path, _: Path) -> Any:
    return fairness(data, label="label", prediction="new", positive="1", by=BY, intersections=True)


def measure_flips(data: Path, _: Path) -> Any:
    return flips(data, old="old", new="new", by=BY, sample=0)


def measure_drift(data: Path, reference: Path) -> Any:
    return drift(reference, data, profile=None, names=("score", "income", "age", "sex"))


STEPS: dict[str, Callable[[Path, Path], Any]] = {
    "fairness, all intersections": measure_fairness,
    "flips": measure_flips,
    "drift of 4 columns": measure_drift,
}


def rows(folder: Path, count: int) -> Path:
    path = folder / f"rows-{count}.parquet"
    source = duckdb.connect().sql(f"FROM range({count})")
    source.project(", ".join(COLUMNS)).write_parquet(str(path))
    return path


def load_postgres(address: str, data: Path) -> None:
    import psycopg

    text = data.with_suffix(".csv")
    duckdb.execute(f"COPY (FROM '{data}') TO '{text}' (HEADER false)")
    with psycopg.connect(address.replace("+psycopg", "")) as connection:
        connection.execute("DROP TABLE IF EXISTS rows")
        connection.execute(f"CREATE TABLE rows ({TYPES})")
        with (
            text.open("rb") as stream,
            connection.cursor().copy("COPY rows FROM STDIN (FORMAT csv)") as copy,
        ):
            while piece := stream.read(1 << 20):
                copy.write(piece)
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE rows")
    text.unlink()


def postmaster(address: str) -> int:
    import psycopg

    with psycopg.connect(address.replace("+psycopg", "")) as connection:
        folder = connection.execute("SHOW data_directory").fetchone()
    assert folder is not None
    return int((Path(folder[0]) / "postmaster.pid").read_text().split()[0])


def tree_seconds(pid: int) -> float:
    """Processor seconds of a process, of the children it has waited for, and of those alive."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(stat.parent.name) == pid:
            ticks += sum(map(int, fields[11:15]))
        elif int(fields[1]) == pid:
            ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def compare(
    engine: str, count: int, data: Path, reference: Path, theirs: Callable[[], float]
) -> None:
    for name, step in STEPS.items():
        spent = []
        for turn in range(3):
            before, started = theirs(), time.process_time()
            found = step(data, reference)
            mine = time.process_time() - started
            assert "unknown" not in found, found
            if turn:
                spent.append((mine, theirs() - before))
        mine, its = min(spent)
        print(f"{count:>10,} rows  {engine:<12} {name:<28} {mine:>7.3f} CPU s here  "
              f"{its:>7.2f} CPU s in the engine")  # fmt: skip


def main(arguments: list[str]) -> None:
    counts = [int(argument) for argument in arguments] or [100_000, 1_000_000]
    if importlib.util.find_spec("ibis") is None:
        print("Ibis is not installed: nothing was measured (pip install 'guiderail[warehouse]')")
        return
    with tempfile.TemporaryDirectory() as place, server() as address:
        folder = Path(place)
        for count in counts:
            data = rows(folder, count)
            reference = reference_rows(folder)
            compare("DuckDB", count, data, reference, lambda: 0.0)
            load_postgres(address, data)
            pid = postmaster(address)
            source = source_file(folder / "source.yaml", address, "rows")
            compare("PostgreSQL", count, source, reference, lambda pid=pid: tree_seconds(pid))
            if importlib.util.find_spec("pyspark") and shutil.which("java"):
                spark_or_skip()
                (folder / "spark.yaml").write_text(f"engine: pyspark\nparquet: {data.name}\n")
                compare("Spark", count, folder / "spark.yaml", reference, java_seconds)
            else:
                print(f"{count:>10,} rows  Spark        not measured: PySpark or Java is not there")


def reference_rows(folder: Path) -> Path:
    (folder / "reference").mkdir(exist_ok=True)
    return rows(folder / "reference", 50_000)


def java_seconds() -> float:
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        if "(java)" in text:
            ticks += sum(map(int, text.rpartition(")")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main(sys.argv[1:])
