"""CPU seconds and peak memory of fairness and flips over one Parquet file (Linux).

Run `python bench/bench_fairness.py [ROWS ...]`. Four attributes (two of text, one number in four
ranges), a label, and the decisions of two versions: all intersections of both versions with
intervals and verdicts, and the flips; then what else the commands give. Every line is a process of
its own and the quickest of three rounds. The first line, a bare `GROUP BY` of the same columns, is
the least that any tool could do.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

ATTRIBUTES = {"sex": None, "region": None, "race": None, "age": (25.0, 40.0, 60.0)}
Step = Callable[[Path], object]


def table(folder: Path, rows: int) -> Path:
    path = folder / f"rows-{rows}.parquet"
    if not path.exists():
        columns = [
            "CASE WHEN random() < 0.5 THEN 'female' ELSE 'male' END AS sex",
            "(random() * 4.999)::INT AS region",
            "CASE (random() * 5.999)::INT WHEN 0 THEN 'a' WHEN 1 THEN 'b' ELSE 'c' END AS race",
            "18 + (random() * 60)::INT AS age",
            *(f"(random() < 0.5)::INT AS {name}" for name in ("label", "old", "new")),
            "round(random(), 3) AS score",
        ]
        source = duckdb.connect().sql(f"FROM range({rows})")
        source.project(", ".join(columns)).write_parquet(str(path))
    return path


def group_by(path: Path) -> object:
    ages = "CASE WHEN age < 25 THEN 0 WHEN age < 40 THEN 1 WHEN age < 60 THEN 2 ELSE 3 END"
    keys = f"sex, region, race, {ages}, label, old, new"
    return duckdb.execute(
        f"SELECT {keys}, count(*) FROM read_parquet(?) GROUP BY ALL",  # noqa: S608 - constants
        [str(path)],
    ).fetchall()


def counted(path: Path) -> tuple[tuple[object, ...], dict[str, object]]:
    from guiderail.measure.distinct_rows import DistinctRows, distinct_rows
    from guiderail.measure.table import open_table

    with open_table(path) as opened:
        rows = distinct_rows(opened, ATTRIBUTES, ["label", "old", "new"])
    assert isinstance(rows, DistinctRows)
    groups = {name: rows.frame[name] for name in ATTRIBUTES}
    columns = (groups, *(rows.frame[name] for name in ("label", "old", "new")))
    return columns, {"edges": rows.edges, "counts": rows.counts}


def fairness(path: Path) -> object:
    """Both versions and the flips, from one pass."""
    from guiderail.measure.fairness import group_rates
    from guiderail.measure.flips import flips

    (groups, label, old, new), options = counted(path)
    both = [group_rates(decision, groups, label, **options) for decision in (old, new)]
    return both, flips(old, new, groups, **options)


def changes(path: Path) -> object:
    from guiderail.measure.rate_changes import rate_changes

    (groups, label, old, new), options = counted(path)
    return rate_changes(old, new, groups, label, **options)


def fairness_with_calibration(path: Path) -> object:
    from guiderail.service.measure_fairness import fairness as run

    return run(
        path,
        label="label",
        prediction="new",
        baseline="old",
        score="score",
        positive="1",
        by=["sex", "region", "race", "age:25,40,60"],
        intersections=True,
    )


def flips_with_sample(path: Path) -> object:
    from guiderail.service.measure_fairness import flips as run

    return run(path, old="old", new="new", by=["sex", "race"], sample=10)


STEPS: dict[str, Step] = {
    "one GROUP BY of the same columns": group_by,
    "fairness of 2 versions and flips": fairness,
    "what changed for each group": changes,
    "measure fairness, with calibration and changes": fairness_with_calibration,
    "measure flips, with a sample of rows": flips_with_sample,
}


def one(step: str, path: Path, rows: int) -> None:
    """The quickest of three rounds, each without what an earlier one remembered."""
    seconds = []
    load()
    for _ in range(3):
        wilson = sys.modules["guiderail.measure.intervals"].wilson
        wilson.cache_clear()
        before = time.process_time()
        STEPS[step](path)
        seconds.append(time.process_time() - before)
    status = Path("/proc/self/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    print(f"{rows:>10,} rows  {min(seconds):>7.3f} CPU s  {peak:>5.0f} MB  {step}")


def load() -> None:
    """Imports are no part of what is measured."""
    import guiderail.measure.columns
    import guiderail.measure.fairness
    import guiderail.measure.flips
    import guiderail.measure.rate_changes
    import guiderail.service.measure_fairness  # noqa: F401 - loaded, not used


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--one"]:
        one(arguments[1], Path(arguments[2]), int(arguments[3]))
        return
    print(f"DuckDB {duckdb.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        for rows in [int(argument) for argument in arguments] or [100_000, 1_000_000, 10_000_000]:
            path = table(Path(folder), rows)
            for step in STEPS:
                subprocess.run(
                    [sys.executable, __file__, "--one", step, str(path), str(rows)], check=True
                )


if __name__ == "__main__":
    main(sys.argv[1:])
