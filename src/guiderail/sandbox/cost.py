"""Time models in the sandbox against the calibration kernel; the parent gets numbers only."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from guiderail.core.csv_encoding import Encoding
from guiderail.sandbox.process import Failure, Isolation, Limits, read_left, run_python

ROUNDS = 15
MOST_ROWS = 1_000
"""Rows of the table, from its beginning, that make one batch."""

_LARGEST_RESULT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class TimedModel:
    """Processor seconds for 1,000 rows in each round: as one batch, and row by row.

    peak_bytes: the most memory the process held once the model had answered, interpreter,
    libraries and rows included.
    """

    batch: tuple[float, ...]
    single: tuple[float, ...]
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class CostRounds:
    """kernel: processor seconds of the kernel around each round. models: in the order asked for.

    rows: how many rows made a batch. base_bytes: memory held before the first model was loaded.
    """

    kernel: tuple[float, ...]
    models: tuple[TimedModel, ...]
    rows: int
    base_bytes: int
    kernel_version: int
    isolation: Isolation


@dataclass(frozen=True, slots=True)
class ToTime:
    """A model with the columns it takes; inputs and exclude are as in `sandbox.score`."""

    model: Path
    inputs: Sequence[str] | None
    exclude: Sequence[str] = ()


def time_models(
    models: Sequence[ToTime],
    table: Path,
    *,
    encoding: Encoding | None = None,
    rounds: int = ROUNDS,
    limits: Limits | None = None,
) -> CostRounds | Failure:
    """Time one model, or two against each other, on the first rows of a table, in one child.

    encoding: of a CSV file, where its owner names one.
    """
    with tempfile.TemporaryDirectory(prefix="guiderail-cost-") as place:
        workdir = Path(place)
        request = {
            "table": str(table.resolve()),
            "encoding": encoding,
            "rounds": rounds,
            "most_rows": MOST_ROWS,
            "models": [
                {
                    "model": str(one.model.resolve()),
                    "inputs": None if one.inputs is None else list(one.inputs),
                    "exclude": list(one.exclude),
                }
                for one in models
            ],
        }
        (workdir / "request.json").write_text(json.dumps(request), encoding="utf-8")
        done = run_python(
            "guiderail.sandbox.cost_child",
            [],
            workdir=workdir,
            limits=limits,
            read=[*(one.model for one in models), table],
        )
        if isinstance(done, Failure):
            return done
        try:
            return _read(workdir / "cost.json", len(models), rounds, done.isolation)
        except (OSError, ValueError, OverflowError, KeyError, TypeError):
            return Failure("it left no readable times", done.isolation)


def _read(path: Path, models: int, rounds: int, isolation: Isolation) -> CostRounds:
    """What the child left; it is no more trusted than the model it ran. Raises ValueError."""
    found = json.loads(read_left(path, _LARGEST_RESULT))
    timed = tuple(
        TimedModel(_times(one["batch"], rounds), _times(one["single"], rounds), int(one["peak"]))
        for one in found["models"]
    )
    if len(timed) != models:
        raise ValueError("times of other models")
    return CostRounds(
        kernel=_times(found["kernel"], rounds),
        models=timed,
        rows=int(found["rows"]),
        base_bytes=int(found["peak_before"]),
        kernel_version=int(found["kernel_version"]),
        isolation=isolation,
    )


def _times(values: object, rounds: int) -> tuple[float, ...]:
    if not isinstance(values, list) or len(values) != rounds:
        raise ValueError("not a time for each round")
    times = tuple(float(value) for value in values)
    if not all(math.isfinite(time) and time > 0 for time in times):
        raise ValueError("a time that is none")
    return times
