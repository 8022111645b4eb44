"""The serving plan: a YAML file that says how a model is served, how often, and at what price.

currency: EUR
requests_per_month: {low: 800000, expected: 1000000, high: 1500000}   # or one number
busiest_hour: 3            # requests in the busiest hour, in multiples of the mean hour
rows_per_request: 1        # optional
replicas: 2                # kept running; or {low, expected, high}
cpus_per_replica: 1
utilisation: 0.5           # share of the processors that may be busy in the busiest hour
price_per_cpu_hour: 0.04
memory_gb_per_replica: 2   # optional; with price_per_gb_hour where memory is paid for
fixed_per_month: 0         # optional: storage, load balancer
overhead_ms: 0.4           # optional: processor time of the service around the model, per request
kernel_ms: 10.1            # optional: the calibration kernel, timed on the machine that serves
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from guiderail.measure.monthly_cost import Serving
from guiderail.measure.plan_file import (
    Amount,
    AmountRange,
    Currency,
    PlanPart,
    Positive,
    load_plan,
)


class _Plan(PlanPart):
    currency: Currency
    requests_per_month: AmountRange
    busiest_hour: Annotated[float, Field(ge=1, le=730, allow_inf_nan=False)]
    rows_per_request: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    replicas: AmountRange
    cpus_per_replica: Positive
    utilisation: Annotated[float, Field(gt=0, le=1)]
    price_per_cpu_hour: Amount
    memory_gb_per_replica: Positive | None = None
    price_per_gb_hour: Amount = 0.0
    fixed_per_month: Amount = 0.0
    overhead_ms: Amount = 0.0
    kernel_ms: Positive | None = None

    @model_validator(mode="after")
    def _memory_is_stated_where_it_is_paid_for(self) -> _Plan:
        if self.price_per_gb_hour and self.memory_gb_per_replica is None:
            raise ValueError("price_per_gb_hour needs memory_gb_per_replica")
        return self


@dataclass(frozen=True, slots=True)
class ServingPlan:
    """currency: three capital letters, as in EUR."""

    currency: str
    serving: Serving


def read_plan(path: Path) -> ServingPlan:
    """Raises InputError with the place of the first thing in the file that is not right."""
    plan = load_plan(
        path,
        _Plan,
        "A serving plan states currency, requests_per_month, busiest_hour, replicas, "
        "cpus_per_replica, utilisation and price_per_cpu_hour.",
    )
    return ServingPlan(plan.currency, _serving(plan))


def _serving(plan: _Plan) -> Serving:
    memory = plan.memory_gb_per_replica
    return Serving(
        requests=plan.requests_per_month.range(),
        rows_per_request=plan.rows_per_request,
        busiest_hour=plan.busiest_hour,
        replicas=plan.replicas.range(),
        cpus=plan.cpus_per_replica,
        utilisation=plan.utilisation,
        price_per_cpu_hour=plan.price_per_cpu_hour,
        price_per_gb_hour=plan.price_per_gb_hour,
        fixed=plan.fixed_per_month,
        overhead_seconds=plan.overhead_ms / 1_000,
        memory_bytes=None if memory is None else memory * 1e9,
        kernel_seconds=None if plan.kernel_ms is None else plan.kernel_ms / 1_000,
    )
