"""Whether every input has a text that may be told to each audience as a reason for a no."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from guiderail.core.scales import KnownBy
from guiderail.facts.data.protected import declared_protected
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.facts.model.attributed import explained_version
from guiderail.facts.model.scored import evaluation_key, model_key
from guiderail.facts.places import written_at
from guiderail.facts.provider import Inputs, Provider, failed
from guiderail.sandbox.process import Failure

_NAME = "explanations.broken"


def _run(inputs: Inputs) -> Iterator[Fact]:
    named = inputs.model.explanations
    if named is None:
        reason = "guiderail.yaml names no reason texts (explanations.reasons)"
        yield unknown(_NAME, reason, written_at(inputs.release, "explanations"))
        return
    found = explained_version(inputs.release, inputs.release, inputs.cache)
    if isinstance(found, Failure):
        yield failed(_NAME, found.reason, named.reasons)
        return
    if isinstance(found, Unknown):
        yield unknown(_NAME, found.reason, named.reasons)
        return
    from guiderail.facts.model.explained import (
        background_stability,
        protected_inputs,
        reason_texts,
    )
    from guiderail.measure.reason_texts import check_texts
    from guiderail.measure.unmeasurable import NotMeasurable

    attributions = found.attributions
    never = protected_inputs(attributions.names, _protected(inputs))
    texts = reason_texts(inputs.release.path(named.reasons), named.reasons)
    problems = check_texts(texts, attributions.names, never)
    broken = [problem for problem in problems if problem.breaks]
    stable = background_stability(found)
    detail = {
        "names": ", ".join(dict.fromkeys(problem.input for problem in broken)),
        "audiences": list(texts.audiences),
        "method": attributions.method,
        "problems": [
            [problem.input, problem.audience, problem.fault, problem.says] for problem in problems
        ],
        "background_stability": stable.reason if isinstance(stable, NotMeasurable) else stable,
        "isolation": attributions.isolation.to_json(),
    }
    yield known(_NAME, len(broken), named.reasons, KnownBy.MEASURED, detail)


def _protected(inputs: Inputs) -> tuple[str, ...]:
    """Declared columns and those that were found in the data."""
    found = inputs.facts.get("data.protected_columns")
    columns = found.value if found is not None and isinstance(found.value, tuple) else ()
    return tuple(dict.fromkeys((*declared_protected(inputs), *columns)))


def _key(inputs: Inputs) -> Mapping[str, object]:
    named = inputs.model.explanations
    return {
        "reasons": None if named is None else inputs.release.artefacts[named.reasons],
        "named": None if named is None else named.reasons,
        "place": written_at(inputs.release, "explanations"),
        "protected": _protected(inputs),
        **evaluation_key(inputs.release),
        **model_key(inputs.release),
    }


EXPLANATIONS = Provider(
    id="model.explanations", version=1, kinds=("model",), gives=(_NAME,), run=_run, key=_key
)
