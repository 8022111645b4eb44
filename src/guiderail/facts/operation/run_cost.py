"""What a month of a pipeline costs: its measured runs, its schedule and its prices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from guiderail.core.digest import Digest, json_digest
from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy
from guiderail.facts.data.data_files import sources
from guiderail.facts.fact import Fact, known, unknown
from guiderail.facts.places import written_at
from guiderail.facts.provider import Inputs, Provider
from guiderail.manifest.release import Release
from guiderail.manifest.schema import PipelineManifest, Running

if TYPE_CHECKING:
    from guiderail.measure.run_plan import RunPlan

NO_RUN_PLAN = "guiderail.yaml names no run plan and no measured runs (running)"
NO_CODE = (
    "guiderail.yaml names no source files (code), so nobody can tell which version the measured "
    "runs are of"
)


def running_of(release: Release) -> Running | None:
    """The run plan and the measured runs that a pipeline names; None for anything else."""
    manifest = release.manifest
    return manifest.running if isinstance(manifest, PipelineManifest) else None


def read_run_plan_of(release: Release) -> RunPlan | None:
    """Raises InputError for a plan that is not right."""
    running = running_of(release)
    if running is None:
        return None
    from guiderail.measure.run_plan import read_run_plan

    return read_run_plan(release.path(running.plan))


def code_digest(release: Release) -> Digest | None:
    """Digest of the source files that the manifest names; None where it names none."""
    names = release.manifest.code
    return json_digest({name: release.artefacts[name] for name in names}) if names else None


def inputs_digest(release: Release) -> Digest | None:
    """Digest of the data of every source, by the source's name; None where it names none."""
    named = {source.name: release.artefacts[source.data] for source in sources(release)}
    return json_digest(named) if named else None


def _run(inputs: Inputs) -> Iterator[Fact]:
    from guiderail.measure.run_cost import month_of_runs
    from guiderail.measure.run_records import read_runs, runs_of
    from guiderail.measure.unmeasurable import NotMeasurable
    from guiderail.sandbox.calibration_kernel import VERSION

    name, release = "cost.monthly", inputs.release
    running, plan, code = running_of(release), read_run_plan_of(release), code_digest(release)
    if running is None or plan is None:
        yield unknown(name, NO_RUN_PLAN, written_at(release, "running"))
        return
    if code is None:
        yield unknown(name, NO_CODE, written_at(release, "code"))
        return
    source = f"{running.runs}, {running.plan}"
    records = read_runs(release.path(running.runs))
    runs = runs_of(records, code, kernel=VERSION)
    if records and not runs:
        reason = f"the runs in {running.runs} are of other source files than those of this release"
        yield unknown(name, reason, source)
        return
    costs = month_of_runs(plan.running, runs)
    if isinstance(costs, NotMeasurable):
        yield unknown(name, costs.reason, source)
        return
    detail = {
        "currency": plan.currency,
        "runs": len(runs),
        "runs_per_month": asdict(plan.running.runs),
        "one_run": asdict(costs.run),
        "assumptions": list(costs.assumptions),
    }
    cents = Interval(round(costs.expected, 2), round(costs.low, 2), round(costs.high, 2))
    yield known(name, cents, source, KnownBy.MEASURED, detail)


def run_cost_key(release: Release) -> Mapping[str, object]:
    """Everything that the cost of a release's runs depends on."""
    running = running_of(release)
    return {
        "running": None
        if running is None
        else [[name, release.artefacts[name]] for name in (running.plan, running.runs)],
        "code": code_digest(release),
        "inputs": inputs_digest(release),
        "places": [written_at(release, key) for key in ("running", "code")],
    }


def _key(inputs: Inputs) -> Mapping[str, object]:
    return run_cost_key(inputs.release)


PIPELINE_COST = Provider(
    id="operation.run_cost",
    version=1,
    kinds=("pipeline",),
    gives=("cost.monthly",),
    run=_run,
    key=_key,
)
