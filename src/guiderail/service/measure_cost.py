"""`measure cost`: processor time of a model against the calibration kernel, and a monthly range.

What cannot be measured comes back as `{"unknown": reason}`, never as a number.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from guiderail.core.csv_encoding import Encoding
from guiderail.core.errors import InputError
from guiderail.core.interval import Interval
from guiderail.measure.cost_ratio import change_percent, cpu_ratio, spike
from guiderail.measure.monthly_cost import monthly_cost
from guiderail.measure.serving_plan import ServingPlan, read_plan
from guiderail.measure.table import open_table
from guiderail.measure.unmeasurable import NotMeasurable
from guiderail.sandbox.cost import CostRounds, TimedModel, ToTime, time_models
from guiderail.sandbox.inspect_model import inspect_model
from guiderail.sandbox.process import Failure

Document = dict[str, Any]


def cost(
    model: Path,
    *,
    data: Path,
    plan: Path | None,
    baseline: Path | None = None,
    exclude: tuple[str, ...] = (),
    limit: float | None = None,
    encoding: Encoding | None = None,
) -> Document:
    """Processor time of a model on the first rows of a table, and what a month of it costs.

    baseline: an earlier version, timed in the same rounds; adds the change in percent. limit: with
    it, says whether the change lies above so many percent. exclude: columns that are no inputs, for
    a model that names none. encoding: of a CSV file, where one is named.
    """
    read = read_plan(plan) if plan is not None else None
    open_table(data, encoding).close()  # says what is wrong with it, with its place
    found = time_models(
        [_to_time(path, exclude) for path in (model, baseline) if path is not None],
        data,
        encoding=encoding,
    )
    if isinstance(found, Failure):
        return {"unknown": found.reason, "isolation": found.isolation.to_json()}
    document = _times(found, found.models[0])
    if "unknown" in document:
        return document
    if read is not None:
        document |= _monthly(found, read)
    if len(found.models) == 2:
        document["change"] = _change(found, limit)
    document["isolation"] = found.isolation.to_json()
    return document


def _to_time(path: Path, exclude: tuple[str, ...]) -> ToTime:
    """Raises InputError for a model that is missing or must not be loaded."""
    if not path.exists():
        raise InputError(
            f"{path} does not exist",
            code="model/missing",
            advice="Name a model file or a directory that holds one.",
        )
    summary = inspect_model(path)
    if summary.safety == "unsafe":
        raise InputError(
            f"{path.name} is refused: {'; '.join(summary.reasons)}",
            code="model/refused",
            advice="`guiderail measure model` says more about it. Nothing in it was executed.",
        )
    return ToTime(path, summary.names, exclude)


def _times(found: CostRounds, timed: TimedModel) -> Document:
    batch, single = cpu_ratio(timed.batch, found.kernel), cpu_ratio(timed.single, found.kernel)
    if isinstance(batch, NotMeasurable):
        return {"unknown": batch.reason}
    if isinstance(single, NotMeasurable):
        return {"unknown": single.reason}
    return {
        "cpu_ratio": _interval(batch),
        "single_row": {"cpu_ratio": _interval(single)},
        "kernel": {"version": found.kernel_version, "ms": round(1_000 * _median(found.kernel), 3)},
        "rows": found.rows,
        "rounds": len(found.kernel),
        "memory": {
            "peak_mb": _megabytes(timed.peak_bytes),
            "before_mb": _megabytes(found.base_bytes),
        },
    }


def _monthly(found: CostRounds, plan: ServingPlan) -> Document:
    timed = found.models[0]
    batch, single = cpu_ratio(timed.batch, found.kernel), cpu_ratio(timed.single, found.kernel)
    if isinstance(batch, NotMeasurable) or isinstance(single, NotMeasurable):
        raise ValueError("the times were measurable a moment ago")
    costs = monthly_cost(
        plan.serving,
        single,
        batch,
        batch_rows=found.rows,
        kernel_here=_median(found.kernel),
        peak_bytes=timed.peak_bytes,
    )
    if isinstance(costs, NotMeasurable):
        return {"monthly": {"unknown": costs.reason, "currency": plan.currency}}
    return {
        "monthly": {
            "low": round(costs.low, 2),
            "expected": round(costs.expected, 2),
            "high": round(costs.high, 2),
            "currency": plan.currency,
        },
        "replicas": asdict(costs.replicas),
        "cpu_ms_per_request": {end: round(value, 4) for end, value in asdict(costs.cpu_ms).items()},
        "assumptions": list(costs.assumptions),
    }


def _change(found: CostRounds, limit: float | None) -> Document:
    new, old = found.models
    parts: Document = {}
    for name, mine, its in (
        ("batch", new.batch, old.batch),
        ("single_row", new.single, old.single),
    ):
        change = change_percent(mine, its)
        if isinstance(change, NotMeasurable):
            parts[name] = {"unknown": change.reason}
            continue
        parts[name] = _interval(change)
        if limit is not None:
            parts[name]["verdict"] = spike(change, limit)
    return {**parts, "limit": limit}


def _median(values: tuple[float, ...]) -> float:
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def _interval(item: Interval) -> Document:
    return {"value": item.value, "low": item.low, "high": item.high}


def _megabytes(count: int) -> float:
    return round(count / 1e6, 1)
