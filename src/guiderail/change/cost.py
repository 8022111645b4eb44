"""How much more, or less, processor time this version takes than the one in production."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from guiderail.change.baselines import NOTHING_RUNS
from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.facts.model.scored import NO_DATA, evaluation_key, evaluation_of, model_key
from guiderail.facts.operation.cost import NO_PLAN, plan_of, to_time
from guiderail.facts.places import written_at
from guiderail.facts.provider import Inputs, Provider, failed
from guiderail.manifest.schema import ModelManifest
from guiderail.sandbox.process import Failure


def _run(inputs: Inputs) -> Iterator[Fact]:
    """Both versions in the same rounds of one process, row by row, as requests come."""
    from guiderail.measure.cost_ratio import change_percent
    from guiderail.measure.unmeasurable import NotMeasurable
    from guiderail.sandbox.cost import time_models

    name, release = "cost.change", inputs.release
    evaluation, baseline = evaluation_of(release), inputs.standing.production
    if plan_of(release) is None or evaluation is None:
        reason = NO_DATA if evaluation is None else NO_PLAN
        yield unknown(name, reason, written_at(release, "serving"))
        return
    source = f"both versions timed on {evaluation.data}"
    if baseline is None or not isinstance(baseline.release.manifest, ModelManifest):
        reason = NOTHING_RUNS if baseline is None else "the version in production is no model"
        yield unknown(name, reason, source)
        return
    wanted = [to_time(one, release, inputs.cache) for one in (release, baseline.release)]
    for one, words in zip(wanted, ("", "the version in production: "), strict=True):
        if isinstance(one, Unknown):
            yield unknown(name, f"{words}{one.reason}", source)
            return
    if model_key(release)["model"] == model_key(baseline.release)["model"]:
        yield known(name, 0.0, source, KnownBy.MEASURED, {"reason": "it is the same model file"})
        return
    ready = [one for one in wanted if not isinstance(one, Unknown)]
    found = time_models(
        ready, release.path(evaluation.data), encoding=release.encoding(evaluation.data)
    )
    if isinstance(found, Failure):
        yield failed(name, f"the two versions could not be timed: {found.reason}", source)
        return
    new, old = found.models
    change = change_percent(new.single, old.single)
    if isinstance(change, NotMeasurable):
        yield unknown(name, change.reason, source)
        return
    detail = {"low": change.low, "high": change.high, "rounds": len(found.kernel)}
    yield known(name, round(change.value, 1), source, KnownBy.MEASURED, detail)


def _key(inputs: Inputs) -> Mapping[str, object]:
    release, baseline = inputs.release, inputs.standing.production
    is_model = baseline is not None and isinstance(baseline.release.manifest, ModelManifest)
    return {
        **evaluation_key(release),
        **model_key(release),
        "plan": plan_of(release) is not None,
        "place": written_at(release, "serving"),
        "baseline": model_key(baseline.release) if baseline is not None and is_model else None,
        "runs": baseline is not None,
    }


COST_CHANGE = Provider(
    id="change.cost",
    version=1,
    kinds=("model",),
    gives=("cost.change",),
    run=_run,
    key=_key,
)
