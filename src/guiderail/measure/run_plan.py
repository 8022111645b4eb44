"""The run plan: a YAML file that says how often a pipeline runs, on what, and at what price.

currency: EUR
schedule: "0 2 * * *"      # five fields of cron; or runs_per_month: {low, expected, high}
cpus: 2                    # kept for the length of a run
utilisation: 0.7           # optional: share of them that a run keeps busy; else all of the time
price_per_cpu_hour: 0.04
memory_gb: 8               # optional; with price_per_gb_hour where memory is paid for
price_per_tb_read: 5       # optional: for warehouses that charge for what is read
fixed_per_month: 0         # optional: storage, a scheduler
kernel_ms: 10.1            # optional: the calibration kernel, timed on the machine that runs it
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from guiderail.measure.plan_file import (
    Amount,
    AmountRange,
    Currency,
    PlanPart,
    Positive,
    load_plan,
)
from guiderail.measure.run_cost import Running
from guiderail.measure.schedule import runs_per_month


class _Plan(PlanPart):
    currency: Currency
    schedule: Annotated[str, Field(max_length=200)] | None = None
    runs_per_month: AmountRange | None = None
    cpus: Positive
    utilisation: Annotated[float, Field(gt=0, le=1)] = 1.0
    price_per_cpu_hour: Amount
    memory_gb: Positive | None = None
    price_per_gb_hour: Amount = 0.0
    price_per_tb_read: Amount = 0.0
    fixed_per_month: Amount = 0.0
    kernel_ms: Positive | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> _Plan:
        if (self.schedule is None) == (self.runs_per_month is None):
            raise ValueError("state either schedule or runs_per_month")
        if self.schedule is not None:
            runs_per_month(self.schedule)
        if self.price_per_gb_hour and self.memory_gb is None:
            raise ValueError("price_per_gb_hour needs memory_gb")
        return self


@dataclass(frozen=True, slots=True)
class RunPlan:
    """currency: three capital letters, as in EUR."""

    currency: str
    running: Running


def read_run_plan(path: Path) -> RunPlan:
    """Raises InputError with the place of the first thing in the file that is not right."""
    plan = load_plan(
        path,
        _Plan,
        "A run plan states currency, schedule (or runs_per_month), cpus and price_per_cpu_hour.",
    )
    return RunPlan(plan.currency, _running(plan))


def _running(plan: _Plan) -> Running:
    runs = plan.runs_per_month
    return Running(
        runs=runs.range() if runs is not None else runs_per_month(plan.schedule or ""),
        cpus=plan.cpus,
        utilisation=plan.utilisation,
        price_per_cpu_hour=plan.price_per_cpu_hour,
        memory_bytes=None if plan.memory_gb is None else plan.memory_gb * 1e9,
        price_per_gb_hour=plan.price_per_gb_hour,
        price_per_tb_read=plan.price_per_tb_read,
        fixed=plan.fixed_per_month,
        kernel_seconds=None if plan.kernel_ms is None else plan.kernel_ms / 1_000,
    )
