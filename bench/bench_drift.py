"""CPU seconds and peak memory of drift over one Parquet file of 40 columns (Linux).

Run `python bench/bench_drift.py [ROWS ...]`. 30 columns of fractions (normal, skewed, far from 0),
5 of whole numbers, 5 of text (one with 2,000 values); other data than those of the stored profile.
Every figure comes from processes of its own: steps take turns twice, each in a new process
with three rounds, and the quickest round counts, so that what else the machine does meets all
alike. The first line is the yardstick: every value of the same columns read once, from a warm file,
and summed; the last column says how many such scans a step takes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

Step = Callable[[Path, Path], object]
TURNS = 2


def columns() -> list[str]:
    normal = "sqrt(-2 * ln(1 - random())) * cos(6.283185307 * random())"
    found = [f"({normal}) * {n + 1} AS n{n}" for n in range(15)]
    found += [f"exp(({normal}) * {0.1 * (n + 1)}) AS s{n}" for n in range(10)]
    found += [f"{10 ** (n + 2)} + ({normal}) AS f{n}" for n in range(5)]
    found += [f"(random() * {10 ** (n + 1)})::BIGINT AS i{n}" for n in range(5)]
    sizes = (2, 5, 20, 100, 2000)
    return found + [f"'value ' || (random() * {size})::INT AS t{size}" for size in sizes]


def table(folder: Path, name: str, rows: int) -> Path:
    path = folder / f"{name}-{rows}.parquet"
    if not path.exists():
        connection = duckdb.connect(config={"memory_limit": "2GB"})
        connection.sql(f"FROM range({rows})").project(", ".join(columns())).write_parquet(str(path))
    return path


def names() -> list[str]:
    return [column.rpartition(" AS ")[2] for column in columns()]


def scan(_: Path, current: Path) -> object:
    sums = ", ".join(
        f"sum(strlen({name}))" if name.startswith("t") else f"sum({name})" for name in names()
    )
    return duckdb.read_parquet(str(current)).aggregate(sums).fetchall()


def drift(profile: Path, current: Path) -> object:
    from guiderail.measure.drift import drift as measure
    from guiderail.measure.profile import read_profile

    return measure(read_profile(profile), current)


def profile_of(_: Path, current: Path) -> object:
    from guiderail.measure.profile import make_profile

    return make_profile(current)


STEPS: dict[str, Step] = {
    "one scan of 40 columns": scan,
    "drift against the stored profile": drift,
    "making a profile": profile_of,
}


def one(step: str, profile: Path, current: Path) -> None:
    import nanoarrow  # noqa: F401 - imports are no part of what is measured

    import guiderail.measure.drift  # noqa: F401

    seconds = []
    for _ in range(3):
        before = time.process_time()
        STEPS[step](profile, current)
        seconds.append(time.process_time() - before)
    status = Path("/proc/self/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    print(min(seconds), peak)


def all_steps(profile: Path, current: Path, rows: int) -> None:
    seconds: dict[str, list[float]] = {step: [] for step in STEPS}
    peaks: dict[str, list[float]] = {step: [] for step in STEPS}
    for _ in range(TURNS):
        for step in STEPS:
            parts = [sys.executable, __file__, "--one", step, str(profile), str(current)]
            told = subprocess.run(parts, check=True, capture_output=True, text=True).stdout
            spent, peak = (float(part) for part in told.split())
            seconds[step].append(spent)
            peaks[step].append(peak)
    yardstick = min(seconds[next(iter(STEPS))])
    for step, found in seconds.items():
        print(
            f"{rows:>10,} rows  {min(found):>7.3f} CPU s  {max(peaks[step]):>5.0f} MB  "
            f"{min(found) / yardstick:>5.2f} scans  {step}",
            flush=True,
        )


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--one"]:
        one(arguments[1], Path(arguments[2]), Path(arguments[3]))
        return
    from guiderail.measure.profile import make_profile

    print(f"DuckDB {duckdb.__version__}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stored = folder / "profile.json"
        reference = table(folder, "reference", 200_000)
        stored.write_text(make_profile(reference).to_json(), encoding="utf-8")
        for rows in [int(argument) for argument in arguments] or [100_000, 1_000_000, 10_000_000]:
            current = table(folder, "current", rows)
            all_steps(stored, current, rows)
            current.unlink()


if __name__ == "__main__":
    main(sys.argv[1:])
