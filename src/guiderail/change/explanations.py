"""Whether this version and the one in production explain the same cases alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from guiderail.change.baselines import IN_WORDS, missing
from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.facts.model.attributed import explained_version
from guiderail.facts.model.scored import evaluation_key, evaluation_of, model_key
from guiderail.facts.provider import Inputs, Provider, failed
from guiderail.manifest.schema import ModelManifest
from guiderail.sandbox.process import Failure

if TYPE_CHECKING:
    from guiderail.facts.model.explained import Version
    from guiderail.measure.attribution_agreement import Agreement

NOT_ASKED_FOR = "guiderail.yaml has no section explanations, so nothing was explained"
"""Explaining trains the recipe again many times: only where a manifest asks for it."""

_CHANGED, _STABLE = "explanations.regressed", "explanations.reason_stability"


def _run(inputs: Inputs) -> Iterator[Fact]:
    source = _source(inputs)
    if inputs.model.explanations is None:
        yield from _unknown(NOT_ASKED_FOR, source)
        return
    production = inputs.standing.production
    if production is None:
        yield from _unknown(missing("change", inputs), source)
        return
    if not isinstance(production.release.manifest, ModelManifest):
        yield from _unknown(f"{IN_WORDS['change']} is no model", source)
        return
    new = explained_version(inputs.release, inputs.release, inputs.cache)
    old = explained_version(production.release, inputs.release, inputs.cache, recipe=True)
    for who, found in (("", new), (f"{IN_WORDS['change']}: ", old)):
        if isinstance(found, Failure):
            yield from (failed(name, f"{who}{found.reason}", source) for name in _names())
            return
        if isinstance(found, Unknown):
            yield from _unknown(f"{who}{found.reason}", source)
            return
    if not isinstance(new, Failure | Unknown) and not isinstance(old, Failure | Unknown):
        yield from _compared(old, new, source)


def _compared(old: Version, new: Version, source: str) -> Iterator[Fact]:
    from guiderail.facts.model.explained import compared
    from guiderail.measure.unmeasurable import NotMeasurable

    found = compared(old, new)
    if isinstance(found, NotMeasurable):
        yield from _unknown(found.reason, source)
        return
    yield _regressed(found, old, source)
    yield _stability(found, old, new, source)


def _regressed(found: Agreement, old: Version, source: str) -> Fact:
    from guiderail.facts.model.explained import tested
    from guiderail.measure.explanation_regression import calibrated_on
    from guiderail.measure.unmeasurable import NotMeasurable

    verdict = tested(found, old)
    if isinstance(verdict, NotMeasurable):
        return unknown(_CHANGED, verdict.reason, source)
    detail = {
        "why": "; ".join(verdict.why),
        "measures": [[one.measure, one.distance, one.usual, one.limit] for one in verdict.tested],
        "refits": verdict.refits,
        "calibrated_on": calibrated_on(),
        "method": old.attributions.method,
        "n": found.n,
        "shifts": dict(sorted(found.shifts.items(), key=lambda item: -abs(item[1]))[:10]),
    }
    return known(_CHANGED, verdict.verdict == "fail", source, KnownBy.MEASURED, detail)


def _stability(found: Agreement, old: Version, new: Version, source: str) -> Fact:
    """Percent of explained cases that both versions refuse."""
    from guiderail.measure.intervals import wilson

    undecided = new.undecided or old.undecided
    if undecided:
        return unknown(_STABLE, undecided, source)
    if not found.both_adverse:
        return unknown(_STABLE, "both versions refuse none of the explained cases", source)
    share = wilson(found.principal, found.both_adverse)
    percent = Interval(100 * share.value, 100 * share.low, 100 * share.high)
    detail = {"refused_by_both": found.both_adverse, "same_principal": found.principal}
    return known(_STABLE, percent, source, KnownBy.MEASURED, detail)


def _unknown(reason: str, source: str) -> Iterator[Fact]:
    for name in _names():
        yield unknown(name, reason, source)


def _names() -> tuple[str, str]:
    return (_CHANGED, _STABLE)


def _source(inputs: Inputs) -> str:
    evaluation = evaluation_of(inputs.release)
    return f"{evaluation.data if evaluation else 'nothing'} explained by both versions"


def _key(inputs: Inputs) -> Mapping[str, object]:
    production = inputs.standing.production
    before: object = missing("change", inputs)
    if production is not None:
        before = {"release": production.digest}
    return {
        "asked": inputs.model.explanations is not None,
        **evaluation_key(inputs.release),
        **model_key(inputs.release),
        "production": before,
    }


EXPLANATION_CHANGE = Provider(
    id="change.explanations", version=1, kinds=("model",), gives=_names(), run=_run, key=_key
)
