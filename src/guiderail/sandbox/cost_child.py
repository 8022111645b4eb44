"""The child of `sandbox.cost`: read request.json, time the models, leave cost.json.

Every round runs the kernel, each model in batches and row by row, and the kernel again; the order
of the models turns from round to round, so that a machine that grows slower favours none of them.
A problem that a person can act on is left in failure.txt, in words.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from guiderail.sandbox.calibration_kernel import VERSION, kernel_seconds
from guiderail.sandbox.child import run
from guiderail.sandbox.input_rows import input_columns, read_rows
from guiderail.sandbox.load import LoadedModel, load_model

SHORTEST = 0.02
"""Processor seconds that one measurement takes at least: calls are repeated until they do."""

_MOST_REPEATS = 4_096


@dataclass(slots=True)
class _Timed:
    """One model on its rows. batch and single: seconds for 1,000 rows in each round."""

    model: LoadedModel
    rows: pd.DataFrame
    one_row: list[pd.DataFrame]
    batch_repeats: int = 1
    single_repeats: int = 1
    batch: list[float] = field(default_factory=list)
    single: list[float] = field(default_factory=list)


def main() -> int:
    return run(_work)


def _work() -> None:
    request = json.loads(Path("request.json").read_text("utf-8"))
    Path("cost.json").write_text(json.dumps(_measure(request)), encoding="utf-8")


def _measure(request: dict[str, Any]) -> dict[str, object]:
    table = read_rows(Path(request["table"]), request["most_rows"], request["encoding"])
    before = _peak_bytes()
    timed, peaks = [], []
    for one in request["models"]:
        timed.append(_prepare(one, table))
        peaks.append(_peak_bytes())
    gc.collect()
    gc.disable()
    kernel = []
    for _ in range(2):  # the first runs of anything are slower than what follows
        kernel_seconds()
    for turn in range(request["rounds"]):
        first = kernel_seconds()
        for one in timed if turn % 2 == 0 else timed[::-1]:
            one.batch.append(_seconds(one, one.batch_repeats, [one.rows]))
            one.single.append(_seconds(one, one.single_repeats, one.one_row))
        kernel.append((first + kernel_seconds()) / 2)
    return {
        "kernel_version": VERSION,
        "kernel": kernel,
        "rows": len(table),
        "peak_before": before,
        "models": [
            {"batch": one.batch, "single": one.single, "peak": peak}
            for one, peak in zip(timed, peaks, strict=True)
        ],
    }


def _prepare(wanted: dict[str, Any], table: pd.DataFrame) -> _Timed:
    """Load a model, let it answer once, and find how often it has to for a measurable time."""
    model = load_model(Path(wanted["model"]))
    rows = input_columns(model, table, wanted["inputs"], wanted["exclude"])
    ones = [rows.iloc[place : place + 1] for place in range(min(20, len(rows)))]
    timed = _Timed(model, rows, ones)
    model.answer(rows)
    timed.batch_repeats = _repeats(lambda: model.answer(rows))
    timed.single_repeats = _repeats(lambda: [model.answer(one) for one in ones])
    return timed


def _repeats(call: Callable[[], object]) -> int:
    """How many calls take a measurable time: doubled until they do, so no one odd time misleads."""
    count = 1
    while True:
        begun = time.process_time()
        for _ in range(count):
            call()
        if time.process_time() - begun >= SHORTEST or count >= _MOST_REPEATS:
            return count
        count *= 2


def _seconds(one: _Timed, repeats: int, frames: list[pd.DataFrame]) -> float:
    """Processor seconds for 1,000 rows."""
    answer = one.model.answer
    begun = time.process_time()
    for _ in range(repeats):
        for frame in frames:
            answer(frame)
    spent = time.process_time() - begun
    return 1_000 * spent / (repeats * sum(map(len, frames)))


def _peak_bytes() -> int:
    """The most memory this process has held so far.

    Linux says it of this very program; elsewhere the figure of the system may include what ran
    before it under the same process number.
    """
    try:
        for line in Path("/proc/self/status").read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass  # not Linux: ask the system below
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held if sys.platform == "darwin" else held * 1024


if __name__ == "__main__":
    sys.exit(main())
