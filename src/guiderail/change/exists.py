"""Whether a version runs in production."""

from __future__ import annotations

from collections.abc import Iterator

from guiderail.core.digest import short
from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, known
from guiderail.facts.provider import Inputs, Provider


def _run(inputs: Inputs) -> Iterator[Fact]:
    production = inputs.standing.production
    detail = {} if production is None else {"production": short(production.digest)}
    yield known("baseline.exists", production is not None, "the ledger", KnownBy.ATTESTED, detail)


EXISTS = Provider(
    id="change.exists",
    version=1,
    kinds=("app", "model", "pipeline"),
    gives=("baseline.exists",),
    run=_run,
)
