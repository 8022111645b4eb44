"""What a month of serving costs, as a range: from measured processor time and a serving plan.

What is paid for is what is kept running. A plan states replicas; where its requests need more of
them at the busiest hour than it states, those are counted. A month has 730 hours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from guiderail.core.interval import Interval
from guiderail.measure.unmeasurable import NotMeasurable

HOURS = 730.0
OTHER_MACHINE = 2.0
"""Factor either way where the kernel was not timed on the machine that serves: processors in use
for serving differ by about that much in the speed of one core."""

MOST_REPLICAS = 1_000_000


@dataclass(frozen=True, slots=True)
class Range:
    """low <= expected <= high, of a planned quantity."""

    low: float
    expected: float
    high: float


@dataclass(frozen=True, slots=True)
class Serving:
    """What a serving plan states. Prices are in the plan's currency.

    busiest_hour: requests in the busiest hour, in multiples of the mean hour. utilisation: share of
    the processors that may be busy then. overhead_seconds: processor seconds that the service
    around the model takes for a request. memory_bytes: of one replica, None where not stated.
    kernel_seconds: of the calibration kernel on the machine that serves, None where not timed.
    """

    requests: Range
    rows_per_request: int
    busiest_hour: float
    replicas: Range
    cpus: float
    utilisation: float
    price_per_cpu_hour: float
    price_per_gb_hour: float
    fixed: float
    overhead_seconds: float
    memory_bytes: float | None
    kernel_seconds: float | None


@dataclass(frozen=True, slots=True)
class MonthlyCost:
    """low, expected and high are money; replicas are those that each of the three keeps running.

    cpu_ms: processor milliseconds for one request, the service around the model included.
    """

    low: float
    expected: float
    high: float
    replicas: Range
    cpu_ms: Range
    assumptions: tuple[str, ...]


def request_seconds(
    single: float, batch: float, rows: int, batch_rows: int, kernel: float
) -> float:
    """Processor seconds for one request of `rows` rows.

    single and batch: kernel runs for 1,000 rows, row by row and in one batch of `batch_rows`. A
    call has a fixed part and a part for each row; both follow from the two.
    """
    one, each = single / 1_000, batch / 1_000
    if rows == 1 or batch_rows < 2:
        return one * rows * kernel
    if rows >= batch_rows:
        return each * rows * kernel
    fixed = max(0.0, (one - each) * batch_rows / (batch_rows - 1))
    return (fixed + (one - fixed) * rows) * kernel


def monthly_cost(
    serving: Serving,
    single: Interval,
    batch: Interval,
    *,
    batch_rows: int,
    kernel_here: float,
    peak_bytes: int,
) -> MonthlyCost | NotMeasurable:
    """The range over what is planned and what was measured.

    low takes the low end of everything, high the high end. A model that does not fit into the
    memory of a replica has no cost there, and neither has one that no number of replicas serves.
    """
    if serving.memory_bytes is not None and peak_bytes > serving.memory_bytes:
        return NotMeasurable(
            f"the model held {peak_bytes / 1e9:.2f} GB and a replica has "
            f"{serving.memory_bytes / 1e9:.2f} GB, so it does not run as planned"
        )
    spread = 1.0 if serving.kernel_seconds is not None else OTHER_MACHINE
    kernel = serving.kernel_seconds if serving.kernel_seconds is not None else kernel_here
    found = []
    for end, factor in (("low", 1 / spread), ("expected", 1.0), ("high", spread)):
        measured = "value" if end == "expected" else end
        seconds = serving.overhead_seconds + request_seconds(
            getattr(single, measured),
            getattr(batch, measured),
            serving.rows_per_request,
            batch_rows,
            kernel * factor,
        )
        busy = getattr(serving.requests, end) / (HOURS * 3600) * serving.busiest_hour * seconds
        needed = math.ceil(busy / (serving.cpus * serving.utilisation))
        replicas = max(getattr(serving.replicas, end), needed)
        if replicas > MOST_REPLICAS:
            return NotMeasurable(
                f"the planned requests would need more than {MOST_REPLICAS} replicas"
            )
        found.append((_money(serving, replicas), replicas, 1_000 * seconds))
    (low, low_kept, low_ms), (mid, mid_kept, mid_ms), (high, high_kept, high_ms) = found
    return MonthlyCost(
        low=low,
        expected=mid,
        high=high,
        replicas=Range(low_kept, mid_kept, high_kept),
        cpu_ms=Range(low_ms, mid_ms, high_ms),
        assumptions=_assumptions(serving, (low_kept, mid_kept, high_kept)),
    )


def _money(serving: Serving, replicas: float) -> float:
    memory = (serving.memory_bytes or 0.0) / 1e9
    hour = serving.cpus * serving.price_per_cpu_hour + memory * serving.price_per_gb_hour
    return replicas * HOURS * hour + serving.fixed


def _assumptions(serving: Serving, kept: tuple[float, ...]) -> tuple[str, ...]:
    said = []
    if serving.kernel_seconds is None:
        said.append(
            "the calibration kernel was not timed on the machine that serves, so processor time "
            f"counts from 1/{OTHER_MACHINE:g} to {OTHER_MACHINE:g} times what it was here"
        )
    if serving.overhead_seconds == 0:
        said.append("the work of the service around the model is not counted")
    planned = (serving.replicas.low, serving.replicas.expected, serving.replicas.high)
    if any(more > stated for more, stated in zip(kept, planned, strict=True)):
        said.append(
            "the planned replicas do not carry the busiest hour; those it needs are counted"
        )
    if serving.memory_bytes is None:
        said.append("the plan states no memory of a replica, so whether the model fits is not said")
    return tuple(said)
