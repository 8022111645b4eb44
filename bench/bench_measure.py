"""CPU seconds and peak memory of the measuring kernels on generated data (Linux).

Run `python bench/bench_measure.py [ROWS ...]`; every kernel runs in a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np

FEATURES = 10
Kernel = Callable[[Path, int], tuple[object, float]]
"""Takes the table and its number of rows; gives the result and the CPU seconds it took."""


def table(folder: Path, rows: int) -> Path:
    path = folder / f"rows-{rows}.parquet"
    if not path.exists():
        columns = [f"random() * {n + 1} AS f{n}" for n in range(FEATURES)]
        columns += [f"(random() * {size})::INT AS g{size}" for size in (2, 3, 5, 7)]
        columns += ["(random() < 0.3)::INT AS label"]
        source = duckdb.connect().sql(f"FROM range({rows})")
        source.project(", ".join(columns)).write_parquet(str(path))
    return path


def scores(rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    label = random.integers(0, 2, rows)
    new, old = (1 / (1 + np.exp(-label - random.normal(0, 1, rows))) for _ in range(2))
    return label, new, old


def change(metric: str) -> Kernel:
    def run(_: Path, rows: int) -> tuple[object, float]:
        from guiderail.measure.performance import paired_change

        label, new, old = scores(rows)
        if metric in {"accuracy", "f1"}:
            new, old = (new > 0.5).astype(int), (old > 0.5).astype(int)
        started = time.process_time()
        found = paired_change(metric, label, new, old)
        return found, time.process_time() - started

    return run


def binned(path: Path, rows: int) -> tuple[object, float]:
    """Labels and two scores read from a file, unlike the others."""
    from guiderail.measure.binned_auc import binned_auc
    from guiderail.measure.table import open_table

    with open_table(path) as opened:
        started = time.process_time()
        found = binned_auc(opened, "label", "f0", "f1")
        return found, time.process_time() - started


def groups(_: Path, rows: int) -> tuple[object, float]:
    from guiderail.measure.groups import group_rates

    random = np.random.default_rng(2)
    label, decision = random.integers(0, 2, rows), random.integers(0, 2, rows)
    by = {f"g{size}": random.integers(0, size, rows) for size in (2, 3, 5, 7)}
    started = time.process_time()
    return group_rates(decision, by, label), time.process_time() - started


def flips(_: Path, rows: int) -> tuple[object, float]:
    from guiderail.measure.flips import flips as count

    random = np.random.default_rng(3)
    old, new = random.integers(0, 2, rows), random.integers(0, 2, rows)
    started = time.process_time()
    return count(old, new), time.process_time() - started


def fingerprint(path: Path, _: int) -> tuple[object, float]:
    from guiderail.measure.fingerprint import fingerprint as measure

    started = time.process_time()
    return measure(path), time.process_time() - started


def columns(path: Path, _: int) -> tuple[object, float]:
    from guiderail.measure.columns import classify_columns

    started = time.process_time()
    return classify_columns(path), time.process_time() - started


def scan(path: Path, _: int) -> tuple[object, float]:
    started = time.process_time()
    sums = ", ".join(f"sum(f{n})" for n in range(FEATURES))
    found = duckdb.read_parquet(str(path)).aggregate(sums).fetchall()
    return found, time.process_time() - started


KERNELS: dict[str, Kernel] = {
    "one Parquet scan of 10 features": scan,
    "AUC, paired DeLong": change("roc_auc"),
    "AUC, paired DeLong, from histograms": binned,
    "area under precision and recall, paired": change("pr_auc"),
    "accuracy, paired": change("accuracy"),
    "F1, paired": change("f1"),
    "log loss, paired": change("log_loss"),
    "groups, all intersections of 4 attributes": groups,
    "flips": flips,
    "fingerprint, 15 columns": fingerprint,
    "columns, 15 columns": columns,
}


def one(kernel: str, path: Path, rows: int) -> None:
    _, seconds = KERNELS[kernel](path, rows)
    status = Path("/proc/self/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    print(f"{rows:>10,} rows  {seconds:>8.3f} CPU s  {peak:>6.0f} MB  {kernel}")


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--one"]:
        one(arguments[1], Path(arguments[2]), int(arguments[3]))
        return
    with tempfile.TemporaryDirectory() as folder:
        for rows in [int(argument) for argument in arguments] or [10_000, 1_000_000]:
            path = table(Path(folder), rows)
            for kernel in KERNELS:
                subprocess.run(  # one process each, so that peak memory is its own
                    [sys.executable, __file__, "--one", kernel, str(path), str(rows)], check=True
                )


if __name__ == "__main__":
    main(sys.argv[1:])
