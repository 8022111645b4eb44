"""How much more, or less, a month of a pipeline costs than with the version in production."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from guiderail.change.baselines import NOTHING_RUNS
from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, known, unknown
from guiderail.facts.operation.run_cost import (
    NO_CODE,
    NO_RUN_PLAN,
    code_digest,
    inputs_digest,
    read_run_plan_of,
    run_cost_key,
    running_of,
)
from guiderail.facts.places import written_at
from guiderail.facts.provider import Inputs, Provider
from guiderail.manifest.release import Release

if TYPE_CHECKING:
    from guiderail.measure.run_records import RunRecord

_NAME = "cost.change"


def _run(inputs: Inputs) -> Iterator[Fact]:
    """Runs of both versions on the same inputs, each with its own schedule, at today's prices.

    Runs of the version in production are those in its own file and those that were measured beside
    this version, in this version's file.
    """
    from guiderail.measure.run_cost import change_percent_of_month
    from guiderail.measure.run_records import runs_of
    from guiderail.measure.unmeasurable import NotMeasurable
    from guiderail.sandbox.calibration_kernel import VERSION

    release, baseline = inputs.release, inputs.standing.production
    running, plan, code = running_of(release), read_run_plan_of(release), code_digest(release)
    if running is None or plan is None or code is None:
        reason = NO_CODE if running is not None else NO_RUN_PLAN
        yield unknown(_NAME, reason, written_at(release, "running"))
        return
    source = f"measured runs of both versions, {running.plan}"
    if baseline is None:
        yield unknown(_NAME, NOTHING_RUNS, source)
        return
    old = baseline.release
    old_plan, old_code = read_run_plan_of(old), code_digest(old)
    if old_plan is None or old_code is None:
        reason = "the version in production names no run plan, or no source files"
        yield unknown(_NAME, reason, source)
        return
    read, mine = inputs_digest(release), _records(release)
    if read is None:
        reason = "guiderail.yaml names no sources, so nobody can tell what the runs read"
        yield unknown(_NAME, reason, source)
        return
    new_runs = runs_of(mine, code, kernel=VERSION, inputs=read)
    both = mine if old_code == code else [*mine, *_records(old)]
    old_runs = runs_of(both, old_code, kernel=VERSION, inputs=read)
    for runs, whose in ((new_runs, "this version"), (old_runs, "the version in production")):
        if not runs:
            reason = f"no run of {whose} on the sources of this release was measured"
            yield unknown(_NAME, reason, source)
            return
    change = change_percent_of_month(plan.running, new_runs, old_plan.running, old_runs)
    if isinstance(change, NotMeasurable):
        yield unknown(_NAME, change.reason, source)
        return
    detail = {
        "low": change.low,
        "high": change.high,
        "runs": [len(new_runs), len(old_runs)],
        "runs_per_month": [plan.running.runs.expected, old_plan.running.runs.expected],
    }
    yield known(_NAME, round(change.value, 1), source, KnownBy.MEASURED, detail)


def _records(release: Release) -> list[RunRecord]:
    """Raises InputError for a file that is not right."""
    from guiderail.measure.run_records import read_runs

    running = running_of(release)
    return [] if running is None else list(read_runs(release.path(running.runs)))


def _key(inputs: Inputs) -> Mapping[str, object]:
    baseline = inputs.standing.production
    return {
        "release": run_cost_key(inputs.release),
        "baseline": None if baseline is None else run_cost_key(baseline.release),
    }


RUN_COST_CHANGE = Provider(
    id="change.run_cost",
    version=1,
    kinds=("pipeline",),
    gives=(_NAME,),
    run=_run,
    key=_key,
)
