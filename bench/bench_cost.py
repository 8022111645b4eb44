"""How steady the cost figures are, and what measuring them takes (Linux).

Run `python bench/bench_cost.py [REPEATS]`. Each model is timed REPEATS times (6) as
`guiderail measure cost` does, then again while other processes keep every processor busy. `spread`
is how far the largest median lies above the smallest, in percent: of processor seconds, and of
runs of the calibration kernel, which is what is kept. Then a model is compared with its own copy:
how often that would have been called a rise of more than 5 %. Last, the price of pipeline runs.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from guiderail.core.digest import sha256_digest
from guiderail.core.interval import Interval
from guiderail.measure.cost_ratio import change_percent, cpu_ratio, spike
from guiderail.measure.monthly_cost import Range
from guiderail.measure.run_cost import MonthOfRuns, Run, Running, month_of_runs
from guiderail.measure.run_records import RunRecord, read_runs, runs_of, to_line
from guiderail.sandbox.cost import CostRounds, ToTime, time_models

MODELS: dict[str, Any] = {
    "logistic regression": LogisticRegression(max_iter=500),
    "random forest, 100 trees": RandomForestClassifier(100, max_depth=8, random_state=0),
    "histogram gradient boosting": HistGradientBoostingClassifier(random_state=0),
}
FEATURES, ROWS, LIMIT = 13, 2_000, 5.0


def data(folder: Path) -> tuple[Path, pd.DataFrame, np.ndarray]:
    numbers = np.random.default_rng(1)
    table = pd.DataFrame(
        numbers.normal(size=(ROWS, FEATURES)), columns=[f"f{place}" for place in range(FEATURES)]
    )
    label = (table.sum(axis=1) + numbers.normal(0, 2, ROWS) > 0).astype(int).to_numpy()
    path = folder / "rows.parquet"
    table.to_parquet(path)
    return path, table, label


@contextmanager
def busy() -> Iterator[None]:
    """One process that computes without end for each processor."""
    burning = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(os.cpu_count() or 1)
    ]
    try:
        yield
    finally:
        for one in burning:
            one.kill()
            one.wait()


def timed(models: Sequence[ToTime], table: Path) -> CostRounds:
    found = time_models(models, table)
    assert isinstance(found, CostRounds), found
    return found


def ratio(seconds: Sequence[float], kernel: Sequence[float]) -> float:
    found = cpu_ratio(seconds, kernel)
    assert isinstance(found, Interval)
    return found.value


def spread(values: Sequence[float]) -> float:
    return 100 * (max(values) / min(values) - 1)


def steadiness(name: str, model: ToTime, table: Path, repeats: int) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = [timed([model], table) for _ in range(repeats)]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / repeats
    with busy():
        crowded = [timed([model], table) for _ in range(repeats)]
    ratios = [ratio(one.models[0].single, one.kernel) for one in found]
    all_ratios = [*ratios, *(ratio(one.models[0].single, one.kernel) for one in crowded)]
    seconds = [median(one.models[0].single) for one in (*found, *crowded)]
    batch = median(ratio(one.models[0].batch, one.kernel) for one in found)
    print(
        f"{name:<28} batch {batch:>9.3f}  row by row {median(ratios):>9.1f}  "
        f"spread: seconds {spread(seconds):>6.1f} %, kernel {spread(all_ratios):>6.1f} %  "
        f"{took:>6.2f} CPU s a measurement"
    )


def false_rises(name: str, model: ToTime, table: Path, repeats: int) -> None:
    verdicts = []
    for _ in range(repeats):
        found = timed([model, model], table)
        change = change_percent(found.models[0].single, found.models[1].single)
        assert isinstance(change, Interval)
        verdicts.append(spike(change, LIMIT))
    counts = ", ".join(f"{verdicts.count(word)} {word}" for word in sorted(set(verdicts)))
    print(f"{name:<28} against its own copy, limit {LIMIT:g} %: {counts}")


def pipeline_runs(folder: Path) -> None:
    code = sha256_digest(b"code")
    plan = Running(Range(28, 30, 31), 2, 0.7, 0.04, 8e9, 0.0, 0.0, 0.0, 0.01)
    for count in (7, 1_000, 50_000):
        path = folder / f"runs-{count}.jsonl"
        seconds = np.random.default_rng(2).lognormal(6, 0.2, count)
        lines = [to_line(RunRecord(code, code, Run(float(one), 10**9, None, 0.01), 1))
                 for one in seconds]  # fmt: skip
        path.write_text("".join(lines))
        started = time.process_time()
        found = month_of_runs(plan, runs_of(read_runs(path), code, kernel=1))
        spent = time.process_time() - started
        assert isinstance(found, MonthOfRuns), found
        print(f"{count:>7,} pipeline runs read and priced: {spent:.4f} CPU s")


def main(arguments: list[str]) -> None:
    repeats = int(arguments[0]) if arguments else 6
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table, features, label = data(folder)
        print(f"runs of the calibration kernel for 1,000 predictions, {FEATURES} inputs")
        wanted = {}
        for number, (title, estimator) in enumerate(MODELS.items()):
            path = folder / f"{number}.skops"
            skops.io.dump(estimator.fit(features, label), path)
            wanted[title] = ToTime(path, tuple(features.columns))
            steadiness(title, wanted[title], table, repeats)
        for title, model in wanted.items():
            false_rises(title, model, table, repeats)
        pipeline_runs(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
