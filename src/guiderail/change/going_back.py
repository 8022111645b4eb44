"""Whether the version in production could take over again: its contract, and the flips."""

from __future__ import annotations

from collections.abc import Iterator

from guiderail.change.baselines import IN_WORDS
from guiderail.change.features import baseline_inputs
from guiderail.core.scales import KnownBy
from guiderail.facts.evidence.feature_contract import contract, input_types, offered_features
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.facts.places import written_at
from guiderail.facts.provider import Inputs, Provider
from guiderail.facts.standing import Baseline


def _run(inputs: Inputs) -> Iterator[Fact]:
    production = inputs.standing.production
    yield _compatible(inputs, production)
    name, source = "rollback.flips_known", "both versions on the same frozen data"
    if production is None:
        yield known(name, True, "nothing runs before", KnownBy.ATTESTED)
        return
    flips = inputs.facts.get("change.flips")
    measured = flips is not None and not flips.is_unknown
    detail = {}
    if flips is not None and isinstance(flips.value, Unknown):
        detail["reason"] = flips.value.reason
    yield known(name, measured, source, KnownBy.MEASURED, detail)


def _compatible(inputs: Inputs, production: Baseline | None) -> Fact:
    """A model file asks for inputs; switching off or deciding by hand asks for none."""
    name = "rollback.compatible"
    if production is None:
        plan = inputs.release.manifest.rollback
        place = written_at(inputs.release, "rollback")
        if plan is None or plan.fallback == "previous":
            return unknown(name, "there is nothing to go back to", place)
        return known(name, True, place, KnownBy.DECLARED, {"fallback": plan.fallback})
    source = "the model file in production and the features that serving offers"
    wanted = baseline_inputs(production, inputs, IN_WORDS["change"])
    offered = offered_features(inputs.release)
    if isinstance(wanted, Unknown):
        return unknown(name, wanted.reason, source)
    if isinstance(offered, Unknown):
        return unknown(name, offered.reason, source)
    types = input_types(production.release, inputs.release, inputs)
    found_contract = contract(tuple(sorted(wanted)), types, offered)
    broken = (*found_contract.missing, *found_contract.mismatched)
    if not broken and found_contract.untyped:
        return unknown(name, f"nothing says the type of {found_contract.untyped[0]}", source)
    return known(name, not broken, source, KnownBy.MEASURED, {"features": list(broken)})


GOING_BACK = Provider(
    id="change.going-back",
    version=1,
    kinds=("model",),
    gives=("rollback.compatible", "rollback.flips_known"),
    run=_run,
)
