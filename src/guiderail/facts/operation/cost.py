"""What a month of the release costs, and the ceiling that the finance owner approved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.facts.model.scored import NO_DATA, evaluation_key, evaluation_of, model_key
from guiderail.facts.model.summary import model_file, model_summary
from guiderail.facts.operation.run_cost import read_run_plan_of
from guiderail.facts.places import written_at
from guiderail.facts.provider import Inputs, Provider, failed
from guiderail.manifest.protected import protected_columns
from guiderail.manifest.release import Release
from guiderail.manifest.schema import ModelManifest
from guiderail.sandbox.process import Failure

if TYPE_CHECKING:
    from guiderail.facts.cache import FactCache
    from guiderail.measure.serving_plan import ServingPlan
    from guiderail.sandbox.cost import CostRounds, ToTime

NO_PLAN = "guiderail.yaml names no serving plan (serving.plan)"
_CEILINGS = "the workspace's ceilings.yaml"


def plan_of(release: Release) -> str | None:
    """The path of the serving plan as the manifest names it; None where it names none."""
    manifest = release.manifest
    if not isinstance(manifest, ModelManifest) or manifest.serving is None:
        return None
    return manifest.serving.plan


def read_plan_of(release: Release) -> ServingPlan | None:
    """Raises InputError for a plan that is not right."""
    from guiderail.measure.serving_plan import read_plan

    plan = plan_of(release)
    return None if plan is None else read_plan(release.path(plan))


def to_time(model: Release, judged: Release, cache: FactCache) -> ToTime | Unknown:
    """How to time a version on the evaluation data of the release that is judged."""
    from guiderail.sandbox.cost import ToTime

    evaluation = evaluation_of(judged)
    if evaluation is None:
        return Unknown(NO_DATA)
    summary = model_summary(model, cache)
    if summary.safety == "unsafe":
        return Unknown(f"{model_file(model)} is refused: {'; '.join(summary.reasons)}")
    outside = (evaluation.label, evaluation.cluster, *protected_columns(evaluation.protected))
    named = tuple(name for name in outside if name is not None)
    return ToTime(model.path(model_file(model)), summary.names, named)


def _run(inputs: Inputs) -> Iterator[Fact]:
    from guiderail.sandbox.cost import time_models

    name, release = "cost.monthly", inputs.release
    evaluation, plan = evaluation_of(release), read_plan_of(release)
    if plan is None:
        yield unknown(name, NO_PLAN, written_at(release, "serving"))
        return
    if evaluation is None:
        yield unknown(name, NO_DATA, written_at(release, "evaluation"))
        return
    source = f"{model_file(release)} timed on {evaluation.data}, {plan_of(release)}"
    wanted = to_time(release, release, inputs.cache)
    if isinstance(wanted, Unknown):
        yield unknown(name, wanted.reason, source)
        return
    found = time_models(
        [wanted],
        release.path(evaluation.data),
        encoding=release.encoding(evaluation.data),
    )
    if isinstance(found, Failure):
        yield failed(name, f"{model_file(release)} could not be timed: {found.reason}", source)
        return
    yield _monthly(plan, found, source)


def _monthly(plan: ServingPlan, found: CostRounds, source: str) -> Fact:
    from guiderail.measure.cost_ratio import cpu_ratio, median_interval
    from guiderail.measure.monthly_cost import monthly_cost
    from guiderail.measure.unmeasurable import NotMeasurable

    name, timed = "cost.monthly", found.models[0]
    batch, single = cpu_ratio(timed.batch, found.kernel), cpu_ratio(timed.single, found.kernel)
    kernel = median_interval(found.kernel)
    if isinstance(batch, NotMeasurable):
        return unknown(name, batch.reason, source)
    if isinstance(single, NotMeasurable):
        return unknown(name, single.reason, source)
    if isinstance(kernel, NotMeasurable):
        return unknown(name, kernel.reason, source)
    costs = monthly_cost(
        plan.serving,
        single,
        batch,
        batch_rows=found.rows,
        kernel_here=kernel.value,
        peak_bytes=timed.peak_bytes,
    )
    if isinstance(costs, NotMeasurable):
        return unknown(name, costs.reason, source)
    detail = {
        "currency": plan.currency,
        "cpu_ratio": asdict(batch),
        "single_row_cpu_ratio": asdict(single),
        "kernel_version": found.kernel_version,
        "replicas": asdict(costs.replicas),
        "assumptions": list(costs.assumptions),
        "isolation": found.isolation.to_json(),
    }
    cents = Interval(round(costs.expected, 2), round(costs.low, 2), round(costs.high, 2))
    return known(name, cents, source, KnownBy.MEASURED, detail)


def _key(inputs: Inputs) -> Mapping[str, object]:
    release, plan = inputs.release, plan_of(inputs.release)
    return {
        **evaluation_key(release),
        **model_key(release),
        "plan": None if plan is None else [plan, release.artefacts[plan]],
        "places": [written_at(release, key) for key in ("serving", "evaluation")],
    }


def _ceiling(inputs: Inputs) -> Iterator[Fact]:
    name, ceiling = "cost.ceiling", inputs.standing.ceiling
    if ceiling is None:
        yield unknown(name, "the finance owner has approved no ceiling", _CEILINGS)
        return
    if ceiling.until < inputs.now:
        day = f"{ceiling.until:%Y-%m-%d}"
        yield unknown(name, f"the approved ceiling ended on {day}", _CEILINGS)
        return
    serving, running = read_plan_of(inputs.release), read_run_plan_of(inputs.release)
    plan, words = serving or running, "serving plan" if serving is not None else "run plan"
    if plan is not None and plan.currency != ceiling.currency:
        reason = f"the ceiling is in {ceiling.currency} and the {words} in {plan.currency}"
        yield unknown(name, reason, _CEILINGS)
        return
    detail = {"currency": ceiling.currency, "approved_by": ceiling.approved_by}
    yield known(name, ceiling.per_month, _CEILINGS, KnownBy.ATTESTED, detail)


MODEL_COST = Provider(
    id="operation.cost",
    version=1,
    kinds=("model",),
    gives=("cost.monthly",),
    run=_run,
    key=_key,
)
COST_CEILING = Provider(
    id="operation.cost_ceiling",
    version=1,
    kinds=("model", "pipeline"),
    gives=("cost.ceiling",),
    run=_ceiling,
)
