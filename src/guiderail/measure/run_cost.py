"""What a month of a pipeline costs, as a range: from measured runs, a schedule and prices.

A run keeps processors and memory for as long as it works, and reads bytes that may have a price.
How long it keeps them follows from its processor time, never from the clock: a shared machine makes
a run wait. Low is a month of runs like the cheapest measured, high one like the dearest: with six
runs, these two enclose the median of all runs with 95 % (Hahn and Meeker, Statistical Intervals,
section 5.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from guiderail.core.interval import Interval
from guiderail.measure.cost_ratio import FEWEST_ROUNDS, median_interval
from guiderail.measure.monthly_cost import OTHER_MACHINE, Range
from guiderail.measure.unmeasurable import NotMeasurable

_EACH = 0.975
"""Confidence in each of two medians, so that both hold together with 95 % (Bonferroni)."""


@dataclass(frozen=True, slots=True)
class Run:
    """One measured run. kernel_seconds: of the calibration kernel on the machine of the run, timed
    around it; None where it was not. read_bytes: None where it was not recorded.
    """

    cpu_seconds: float
    peak_bytes: int | None = None
    read_bytes: int | None = None
    kernel_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """What a run plan states. Prices are in the plan's currency.

    utilisation: share of the kept processors that a run keeps busy. memory_bytes: kept by a run.
    kernel_seconds: of the calibration kernel on the machine that runs it; None where not timed.
    """

    runs: Range
    cpus: float
    utilisation: float
    price_per_cpu_hour: float
    memory_bytes: float | None
    price_per_gb_hour: float
    price_per_tb_read: float
    fixed: float
    kernel_seconds: float | None


@dataclass(frozen=True, slots=True)
class MonthOfRuns:
    """low, expected and high are money; run is the money for one run."""

    low: float
    expected: float
    high: float
    run: Range
    assumptions: tuple[str, ...]


def month_of_runs(plan: Running, runs: Sequence[Run]) -> MonthOfRuns | NotMeasurable:
    """The range over the planned number of runs and the measured runs."""
    reason = _why_not(plan, runs)
    if reason is not None:
        return NotMeasurable(reason)
    spread = 1.0 if _same_speed(plan, runs) else OTHER_MACHINE
    each = Range(
        min(_cost(plan, run, 1 / spread) for run in runs),
        sum(_cost(plan, run, 1.0) for run in runs) / len(runs),
        max(_cost(plan, run, spread) for run in runs),
    )
    return MonthOfRuns(
        low=plan.runs.low * each.low + plan.fixed,
        expected=plan.runs.expected * each.expected + plan.fixed,
        high=plan.runs.high * each.high + plan.fixed,
        run=each,
        assumptions=_assumptions(plan, runs),
    )


def change_percent_of_month(
    new_plan: Running, new: Sequence[Run], old_plan: Running, old: Sequence[Run]
) -> Interval | NotMeasurable:
    """How much more a month costs than with the old version, in percent, at the new prices.

    The runs are not paired: it is the ratio of the two medians. Both sides count the calibration
    kernel where every run has it, so that a machine that was slower on one day changes nothing.
    """
    priced = replace(
        old_plan,
        price_per_cpu_hour=new_plan.price_per_cpu_hour,
        price_per_gb_hour=new_plan.price_per_gb_hour,
        price_per_tb_read=new_plan.price_per_tb_read,
    )
    mine, its = _like_runs(new, old)
    sides = []
    for plan, runs in ((new_plan, mine), (priced, its)):
        reason = _why_not(plan, runs)
        if reason is not None:
            return NotMeasurable(reason)
        months = [plan.runs.expected * _cost(plan, run, 1.0) + plan.fixed for run in runs]
        found = median_interval(months, confidence=_EACH)
        if isinstance(found, NotMeasurable):
            return NotMeasurable(found.reason.replace("rounds", "runs"))
        sides.append(found)
    now, before = sides
    if before.low <= 0:
        return NotMeasurable("the version in production costs nothing by the plan")
    return Interval(
        100 * (now.value / before.value - 1),
        100 * (now.low / before.high - 1),
        100 * (now.high / before.low - 1),
    )


def _why_not(plan: Running, runs: Sequence[Run]) -> str | None:
    """Why these runs have no cost under the plan, as a clause; None where they have one."""
    if len(runs) < FEWEST_ROUNDS:
        return f"{len(runs)} measured runs are too few for a range; {FEWEST_ROUNDS} are not"
    if plan.price_per_tb_read and any(run.read_bytes is None for run in runs):
        return "bytes read have a price, and a run does not say how many it read"
    held = max(run.peak_bytes or 0 for run in runs)
    if plan.memory_bytes is not None and held > plan.memory_bytes:
        return (
            f"a run held {held / 1e9:.2f} GB and the plan keeps {plan.memory_bytes / 1e9:.2f} GB, "
            "so it does not run as planned"
        )
    return None


def _cost(plan: Running, run: Run, factor: float) -> float:
    """Money for one run. factor: how much longer the machine that runs it takes."""
    memory = (plan.memory_bytes or 0.0) / 1e9
    hour = plan.cpus * plan.price_per_cpu_hour + memory * plan.price_per_gb_hour
    read = (run.read_bytes or 0) / 1e12 * plan.price_per_tb_read
    return _kept_hours(plan, run) * factor * hour + read


def _kept_hours(plan: Running, run: Run) -> float:
    """Hours for which a run keeps its processors, on the machine that the plan speaks of."""
    seconds = run.cpu_seconds
    if plan.kernel_seconds is not None and run.kernel_seconds is not None:
        seconds *= plan.kernel_seconds / run.kernel_seconds
    return seconds / (plan.cpus * plan.utilisation) / 3_600


def _like_runs(new: Sequence[Run], old: Sequence[Run]) -> tuple[list[Run], list[Run]]:
    """Runs in processor seconds of one and the same machine, where the kernel tells how fast."""
    kernels = [run.kernel_seconds for run in (*new, *old)]
    if any(kernel is None for kernel in kernels):
        return [_without_kernel(run) for run in new], [_without_kernel(run) for run in old]
    first = kernels[0] or 1.0
    return [_scaled(run, first) for run in new], [_scaled(run, first) for run in old]


def _without_kernel(run: Run) -> Run:
    return Run(run.cpu_seconds, run.peak_bytes, run.read_bytes)


def _scaled(run: Run, kernel: float) -> Run:
    seconds = run.cpu_seconds * kernel / (run.kernel_seconds or kernel)
    return Run(seconds, run.peak_bytes, run.read_bytes)


def _same_speed(plan: Running, runs: Sequence[Run]) -> bool:
    return plan.kernel_seconds is not None and all(run.kernel_seconds is not None for run in runs)


def _assumptions(plan: Running, runs: Sequence[Run]) -> tuple[str, ...]:
    said = []
    if not _same_speed(plan, runs):
        said.append(
            "the calibration kernel was not timed both around the runs and on the machine that "
            f"runs them, so processor time counts from 1/{OTHER_MACHINE:g} to {OTHER_MACHINE:g} "
            "times what was measured"
        )
    if plan.utilisation == 1:
        said.append("a run keeps its processors busy all the time; waiting is not paid for")
    if plan.memory_bytes is None:
        said.append("the plan states no memory, so whether a run fits is not said")
    if any(run.peak_bytes is None for run in runs) and plan.memory_bytes is not None:
        said.append("a run does not say how much memory it held, so whether it fits is not said")
    return tuple(said)
